"""A list without a filter, whose keys are those of every list."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList

from tui_chat.ui.command import Place
from tui_chat.ui.keys import Keyed


class Rows(Keyed, OptionList):
    """Rows to go up and down in, and to choose one of."""

    own_places = (Place.LISTS,)

    async def _on_key(self, event: events.Key) -> None:
        await self.ran_here_or_around(event, inherited=True)  # in the order in which they were pressed
