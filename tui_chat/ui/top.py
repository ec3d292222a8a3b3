"""`tui-chat top`: the instruments alone, as the engine reads them for everybody who watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content

from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.ui import instruments, words
from tui_chat.ui.command import Command, Place
from tui_chat.ui.facts import model_name
from tui_chat.ui.panels import GPUS, MACHINE, Panel, Trends
from tui_chat.ui.switcher.rows import state_word
from tui_chat.ui.themed import ThemedApp
from tui_chat.ui.widgets.lines import HintLine, Title, TitleLine
from tui_chat.ui.widgets.panel import Section
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.wire.api import EngineChanged, GenerationInfo, ModelInfo
    from tui_chat.wire.telemetry import Sample

MODELS = "models"
_RELINK_S = 1.0
"""How often an engine that has gone is looked for again."""
_KEYS = (
    Command(
        "top.leave", "q,escape,ctrl+q,ctrl+c", "app.leave", "Leave", Place.EVERYWHERE, "leave", label="q"
    ),
)


class TopApp(ThemedApp):
    """Processors, memory and models beside the GPUs; under each other where it is narrow."""

    TITLE = "tui-chat top"
    CSS = """
    #top-body { height: 1fr; layout: vertical; }
    .-wide #top-body { layout: horizontal; }
    #top-body VerticalScroll { height: auto; width: 1fr; padding: 1 2 0 2; }
    .-wide #top-body VerticalScroll { height: 1fr; }
    Section { display: none; height: auto; margin-bottom: 1; }
    Section.-on { display: block; }
    TitleLine { background: $surface; }
    """
    BINDINGS: ClassVar = [(key, "leave", "Leave") for key in _KEYS[0].keys.split(",")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, theme: str | None, engine: Callable[[], EngineClient]) -> None:
        """Make the app; `engine` is asked for after the first paint."""
        super().__init__(theme)
        self._make_engine = engine
        self._trends = Trends()
        self._known: EngineChanged | None = None
        self._model: str | None = None

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield TitleLine()
        with Container(id="top-body"):
            with VerticalScroll():
                yield Section(id=MACHINE)
                yield Section(id=MODELS)
            with VerticalScroll():
                yield Section(id=GPUS)
        yield HintLine()

    def on_mount(self) -> None:
        """Connect once this is painted."""
        self.query_one(HintLine).show(_KEYS)
        self._title("connecting")
        self.call_after_refresh(lambda: self.run_worker(self._watch()))

    def action_leave(self) -> None:
        """End; the engine goes on."""
        self.exit(0)

    async def _watch(self) -> None:
        """Follow the engine, and the next one when it has gone."""
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
                self._show(sample)

    def _title(self, *facts: str) -> None:
        self.query_one(TitleLine).show(Title("instruments", 1, facts))

    def _show(self, sample: Sample) -> None:
        before = {gpu.id: self._trends.of(gpu.id) for gpu in sample.gpus}
        model, cpu = self._model, {"cpu": self._trends.of("cpu")}

        def gpus(width: int) -> Content:
            drawn = [instruments.gpu(gpu, model, before, width) for gpu in sample.gpus]
            wrong = instruments.drivers(sample, width)
            none = Content.styled("No GPU: models run on the processors.", "$muted")
            return Content("\n\n").join([*drawn, *([wrong] if wrong else [])] or [none])

        def machine(width: int) -> Content:
            return instruments.machine(sample.machine, cpu, width, reads=True)

        self.query_one(f"#{GPUS}", Section).show(Panel((sample.gpus, sample.drivers, model), gpus))
        self.query_one(f"#{MACHINE}", Section).show(Panel(sample.machine, machine))

    def _show_models(self) -> None:
        known = self._known
        if known is None:
            self.query_one(f"#{MODELS}", Section).show(None)
            return
        alarms = (words.heat(known.hot, answering=bool(known.generations)), words.scarce(known.scarce))
        held = sum(model.state.in_memory for model in known.residents)
        self._title(*filter(None, alarms), f"{words.count(held, 'model')} in memory")
        self._model = known.residents[0].id if known.residents else None
        residents, generations = known.residents, known.generations

        def draw(width: int) -> Content:
            lines = [Content.styled("models", "bold")]
            lines += [_resident(model, width) for model in residents]
            lines += [_generation(each, width) for each in generations]
            return Content("\n").join(
                lines if len(lines) > 1 else [*lines, Content.styled(" none", "$muted")]
            )

        self.query_one(f"#{MODELS}", Section).show(Panel((residents, generations), draw))


def _resident(model: ModelInfo, width: int) -> Content:
    facts = [state_word(model), *([f"ctx {words.context(model.context)}"] if model.context else [])]
    facts += [size(model.real_bytes)] if model.real_bytes else []
    right = " · ".join(facts)
    name = words.shorten(model_name(model.id, model), max(8, width - len(right) - 3))
    return instruments.ends(f" {name}", right, width)


def _generation(generation: GenerationInfo, width: int) -> Content:
    return instruments.ends(f"   answer {generation.id[-8:]}", generation.state.value, width)
