"""Find a message in all sessions, on all their branches, as one types."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.content import Content
from textual.widgets import Input

from tui_chat.chat.model import Role
from tui_chat.ui import words
from tui_chat.ui.commands import Place
from tui_chat.ui.goal import Goal
from tui_chat.ui.progress import Pace, counted
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.transcript.text import clean, clean_line
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns

if TYPE_CHECKING:
    from tui_chat.client.collection import Collection
    from tui_chat.store.search.hits import Hit

MOST = 50
"""Messages that are shown; more words find others."""
PAUSE_S = 0.1
"""How long nothing must have been typed before it is looked for."""

_HOW = (
    "All words must be in one message, or in the title and tags of its session. “Quotes” hold words together;"
    " tag:travel, model:qwen and in:archived say where to look."
)
_WHO = {Role.USER: "you", Role.ASSISTANT: "an answer", Role.SYSTEM: "a summary", None: "the session"}


class SearchScreen(ListScreen[Goal | None]):
    """Gives the message to go to, or None. What has changed since the last time is read meanwhile."""

    own_places = (Place.SEARCH,)
    heading = "find in all sessions"
    placeholder = "words, or a part of one"

    def __init__(self, collection: Collection, asked: str = "") -> None:
        super().__init__()
        self._collection = collection
        self._asked = asked
        self._caught_up = False

    def read(self) -> None:
        """Begin: bring the index up to date, and look for what was asked elsewhere."""
        self.rows.show((), _HOW)
        self.rows.query_one(Input).value = self._asked
        self._catch_up()

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return what was found; what is typed since is looked for soon."""
        return list(rows)

    @work(group="indexing")
    async def _catch_up(self) -> None:
        await self._collection.catch_up(partial(self._tell, Pace(monotonic())))
        self._caught_up = True
        if self.there:
            self.head("")
            self._search()

    def _tell(self, pace: Pace, done: int, total: int) -> None:
        if self.there:
            self.head(f"reading {counted(done, total, 'sessions', pace.left_s(monotonic(), done, total))}")

    @on(FilteredList.Typed)
    def _typed(self) -> None:
        self._search()

    @work(exclusive=True, group="search")
    async def _search(self) -> None:
        await asyncio.sleep(PAUSE_S)
        asked, caught_up = self.rows.typed, self._caught_up
        look = self._collection.find if caught_up else self._collection.glance
        hits = await look(asked, MOST)
        if not self.there:
            return
        now = datetime.now(UTC)
        nothing = "Nothing was found." if caught_up else "Nothing was found yet; not every session is read."
        self.rows.show([_row(hit, now) for hit in hits], f"{nothing}\n{_HOW}" if asked.strip() else _HOW)
        if caught_up:
            self.head(f"the newest {MOST}" if len(hits) == MOST else f"{len(hits)} found" if hits else "")

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Go to the highlighted message."""
        row = self.rows.current
        if row is not None:
            self.dismiss(Goal(row.thing.session, row.thing.message))

    def action_leave(self) -> None:
        """Stay where one is."""
        self.dismiss(None)


def _row(hit: Hit, now: datetime) -> Row[Hit]:
    return Row(f"{hit.session}/{hit.message or ''}", hit, "", partial(_drawn, hit, words.age(hit.when, now)))


def _drawn(hit: Hit, age: str, width: int) -> Content:
    """Two lines: whose words they are, and the words."""
    who = f"  {_WHO[hit.role]}{', archived' if hit.archived else ''}"
    head = Content.assemble((clean_line(hit.title) or "(no title)", "$foreground"), (who, "$muted"))
    pieces: list[tuple[str, str]] = []
    at = 0
    for start, end in hit.spans:
        pieces += [(clean(hit.snippet[at:start]), "$muted"), (clean(hit.snippet[start:end]), "bold $accent")]
        at = end
    said = Content.assemble("  ", *pieces, (clean(hit.snippet[at:]), "$muted"))
    said = said.truncate(width, ellipsis=True)
    return Content("\n").join([columns(width, head, Content.styled(age, "$muted")), said])
