"""All that is known of one model: what it is, and what it takes of every device."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from textual import work
from textual.content import Content

from tui_chat.client.errors import EngineError
from tui_chat.ui import words
from tui_chat.ui.facts import model_name
from tui_chat.ui.screens.factual import FactsScreen, lines_of, pair
from tui_chat.ui.servers.card import texts
from tui_chat.ui.switcher.rows import Offer, state_word
from tui_chat.wire.api import ModelInfo
from tui_chat.wire.plan import DeviceUse, LoadOptions, Plan, Source
from tui_chat.wire.servers import ModelCard
from tui_chat.wire.words import device, rate, size

_SOURCES = {
    Source.ARITHMETIC: "by the header's arithmetic",
    Source.LLAMA_CPP: "as llama.cpp itself laid it out",
    Source.SERVER: "its server's own business",
}
_COLUMNS = ("layers", "weights", "KV", "compute", "overhead", "total", "free")


class DetailsScreen(FactsScreen):
    """What a row of the switcher has no room for."""

    def __init__(self, offer: Offer, ask: Callable[[], Awaitable[ModelCard]] | None = None) -> None:
        """Make the screen; `ask` has a server asked what it has written about the model."""
        super().__init__(model_name(offer.model.id, offer.model), partial(details, offer))
        self._offer = offer
        self._ask = ask
        self._texts: Content | None = None

    def on_mount(self) -> None:
        """Ask; what is known is shown meanwhile."""
        if self._ask is not None:
            self._read(self._ask)

    @work(exclusive=True, group="card")
    async def _read(self, ask: Callable[[], Awaitable[ModelCard]]) -> None:
        try:
            self._texts = texts(await ask())
        except EngineError as error:
            self._texts = Content.styled(f"\n{error.problem.what}", "$warning")
        self.show_offer(self._offer)

    def show_offer(self, offer: Offer) -> None:
        """Write what is known now."""
        self._offer = offer
        self.show(self._all)

    def _all(self, width: int) -> Content:
        facts = details(self._offer, width)
        return facts if self._texts is None else Content("\n").join([facts, self._texts])


def details(offer: Offer, width: int) -> Content:
    """Write what is known of the model and of its plan, in `width` cells; nothing that is not."""
    lines = []
    for name, said in _facts(offer):
        lines += lines_of(name, said, width)
    plan = offer.plan or offer.latest
    devices = offer.model.devices if offer.settled and offer.model.devices else plan.devices if plan else ()
    if devices:
        lines += [Content(""), *_table(devices)]
    if offer.model.real_bytes:
        lines.append(Content(""))
        for name, said in _checked(offer):
            lines += lines_of(name, said, width)
    if plan is not None and not offer.settled:
        lines.append(Content(""))
        for name, said in _plan(plan):
            lines += lines_of(name, said, width)
    return Content("\n").join(lines)


def _facts(offer: Offer) -> Iterator[tuple[str, str]]:
    model, plan = offer.model, offer.plan or offer.latest
    devices = model.devices or (plan.devices if plan else ())
    layers = sum(use.layers for use in devices)
    yield from pair("also called", *model.aliases)
    yield from pair("architecture", model.architecture, words.count(layers, "layer") if layers else "")
    if model.parameters:
        yield from pair("parameters", f"{words.parameters(model.parameters)} ({model.parameters:,})")
    yield from pair("quant", model.quant, size(model.size_bytes))
    if model.trained_context:
        yield from pair("trained for", f"{model.trained_context:,} tokens of context")
    yield from pair("state", state_word(model))
    held = model.options or (plan.options if plan else None)
    if held is not None:
        yield from pair("in memory with" if offer.settled else "planned with", _options(held))
    if model.server:
        yield from pair("server", model.server, f"at {model.host}" if model.host else "on this machine")
        yield from pair("can", ", ".join(model.capabilities))
    if model.projector and not model.server:
        yield from pair("projector", words.place(model.projector), *_sight(model, plan, devices))
    yield from pair("file", words.place(model.weights) if model.weights else "")
    if model.problem is not None:
        yield from pair("problem", f"{model.problem.what} {model.problem.remedy}")
        if model.problem.detail:
            yield from pair("", model.problem.detail)


def _sight(model: ModelInfo, plan: Plan | None, devices: Sequence[DeviceUse]) -> Iterator[str]:
    """What the projector is good for, and what it takes; or why it is left out."""
    if plan is not None and plan.blind:
        yield plan.blind
    elif not model.sees:
        yield "left out" if model.options else "left out, as the setting models.pictures says"
    else:
        yield "sees pictures"
        if taken := sum(use.projector_bytes for use in devices):
            yield f"takes {size(taken)} of the overhead"


def _options(options: LoadOptions) -> str:
    parts = [f"context {options.context:,}", f"KV {options.kv_type}", f"ubatch {options.ubatch}"]
    if options.cpu_experts:
        parts.append(f"experts of {options.cpu_experts} layers in RAM")
    if options.sequences > 1:
        parts.append(f"{options.sequences} sequences")
    return " · ".join(parts)


def _table(devices: Sequence[DeviceUse]) -> Iterator[Content]:
    rows = [
        (
            device(use.name),
            str(use.layers),
            *(size(count) if count else "0" for count in _bytes(use)),
            size(use.free_bytes),
        )
        for use in devices
    ]
    whole = [("", *_COLUMNS), *rows]
    widths = [max(len(row[at]) for row in whole) for at in range(len(_COLUMNS) + 1)]
    for number, row in enumerate(whole):
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        text = "  ".join([row[0].ljust(widths[0]), *cells])
        yield Content.styled(text, "$foreground" if number else "$muted")


def _bytes(use: DeviceUse) -> tuple[int, ...]:
    return use.weights_bytes, use.kv_bytes, use.compute_bytes, use.overhead_bytes, use.total_bytes


def _checked(offer: Offer) -> Iterator[tuple[str, str]]:
    predicted = sum(use.total_bytes for use in offer.model.devices)
    yield from pair("predicted", size(predicted) if predicted else "")
    yield from pair("really", size(offer.model.real_bytes))


def _plan(plan: Plan) -> Iterator[tuple[str, str]]:
    yield from pair("plan", plan.reason)
    yield from pair("figures", _SOURCES[plan.source])
    anonymous, cached = plan.anonymous_bytes, plan.page_cache_bytes
    if anonymous or cached:
        yield from pair("of the RAM", f"{size(anonymous)} anonymous, {size(cached)} page cache of the file")
    if plan.tokens_per_second:
        yield from pair("speed", f"about {rate(plan.tokens_per_second)} while decoding")
    if plan.load_s:
        yield from pair("loading", f"about {words.roughly(plan.load_s)}")
    for other in plan.alternatives:
        yield from pair("or", other)
