"""Loads models as a worker does, in processes that may take no more than planned: ``python -m … < jobs``.

The limit is ``RLIMIT_DATA``: all writable memory of the process's own, counted when it is asked for. That
is stricter than what a cgroup counts, which is pages that were touched, and unlike a limit on address
space it counts neither the file's mapping nor what is merely reserved. Allowed on top is what Python and
the libraries have before, and what llama.cpp asks for to describe its graphs and never touches: some 45 MiB
that depend on the model alone, measured at its smallest load.
"""

from __future__ import annotations

import enum
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.benchmarks.memory.children import in_child
from tests.benchmarks.memory.files import QUIET
from tui_chat.wire.plan import LoadOptions

if TYPE_CHECKING:
    from tui_chat.backends.llamacpp.worker.model import Model

PATIENCE_S = 60
"""For one job; it counts as failed then."""


class Outcome(enum.StrEnum):
    """What became of a load."""

    LOADED = "loaded"
    OUT_OF_MEMORY = "out of memory"
    REFUSED = "refused for another reason"
    DIED = "died"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Load `path` with `options`.

    Attributes:
        room: Bytes that it may take beside what a worker without a model does; None for as much as it likes.
        untouched: Bytes that it may ask for on top.
        reads: Whether to evaluate a whole batch too.
    """

    path: str
    options: LoadOptions
    room: int | None = None
    untouched: int = 0
    reads: bool = True


class Done(msgspec.Struct, frozen=True):
    """What became of a job, and how many bytes it asked for and never touched."""

    outcome: Outcome
    untouched: int = 0


def load_limited(jobs: Sequence[Job], timeout: float = 1800) -> list[Done]:
    """Do `jobs` one after the other, each in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=msgspec.msgpack.encode(list(jobs)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=QUIET,
        timeout=timeout,
        check=True,
    )
    return msgspec.msgpack.decode(done.stdout, type=list[Done])


def main() -> None:
    """Do the jobs on standard input."""
    from tui_chat.backends.llamacpp.worker import serve  # noqa: F401 - once, for all children

    jobs = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Job])
    sys.stdout.buffer.write(msgspec.msgpack.encode([_in_child(job) for job in jobs]))


def _in_child(job: Job) -> Done:
    said = in_child(lambda: msgspec.msgpack.encode(_load(job)), PATIENCE_S)
    return msgspec.msgpack.decode(said, type=Done) if said else Done(Outcome.DIED)


def _load(job: Job) -> Done:
    """Load, and evaluate one token at least, as a worker does before it is ready."""
    from tui_chat.backends.llamacpp.messages import Load
    from tui_chat.backends.llamacpp.worker.logs import NativeLog
    from tui_chat.backends.llamacpp.worker.model import load_model
    from tui_chat.backends.protocol import BackendError
    from tui_chat.chat.model import ProblemCode

    order = Load(
        path=job.path,
        options=job.options,
        threads=1,
        fingerprint="",
        weights="",
        checkpoint_bytes=0,
        checkpoint_floor=0,
        backend="",
    )
    asked, touched = _memory()
    if job.room is not None:
        limit = asked + job.untouched + max(0, job.room)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        model = load_model(order, NativeLog(), lambda _: None)
    except BackendError as error:
        short = error.problem.code is ProblemCode.OUT_OF_MEMORY
        return Done(Outcome.OUT_OF_MEMORY if short else Outcome.REFUSED)
    if job.reads:
        _read(model)
    asked_then, touched_then = _memory()
    return Done(Outcome.LOADED, max(0, asked_then - asked - (touched_then - touched)))


def _memory() -> tuple[int, int]:
    """Bytes of its own that this process has asked for, and those that it has touched."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    facts = dict(line.split(":", 1) for line in status.splitlines())
    asked, touched = (int(facts[name].split()[0]) << 10 for name in ("VmData", "RssAnon"))
    return asked, touched


def _read(model: Model) -> None:
    """Evaluate a whole batch and one token behind it, which touch all that was laid out for them."""
    cache = model.cache
    assert model.description.options is not None
    cache.evaluate([1] * min(model.description.options.ubatch, cache.size - 1), output=True)
    cache.append(1)


if __name__ == "__main__":
    main()
