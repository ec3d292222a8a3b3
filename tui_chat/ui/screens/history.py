"""What was sent before, in all sessions: found by a few letters, to be written again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.content import Content

from tui_chat.ui.command import Place
from tui_chat.ui.fuzzy import has_letters
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.transcript.text import clean_line
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns, fuzzy
from tui_chat.ui.words import count

if TYPE_CHECKING:
    from tui_chat.store.history import PromptHistory

_LOOKED_AT = 200
"""Characters of a message that are looked through and drawn; longer ones are mostly what was pasted."""
_RANKED = 200
"""Messages with the letters typed that are weighed against each other, the newest."""


class HistoryScreen(ListScreen[str | None]):
    """Gives the message that is chosen, or None."""

    own_places = (Place.HISTORY,)
    heading = "sent before"
    placeholder = "a few letters of it"

    def __init__(self, history: PromptHistory) -> None:
        super().__init__()
        self._history = history

    @work(group="reading", exclusive=True)
    async def read(self) -> None:
        """Show what was sent, the newest first and each once."""
        sent = await asyncio.to_thread(self._history.read)
        texts = list(dict.fromkeys(reversed(sent)))
        rows = [Row(str(at), text, text[:_LOOKED_AT], partial(_row, text)) for at, text in enumerate(texts)]
        if self.there:
            self.rows.show(rows, "Nothing was sent yet." if not rows else "Nothing like that was sent.")
            self.head(f"in all sessions · {count(len(rows), 'message')}")

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return the messages whose letters were typed, the best match first."""
        near = [row for row in rows if has_letters(typed, row.words)]
        return fuzzy(typed, near[:_RANKED]) if typed.strip() else near

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Give the one under the cursor."""
        if (row := self.rows.current) is not None:
            self.dismiss(row.thing)

    def action_leave(self) -> None:
        """Back to the chat."""
        self.dismiss(None)


def _row(text: str, width: int) -> Content:
    lines = text.count("\n") + 1
    more = Content.styled(count(lines, "line"), "$muted") if lines > 1 else Content("")
    return columns(width, Content.styled(clean_line(text[:_LOOKED_AT]), "$foreground"), more)
