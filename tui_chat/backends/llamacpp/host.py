"""The llama.cpp backend: checks a file, starts a worker for it, and waits until it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import msgspec

from tui_chat.backends.llamacpp.build import backend_name
from tui_chat.backends.llamacpp.failures import death_problem, find_allocation
from tui_chat.backends.llamacpp.messages import Load, Loaded, Progress, Refused
from tui_chat.backends.llamacpp.process import WorkerProcess
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import BackendError, LoadPlan
from tui_chat.memory.gguf import GgufError, GgufHeader, read_header
from tui_chat.memory.samples import sample_weights


class LlamaCppBackend:
    """A `Backend` that runs each GGUF model in a worker process, logging into the folder `logs`.

    Load from the event loop of the process's main thread: the kernel ends workers together with the
    thread that started them.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs

    async def load(
        self,
        plan: LoadPlan,
        on_progress: Callable[[float], None],
        make_room: Callable[[], Awaitable[None]] | None = None,
    ) -> LlamaCppModel:
        """Load `plan.path`, reporting 0..1. Cancelling the task ends the worker.

        The worker starts, which takes a tenth of a second, while `make_room` is at work.

        Raises:
            BackendError: The file is missing or no model, memory is short, or the worker died.
        """
        path = plan.path.absolute()
        header, weights = await _check(path)
        started = perf_counter()
        process = await WorkerProcess.spawn(self._logs / f"worker-{path.stem}.log")
        try:
            if make_room is not None:
                clearing = perf_counter()
                await make_room()
                started += perf_counter() - clearing
            load = Load(
                path=str(path),
                options=plan.options,
                threads=plan.threads,
                fingerprint=header.fingerprint,
                weights=weights,
                checkpoint_bytes=plan.checkpoint_bytes,
                backend=backend_name(),
                checkpoint_floor=plan.checkpoint_floor,
                projector=str(plan.projector.absolute()) if plan.projector else "",
            )
            return await self._wait(process, load, started, on_progress)
        except BaseException:
            process.kill()
            await process.reap()
            raise

    async def _wait(
        self,
        process: WorkerProcess,
        load: Load,
        started: float,
        on_progress: Callable[[float], None],
    ) -> LlamaCppModel:
        name = Path(load.path).stem
        process.send(load)
        while (report := await process.receive()) is not None:
            if isinstance(report, Progress):
                on_progress(report.fraction)
            elif isinstance(report, Refused):
                raise BackendError(report.problem, find_allocation(report.problem.detail))
            elif isinstance(report, Loaded):
                load_ms = (perf_counter() - started) * 1e3
                description = msgspec.structs.replace(report.description, load_ms=load_ms)
                return LlamaCppModel(process, description, name)
        status = await process.reap()
        lines, memory_kill = process.log_tail(), process.memory_kill
        problem = death_problem(name, status, lines, memory_kill=memory_kill, loading=True)
        raise BackendError(problem, find_allocation(problem.detail))


async def _check(path: Path) -> tuple[GgufHeader, str]:
    """Read the header, and samples of the weights, off the loop: a slow disk must not hold up others."""

    def read() -> tuple[GgufHeader, str]:
        header = read_header(path)
        try:
            return header, sample_weights(path)
        except OSError:
            return header, ""  # a part of a split model is missing, which llama.cpp explains better

    try:
        return await asyncio.to_thread(read)
    except GgufError as error:
        raise BackendError(error.problem) from error
