"""The list of sessions: newest first, narrowed by typing, with rename and archive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.store.errors import StoreError
from tui_chat.store.listing import SessionSummary
from tui_chat.ui import words
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.keys import bindings
from tui_chat.ui.screens.dialogs import AskScreen
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui_chat.client.workspace import Workspace


class SessionsScreen(ModalScreen[str | None]):
    """Choose a session; gives its id, or None for staying where one is."""

    CSS_PATH = "lists.tcss"
    BINDINGS: ClassVar = bindings(Place.SESSIONS)
    places = (Place.SESSIONS, Place.EVERYWHERE)

    def __init__(self, workspace: Workspace, current: str) -> None:
        super().__init__()
        self._workspace = workspace
        self._current = current
        self._archived: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay out title, filtered list, note and keys."""
        with Vertical(classes="list"):
            yield Static("sessions", classes="list-head", markup=False)
            yield FilteredList[SessionSummary]("type to filter")
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Read the folder; the screen is already painted."""
        self.query_one(HintLine).show(list(commands(Place.SESSIONS)))
        self._read()

    @work(exclusive=True, group="sessions")
    async def _read(self) -> None:
        found = await self._workspace.sessions()
        now = datetime.now(UTC)
        rows = [Row(s.id, s, f"{s.title} {s.preview} {s.id}", self._drawer(s, now)) for s in found]
        self.query_one(FilteredList).show(rows, "No session yet. The first message you send makes one.")
        self.query_one(".list-head", Static).update(
            Content.assemble(("sessions", "bold"), (f"   {words.count(len(rows), 'session')}", "$muted"))
        )

    def _drawer(self, summary: SessionSummary, now: datetime) -> Callable[[int], Content]:
        def draw(width: int) -> Content:
            if summary.problem is not None:
                left = Content.assemble(("! ", "$warning"), (summary.problem.what, "$warning"))
                return columns(width, left, Content.styled(size(summary.size_bytes), "$muted"))
            mark = "● " if summary.id == self._current else "  "
            title = summary.title or summary.preview or "(nothing said yet)"
            left = Content.assemble((mark, "$accent"), (title, "$foreground"))
            right = f"{words.count(summary.messages, 'message')}  {words.age(summary.updated, now):>8}"
            return columns(width, left, Content.styled(right, "$muted"))

        return draw

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Open the highlighted session, unless it cannot be opened."""
        row = self.query_one(FilteredList).current
        if row is not None:
            self.dismiss(row.id)

    def action_leave(self) -> None:
        """Stay in the session one came from."""
        self.dismiss(None)

    @work
    async def action_rename(self) -> None:
        """Ask for a new title and keep it."""
        row = self.query_one(FilteredList).current
        if row is None or row.thing.problem is not None:
            return
        title = await self.app.push_screen_wait(AskScreen("Rename this session", row.thing.title))
        if title:
            await self._try(self._workspace.rename(row.id, title), f"renamed to {title}")

    @work
    async def action_archive(self) -> None:
        """Take the highlighted session out of the list; ctrl+z brings it back."""
        row = self.query_one(FilteredList).current
        if row is None or row.thing.problem is not None:
            return
        if row.id == self._current:
            self._note("This session is on the screen; start another one (ctrl+n) before archiving it.")
            return
        if await self._try(self._workspace.archive(row.id), "archived · ctrl+z brings it back"):
            self._archived.append(row.id)

    @work
    async def action_undo(self) -> None:
        """Bring back the session that was archived last."""
        if not self._archived:
            self._note("Nothing was archived here.")
        elif await self._try(self._workspace.unarchive(self._archived[-1]), "brought back"):
            self._archived.pop()

    async def _try(self, doing: Awaitable[None], done: str) -> bool:
        try:
            await doing
        except StoreError as error:
            self._note(f"{error.problem.what} {error.problem.remedy}")
            return False
        self._note(done)
        self._read()
        return True

    def _note(self, text: str) -> None:
        self.query_one(".list-note", Static).update(text)
