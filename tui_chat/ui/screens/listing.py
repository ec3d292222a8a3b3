"""A screen over the chat with a list that is narrowed by typing."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.store.errors import StoreError
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.screens.passing import PassingScreen, R
from tui_chat.ui.widgets.filtered import FilteredList
from tui_chat.ui.widgets.lines import HintLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_chat.ui.widgets.filtered import Row, Sought


class ListScreen(PassingScreen[R]):
    """Title, filter, list, note and keys; `places` begins with the place whose keys those are."""

    CSS_PATH = "lists.tcss"
    heading: ClassVar[str]
    placeholder: ClassVar[str] = "type to filter"
    places: tuple[Place, ...]

    def __init__(self, sought: Sought | None = None) -> None:
        """Make the screen; `sought` is what is looked for from the beginning."""
        super().__init__()
        self._sought = sought

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="list"):
            yield Static(self.heading, classes="list-head", markup=False)
            yield FilteredList[Any](self.placeholder, self.matching, sought=self._sought)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Read what is to be shown; the screen is already painted."""
        self.query_one(HintLine).show(list(commands(self.places[0])))
        self.read()

    def read(self) -> object:
        """Find out anew what is to be shown, and show it."""
        raise NotImplementedError

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return the rows that match what was typed."""
        raise NotImplementedError

    @property
    def rows(self) -> FilteredList[Any]:
        """The list."""
        return self.query_one(FilteredList)

    def head(self, facts: str) -> None:
        """Show `facts` beside the title."""
        self.query_one(".list-head", Static).update(
            Content.assemble((self.heading, "bold"), (f"   {facts}", "$muted"))
        )

    def note(self, text: str) -> None:
        """Show a line that stays until the next one."""
        self.query_one(".list-note", Static).update(text)

    async def attempt(self, doing: Awaitable[object], done: str) -> bool:
        """Do something to what is listed, and say that it is `done`, or why it is not."""
        try:
            await doing
        except StoreError as error:
            self.note(f"{error.problem.what} {error.problem.remedy}")
            return False
        if self.there:
            self.note(done)
            self.read()
        return True
