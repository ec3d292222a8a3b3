"""The list of sessions: newest first, forks folded, narrowed by typing; named, tagged and put away there."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.content import Content

from tui_chat.client.changes import Access
from tui_chat.store.errors import StoreError
from tui_chat.store.listing import SessionSummary
from tui_chat.ui import words
from tui_chat.ui.commands import Place
from tui_chat.ui.goal import Goal
from tui_chat.ui.screens.dialogs import AskScreen
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.session_rows import SessionRow, session_rows
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns, containing
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tui_chat.client.conversation import Conversation
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.widgets.filtered import Sought

_NONE = "No session yet. The first message you send makes one; a file of another program can be imported."


class SessionsScreen(ListScreen[Goal | None]):
    """Choose a session; gives where to go, or None for staying where one is."""

    own_places = (Place.SESSIONS,)
    heading = "sessions"
    placeholder = "type to filter, also by #tag"

    def __init__(
        self,
        workspace: Workspace,
        conversation: Conversation | None,
        told: str = "",
        sought: Sought | None = None,
    ) -> None:
        super().__init__(sought)
        self._told = told
        self._workspace = workspace
        self._collection = workspace.collection
        self._conversation = conversation
        self._archived = False
        self._listed: Sequence[SessionRow] = ()
        self._unfolded: frozenset[str] = frozenset()
        self._undo: list[Callable[[], Awaitable[object]]] = []

    def on_mount(self) -> None:
        """Say what has happened to the sessions."""
        self.note(self._told)

    # Showing

    @work(exclusive=True, group="sessions")
    async def read(self) -> None:
        """Read the folder."""
        found = await self._workspace.sessions(archived=None if self._archived else False)
        if not self.there:
            return
        self._listed = session_rows(found)
        self._unfolded |= {row.root for row in self._listed if row.depth and self._is_open(row.summary)}
        facts = words.count(len(found), "session")
        self.head(f"{facts}, archived ones too" if self._archived else facts)
        self._draw()

    def _draw(self, at: str | None = None) -> None:
        now = datetime.now(UTC)
        rows = [
            Row(
                row.summary.id, row, _words(row.summary), partial(self._drawn, row, now), (row.summary.title,)
            )
            for row in self._listed
        ]
        empty = "No session is called that. What was said in them is found by the search." if rows else _NONE
        self.rows.show(rows, empty, at)

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return every session that contains what was typed; with nothing typed, forks as they are folded."""
        if typed.strip():
            return containing(typed, rows)
        return [row for row in rows if not row.thing.depth or row.thing.root in self._unfolded]

    def _is_open(self, summary: SessionSummary) -> bool:
        return self._conversation is not None and summary.id == self._conversation.session.id

    def _drawn(self, row: SessionRow, now: datetime, width: int) -> Content:
        summary = row.summary
        if summary.problem is not None:
            left = Content.assemble(("! ", "$warning"), (summary.problem.what, "$warning"))
            return columns(width, left, Content.styled(size(summary.size_bytes), "$muted"))
        forks = f"⎇ {words.count(row.forks, 'fork')}   " if row.forks else ""
        archived = "archived   " if summary.archived else ""
        told = f"{words.count(summary.messages, 'message')}  {words.age(summary.updated, now):>8}"
        right = Content.assemble((forks, "$accent"), (f"{archived}{told}", "$muted"))
        tags = Content.styled("".join(f"  #{tag}" for tag in summary.tags), "$muted")
        mark = "● " if self._is_open(summary) else "  "
        under = f"{'   ' * (row.depth - 1)}└─ " if row.depth else ""
        title = Content(summary.title or summary.preview or "(nothing said yet)")
        room = width - len(mark) - len(under) - right.cell_length - min(tags.cell_length, width // 3) - 2
        title = title.truncate(max(8, room), ellipsis=True).stylize("$foreground")
        left = Content.assemble((mark, "$accent"), (under, "$rule"), title, tags)
        return columns(width, left, right)

    # Going

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Open the highlighted session."""
        row = self.rows.current
        if row is not None:
            self.dismiss(Goal(row.id))

    def action_leave(self) -> None:
        """Stay in the session one came from."""
        self.dismiss(None)

    @work
    async def action_search(self) -> None:
        """Look for a message in all sessions, beginning with what was typed here."""
        from tui_chat.ui.screens.searching import SearchScreen

        found = await self.app.push_screen_wait(SearchScreen(self._collection, self.rows.typed))
        if found is not None:
            self.dismiss(found)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the arrows to the input while something stands in it: every match is shown then."""
        return action != "fold" or not self.rows.typed

    def action_fold(self, folded: bool) -> None:
        """Fold the forks of the highlighted session's family, or show them."""
        row = self.rows.current
        if row is not None:
            root = {row.thing.root}
            self._unfolded = self._unfolded - root if folded else self._unfolded | root
            self._draw(row.thing.root if folded else row.id)

    def action_all(self) -> None:
        """List the archived sessions too, or no longer."""
        self._archived = not self._archived
        self.read()

    # Sorting

    @property
    def _chosen(self) -> SessionSummary | None:
        """The highlighted session, unless it is damaged."""
        row = self.rows.current
        return row.thing.summary if row is not None and row.thing.summary.problem is None else None

    def _ours(self, summary: SessionSummary) -> Conversation | None:
        """The session on the screen, if that is meant and may be changed from here."""
        conversation = self._conversation if self._is_open(summary) else None
        return conversation if conversation and conversation.access is Access.WRITER else None

    @work
    async def action_rename(self) -> None:
        """Ask for a new title and keep it."""
        if (chosen := self._chosen) is None:
            return
        title = await self.app.push_screen_wait(AskScreen("Rename this session", chosen.title))
        if title:
            ours = self._ours(chosen)
            doing = ours.rename(title) if ours else self._collection.rename(chosen.id, title)
            await self.attempt(doing, f"renamed to {title}")

    @work
    async def action_tag(self) -> None:
        """Ask for tags and keep them."""
        if (chosen := self._chosen) is None:
            return
        ask = AskScreen(
            "Tags of this session, with commas between them", ", ".join(chosen.tags), may_be_empty=True
        )
        typed = await self.app.push_screen_wait(ask)
        if typed is not None:
            ours, tags = self._ours(chosen), typed.split(",")
            doing = ours.tag(tags) if ours else self._collection.tag(chosen.id, tags)
            await self.attempt(doing, "tagged" if typed else "it has no tags now")

    @work
    async def action_archive(self) -> None:
        """Take the highlighted session out of the list, or put it back; this can be undone."""
        chosen = self._chosen
        if chosen is None or self._refused(chosen, "archiving"):
            return
        there, back = self._collection.archive, self._collection.unarchive
        if chosen.archived:
            there, back = back, there
        archived = self.with_keys("archived · {sessions.undo} brings it back")
        done = "brought back into the list" if chosen.archived else archived
        if await self.attempt(there(chosen.id), done):
            self._undo.append(partial(back, chosen.id))

    @work
    async def action_delete(self) -> None:
        """Move the highlighted session to the trash; this can be undone."""
        chosen = self._chosen
        if chosen is None or self._refused(chosen, "deleting"):
            return

        async def delete() -> None:
            name = await self._collection.delete(chosen.id)
            self._undo.append(partial(self._collection.restore, name))

        done = "in the trash · {sessions.undo} brings it back, {sessions.trash} shows the trash"
        await self.attempt(delete(), self.with_keys(done))

    def _refused(self, summary: SessionSummary, doing: str) -> bool:
        """Whether a session has to stay where it is, which is said then."""
        if self._is_open(summary):
            first = self.with_keys("start another one ({session.new})")
            self.note(f"This session is on the screen; {first} before {doing} it.")
        return self._is_open(summary)

    @work
    async def action_undo(self) -> None:
        """Bring back the session that was archived or deleted last."""
        if not self._undo:
            self.note("Nothing was archived or deleted here.")
        elif await self.attempt(self._undo[-1](), "brought back"):
            self._undo.pop()

    @work
    async def action_statistics(self) -> None:
        """Show what the highlighted session has cost."""
        from tui_chat.ui.screens.statistics import StatisticsScreen

        if (chosen := self._chosen) is None:
            return
        try:
            session = await self._collection.read(chosen.id)
        except StoreError as error:
            self.note(f"{error.problem.what} {error.problem.remedy}")
        else:
            if self.there:
                self.app.push_screen(StatisticsScreen(session))

    @work
    async def action_trash(self) -> None:
        """Show what was deleted; what is taken out of the trash there is in the list again."""
        from tui_chat.ui.screens.trash import TrashScreen

        await self.app.push_screen_wait(TrashScreen(self._collection))
        self.read()


def _words(summary: SessionSummary) -> str:
    """What the filter looks at."""
    tags = " ".join(f"#{tag}" for tag in summary.tags)
    return f"{summary.title} {summary.preview} {summary.id} {tags}"
