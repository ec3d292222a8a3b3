"""Who holds what memory: every model in memory or on its way, predicted against real, per device."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from tui_chat.client.changes import Change, EngineNews
from tui_chat.client.errors import EngineError
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.holdings import HOLDING, holding, totals
from tui_chat.ui.screens.acting import ModelActions
from tui_chat.ui.widgets.entries import show_entries
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.ui.widgets.rows import Rows
from tui_chat.wire.api import ModelInfo, PlanRequest
from tui_chat.wire.plan import DeviceSpec

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.loader import Loader

LOOK_S = 2.0
"""How often the devices are looked at, and idle times brought up to date."""


class ResidentsScreen(ModelActions[None]):
    """A live view of the models in memory and of the machine's devices."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.RESIDENTS,)

    def __init__(self, workspace: Workspace, loader: Loader) -> None:
        super().__init__()
        self._workspace = workspace
        self._loader = loader
        self._devices: tuple[DeviceSpec, ...] = ()
        self._heard = monotonic()
        self._residents: tuple[ModelInfo, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out head, totals, one entry for each resident, note and keys."""
        with Vertical(classes="list"):
            yield Static(Content.styled("memory", "bold"), classes="list-head", markup=False)
            yield Static("", classes="list-totals", markup=False)
            yield Rows(markup=False, compact=True)
            yield Static("", classes="list-empty", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Show what is known, and go on looking."""
        self._unsubscribe = self._workspace.subscribe(self._hear)
        self.call_after_refresh(self._know)
        self._look()
        self.set_interval(LOOK_S, self._look)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    def on_resize(self) -> None:
        """Entries are drawn for a width."""
        self.call_after_refresh(self._draw)

    def _hear(self, change: Change) -> None:
        if isinstance(change, EngineNews):
            self._know()

    def _know(self) -> None:
        engine = self._workspace.engine
        self._heard = monotonic()
        self._residents = tuple(m for m in engine.residents if m.state in HOLDING) if engine else ()
        self._draw()

    @work(exclusive=True, group="devices")
    async def _look(self) -> None:
        """Ask what the devices have free; an engine that is gone says nothing, and the link tells that."""
        try:
            self._devices = (await self._workspace.plan(PlanRequest(models=()))).devices
        except EngineError:
            self._devices = ()
        self._draw()

    def _draw(self) -> None:
        if not self.there:
            return
        options = self.query_one(OptionList)
        # A list that is not displayed yet has no size, and will have its container's.
        container = self.query_one(".list").content_size
        width = max(20, options.scrollable_content_region.width or container.width)
        passed = monotonic() - self._heard
        self.query_one(".list-totals", Static).update(totals(self._devices, self._residents, width))
        drawn = {m.id: holding(m, self._devices, passed, width) for m in self._residents}
        show_entries(options, drawn)
        empty = self.query_one(".list-empty", Static)
        empty.update(
            Content.assemble("No model is in memory.\n\n", self.styled_keys("{models} lists those there are"))
        )
        empty.set_class(not drawn, "-on")
        if options.display != bool(drawn):
            options.display = bool(drawn)
            self.call_after_refresh(self._draw)  # a bar to scroll by may have taken of its width
        if drawn and not options.has_focus:
            self.set_focus(options)
        here = self._residents and self.target is not None
        hints = [c for c in commands(Place.RESIDENTS) if here or c.id == "residents.close"]
        self.query_one(HintLine).show(hints)

    @property
    def target(self) -> ModelInfo | None:
        """The highlighted resident."""
        options = self.query_one(OptionList)
        option = options.highlighted_option
        return next((m for m in self._residents if option is not None and m.id == option.id), None)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()

    def action_leave(self) -> None:
        """Back to where one was."""
        self.dismiss(None)
