"""The trash: deleted sessions, when each goes for good, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.content import Content

from tui_chat.store.trash import Trashed
from tui_chat.ui import words
from tui_chat.ui.commands import Place
from tui_chat.ui.screens.dialogs import PickScreen
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns, containing

if TYPE_CHECKING:
    from tui_chat.client.collection import Collection
    from tui_chat.store.listing import SessionSummary

_NONE = "The trash is empty. Sessions that are deleted wait here, and can be brought back."


class TrashScreen(ListScreen[None]):
    """Shows what was deleted, the last deleted first."""

    own_places = (Place.TRASH,)
    heading = "trash"

    def __init__(self, collection: Collection) -> None:
        super().__init__()
        self._collection = collection

    @work(exclusive=True, group="trash")
    async def read(self) -> None:
        """Look into the trash."""
        found = await self._collection.trashed()
        if self.there:
            now = datetime.now(UTC)
            self.head(words.count(len(found), "session"))
            self.rows.show(
                [_row(each, now) for each in found], "No session here is called that." if found else _NONE
            )

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return the sessions that contain what was typed."""
        return containing(typed, rows)

    @on(FilteredList.Chosen)
    def action_restore(self) -> None:
        """Put the highlighted session back into the list."""
        row = self.rows.current
        if row is not None:
            self.run_worker(self.attempt(self._collection.restore(row.id), "back in the list of sessions"))

    @work(group="purging")
    async def action_purge(self) -> None:
        """Delete the highlighted session for good, or all; asked first, as nothing brings them back."""
        row = self.rows.current
        if row is None:
            return
        trashed = await self._collection.trashed()
        choices = ["keep it", f"delete “{words.shorten(_title(row.thing.summary), 40)}”"]
        if len(trashed) > 1:
            choices.append(f"delete all {len(trashed)}")
        chosen = await self.app.push_screen_wait(
            PickScreen("Delete for good? Nothing brings it back.", choices)
        )
        if chosen:
            gone = [row.id] if chosen == 1 else [each.summary.id for each in trashed]
            done = f"{words.count(len(gone), 'session')} deleted for good"
            await self.attempt(self._collection.purge(gone), done)

    def action_leave(self) -> None:
        """Go back to the list."""
        self.dismiss(None)


def _row(each: Trashed, now: datetime) -> Row[Trashed]:
    summary = each.summary
    title = _title(summary)
    return Row(summary.id, each, f"{title} {summary.id}", partial(_drawn, title, _going(each.goes, now)))


def _title(summary: SessionSummary) -> str:
    return summary.title or summary.preview or summary.id


def _drawn(title: str, going: str, width: int) -> Content:
    return columns(width, Content.styled(title, "$foreground"), Content.styled(going, "$muted"))


def _going(goes: datetime | None, now: datetime) -> str:
    """Say when a session goes for good."""
    if goes is None:
        return "stays"
    days = ceil((goes - now).total_seconds() / 86_400)
    return f"goes for good in {words.count(days, 'day')}" if days > 0 else "goes for good today"
