"""Ollama as a server: how it is, loading and unloading its models, and having its collection changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from tui_chat.backends.ollama import keeping
from tui_chat.backends.ollama.client import answering, connect, post
from tui_chat.backends.ollama.collection import Collection, FindBlob, no_blob
from tui_chat.backends.ollama.dialogue import CountAtLeast, OllamaDialogue, Verbs
from tui_chat.backends.ollama.environment import Environment, read_environment
from tui_chat.backends.ollama.listing import Runner, card_of, full_name, with_runner
from tui_chat.backends.ollama.profile import Profile, profile_as_found, profile_of
from tui_chat.backends.protocol import Description, LoadedModel
from tui_chat.backends.servers import model as servers_model
from tui_chat.backends.servers.failures import ServerError, garbled
from tui_chat.backends.servers.link import ASK_S, Link
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.plan import KvType, LoadOptions
from tui_chat.wire.servers import (
    Capability,
    Control,
    ModelCard,
    Pull,
    ServedModel,
    ServerInfo,
    ServerKind,
    ServerState,
)

if TYPE_CHECKING:
    import ollama

UNLOADS_WITHIN_S = 20.0
"""How long an idle model may take to go: Ollama itself waits five seconds for the memory of some GPUs."""
_LOOK_EVERY_S = 0.1
_REFUSALS = (ProblemCode.SERVER_REFUSED, ProblemCode.UNSAFE_CONNECTION, ProblemCode.CONFIG_INVALID)
_COUNTS_WHOLE_PROMPTS = (0, 4)
"""Releases before this one leave out of a prompt's count what they had read before."""
_LETS_CUTS_BE_FORBIDDEN = (0, 12, 6)


