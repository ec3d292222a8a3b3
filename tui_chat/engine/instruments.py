"""The engine's view of the machine: sampled while somebody watches or an answer is written, told to all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress

import msgspec

from tui_chat.telemetry.owners import Worker, named
from tui_chat.telemetry.sampler import PERIOD_S, Sampler
from tui_chat.wire.telemetry import Sample

_FIRST_WITHIN_S = 3.0
"""How long whoever asks for one sample waits for the first; a driver may take seconds to wake up."""


class Instruments:
    """One sampler, however many watch. `latest` is what was sampled last, and None while nothing is.

    Args:
        sampler: Reads the instruments, in threads of its own.
        workers: Tells our processes that may be on GPUs.
        busy: Whether an answer is being written.
        act: Told every sample, before those who watch, and None when there are no more.
    """

    def __init__(
        self,
        sampler: Sampler,
        workers: Callable[[], Sequence[Worker]],
        busy: Callable[[], bool],
        act: Callable[[Sample | None], None],
    ) -> None:
        self.latest: Sample | None = None
        self._sampler = sampler
        self._workers = workers
        self._busy = busy
        self._act = act
        self._watchers = 0
        self._count = 0
        self._sampled = asyncio.Event()
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        """Sample as long as the engine lives."""
        try:
            while True:
                wanted = self._watchers > 0 or self._busy()
                self._sampler.want(wanted)
                if wanted:
                    await self._take()
                elif self.latest is not None:
                    self.latest = None
                    self._act(None)
                await self._pause()
        finally:
            self._sampler.close()

    async def _pause(self) -> None:
        """Wait for the next moment to sample: not for long when somebody begins to watch."""
        self._wanted.clear()
        waits = PERIOD_S if self.latest is not None or not self._watchers else PERIOD_S / 20
        with suppress(TimeoutError):
            async with asyncio.timeout(waits):
                await self._wanted.wait()

    async def _take(self) -> None:
        sample = self._sampler.sample()
        if sample is None:
            return
        gpus = await asyncio.to_thread(named, sample.gpus, self._workers())
        self.latest = msgspec.structs.replace(sample, gpus=gpus)
        self._act(self.latest)
        self._count += 1
        self._sampled.set()
        self._sampled = asyncio.Event()

    async def watch(self) -> AsyncGenerator[tuple[int, Sample], None]:
        """Yield the sample there is and every one from now on, numbered; none if nothing is read."""
        if not self._sampler.reads:
            return
        self._watchers += 1
        self._wanted.set()
        try:
            while True:
                sampled = self._sampled
                if self.latest is not None:
                    yield self._count, self.latest
                await sampled.wait()
        finally:
            self._watchers -= 1

    async def once(self) -> Sample | None:
        """Return one sample that is no older than a period; None if not even the machine can be read."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_WITHIN_S), aclosing(self.watch()) as watching:
                async for _, sample in watching:
                    return sample
        return None
