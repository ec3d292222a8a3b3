"""A list of entries that change while one looks at them."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option


def show_entries(options: OptionList, drawn: Mapping[str, Content]) -> None:
    """Bring entries up to date where they are, by id; lay them out afresh only when they are others.

    The one that was highlighted stays so, if it is still there.
    """
    ids = list(drawn)
    if [option.id for option in options.options] == ids:
        for at, entry in enumerate(drawn.values()):
            options.replace_option_prompt_at_index(at, entry)
        return
    was = options.highlighted_option.id if options.highlighted_option is not None else None
    options.clear_options()
    options.add_options([Option(entry, id=key) for key, entry in drawn.items()])
    if ids:
        options.highlighted = ids.index(was) if was in ids else 0
