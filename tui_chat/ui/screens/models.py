"""The picker of models: what there is on this machine, how big it is, and where it is now."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.ui import words
from tui_chat.ui.facts import model_name
from tui_chat.ui.keys import Place, bindings, commands
from tui_chat.ui.widgets.filtered import FilteredList, Row, columns
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.wire.api import ModelInfo, ModelState

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.starter import Starter

_MARKS = {
    ModelState.ON_DISK: ("○", "on disk"),
    ModelState.LOADING: ("◐", "loading"),
    ModelState.READY: ("●", "ready"),
    ModelState.BUSY: ("●", "answering"),
    ModelState.BROKEN: ("✗", "unusable"),
}


class ModelsScreen(ModalScreen[str | None]):
    """Choose a model; gives its id, or None for keeping the one there is."""

    CSS_PATH = "lists.tcss"
    BINDINGS: ClassVar = bindings(Place.MODELS)
    places = (Place.MODELS, Place.EVERYWHERE)

    def __init__(self, workspace: Workspace, starter: Starter, current: str | None) -> None:
        super().__init__()
        self._workspace = workspace
        self._starter = starter
        self._current = current
        self._models: list[ModelInfo] | None = None

    def compose(self) -> ComposeResult:
        """Lay out title, filtered list, note and keys."""
        with Vertical(classes="list"):
            yield Static("models", classes="list-head", markup=False)
            yield FilteredList[ModelInfo]("type to filter")
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Look for models; the screen is already painted."""
        self._read()

    @work(exclusive=True, group="models")
    async def _read(self) -> None:
        self._models = models = await self._workspace.models()
        hints = [c for c in commands(Place.MODELS) if not models or c.id != "models.starter"]
        self.query_one(HintLine).show(hints)
        rows = [Row(m.id, m, f"{m.id} {m.quant} {m.architecture}", self._drawer(m)) for m in models]
        self.query_one(FilteredList).show(rows, self._empty())
        self.query_one(".list-head", Static).update(
            Content.assemble(("models", "bold"), (f"   {words.count(len(rows), 'model')}", "$muted"))
        )

    def _empty(self) -> Content:
        if self._models:
            return Content("No model is called that.")
        folder = self._workspace.paths.models
        return Content.assemble(
            ("There is no model on this machine yet.\n\n", "$foreground"),
            ("ctrl+g", "bold $accent"),
            " gets the starter model: SmolLM2-135M, 94 MiB, Apache-2.0, runs on any CPU\n\n",
            f"Or put a GGUF file into {folder}\nand come back.",
        )

    def _drawer(self, model: ModelInfo) -> Callable[[int], Content]:
        mark, state = _MARKS[model.state]
        broken = model.state is ModelState.BROKEN
        name = model_name(model.id, model).removesuffix(f" {model.quant}") if model.quant else model.id

        def draw(width: int) -> Content:
            style = "$warning" if broken else "$accent" if mark == "●" else "$muted"
            here = "  ← this chat" if model.id == self._current else ""
            why = f"  {model.problem.what}" if model.problem else ""
            left = Content.assemble(
                (f"{mark} ", style), (name, "$foreground"), (here, "$accent"), (why, "$warning")
            )
            right = f"{model.quant:<8}{words.size(model.size_bytes):>10}   {state:<9}"
            return columns(width, left, Content.styled(right, "$muted"))

        return draw

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Use the highlighted model, unless it cannot be used."""
        row = self.query_one(FilteredList).current
        if row is None:
            return
        if row.thing.state is ModelState.BROKEN:
            problem = row.thing.problem
            self._note(f"{problem.what} {problem.remedy}" if problem else "This file cannot be used.")
        else:
            self.dismiss(row.id)

    @work(exclusive=True, group="starter")
    async def action_get_starter(self) -> None:
        """Fetch the starter model and show it in the list."""
        problem = await self._starter.fetch(self._note)
        if problem is not None:
            self._note(f"{problem.what} {problem.kept} {problem.remedy} ctrl+g tries again.")
        self._read()

    def action_leave(self) -> None:
        """Keep the model there is; fetching one stops and can be taken up later."""
        if self._starter.running:
            self._starter.stop()
        self.dismiss(None)

    def _note(self, text: str) -> None:
        self.query_one(".list-note", Static).update(text)
