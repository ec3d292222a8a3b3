"""What servers are fetching, for every screen: begun, followed and stopped. The engine goes on without us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from time import monotonic
from typing import TYPE_CHECKING

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.client.errors import EngineError
from tui_chat.ui.progress import Pace, fetched
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.servers import Pull, PullState

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace

log = logging.getLogger("tui_chat.ui")

Key = tuple[str, str]
"""Server and model."""


class Fetches:
    """Follows the engine's pulls as long as one runs or a screen looks at them.

    Attributes:
        pulls: All that are told of: those that run, and those that ended lately.
    """

    def __init__(
        self,
        workspace: Workspace,
        busy: Callable[[str], None],
        say: Callable[[str], None],
        tell: Callable[[Problem], None],
    ) -> None:
        """Follow nothing yet.

        Args:
            workspace: What has the engine.
            busy: Shows how far the first one that runs is; "" when none does.
            say: Says in passing how one ended.
            tell: Says what went wrong with one, unless a screen that looks at them does.
        """
        self._client = workspace.engine_client
        self._busy = busy
        self._say = say
        self._tell = tell
        self._watchers: list[tuple[Callable[[], None], Callable[[Problem], bool]]] = []
        self._paces: dict[Key, Pace] = {}
        self._following: asyncio.Task[None] | None = None
        self._again = False
        self.pulls: tuple[Pull, ...] = ()

    @property
    def running(self) -> list[Pull]:
        """Those that run, the oldest first."""
        return [pull for pull in self.pulls if pull.state is PullState.RUNNING]

    def unfinished(self, server: str) -> list[Pull]:
        """Those of `server` that run, and those that ended before all was there but can go on."""
        ended = (PullState.CANCELLED, PullState.FAILED)
        ours = [pull for pull in self.pulls if pull.server == server]
        return [p for p in ours if p.state is PullState.RUNNING or (p.state in ended and p.done)]

    def watch(self, changed: Callable[[], None], tell: Callable[[Problem], bool]) -> Callable[[], None]:
        """Have a screen follow them: `changed` is called as they get on, `tell` may take problems over.

        Returns how to stop that.
        """
        watcher = (changed, tell)
        self._watchers.append(watcher)
        self.follow()
        return lambda: self._watchers.remove(watcher)

    def follow(self) -> None:
        """See what there is, and follow what runs."""
        self._again = True
        if self._following is None or self._following.done():
            self._following = asyncio.create_task(self._follow())

    async def pull(self, server: str, model: str) -> None:
        """Have `server` fetch `model`, or go on with that. Raises `EngineError`."""
        await self._begin(await self._client.pull_model(server, model))

    async def create(self, server: str, model: str, file: str) -> None:
        """Have `server` make `model` of a file of this machine. Raises `EngineError`."""
        await self._begin(await self._client.create_model(server, model, file))

    async def _begin(self, begun: Pull) -> None:
        """Follow it from here on; a stream opened before may still tell of an earlier try."""
        await self.close()
        others = (p for p in self.pulls if (p.server, p.model) != (begun.server, begun.model))
        self._hear((*others, begun))
        self.follow()

    async def stop(self, pull: Pull) -> None:
        """Stop one; what came is kept by its server. Raises `EngineError`."""
        await self._client.cancel_pull(pull.server, pull.model)

    async def close(self) -> None:
        """Stop following; what is being fetched goes on."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)

    def progress(self, pull: Pull, cells: int = 20) -> str:
        """Say how far a pull is: in bytes, or in the server's own words where there is nothing to count."""
        if not pull.total or pull.done >= pull.total:
            return clean_line(pull.status) or "asking for it"
        pace = self._paces.get((pull.server, pull.model), Pace(monotonic(), pull.done))
        return fetched(pull.done, pull.total, pace.left_s(monotonic(), pull.done, pull.total), cells)

    async def _follow(self) -> None:
        while self._again:
            self._again = False
            try:
                async with aclosing(self._client.pulls()) as snapshots:
                    async for pulls in snapshots:
                        self._hear(pulls)
                        if not self.running and not self._watchers:
                            break
            except EngineError as error:
                log.info("pulls are not followed: %s", error)
            else:
                self._again = self._again or bool(self.running)  # the stream broke, not what it told of
                continue
            self._hear(())

    def _hear(self, pulls: tuple[Pull, ...]) -> None:
        before, self.pulls = self.running, pulls
        now = {(pull.server, pull.model): pull for pull in pulls}
        for pull in self.running:
            self._paces.setdefault((pull.server, pull.model), Pace(monotonic(), pull.done))
        for pull in before:
            key = (pull.server, pull.model)
            if key not in now or now[key].state is not PullState.RUNNING:
                self._paces.pop(key, None)
                self._end(now.get(key), pull)
        self._busy(self._line())
        for changed, _ in list(self._watchers):
            changed()

    def _end(self, pull: Pull | None, was: Pull) -> None:
        """Say how one ended; None is one that the engine knows no more of."""
        name = clean_line(was.model)
        problem = pull.problem if pull is not None else _gone(was)
        if pull is not None and pull.state is PullState.DONE:
            self._say(f"{was.server} has {name} now")
        elif pull is not None and pull.state is PullState.CANCELLED:
            self._say(f"stopped getting {name}; what came is kept by {was.server}")
        elif problem is not None and not any(tell(problem) for _, tell in list(self._watchers)):
            self._tell(problem)

    def _line(self) -> str:
        running = self.running
        if not running:
            return ""
        first = running[0]
        more = f" · and {len(running) - 1} more" if len(running) > 1 else ""
        return f"{doing(first)} {clean_line(first.model)} {self.progress(first)}{more}"


def doing(pull: Pull) -> str:
    """What a server is doing to have a model."""
    return "making" if pull.file else "getting"


def _gone(pull: Pull) -> Problem:
    return Problem(
        ProblemCode.ENGINE_DIED,
        f"The engine is gone, and {pull.server} stopped getting {clean_line(pull.model)} with it.",
        kept=f"What came is kept by {pull.server}.",
        remedy="Ask for it again; it goes on from there.",
    )
