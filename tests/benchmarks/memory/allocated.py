"""Loads models for real and tells what llama.cpp then holds: ``python -m … < jobs > answers``.

Each job has a child of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.benchmarks.memory.children import in_child
from tests.benchmarks.memory.files import QUIET
from tui_chat.backends.llamacpp.probing import Buffers
from tui_chat.wire.plan import LoadOptions

RAM = "ram"
_PATIENCE_S = 5
"""For one job; it ends with its child then."""
_THREADS = 2


class Remote(msgspec.Struct, frozen=True):
    """Devices in other processes: `library` speaks to the servers at `endpoints`."""

    library: str
    endpoints: tuple[str, ...]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Load `path` with `options`, in RAM or on the devices of `remote`, and perhaps evaluate there."""

    path: str
    options: LoadOptions
    remote: Remote | None = None
    evaluate: bool = True


class Allocated(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes per device after the job, RAM last; none, and why, where llama.cpp would not.

    Attributes:
        evaluated: Whether a full batch and one token were evaluated; weights of zeros do not suit all.
    """

    buffers: tuple[Buffers, ...] = ()
    evaluated: bool = False
    why: str = ""


def allocate(jobs: Sequence[Job], timeout: float = 300) -> list[Allocated]:
    """Do `jobs` in processes of their own."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name],
        input=msgspec.msgpack.encode(list(jobs)),
        capture_output=True,
        env=QUIET,
        timeout=timeout,
        check=True,
    )
    return msgspec.msgpack.decode(done.stdout, type=list[Allocated])


def main() -> None:
    """Do the jobs on standard input, one after the other."""
    from tui_chat.backends.llamacpp.worker.native import lib  # noqa: F401 - once, for all children

    jobs = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=list[Job])
    done = [_in_child(job, evaluate=job.evaluate) or _in_child(job, evaluate=False) for job in jobs]
    gone = Allocated(why="the process that loaded it died")
    sys.stdout.buffer.write(msgspec.msgpack.encode([each or gone for each in done]))


def _in_child(job: Job, *, evaluate: bool) -> Allocated | None:
    """Do one job in a child; None if that dies, or does not come to an end."""
    body = in_child(lambda: msgspec.msgpack.encode(_allocate(job, evaluate=evaluate)), _PATIENCE_S)
    return msgspec.msgpack.decode(body, type=Allocated) if body else None


def _allocate(job: Job, *, evaluate: bool) -> Allocated:
    from tui_chat.backends.llamacpp.worker.logs import NativeLog
    from tui_chat.backends.llamacpp.worker.native import lib
    from tui_chat.backends.llamacpp.worker.params import context_params, model_params

    log = NativeLog()
    lib.llama_backend_init()
    if job.remote is not None:
        from tests.benchmarks.memory.rpc import attach

        attach(Path(job.remote.library), job.remote.endpoints)
    params, _keep = model_params(job.options)
    params.load_mode = lib.LLAMA_LOAD_MODE_NONE  # mapped weights would count with all that lies between them
    model = lib.llama_model_load_from_file(job.path.encode(), params)
    context = model and lib.llama_init_from_model(model, context_params(model, job.options, _THREADS))
    if not context:
        return Allocated(why="\n".join(log.lines))
    if evaluate:
        _evaluate(lib, context, job.options.ubatch)
    return Allocated(buffers=_buffers(context), evaluated=evaluate)


def _evaluate(lib: Any, context: Any, count: int) -> None:
    """Evaluate a whole batch and one token more: a graph that was laid out too small would grow now."""
    for tokens in (count, 1):
        batch = lib.llama_batch_get_one((lib.llama_token * tokens)(*[1] * tokens), tokens)
        lib.llama_decode(context, batch)


def _buffers(context: Any) -> tuple[Buffers, ...]:
    from tui_chat.backends.llamacpp.worker.probe.breakdown import breakdown

    entries = breakdown(context)
    remote = [entry for entry in entries if entry.name.startswith("RPC")]
    rest = [entry for entry in entries if entry not in remote]
    return (
        *(
            Buffers(device=entry.name, weights=entry.weights, kv=entry.context, compute=entry.compute)
            for entry in sorted(remote, key=lambda entry: entry.name)
        ),
        Buffers(
            device=RAM,
            weights=sum(entry.weights for entry in rest),
            kv=sum(entry.context for entry in rest),
            compute=sum(entry.compute for entry in rest),
            repacked=sum(entry.weights for entry in rest if entry.name == "CPU_REPACK"),
        ),
    )


if __name__ == "__main__":
    main()
