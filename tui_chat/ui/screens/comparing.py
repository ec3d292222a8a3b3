"""Which other models are to answer a question: marked in a list, asked in the order that swaps least."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from tui_chat.ui import words
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.facts import model_name
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.wire.api import ModelInfo, ModelKind, ModelState
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace


class CompareScreen(PassingScreen[tuple[str, ...]]):
    """Mark models; gives their ids, none for staying where one is."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.COMPARE,)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._marked: list[str] = []

    def compose(self) -> ComposeResult:
        """Lay out title, filtered list, note and keys."""
        with Vertical(classes="list"):
            yield Static("Who else is to answer?", classes="list-head", markup=False)
            yield FilteredList[ModelInfo]("type to filter", leaves=("space",))
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Look which models there are."""
        self.query_one(HintLine).show(list(commands(Place.COMPARE)))
        self._read()

    @work(exclusive=True)
    async def _read(self) -> None:
        found = await self._workspace.models()
        fit = [m for m in found if m.kind is ModelKind.CHAT and m.state is not ModelState.BROKEN]
        fit.sort(key=lambda m: not m.state.in_memory)
        rows = [Row(m.id, m, " ".join((m.id, *m.aliases)), self._drawer(m)) for m in fit]
        none = self.with_keys("There is no model on this machine; {models} tells how to get one.")
        self.query_one(FilteredList).show(rows, none)

    def _drawer(self, model: ModelInfo) -> Callable[[int], Content]:
        def draw(width: int) -> Content:
            mark = ("◉ ", "$accent") if model.id in self._marked else ("○ ", "$muted")
            left = Content.assemble(mark, (model_name(model.id, model), "$foreground"))
            state = "in memory" if model.state.in_memory else "on disk"
            right = f"{words.parameters(model.parameters):>6}  {size(model.size_bytes):>9}  {state:>9}"
            return columns(width, left, Content.styled(right, "$muted"))

        return draw

    def action_mark(self) -> None:
        """Mark the highlighted model, or no longer."""
        models = self.query_one(FilteredList)
        if (row := models.current) is not None:
            (self._marked.remove if row.id in self._marked else self._marked.append)(row.id)
            models.redraw(row.id, self._drawer(row.thing))
            count = words.count(len(self._marked), "model")
            told = f"{count} marked; they answer one after the other, those in memory first"
            self.query_one(".list-note", Static).update(told if self._marked else "")

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Give what is marked, or else the highlighted model."""
        row = self.query_one(FilteredList).current
        if self._marked or row is not None:
            self.dismiss(tuple(self._marked) or ((row.id,) if row else ()))

    def action_leave(self) -> None:
        """Ask nobody."""
        self.dismiss(())
