"""A server that speaks OpenAI's chat completions, whichever it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

import msgspec

from tui_chat.backends.openai.dialect import Dialect, is_loading
from tui_chat.backends.openai.dialogue import OpenAIDialogue
from tui_chat.backends.openai.kinds import DIALECTS
from tui_chat.backends.openai.refusals import Refusals
from tui_chat.backends.protocol import Description
from tui_chat.backends.servers import model as served
from tui_chat.backends.servers.failures import ServerError, unknown_model
from tui_chat.backends.servers.link import Link
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import (
    KIND_NAMES,
    SEEING,
    Capability,
    Control,
    ModelCard,
    ServedModel,
    ServerInfo,
    ServerKind,
    ServerState,
)

_STATES = {
    ProblemCode.SERVER_REFUSED: ServerState.REFUSING,
    ProblemCode.UNSAFE_CONNECTION: ServerState.REFUSING,
    ProblemCode.CONFIG_INVALID: ServerState.REFUSING,
    ProblemCode.SERVER_BUSY: ServerState.UP,
}
_IDLE_WITHIN_S, _LOOK_EVERY_S = 2.0, 0.1


class OpenAIServer:
    """One server of `kind`, reached over its link."""

    def __init__(self, link: Link, kind: ServerKind, *, pid: Callable[[], int] = lambda: 0) -> None:
        """Ask nothing yet; `pid` tells its process, 0 while that is not ours to see."""
        self._link = link
        self._pid = pid
        self._dialect: Dialect = DIALECTS.get(kind, Dialect)(link)
        self._refusals: dict[str, Refusals] = {}
        self._info = ServerInfo(
            name=link.name,
            kind=kind,
            control=Control.MEDIUM,
            url=link.url,
            here=link.here,
        )

    @property
    def link(self) -> Link:
        """How it is reached."""
        return self._link

    @property
    def info(self) -> ServerInfo:
        """What was last known of it, without asking."""
        return msgspec.structs.replace(self._info, next_try_s=self._link.breaker.next_try_s)

    async def look(self) -> ServerInfo:
        """Ask how it is and what it has. Never raises; see `Server.look`."""
        try:
            seen = await self._dialect.look()
        except Exception as error:  # noqa: BLE001 - whatever a server replies, it is a state of that server
            failure = self._link.clean(self._failure(error))
            problem = failure.problem
            state = _STATES.get(problem.code, ServerState.DOWN)
            state = ServerState.LOADING if is_loading(failure) else state
            self._info = msgspec.structs.replace(self._info, state=state, problem=problem, activity=None)
            return self.info
        loading = seen.state is ServerState.LOADING and not seen.models
        models = self._info.models if loading else tuple(map(self._completed, seen.models))
        self._info = msgspec.structs.replace(
            self._info,
            state=seen.state,
            pid=self._pid(),
            version=seen.version or self._info.version,
            router=seen.router,
            models=models,
            activity=seen.activity,
            problem=None,
            notes=(*seen.notes, *self._refused_notes()),
        )
        return self.info

    def _failure(self, error: Exception) -> ServerError:
        return error if isinstance(error, ServerError) else self._link.failure(error)

    def _completed(self, model: ServedModel) -> ServedModel:
        """`model` with the context of the settings, and perhaps with sight, where the server tells none."""
        context, can = model.context or self._link.settings.context or 0, model.capabilities
        if Capability.CHAT in can and not self._dialect.tells_vision:
            can = (*can, Capability.PERHAPS_VISION)
        return msgspec.structs.replace(model, context=context, capabilities=can)

    def _refused_notes(self) -> tuple[str, ...]:
        fields = frozenset[str]().union(*(each.fields for each in self._refusals.values()))
        return (f"It does not take {', '.join(sorted(fields))}.",) if fields else ()

    async def load(
        self,
        model: ServedModel,
        options: LoadOptions | None,
        keep_alive_s: float | None,
        on_progress: Callable[[float], None],
    ) -> served.ServedModel:
        """Have `model` ready to answer; see `Server.load`. How long it stays is the server's to decide."""
        began = monotonic()
        await self._dialect.load(model.name, options, on_progress)
        await self.look()
        return self._attached(self._known(model.name) or model, load_ms=(monotonic() - began) * 1e3)

    def attach(self, model: ServedModel) -> served.ServedModel:
        """Take over a model that the server has loaded already, or loads by itself."""
        return self._attached(model, load_ms=0.0)

    def _attached(self, model: ServedModel, load_ms: float) -> served.ServedModel:
        name = model.name
        dialogue = OpenAIDialogue(
            self._dialect,
            name,
            self._refusals.setdefault(name, Refusals()),
            sees=lambda: self._sees(name),
            give_back=lambda: self.unload(name),
        )
        description = Description(
            architecture=model.architecture,
            parameters=model.parameters,
            fingerprint=f"{self._link.name}/{name}" + (f"@{model.digest}" if model.digest else ""),
            context=model.context,
            trained_context=model.trained_context,
            vocabulary=0,
            threads=0,
            load_ms=load_ms,
            backend=f"{KIND_NAMES[self._info.kind]} {self._info.version}".rstrip(),
            can_think=Capability.THINKING in model.capabilities,
        )
        return served.ServedModel(
            self._link, dialogue, description, pid=self._pid(), loaded=lambda: self._is_loaded(name)
        )

    def _known(self, name: str) -> ServedModel | None:
        return next((each for each in self._info.models if each.name == name), None)

    def _is_loaded(self, name: str) -> bool:
        known = self._known(name)
        return known is None or known.loaded is not False

    def _sees(self, name: str) -> bool:
        """Whether a model may be shown pictures: where nobody tells, the server itself refuses them."""
        known = self._known(name)
        return known is None or not SEEING.isdisjoint(known.capabilities)

    async def unload(self, model: str) -> None:
        """Have the memory of `model` given back; see `Server.unload`."""
        await self._until_idle(model)
        await self._dialect.unload(model)
        await self.look()

    async def _until_idle(self, model: str) -> None:
        """Wait for a moment until nobody is answered: a connection that was just closed takes one."""
        until = monotonic() + _IDLE_WITHIN_S
        while await self._dialect.running(model):
            if monotonic() > until:
                raise ServerError(
                    Problem(
                        ProblemCode.SERVER_BUSY,
                        f"{self._link.name} is still answering somebody with {model}.",
                        kept="It stays loaded.",
                        remedy="Unload it when that is over.",
                    )
                )
            await asyncio.sleep(_LOOK_EVERY_S)

    async def show(self, model: str) -> ModelCard:
        """Tell what the server lists of one model. Raises `ServerError`."""
        await self.look()
        if known := self._known(model):
            return ModelCard(model=known)
        raise ServerError(self._info.problem or unknown_model(self._link.name, model))

    async def close(self) -> None:
        """Close all connections; what is loaded stays loaded."""
        await self._link.close()
