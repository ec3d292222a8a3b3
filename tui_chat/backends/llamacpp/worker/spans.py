"""Where the turns of a conversation end that one of our templates rendered."""

from __future__ import annotations

from tui_chat.backends.llamacpp.worker.template import ChatTemplate
from tui_chat.backends.spans import ends_in
from tui_chat.chat.model import Role
from tui_chat.wire.api import Turn


def find_ends(
    template: ChatTemplate, turns: tuple[Turn, ...], form: tuple[Turn, ...], text: str
) -> list[int]:
    """Where in the rendered `text` each turn ends, with what the template writes after it, in characters.

    Args:
        template: It rendered the text.
        turns: What was to be rendered.
        form: The same in the form that the template accepted.
        text: What came of it.
    """
    after: dict[Role, str] = {}
    for number, turn in enumerate(form, 1):
        if turn.role not in after:
            after[turn.role] = template.after(form[:number])
    return ends_in(text, turns, after)
