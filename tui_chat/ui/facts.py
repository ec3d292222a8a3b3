"""What title and status say about a conversation: only what is known, and always with a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from textual.content import Content

from tui_chat.chat.model import Answer, Message, Session
from tui_chat.chat.setups import setup_on
from tui_chat.client.changes import LinkState
from tui_chat.ui import words
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.sentences import styled_keys, with_keys
from tui_chat.ui.widgets.lines import Status, Title
from tui_chat.wire.api import EngineChanged, ModelInfo, ModelState
from tui_chat.wire.events import Loading, Prefill, Queued, Waiting
from tui_chat.wire.words import rate, speed

if TYPE_CHECKING:
    from tui_chat.chat.averages import Averages
    from tui_chat.chat.context import Spent
    from tui_chat.client.foresight import Outlook
    from tui_chat.client.live import LiveAnswer
    from tui_chat.wire.telemetry import Sample

_EDITING = "editing: {input.send} sends it as a branch of its own, {answer.stop} leaves it"
_TYPE = "Type a question; {input.send} sends it"
_STARTER = "{model.starter} gets the starter model: SmolLM2-135M, 94 MiB, runs on any CPU\n"
_OWN_MODELS = "{models} shows where to put GGUF files of your own"
_ROUTED = "Where is said before it is sent; {models} chooses one model instead."


@dataclass(slots=True)
class Facts:
    """Everything the two lines are made of, as far as it is known."""

    session: Session | None = None
    path: Sequence[Message] = ()
    branches: int = 1
    queued: int = 0
    live: LiveAnswer | None = None
    """The answer in flight."""
    speed: float | None = None
    link: LinkState = LinkState.CONNECTING
    engine: EngineChanged | None = None
    models: Sequence[ModelInfo] | None = None
    """The models of this machine; None until they were looked for."""
    following: bool = True
    """Whether the end of the conversation, where waits are named, is in view."""
    busy_with: str = ""
    """Something of our own that takes a while, such as a download."""
    fetching: str = ""
    """How far a server is with fetching a model, while one does."""
    spent: Spent | None = None
    """How the window is spent by what would be sent now; None while nobody knows."""
    editing: bool = False
    """Whether the input holds a message of the conversation that is written anew."""
    outlook: Outlook | None = None
    """What sending what stands in the input would take."""
    ephemeral: bool = False
    """Whether nothing of this chat is kept."""
    sample: Sample | None = None
    """What the instruments read last; None while nobody tells."""
    beside: bool = False
    """Whether there is room for panels beside the conversation."""
    averages: Averages | None = None
    """How quick the answers of this session were; None while there is none."""
    line: str = ""
    """What is to be said of the line to the terminal; empty while it is quick."""
    first: bool = False
    """Whether no chat is kept yet, so that whoever looks may be new here."""
    keymap: Keymap = field(default_factory=Keymap)
    """The keys in force."""
    usual_preset: str = ""
    """The preset that new chats begin with; empty for none."""

    @property
    def model(self) -> ModelInfo | None:
        """The session's model: as the engine holds it, or else as it is on disk."""
        return self._find(self.session.model) if self.session else None

    @property
    def last_answer(self) -> Answer | None:
        """The newest settled answer on this branch."""
        return next((m.answer for m in reversed(self.path) if m.answer and not m.in_flight), None)

    @property
    def loading(self) -> ModelInfo | None:
        """The session's model while it is on its way into memory."""
        model = self.model
        return model if model is not None and model.state.on_its_way and self.engine else None

    @property
    def tokens(self) -> int:
        """Tokens of the conversation as its newest answer was counted; 0 while that is unknown."""
        answer = self.last_answer
        return answer.usage.prompt_tokens + answer.usage.completion_tokens if answer else 0

    def title(self) -> Title:
        """Say which conversation this is, and which model answers in it."""
        name = (self.session.title if self.session else "") or "new chat"
        facts: list[str] = []
        if self.session and self.session.model:
            routed = " (routed)" if self.session.routed else ""
            facts.append(self.name_of(self.session.model) + routed)
        elif self.models is not None:
            facts.append("no model" if not self.models else "no model chosen")
        if self.session and (preset := setup_on(self.session, self.path).preset) != self.usual_preset:
            facts.append(preset or "no preset")
        if (model := self.model) is not None and model.context:
            facts.append(f"ctx {words.context(model.context)}")
        if model is not None and (where := words.placement(model.devices)):
            facts.append(where)
        if self.engine and (held := sum(m.state.in_memory for m in self.engine.residents)):
            facts.append(f"{held} resident")
        branch = next((message.name for message in reversed(self.path) if message.name), "")
        mark = "ephemeral" if self.ephemeral else ""
        return Title(name, self.branches, tuple(facts), mark, branch, model.host if model else "")

    def status(self) -> Status:
        """Say what is going on, what was measured, and how full the context is."""
        measured = (self._speed(), self.line, self._first_token(), self._context(), *self._instruments())
        facts = [fact for fact in measured if fact]
        lost = self.link is LinkState.LOST and self.live is None
        too_long = self.live is None and self.outlook is not None and not self.outlook.fits
        return Status(self._doing(), tuple(facts), alarm=lost or too_long or self._endangered)

    @property
    def _endangered(self) -> bool:
        """Whether something is too hot, or memory runs out."""
        engine = self.engine
        return engine is not None and (any(each.critical for each in engine.hot) or bool(engine.scarce))

    def _doing(self) -> str:
        waiting = f"{self.queued} queued" if self.queued else ""
        hot = self.engine.hot if self.engine else ()
        heat = words.heat(hot, self.keymap, answering=self.live is not None)
        scarce = words.scarce(self.engine.scarce) if self.engine else ""
        if self.live is not None:
            acted = any(each.held or each.slowed for each in hot)
            return " · ".join(
                part for part in ("" if acted else self._stage(self.live), heat, scarce, waiting) if part
            )
        if self.busy_with:
            return self.busy_with
        if (loading := self.loading) is not None:
            return " · ".join(part for part in (self._way(loading), waiting) if part)
        if self.link is LinkState.LOST:
            return "the engine is gone; the next message starts a new one"
        told = words.outlook(self.outlook, self.name_of) if self.outlook else ""
        if self.editing:
            told = told or with_keys(_EDITING, self.keymap)
        return waiting or told or " · ".join(filter(None, (heat, scarce, self.fetching)))

    def _stage(self, live: LiveAnswer) -> str:
        if live.phase is not None:
            return "" if self.following else self.phase(live.phase)
        if live.first_token is None:
            return f"waiting for the engine, {words.seconds(monotonic() - live.started)}"
        if live.thinking and not live.text:
            return f"thinking for {words.seconds(live.thinking_s or 0)}, {words.count(live.tokens, 'token')}"
        return f"answering, {words.count(live.tokens, 'token')}"

    def phase(self, event: Queued | Loading | Waiting | Prefill) -> str:
        """Name what the answer in flight waits for."""
        loading = self.loading
        if isinstance(event, Loading) and loading and loading.state is not ModelState.LOADING:
            return self._way(loading)
        model = self.session.model if self.session else None
        since = self.live.waited_since if self.live else None
        waited_s = monotonic() - since if since is not None else 0.0
        return words.phase(event, self.name_of(model or "the model"), waited_s)

    def _way(self, model: ModelInfo) -> str:
        """Name what `model` waits for on its way into memory, and who leaves for it."""
        residents = self.engine.residents if self.engine else ()
        leaving = [self.name_of(m.id) for m in residents if m.state is ModelState.PARKING]
        return words.on_its_way(model, self.name_of(model.id), leaving)

    def name_of(self, wanted: str) -> str:
        """Write the name of the model called `wanted` as people know it."""
        return model_name(wanted, self._find(wanted))

    def _find(self, wanted: str | None) -> ModelInfo | None:
        residents = self.engine.residents if self.engine else ()
        return next((m for m in (*residents, *(self.models or ())) if wanted and m.is_called(wanted)), None)

    def _speed(self) -> str:
        if self.live is not None:
            return rate(self.speed) if self.speed is not None else ""
        answer = self.last_answer
        return speed(answer.usage, answer.timings) if answer else ""

    def _context(self) -> str:
        if self.spent is None or self.last_answer is None:
            return ""
        used = self.spent.size.tokens + (self.live.tokens if self.live else 0)
        return f"ctx {used / max(1, self.spent.room.window) * 100:.0f} %"

    def _instruments(self) -> list[str]:
        """The instruments in a few words, where there is no room for their panels."""
        if self.sample is None or self.beside:
            return []
        from tui_chat.ui.instruments import summary

        return summary(self.sample)

    def _first_token(self) -> str:
        answer = self.last_answer
        if self.live is not None or answer is None or answer.timings.ttft_ms is None:
            return ""
        return f"first token {words.seconds(answer.timings.ttft_ms / 1000)}"

    def invitation(self) -> Content:
        """Say what stands in an empty conversation: how to begin, or what is missing to begin."""
        if self.busy_with:
            return Content.styled(self.busy_with, "$foreground")
        if self.models is None:
            return Content("")
        if not self.first:
            return self._beginning()
        from tui_chat.ui.greeting import found

        ready = self.session is not None and self.session.model is not None
        action = f"\n\n{_TYPE}" if ready else ""
        known = found(self.models, self.sample)
        return Content.assemble(self._beginning(), "\n\n", known, styled_keys(action, self.keymap))

    def _beginning(self) -> Content:
        """Say who answers, or what is missing for that."""
        if not self.models:
            return Content.assemble(
                ("There is no model on this machine yet.\n\n", "$foreground"),
                styled_keys(_STARTER, self.keymap, "bold $accent"),
                styled_keys(_OWN_MODELS, self.keymap),
            )
        if self.session is None or self.session.model is None:
            missing = ("No model is chosen.\n", "$foreground")
            return Content.assemble(missing, styled_keys("{models} lists those there are", self.keymap))
        name = self.name_of(self.session.model)
        if self.session.routed:
            return Content.assemble(
                ("Each message goes to the model that its route names.\n", "$foreground"),
                styled_keys(_ROUTED, self.keymap),
            )
        kept = "nothing of this chat is kept" if self.ephemeral else "every word is kept"
        model = self.model
        where = (
            f"What you say goes to {model.host}" if model and model.host else "Nothing leaves this machine"
        )
        return Content.assemble((f"{name} answers here.\n", "$foreground"), f"{where}, and {kept}.")


def model_name(id: str, model: ModelInfo | None) -> str:
    """Write a model's name with its quant, without saying the quant twice."""
    if model is None or not model.quant:
        return id
    bare = id.removesuffix(".gguf")
    for mark in (f".{model.quant}", f"-{model.quant}", f"_{model.quant}"):
        if bare.upper().endswith(mark.upper()):
            bare = bare[: -len(mark)]
    return f"{bare} {model.quant}"
