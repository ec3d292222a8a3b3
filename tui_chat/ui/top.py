"""`tui-chat top`: the instruments alone, as the engine reads them for everybody who watches."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content

from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.store.arrangement import ArrangementFile
from tui_chat.ui import instruments, planned, words
from tui_chat.ui.arranged import ArrangementKeeper
from tui_chat.ui.command import Command, Place
from tui_chat.ui.commands import commands
from tui_chat.ui.facts import model_name
from tui_chat.ui.look import ORDINARY, Look
from tui_chat.ui.panels import GPUS, MACHINE, Panel, Trends, gpus_panel, machine_panel
from tui_chat.ui.switcher.rows import state_word
from tui_chat.ui.themed import ThemedApp
from tui_chat.ui.widgets.lines import HintLine, Title, TitleLine
from tui_chat.ui.widgets.panel import Panels, Section
from tui_chat.wire.words import device

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tui_chat.wire.api import EngineChanged, GenerationInfo, ModelInfo
    from tui_chat.wire.telemetry import Sample

MODELS = "models"
_RELINK_S = 1.0
"""How often an engine that has gone is looked for again."""
_KEYS = (
    Command("top.panels", "f12", "app.arrange", "Arrange the panels", Place.EVERYWHERE, "arrange the panels"),
    Command(
        "top.leave", "q,escape,ctrl+q,ctrl+c", "app.leave", "Leave", Place.EVERYWHERE, "leave", label="q"
    ),
)


_ARRANGING = sorted(
    (command for command in commands(Place.PANELS) if "widen" not in command.action),
    key=lambda command: command.id == "panels.leave",
)
"""Columns are as wide as the terminal allows; how to leave stands at the end."""


class InstrumentPanels(Panels):
    """Two columns where there is room, of which the second has the last panel; else one."""

    def compose(self) -> ComposeResult:
        """Lay out their places."""
        with VerticalScroll(can_focus=False):
            yield Section()
            yield Section()
        with VerticalScroll(can_focus=False):
            yield Section()


class TopApp(ThemedApp):
    """Processors, memory and models beside the GPUs; under each other where it is narrow."""

    TITLE = "tui-chat top"
    CSS = """
    InstrumentPanels { height: 1fr; layout: vertical; padding: 1 0 0 0; scrollbar-size-vertical: 1; }
    .-wide InstrumentPanels { layout: horizontal; }
    InstrumentPanels VerticalScroll { height: auto; width: 1fr; padding: 0 2 0 1; }
    .-wide InstrumentPanels VerticalScroll { height: 1fr; }
    Section { display: none; height: auto; margin-bottom: 1; padding: 0 0 0 1; }
    Section.-on { display: block; }
    Section.-close { margin-bottom: 0; }
    InstrumentPanels:focus Section.-chosen {
        padding: 0; border-left: outer $accent; background: $chosen;
    }
    TitleLine { background: $surface; }
    """
    BINDINGS: ClassVar = [Binding(each.keys, each.action, each.title) for each in _KEYS]
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None

    def __init__(
        self, theme: str | None, engine: Callable[[], EngineClient], state: Path, look: Look = ORDINARY
    ) -> None:
        """Make the app; `engine` is asked for after the first paint, `state` is the folder to remember in."""
        super().__init__(theme, look)
        self._make_engine = engine
        self._arrangements = ArrangementKeeper(ArrangementFile(state / "panels" / "top.json"))
        self._trends = Trends()
        self._known: EngineChanged | None = None
        self._sample: Sample | None = None
        self._model: str | None = None

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield TitleLine()
        yield InstrumentPanels((MACHINE, MODELS, GPUS))
        yield HintLine()

    def on_mount(self) -> None:
        """Connect once this is painted."""
        self.on_descendant_focus()
        self._title("connecting")
        self.call_after_refresh(lambda: self.run_worker(self._watch()))

    async def on_unmount(self) -> None:
        """Keep how the panels are arranged."""
        await self._arrangements.flush()

    @property
    def _panels(self) -> InstrumentPanels:
        return self.query_one(InstrumentPanels)

    # Arranging

    def action_arrange(self) -> None:
        """Arrange the panels, or leave them so."""
        if self.focused is self._panels:
            self.screen.set_focus(None)
        elif self._panels.shown:
            self._panels.begin()

    def on_descendant_focus(self) -> None:
        """The keys depend on whether panels are being arranged."""
        arranging = self.focused is self._panels
        self.query_one(HintLine).show(_ARRANGING if arranging else _KEYS)

    on_descendant_blur = on_descendant_focus

    @on(Panels.Arranged)
    def _arranged(self, event: Panels.Arranged) -> None:
        self._arrangements.keep(event.arrangement)

    # Watching

    def action_leave(self) -> None:
        """End; the engine goes on."""
        self.exit(0)

    async def _watch(self) -> None:
        """Follow the engine, and the next one when it has gone."""
        self._panels.arrange_as(await self._arrangements.read())
        engine = self._make_engine()
        try:
            while True:
                reading = asyncio.create_task(self._read(engine))
                with suppress(EngineError):
                    async for change in engine.watch():
                        self._known = change
                        self._show_models()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                self._known = None
                self._title("the engine is gone; it starts when it is needed")
                self._show_models()
                await asyncio.sleep(_RELINK_S)
        finally:
            await engine.close()

    async def _read(self, engine: EngineClient) -> None:
        with suppress(EngineError):
            async for sample in engine.instruments():
                self._trends.read(sample)
                self._sample = sample
                self._show(sample)
                self._show_models()

    def _title(self, *facts: str) -> None:
        self.query_one(TitleLine).show(Title("instruments", 1, facts))

    def _show(self, sample: Sample) -> None:
        gpus = gpus_panel(sample, self._model, self._trends, "No GPU: models run on the processors.")
        self._panels.show({MACHINE: machine_panel(sample, self._trends, reads=True), GPUS: gpus})

    def _show_models(self) -> None:
        known = self._known
        if known is None:
            self._panels.show({MODELS: None})
            return
        alarms = (words.heat(known.hot, answering=bool(known.generations)), words.scarce(known.scarce))
        held = sum(model.state.in_memory for model in known.residents)
        self._title(*filter(None, alarms), f"{words.count(held, 'model')} in memory")
        self._model = known.residents[0].id if known.residents else None
        gpus = self._sample.gpus if self._sample else ()
        residents = [(model, planned.taken_by(model, gpus)) for model in known.residents]
        generations = known.generations

        def draw(width: int) -> Content:
            lines = [line for model, uses in residents for line in _resident(model, uses, width)]
            lines += [_generation(each, width) for each in generations]
            none = Content.styled(" none", "$muted")
            return Content("\n").join([Content.styled("models", "bold"), *(lines or [none])])

        writing = (words.count(len(generations), "answer"),) if generations else ()
        gist = (f"{held} in memory", *writing)
        self._panels.show({MODELS: Panel("models", gist, (residents, generations), draw)})


def _resident(model: ModelInfo, uses: Sequence[planned.Taken], width: int) -> Iterator[Content]:
    right = " · ".join(
        [state_word(model), *([f"ctx {words.context(model.context)}"] if model.context else [])]
    )
    name = words.shorten(model_name(model.id, model), max(8, width - len(right) - 3))
    yield instruments.ends(f" {name}", right, width)
    for use in uses:
        yield instruments.ends(f"   {device(use.device)}", planned.in_words(use), width)


def _generation(generation: GenerationInfo, width: int) -> Content:
    return instruments.ends(f"   answer {generation.id[-8:]}", generation.state.value, width)
