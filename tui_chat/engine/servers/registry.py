"""Which servers there are, and what was last known of each. Nobody waits for them for long."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec

from tui_chat.backends.detect.found import Found
from tui_chat.backends.protocol import BackendError
from tui_chat.backends.servers.link import Link, root_of
from tui_chat.backends.servers.server import Server
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.servers import ServerSettings
from tui_chat.config.settings import Settings
from tui_chat.engine.servers.listing import info_of
from tui_chat.wire.api import ModelInfo
from tui_chat.wire.servers import ID_SEPARATOR, Control, ServedModel, ServerInfo, ServerKind, ServerState

log = logging.getLogger(__name__)

FRESH_S = 5.0
"""What is older is asked anew when somebody wants to know."""
FIRST_S = 1.5
"""How long the first list of models waits for servers."""

Make = Callable[[Link, ServerKind, Callable[[], int]], Server]
Identify = Callable[[Link], Awaitable[ServerKind]]
Find = Callable[[Sequence[str]], Awaitable["Sequence[Found]"]]


class Servers:
    """Those of the settings, and those that were found on this machine.

    Attributes:
        version: Grows whenever something new is known.
        listeners: Told of each server that was asked, and when that was (monotonic).
    """

    def __init__(
        self,
        settings: Settings,
        make: Make,
        identify: Identify,
        find: Find,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask nothing yet.

        Args:
            settings: Which servers are named, and whether others are looked for.
            make: Makes a server of a kind over a link; the last argument tells its process.
            identify: Finds out what answers at a link. May raise `ServerError`.
            find: Finds what runs on this machine, but for what is at the URLs given.
            on_change: Called when something new is known.
        """
        self.version = 0
        self._settings = settings
        self._make = make
        self._identify = identify
        self._find = find
        self._on_change = on_change
        self._links = {name: Link(name, each) for name, each in settings.servers.items()}
        self._servers: dict[str, Server] = {}
        self._problems: dict[str, Problem] = {}
        self._watched: tuple[ServerInfo, ...] = ()
        self._processes: dict[str, Found] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked = -FRESH_S
        self._searched = False
        self.listeners: list[Callable[[Server, float], Awaitable[None]]] = []

    @property
    def infos(self) -> tuple[ServerInfo, ...]:
        """What is known, those of the settings first, in their order."""
        named = [self._info(name) for name in self._links]
        found = [self._seen(each.info) for name, each in self._servers.items() if name not in self._links]
        return (*named, *found, *self._watched)

    def _info(self, name: str) -> ServerInfo:
        link, server = self._links[name], self._servers.get(name)
        if server is not None:
            return msgspec.structs.replace(self._seen(server.info), configured=True)
        problem = self._problems.get(name)
        return ServerInfo(
            name=name,
            kind=link.settings.kind or ServerKind.OPENAI,
            control=Control.MEDIUM,
            url=link.url,
            here=link.here,
            configured=True,
            state=ServerState.DOWN if problem else ServerState.UNKNOWN,
            problem=problem,
            next_try_s=round(link.breaker.next_try_s, 1),
        )

    def _seen(self, info: ServerInfo) -> ServerInfo:
        """With what is seen of its process."""
        process = self._processes.get(info.url)
        if process is None:
            return info
        memory = max(info.memory_bytes, process.memory_bytes)
        return msgspec.structs.replace(info, pid=process.pid, memory_bytes=memory)

    def _pid_of(self, url: str) -> Callable[[], int]:
        return lambda: self._processes[url].pid if url in self._processes else 0

    @property
    def models(self) -> list[ModelInfo]:
        """All models of all servers, as they were last listed."""
        return [info_of(server.info, model) for server in self.all for model in server.info.models]

    @property
    def all(self) -> tuple[Server, ...]:
        """Those that can be talked to."""
        return tuple(self._servers.values())

    def get(self, name: str) -> Server:
        """The server called `name`.

        Raises:
            BackendError: There is none, or it has never answered.
        """
        server = self._servers.get(name)
        if server is not None:
            return server
        if name in self._links and name in self._problems:
            raise BackendError(self._problems[name])
        raise BackendError(self._unknown(name))

    async def find(self, name: str) -> Server:
        """As `get`, for a server that may not have been asked yet.

        Raises:
            BackendError: There is none, or it does not answer.
        """
        if name not in self._servers or self._looked < 0:
            await asyncio.shield(self.begin_look())
        return self.get(name)

    def _unknown(self, name: str) -> Problem:
        names = ", ".join((*self._links, *(n for n in self._servers if n not in self._links)))
        return Problem(
            ProblemCode.SERVER_UNKNOWN,
            f"There is no server called {name!r}.",
            remedy=f"There are: {names}."
            if names
            else "Start one, or name one in the settings: [servers.NAME].",
        )

    def served(self, found: ModelInfo) -> ServedModel:
        """What its server said of a model last.

        Raises:
            BackendError: The server is gone, or no longer has it.
        """
        server = self.get(found.server)
        name = found.id.removeprefix(found.server + ID_SEPARATOR)
        model = next((each for each in server.info.models if each.name == name), None)
        if model is None:
            what = f"{found.server} has no model called {name} any more."
            raise BackendError(Problem(ProblemCode.MODEL_UNKNOWN, what, remedy="Choose another model."))
        return model

    def trouble(self, model: str) -> Problem | None:
        """What is wrong with the server that `model` names, if it names one and something is."""
        name = model.partition(ID_SEPARATOR)[0]
        info = next((each for each in self.infos if each.name == name), None)
        return info.problem if info is not None else None

    def lane_of(self, model: str) -> tuple[str, int]:
        """In which lane answers of `model` are written, and how many at once.

        Whatever takes this machine's processors and memory shares the one lane without a name.
        """
        name, separator, _ = model.removeprefix("server:").partition(ID_SEPARATOR)
        server = self._servers.get(name) if separator else None
        if server is None or (server.info.control is Control.DEEP and server.link.here):
            return "", 1
        return name, server.link.settings.parallel

    async def current(self) -> list[ModelInfo]:
        """The models as they are now, or were a moment ago; waits only for the very first look."""
        first = self._looked < 0
        if time.monotonic() - self._looked >= FRESH_S:
            looking = self.begin_look()
            if first:
                await asyncio.wait((looking,), timeout=FIRST_S)
        return self.models

    async def look(self, *, search: bool = False) -> tuple[ServerInfo, ...]:
        """Ask all servers anew; with `search`, look for others too, and ask those left alone as well.

        What is being asked already is not enough: it may be answered as things were before.
        """
        if search:
            for link in (*self._links.values(), *(server.link for server in self.all)):
                link.breaker.reset()
            self._searched = False
        if self._looking is not None:
            await asyncio.wait((self._looking,))
        await asyncio.shield(self.begin_look())
        return self.infos

    def begin_look(self) -> asyncio.Task[None]:
        """Have all servers asked, if that is not going on already."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return self._looking

    async def _look(self) -> None:
        before = _lasting(self.infos)
        steps = [self._meet(name) for name in self._links if name not in self._servers]
        if self._settings.detect.enabled and not self._searched:
            self._searched = True
            steps.append(self._search())
        await asyncio.gather(*steps)
        await asyncio.gather(*(self._ask(server) for server in self.all))
        self._looked = time.monotonic()
        if _lasting(self.infos) != before:
            self.note()

    def note(self) -> None:
        """Something new is known."""
        self.version += 1
        self._on_change()

    async def _ask(self, server: Server) -> None:
        asked_at = time.monotonic()
        await server.look()
        for each in self.listeners:
            try:
                await each(server, asked_at)
            except BackendError as error:
                log.info("%s: %s", server.link.name, error.problem.what)

    async def _meet(self, name: str) -> None:
        """Find out what a server of the settings is, if they do not say."""
        link = self._links[name]
        try:
            kind = link.settings.kind or await self._identify(link)
            self._servers[name] = self._make(link, kind, self._pid_of(link.url))
        except BackendError as error:
            self._problems[name] = error.problem
            return
        self._problems.pop(name, None)

    async def _search(self) -> None:
        """Find what runs on this machine; a server once found stays known, as one that is down."""
        links = (*self._links.values(), *(server.link for server in self.all))
        known = list(dict.fromkeys(link.url for link in links))
        found = await self._find(known)
        self._watched = tuple(_watched(each) for each in found if not each.url)
        self._processes = {root_of(each.url): each for each in found if each.url and each.pid}
        for each in found:
            if each.url and not each.known:
                name = _free(each.name, (*self._links, *self._servers))
                link = Link(name, ServerSettings(url=each.url, kind=each.kind))
                self._servers[name] = self._make(link, each.kind, self._pid_of(link.url))

    async def close(self) -> None:
        """Close all connections."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*(server.close() for server in self.all))


def _lasting(infos: Iterable[ServerInfo]) -> list[ServerInfo]:
    """Without what is another at every look: whoever watches that asks for it."""
    return [
        msgspec.structs.replace(
            info,
            activity=None,
            next_try_s=0.0,
            models=tuple(msgspec.structs.replace(model, expires=None) for model in info.models),
        )
        for info in infos
    ]


def _watched(found: Found) -> ServerInfo:
    """A process that is seen, and not talked to."""
    return ServerInfo(
        name=found.name,
        kind=found.kind,
        control=Control.WATCH,
        state=found.state,
        version=found.version,
        here=True,
        pid=found.pid,
        memory_bytes=found.memory_bytes,
        notes=(found.command,) if found.command else (),
    )


def _free(name: str, taken: Iterable[str]) -> str:
    names = set(taken)
    numbered = (f"{name}-{number}" for number in range(2, len(names) + 3))
    return name if name not in names else next(each for each in numbered if each not in names)
