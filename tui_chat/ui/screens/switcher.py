"""The switcher: every model of this machine, what it would take now, and the plan before Enter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from tui_chat.client.changes import Change, EngineNews, LinkState, ServersChanged
from tui_chat.ui.commands import Command, Place, commands
from tui_chat.ui.facts import model_name
from tui_chat.ui.screens.acting import ModelActions
from tui_chat.ui.switcher.choice import Choice, step_context, step_kv
from tui_chat.ui.switcher.order import as_of, recent_first
from tui_chat.ui.switcher.prices import Prices
from tui_chat.ui.switcher.rows import Offer, bare_name, row
from tui_chat.ui.switcher.sentence import free, sentence
from tui_chat.ui.widgets.filtered import FilteredList, Row, Sought, fuzzy
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.wire.api import LoadRequest, ModelInfo, ModelState
from tui_chat.wire.plan import KvType
from tui_chat.wire.servers import ID_SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.loader import Loader
    from tui_chat.ui.servers.fetches import Fetches
    from tui_chat.ui.starter import Starter

BRACKETS = ("left_square_bracket", "right_square_bracket")
"""They change the KV type in every terminal; no model's name needs them."""

_STARTER = "{models.starter} gets the starter model: SmolLM2-135M, 94 MiB, Apache-2.0, runs on any CPU\n\n"
_TOO_LARGE = (
    "It does not fit as planned. Less context ({models.less}), a thriftier KV cache ({models.kv_less}),"
    " or unload others."
)

EXACT_AFTER_S = 0.3
"""How long a row must stay highlighted and unchanged before llama.cpp itself is asked about it."""


class Switch(msgspec.Struct, frozen=True):
    """What was chosen.

    Attributes:
        load: How to load it, exactly as planned; None when it is in memory like that.
        wanted: What of that the person asked for, to be held to from then on; None for nothing.
        routed: Whether messages are to be routed, instead of all going to one model.
    """

    model: str
    load: LoadRequest | None = None
    wanted: LoadRequest | None = None
    routed: bool = False


class Situation(msgspec.Struct, frozen=True):
    """The conversation that models are looked at for: its model, its size, and what a context must hold."""

    current: str | None = None
    tokens: int = 0
    need: int = 0


