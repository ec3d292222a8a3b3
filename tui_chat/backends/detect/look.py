"""Looks for all servers of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from tui_chat.backends.detect.addresses import Address, address_of
from tui_chat.backends.detect.commands import short
from tui_chat.backends.detect.found import Found, name_of
from tui_chat.backends.detect.identify import Answer, identify_all
from tui_chat.backends.detect.ports import candidates
from tui_chat.backends.detect.processes import Processes, Runtime, look_at_processes
from tui_chat.backends.detect.pytorch import held, torch_processes
from tui_chat.config.servers import DetectSettings
from tui_chat.wire.servers import ServerKind
from tui_chat.wire.telemetry import GpuSample


async def detect(
    settings: DetectSettings,
    known_urls: Collection[str],
    gpus: Sequence[GpuSample] | None,
    ours: Collection[int],
) -> tuple[Found, ...]:
    """Find the servers that run here, and PyTorch processes on GPUs. Takes 2 s if one is slow to answer.

    Args:
        settings: Whether to look at all, and where besides.
        known_urls: Servers that the settings name. They are not asked; what is seen of their processes is
            told, as `Found.known`.
        gpus: What was read of the GPUs last; None if nothing was.
        ours: Our own processes: engine and workers.
    """
    if not settings.enabled:
        return ()
    known = {address for url in known_urls if (address := address_of(url))}
    seen = await asyncio.to_thread(look_at_processes, ours)
    answers = await identify_all(sorted(candidates(settings.ports, seen, known)))
    return await asyncio.to_thread(_Sorting(seen, held(gpus or ()), ours).sort, answers, known)


class _Sorting:
    """Brings together what answers and what runs, each once."""

    def __init__(self, seen: Processes, taken: Mapping[int, int], ours: Collection[int]) -> None:
        self._seen = seen
        self._taken = taken
        self._accounted = {each for pid in ours for each in seen.family(pid)}
        self._silent = list(seen.runtimes)

    def sort(self, answers: Mapping[Address, Answer], known: Collection[Address]) -> tuple[Found, ...]:
        """Servers that answer, then known ones, those that do not answer, and PyTorch processes."""
        answering = [
            found for address, answer in answers.items() if (found := self._answering(address, answer))
        ]
        named = [found for address in sorted(known) if (found := self._known(address))]
        silent = [self._alone(runtime) for runtime in self._silent]
        torch = torch_processes(self._taken, self._accounted, self._seen.commands)
        return (*answering, *named, *silent, *torch)

    def _answering(self, address: Address, answer: Answer) -> Found | None:
        runtime = self._claim(address, answer.kind)
        kind = answer.kind
        if runtime and kind in (None, ServerKind.OPENAI):
            kind = runtime.kind
        if kind is None:  # it wants a key, and nothing says that it is a model server
            return None
        pid, memory, command = self._process(address, runtime)
        return Found(
            name=name_of(kind, address),
            kind=kind,
            url=address.url,
            state=answer.state,
            version=answer.version,
            pid=pid,
            memory_bytes=memory,
            command=command,
        )

    def _known(self, address: Address) -> Found | None:
        runtime = self._claim(address, None)
        pid, memory, command = self._process(address, runtime)
        if not pid:
            return None
        kind = runtime.kind if runtime else ServerKind.OPENAI
        return Found(
            name=name_of(kind, address),
            kind=kind,
            url=address.url,
            pid=pid,
            memory_bytes=memory,
            command=command,
            known=True,
        )

    def _alone(self, runtime: Runtime) -> Found:
        self._accounted |= runtime.family
        return Found(
            name=f"{runtime.kind.value} (pid {runtime.pid})",
            kind=runtime.kind,
            pid=runtime.pid,
            memory_bytes=self._memory(runtime.family),
            command=runtime.command,
        )

    def _claim(self, address: Address, kind: ServerKind | None) -> Runtime | None:
        """The process that answers at an address, which then is no longer one that does not."""
        holders = self._seen.holders.get(address, frozenset())
        # One whose ports cannot be seen is taken for the one that answers where it usually would, unless
        # that is seen to be another process, and is not of its kind.
        there = [
            each
            for each in self._seen.runtimes
            if address in each.addresses and (each.family & holders or each.kind is kind or not holders)
        ]
        there.sort(
            key=lambda each: (not each.family & holders, each.kind is not kind, each not in self._silent)
        )
        runtime = there[0] if there else None
        if runtime in self._silent:
            self._silent.remove(runtime)
        return runtime

    def _process(self, address: Address, runtime: Runtime | None) -> tuple[int, int, str]:
        """Number, memory and command of what listens at an address; 0, 0 and nothing if it cannot be seen."""
        holders = self._seen.holders.get(address, frozenset())
        pid = runtime.pid if runtime else min(holders, default=0)
        if not pid:
            return 0, 0, ""
        family = runtime.family if runtime else self._seen.family(pid)
        self._accounted |= family
        command = runtime.command if runtime else short(self._seen.commands.get(pid, ()))
        return pid, self._memory(family), command

    def _memory(self, family: Collection[int]) -> int:
        return sum(self._taken.get(pid, 0) for pid in family)
