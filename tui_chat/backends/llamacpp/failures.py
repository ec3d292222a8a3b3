"""Says in a person's words why a worker could not load its model, or died."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from tui_chat.backends.protocol import Allocation
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.wire.words import size

_ALLOCATION = re.compile(r"failed to allocate (\S+) buffer of size (\d+)")
_DEVICE_ALLOCATION = re.compile(r"allocating ([\d.]+) MiB on device (\d+): .*out of memory", re.IGNORECASE)
_OUT_OF_MEMORY = re.compile(r"bad_alloc|out of memory|cannot allocate memory|MemoryError", re.IGNORECASE)
_REMEDY_MEMORY = "Choose a shorter context or a smaller model, or close other programs."


def load_problem(name: str, context: int, lines: list[str]) -> Problem:
    """Explain from the log `lines` why llama.cpp refused to load `name` with `context` tokens."""
    problem = _memory_problem(name, context, lines)
    if problem is not None:
        return problem
    reasons = [line for line in lines if "error loading model" in line]
    reason = reasons[-1].rpartition("error loading model")[2].strip(": \n") if reasons else ""
    return Problem(
        code=ProblemCode.LOAD_FAILED,
        what=f"llama.cpp cannot load {name}" + (f": {reason}." if reason else "."),
        remedy="Choose another model; this file may be damaged or of a kind this version does not know.",
        detail="\n".join(lines),
    )


def death_problem(name: str, status: int, lines: list[str], *, memory_kill: bool, loading: bool) -> Problem:
    """Explain the end of a worker nobody asked to leave.

    Args:
        name: The model's name, for a person.
        status: Exit status as `asyncio` gives it: negative for a signal.
        lines: The last lines of its log.
        memory_kill: Whether the kernel killed some process for memory while this one lived.
        loading: Whether it died before the model was ready.
    """
    kept = "" if loading else "The answer so far is kept."
    if status == -signal.SIGKILL and memory_kill:
        return Problem(
            code=ProblemCode.OUT_OF_MEMORY,
            what=f"The machine ran out of memory and the kernel stopped {name} (SIGKILL).",
            kept=kept,
            remedy=_REMEDY_MEMORY,
            detail="\n".join(lines),
        )
    if loading:
        problem = _memory_problem(name, None, lines)
        if problem is not None:
            return problem
    when = "while it was loading" if loading else "unexpectedly"
    remedy = "Try again, or choose another model." if loading else "The model is loaded anew for it."
    return Problem(
        code=ProblemCode.WORKER_DIED,
        what=f"The process of {name} ended {when} ({_ending(status)}).",
        kept=kept,
        remedy=remedy,
        detail="\n".join(lines),
    )


def unloaded_problem(name: str) -> Problem:
    """Explain an answer that ended because its model was unloaded on request."""
    return Problem(
        code=ProblemCode.WORKER_DIED,
        what=f"{name} was unloaded.",
        kept="The answer so far is kept.",
        remedy="The model is loaded anew for it.",
    )


def memory_kills() -> int:
    """How many processes the kernel has killed for memory since it started; 0 where it does not say."""
    try:
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    except OSError:
        return 0
    return 0


def find_allocation(text: str) -> Allocation | None:
    """Find in llama.cpp's log which buffer could not be had; None if it does not say."""
    if found := _ALLOCATION.search(text):
        return Allocation(_device_name(found[1]), int(found[2]))
    if found := _DEVICE_ALLOCATION.search(text):
        return Allocation(f"gpu{found[2]}", int(float(found[1]) * 2**20))
    return None


def _device_name(buffer: str) -> str:
    """Our name for the device of a buffer that llama.cpp calls ``CPU_REPACK``, ``CUDA0`` or ``RPC1[…]``."""
    numbered = re.match(r"(?!CPU)[A-Za-z]+(\d+)", buffer)
    return f"gpu{numbered[1]}" if numbered else "ram"


def _memory_problem(name: str, context: int | None, lines: list[str]) -> Problem | None:
    text = "\n".join(lines)
    if allocation := _ALLOCATION.search(text):
        wanted = f"{allocation[1]} could not give a buffer of {size(int(allocation[2]))}"
    elif device := _DEVICE_ALLOCATION.search(text):
        wanted = f"GPU {device[2]} could not give a buffer of {size(int(float(device[1]) * 2**20))}"
    elif _OUT_OF_MEMORY.search(text):
        wanted = "an allocation failed"
    else:
        return None
    how = "" if context is None else f" with a context of {context:,} tokens"
    return Problem(
        code=ProblemCode.OUT_OF_MEMORY,
        what=f"There is not enough memory for {name}{how}: {wanted}.",
        remedy=_REMEDY_MEMORY,
        detail=text,
    )


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def much_to_see(shown: int, most: int) -> Problem:
    """Say that the pictures of one conversation are more bytes than can be handed over."""
    return Problem(
        ProblemCode.NOT_POSSIBLE,
        f"The pictures of this conversation are {size(shown)}, and {size(most)} can be shown at once.",
        kept="Your message is kept; nothing was sent to the model.",
        remedy="Make the pictures smaller, which models do anyway, or start a new chat.",
    )
