"""Models that servers are fetching. A pull is the engine's: it outlives the terminal that asked for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import msgspec

from tui_chat.backends.servers.failures import cannot, of_exception
from tui_chat.backends.servers.server import Keeper, Server
from tui_chat.engine.servers.registry import Servers
from tui_chat.wire.servers import Pull, PullState

log = logging.getLogger(__name__)

_KEPT = 16
"""How many that have ended are still told of."""
_EVERY_S = 0.1
"""How often whoever watches is told at most."""


class Pulls:
    """Every pull that runs, and those that ended lately, by server and model."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._pulls: dict[tuple[str, str], Pull] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._changed = asyncio.Event()

    @property
    def all(self) -> tuple[Pull, ...]:
        """The oldest first."""
        return tuple(self._pulls.values())

    @property
    def running(self) -> bool:
        """Whether any server is fetching anything."""
        return bool(self._tasks)

    async def pull(self, server: str, model: str) -> Pull:
        """Have `server` fetch `model`; one that it is fetching already is fetched once.

        Raises:
            BackendError: There is no such server, or it cannot fetch models.
        """
        keeper = await self.keeper(server, "fetch models")
        return self._begin(server, model, lambda: keeper.pull(model), "")

    async def create(self, server: str, model: str, file: Path) -> Pull:
        """Have `server` make `model` from a GGUF file.

        Raises:
            BackendError: There is no such server, or it cannot make models.
        """
        keeper = await self.keeper(server, "make models")
        return self._begin(server, model, lambda: keeper.create(model, file), str(file))

    async def keeper(self, server: str, verb: str) -> Keeper:
        """The server called `server`, if its collection of models can be changed.

        Raises:
            BackendError: There is none, or it cannot `verb`.
        """
        found: Server = await self._servers.find(server)
        if not isinstance(found, Keeper):
            raise cannot(server, verb)
        return found

    def _begin(self, server: str, model: str, work: Callable[[], AsyncGenerator[Pull]], file: str) -> Pull:
        key = (server, model)
        if key not in self._tasks:
            self._pulls.pop(key, None)  # it becomes the newest
            self._show(key, Pull(server=server, model=model, file=file))
            self._tasks[key] = asyncio.create_task(self._follow(key, work))
        return self._pulls[key]

    async def _follow(self, key: tuple[str, str], work: Callable[[], AsyncGenerator[Pull]]) -> None:
        state, problem, file = PullState.FAILED, None, self._pulls[key].file
        try:
            async with aclosing(work()) as steps:
                async for step in steps:
                    self._show(key, msgspec.structs.replace(step, file=file))
            state = PullState.DONE
        except asyncio.CancelledError:
            state = PullState.CANCELLED
        except Exception as error:  # noqa: BLE001 - whatever it was, nobody is told that all is there
            problem = of_exception(key[0], error).problem
            log.info("%s could not fetch %s: %s", *key, problem.what)
        finally:
            del self._tasks[key]
            last = self._pulls[key]
            self._show(key, msgspec.structs.replace(last, state=state, problem=problem))
            self._forget_old()
        if state is PullState.DONE:
            await self._servers.get(key[0]).look()
            self._servers.note()

    def _show(self, key: tuple[str, str], pull: Pull) -> None:
        self._pulls[key] = pull
        self._changed.set()
        self._changed = asyncio.Event()

    def _forget_old(self) -> None:
        ended = [key for key in self._pulls if key not in self._tasks]
        for key in ended[: max(0, len(ended) - _KEPT)]:
            del self._pulls[key]

    async def cancel(self, server: str, model: str) -> bool:
        """Stop a pull, and wait until it has stopped; says whether there was one."""
        task = self._tasks.get((server, model))
        if task is None:
            return False
        task.cancel()
        await asyncio.wait((task,))
        return True

    async def watch(self) -> AsyncGenerator[tuple[int, tuple[Pull, ...]]]:
        """Yield all pulls now and whenever they get on, not more often than anybody could read."""
        seq = 0
        while True:
            changed = self._changed
            seq += 1
            yield seq, self.all
            await changed.wait()
            await asyncio.sleep(_EVERY_S)

    async def close(self) -> None:
        """Stop them all; what was fetched stays with the servers."""
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