class OllamaServer:
    """One Ollama. See `Server` and `Keeper`."""

    def __init__(
        self,
        link: Link,
        *,
        configured: bool = False,
        pid: Callable[[], int] = lambda: 0,
        find_blob: FindBlob = no_blob,
        count_at_least: CountAtLeast | None = None,
        unloads_within_s: float = UNLOADS_WITHIN_S,
    ) -> None:
        """Ask nothing yet.

        Args:
            link: How it is reached.
            configured: Whether the settings name it.
            pid: Tells its process, if it runs on this machine and is known; 0 else.
            find_blob: Finds a model's file on this machine.
            count_at_least: Counts what a model must read, to find out whether it has.
            unloads_within_s: How long a model may take to go.
        """
        self._link = link
        self._pid = pid
        self._count_at_least = count_at_least
        self._unloads_within_s = unloads_within_s
        self._collection = Collection(link, find_blob)
        self._environment: Environment | None = None
        self._client: ollama.AsyncClient | None = None
        self._connecting = asyncio.Lock()
        self._profiles: dict[str, tuple[Profile, int]] = {}
        self._info = ServerInfo(
            name=link.name,
            kind=ServerKind.OLLAMA,
            control=Control.DEEP,
            url=link.url,
            here=link.here,
            configured=configured,
        )

    @property
    def link(self) -> Link:
        """How it is reached."""
        return self._link

    @property
    def info(self) -> ServerInfo:
        """What was last known of it, without asking."""
        return msgspec.structs.replace(self._info, next_try_s=self._link.breaker.next_try_s)

    @property
    def environment(self) -> Environment:
        """What it was started with; where that is closed to us, what the settings say, else its defaults."""
        return self._environment or Environment(kv_type=self._link.settings.kv_type or KvType.F16)

    async def look(self) -> ServerInfo:
        """Ask how it is, what it has, and what it has loaded; see `Server.look`."""
        pid = self._pid()
        self._environment = await asyncio.to_thread(read_environment, pid)
        try:
            reply = await self._link.ask_json("GET", "/api/version")
            version = reply.get("version") if isinstance(reply, dict) else None
            if not isinstance(version, str):
                raise garbled(self._link.name, "/api/version names no version")
            models = await self._collection.look(self.environment.models)
        except ServerError as error:
            code = error.problem.code
            self._change(
                state=ServerState.REFUSING if code in _REFUSALS else ServerState.DOWN,
                problem=error.problem,
                pid=pid,
                memory_bytes=0,
            )
            return self.info
        self._change(state=ServerState.UP, problem=None, pid=pid, version=version, models=models)
        self._change(
            memory_bytes=sum(model.vram_bytes for model in models) if self._link.here else 0,
            kv_type=self.environment.kv_type.value,
            notes=tuple(self._notes()),
        )
        return self.info

    async def load(
        self,
        model: ServedModel,
        options: LoadOptions | None,
        keep_alive_s: float | None,
        on_progress: Callable[[float], None],
    ) -> LoadedModel:
        """Have `model` loaded; see `Server.load`.

        The KV cache is of the type that Ollama was started with. Ollama does not tell how far it is.
        """
        profile = profile_of(options, keep_alive_s)
        if options is None and model.loaded:  # as it is, whoever has loaded it
            profile = msgspec.structs.replace(self._profile_now(model), keep_alive_s=keep_alive_s)
        client = await self._connect()
        started = perf_counter()
        with answering(self._link, model.name):
            import ollama

            async with asyncio.timeout(self._link.settings.first_token_s):
                await post(client, ollama.GenerateResponse, "/api/generate", profile.load(model.name))
        load_ms = (perf_counter() - started) * 1e3
        runner = (await self._running()).get(full_name(model.name))
        loaded = with_runner(model, runner)
        if not loaded.context and options is not None:
            loaded = msgspec.structs.replace(loaded, context=options.context)
        self._profiles[full_name(model.name)] = (profile, loaded.context)
        return self._loaded(loaded, profile, options, load_ms=load_ms, fresh=True)

    def attach(self, model: ServedModel) -> LoadedModel:
        """Take over a model that is loaded already; see `Server.attach`.

        It is asked as it was loaded, as far as that is known, for it not to be loaded anew.
        """
        return self._loaded(model, self._profile_now(model), None, load_ms=0.0, fresh=False)

    async def unload(self, model: str) -> None:
        """Have the memory of `model` given back; see `Server.unload`."""
        name = full_name(model)
        client = await self._connect()
        with answering(self._link, model):
            import ollama

            async with asyncio.timeout(ASK_S):
                body = {"model": model, "keep_alive": 0, "stream": False}
                await post(client, ollama.GenerateResponse, "/api/generate", body)
        until = perf_counter() + self._unloads_within_s
        while name in await self._running():
            if perf_counter() > until:
                raise self._still_answering(model)
            await asyncio.sleep(_LOOK_EVERY_S)
        self._profiles.pop(name, None)

    async def show(self, model: str) -> ModelCard:
        """Tell all that it tells of one model; see `Server.show`."""
        shown = await self._collection.show(model)
        name = full_name(model)
        listed = next((each for each in self._info.models if each.name == name), ServedModel(name=name))
        return card_of(listed, shown)

    async def pull(self, model: str) -> AsyncGenerator[Pull]:
        """Fetch a model; see `Keeper.pull`."""
        async with aclosing(keeping.pull(self._link, await self._connect(), model)) as pulls:
            async for pull in pulls:
                yield pull

    async def create(self, model: str, file: Path) -> AsyncGenerator[Pull]:
        """Make a model from a GGUF file; see `Keeper.create`."""
        async with aclosing(keeping.create(self._link, await self._connect(), model, file)) as pulls:
            async for pull in pulls:
                yield pull

    async def delete(self, model: str) -> None:
        """Delete a model from its disk; see `Keeper.delete`."""
        client = await self._connect()
        with answering(self._link, model):
            async with asyncio.timeout(ASK_S):
                await client.delete(model)

    async def copy(self, model: str, to: str) -> None:
        """Give a model a second name; see `Keeper.copy`."""
        client = await self._connect()
        with answering(self._link, model):
            async with asyncio.timeout(ASK_S):
                await client.copy(model, to)

    async def close(self) -> None:
        """Close all connections; what is loaded stays loaded."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]
        await self._link.close()

    async def _connect(self) -> ollama.AsyncClient:
        async with self._connecting:
            if self._client is None:
                self._client = await connect(self._link)
            return self._client

    async def _running(self) -> dict[str, Runner]:
        """What is loaded now; noted in what is known of the models."""
        runners = await self._collection.runners()
        self._change(models=tuple(with_runner(each, runners.get(each.name)) for each in self._info.models))
        return runners

    def _profile_now(self, model: ServedModel) -> Profile:
        """How a model that is loaded was loaded, as far as that is known."""
        profile, context = self._profiles.get(full_name(model.name), (Profile(), -1))
        return profile if context == model.context else profile_as_found(model.context)

    def _loaded(
        self,
        model: ServedModel,
        profile: Profile,
        options: LoadOptions | None,
        *,
        load_ms: float,
        fresh: bool,
    ) -> LoadedModel:
        count = self._count_at_least if self._release >= _COUNTS_WHOLE_PROMPTS else None
        verbs = Verbs(self._connect, self._collection.show, self.unload, count)
        return servers_model.ServedModel(
            self._link,
            OllamaDialogue(self._link.name, model, profile, verbs, fresh=fresh),
            self._description(model, options, load_ms),
            weigh=lambda: self._now(model).ram_bytes if self._link.here else 0,
            loaded=lambda: bool(self._now(model).loaded),
        )

    def _description(self, model: ServedModel, options: LoadOptions | None, load_ms: float) -> Description:
        if options is not None:
            options = msgspec.structs.replace(
                options, context=model.context or options.context, kv_type=self.environment.kv_type
            )
        return Description(
            architecture=model.architecture,
            parameters=model.parameters,
            fingerprint=model.digest,
            context=model.context,
            trained_context=model.trained_context,
            vocabulary=0,
            threads=0,
            load_ms=load_ms,
            backend=f"Ollama {self._info.version}".strip(),
            can_think=Capability.THINKING in model.capabilities,
            options=options,
        )

    def _now(self, model: ServedModel) -> ServedModel:
        """The model as it was last seen."""
        return next((each for each in self._info.models if each.name == full_name(model.name)), model)

    def _still_answering(self, model: str) -> ServerError:
        return ServerError(
            Problem(
                ProblemCode.SERVER_BUSY,
                f"{self._link.name} is still answering somebody with {model} and keeps it until then.",
                kept="It has been asked to unload it, and will.",
                remedy="Wait, or cancel that answer.",
            )
        )

    @property
    def _release(self) -> tuple[int, ...]:
        """Its version as numbers; those of a build without any are higher than all."""
        numbers = self._info.version.partition("-")[0].split(".")
        told = all(number.isdecimal() for number in numbers) and self._info.version != "0.0.0"
        return tuple(int(number) for number in numbers) if told else (1 << 16,)

    def _notes(self) -> list[str]:
        """What it cannot do, or cannot be seen of it."""
        notes = [
            "It cannot count the tokens of a conversation before it is sent.",
            "It does not tell how many answers it is writing or how full its KV caches are.",
            "Its answers cannot be paused while a device cools down.",
        ]
        kv_type = self.environment.kv_type
        if self._environment is None:
            said = "as its settings here say" if self._link.settings.kv_type else "its default"
            notes.append(f"The type of its KV cache cannot be seen; {kv_type} is assumed, {said}.")
        else:
            notes.append(
                f"Its KV cache is {kv_type}, as it was started; that is the same for all its models."
            )
        if self._release < _LETS_CUTS_BE_FORBIDDEN:
            notes.append("It drops the oldest messages of a conversation that is too long, without a word.")
        if self._collection.remote:
            many = self._collection.remote
            left = "1 model that runs" if many == 1 else f"{many} models that run"
            notes.append(f"It lists {left} in the cloud, which is left out here.")
        return notes

    def _change(self, **changes: object) -> None:
        self._info = msgspec.structs.replace(self._info, **changes)