class SwitcherScreen(ModelActions[Switch | None]):
    """Choose a model as planned in its row; None keeps the one there is."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.MODELS,)

    def __init__(
        self,
        workspace: Workspace,
        starter: Starter,
        loader: Loader,
        fetches: Fetches,
        situation: Situation,
        sought: Sought | None = None,
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._starter = starter
        self._loader = loader
        self._fetches = fetches
        self._situation = situation
        self._sought = sought
        self._prices = Prices(workspace.plan, situation.need, self._priced)
        self._found: list[ModelInfo] | None = None
        self._models: dict[str, ModelInfo] = {}
        self._longest = 0

    # Laying out and filling

    def compose(self) -> ComposeResult:
        """Lay out head, filtered list, the plan, note and keys."""
        with Vertical(classes="list"):
            with Horizontal(classes="list-top"):
                yield Static(Content.styled("models", "bold"), classes="list-head", markup=False)
                yield Static("", classes="list-free", markup=False)
            yield FilteredList[str]("type to filter", fuzzy, BRACKETS, self._sought)
            yield Static("", classes="list-plan", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Look for models; the screen is already painted, and the engine is not waited for."""
        self._unsubscribe = self._workspace.subscribe(self._hear)
        self._read()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    @work(exclusive=True, group="models")
    async def _read(self) -> None:
        found = await self._workspace.models()
        used = [session.model for session in await self._workspace.sessions()]
        self._found = recent_first(found, self._situation.current, used)
        self._fill()
        self._price_all()

    def _fill(self) -> None:
        """Show the models as they are now, row by row."""
        if not self.there:
            return
        self._models = {m.id: m for m in as_of(self._found or [], self._workspace.engine)}
        self._longest = max((len(bare_name(m)) for m in self._models.values()), default=0)
        rows = [
            Row(m.id, m.id, " ".join((m.id, *m.aliases, m.quant, m.architecture)), self._drawn(m), m.aliases)
            for m in self._models.values()
        ]
        self.query_one(FilteredList).show(rows, self._empty())
        self._show_highlighted()

    def _drawn(self, model: ModelInfo) -> Callable[[int], Content]:
        return row(self._offer(model), self._longest)

    def _empty(self) -> Content:
        if self._models:
            return Content("No model is called that.")
        folder = self._workspace.paths.models
        return Content.assemble(
            ("There is no model on this machine yet.\n\n", "$foreground"),
            self.styled_keys(_STARTER, "bold $accent"),
            f"Or put a GGUF file into {folder}\nand come back.",
        )

    def _offer(self, model: ModelInfo) -> Offer:
        price = self._prices.price(model.id)
        return Offer(
            model=model,
            choice=self._prices.choice(model.id),
            plan=price.plan if price else None,
            latest=self._prices.latest(model.id),
            problem=price.problem if price else None,
            here=self._situation.current is not None and model.is_called(self._situation.current),
            asking=price is None and self._prices.problem is None,
        )

    # What the engine says

    @work(exclusive=True, group="all-prices")
    async def _price_all(self) -> None:
        await self._prices.all([m.id for m in self._models.values() if m.state is not ModelState.BROKEN])
        self._price_exactly()

    @work(group="prices")
    async def _price_now(self, model: str) -> None:
        await self._prices.one(model)
        self._price_exactly()

    @work(exclusive=True, group="exact-price")
    async def _price_exactly(self) -> None:
        await asyncio.sleep(EXACT_AFTER_S)
        offer = self._highlighted
        if offer is not None and offer.plan is not None and not offer.settled:
            await self._prices.one(offer.model.id, exact=True)

    def _priced(self, models: Sequence[str]) -> None:
        if not self.there:
            return
        self._redraw(models)
        self.query_one(".list-free", Static).update(free(self._prices.devices))
        self._show_highlighted()

    def _hear(self, change: Change) -> None:
        """Follow what is loaded and how far, and price anew what that changes."""
        if isinstance(change, ServersChanged) and self.there:
            self._read()
        if not isinstance(change, EngineNews) or self._found is None or not self.there:
            return
        before = self._models
        self._models = {m.id: m for m in as_of(self._found, change.state)}
        if self._models.keys() != before.keys():
            self._fill()
        else:
            self._redraw([m.id for m in self._models.values() if m != before[m.id]])
            self._show_highlighted()
        linked = change.link is LinkState.CONNECTED and self._prices.problem is not None
        if linked or _memory(self._models) != _memory(before):
            self._price_all()

    def _redraw(self, models: Sequence[str]) -> None:
        rows = self.query_one(FilteredList)
        for name in models:
            if name in self._models:
                rows.redraw(name, self._drawn(self._models[name]))

    # The highlighted row

    @property
    def _highlighted(self) -> Offer | None:
        if not self.there:
            return None
        chosen = self.query_one(FilteredList).current
        model = self._models.get(chosen.id) if chosen is not None else None
        return self._offer(model) if model is not None else None

    @property
    def target(self) -> ModelInfo | None:
        """The model of the highlighted row."""
        offer = self._highlighted
        return offer.model if offer is not None else None

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._show_highlighted()
        self._price_exactly()

    def _show_highlighted(self) -> None:
        """Bring plan and hints up to date, and the details if they are open."""
        from tui_chat.ui.screens.details import DetailsScreen

        offer = self._highlighted
        if offer is not None and isinstance(self.app.screen, DetailsScreen):
            self.app.screen.show_offer(offer)
        said = sentence(offer, self._situation.tokens, self._name_of, self._prices.problem)
        self.query_one(".list-plan", Static).update(said)
        self.query_one(HintLine).show([c for c in commands(Place.MODELS) if self._helps(c, offer)])

    def _name_of(self, id: str) -> str:
        return model_name(id, self._models.get(id))

    def _helps(self, command: Command, offer: Offer | None) -> bool:
        """Whether the hints should name `command` for this row."""
        if command.id == "models.route":
            return bool(self._workspace.settings.routes)
        if command.id in ("models.starter", "models.close"):
            return command.id == "models.close" or not self._models
        if offer is None or offer.model.state is ModelState.BROKEN:
            return False
        state = offer.model.state
        match command.id:
            case "models.warm":
                return _to_be_loaded(offer)
            case "models.unload":
                return state.in_memory or state.on_its_way
            case "models.pin":
                return state.in_memory
        return True

    def action_context(self, by: int) -> None:
        """Have more or less context in the highlighted row."""
        if (offer := self._changeable()) is not None:
            context = step_context(offer.context, offer.model.trained_context, by)
            self._choose(offer, Choice(context, offer.choice.kv_type))

    def action_kv_type(self, by: int) -> None:
        """Have a more exact or a thriftier KV cache in the highlighted row."""
        if (offer := self._changeable()) is not None and offer.model.kv_type is None:
            kv_type = step_kv(offer.kv_type or KvType.F16, by)
            self._choose(offer, Choice(offer.choice.context, kv_type))

    def _changeable(self) -> Offer | None:
        offer = self._highlighted
        if offer is None or offer.model.state is ModelState.BROKEN or not offer.context:
            return None
        if offer.model.fixed:
            self.note(f"{offer.model.server} decides how it is loaded.")
            return None
        return offer

    def _choose(self, offer: Offer, choice: Choice) -> None:
        model = offer.model.id
        self._prices.choose(model, choice)
        self.note("")
        self._redraw([model])
        self._show_highlighted()
        if not self._offer(offer.model).settled:
            self._price_now(model)

    # What is done to it

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Switch to the highlighted model as planned, unless it cannot be used."""
        offer = self._highlighted
        if offer is None:
            return
        if offer.model.state is ModelState.BROKEN:
            self.note("This file cannot be used, whatever is pressed.")
        elif offer.plan is not None and not offer.plan.fits and not offer.settled:
            self.note(self.with_keys(_TOO_LARGE))
        else:
            self.dismiss(_switch(offer))

    def action_warm(self) -> None:
        """Load the highlighted model as planned, without switching to it."""
        offer = self._highlighted
        if offer is not None and _to_be_loaded(offer):
            self.note("")
            self._loader.load(_load(offer), self.tell)

    def action_route(self) -> None:
        """Have messages routed from now on."""
        if self._workspace.settings.routes:
            self.dismiss(Switch("", routed=True))
        else:
            self.note("There are no routes. [routes] in the settings names models for chat, code, fast …")

    @work(exclusive=True, group="servers")
    async def action_servers(self) -> None:
        """Show the servers; a model that is chosen there is switched to."""
        from tui_chat.ui.screens.servers import ServersScreen

        screen = ServersScreen(self._workspace, self._loader, self._fetches, self._situation.current)
        if (chosen := await self.app.push_screen_wait(screen)) is not None and self.there:
            self.dismiss(Switch(chosen))

    def action_details(self) -> None:
        """Show all that is known of the highlighted model and its plan."""
        from tui_chat.ui.screens.details import DetailsScreen

        if (offer := self._highlighted) is None:
            return
        model, client = offer.model, self._workspace.engine_client
        name = model.id.removeprefix(f"{model.server}{ID_SEPARATOR}")
        ask = (lambda: client.model_card(model.server, name)) if model.server else None
        self.app.push_screen(DetailsScreen(offer, ask))

    @work(exclusive=True, group="starter")
    async def action_get_starter(self) -> None:
        """Fetch the starter model and show it in the list."""
        problem = await self._starter.fetch(self.note)
        if problem is not None:
            again = self.with_keys("{models.starter} tries again.")
            self.note(f"{problem.what} {problem.kept} {problem.remedy} {again}")
        self._read()

    def action_leave(self) -> None:
        """Keep the model there is; fetching one stops and can be taken up later."""
        if self._starter.running:
            self._starter.stop()
        self.dismiss(None)


def _to_be_loaded(offer: Offer) -> bool:
    state = offer.model.state
    return not (offer.settled or state.on_its_way or state is ModelState.BROKEN)


def _switch(offer: Offer) -> Switch:
    name, choice = offer.model.id, offer.choice
    wanted = LoadRequest(name, choice.context, choice.kv_type) if choice != Choice() else None
    return Switch(name, None if offer.settled else _load(offer), wanted)


def _load(offer: Offer) -> LoadRequest:
    """Ask for exactly what the row shows."""
    return LoadRequest(offer.model.id, offer.context or None, offer.kv_type)


def _memory(models: dict[str, ModelInfo]) -> list[tuple[str, bool, int, object]]:
    """What decides how much is free: who is in memory, and how."""
    return [(m.id, m.state.in_memory, m.context, m.options) for m in models.values() if m.state.in_memory]
