"""Work in a forked child, which may die of it: llama.cpp aborts on what it dislikes, and nothing leaks."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable


def in_child(work: Callable[[], bytes], patience_s: int) -> bytes:
    """What `work` returns in a child of this process; nothing if that dies, or takes longer."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        signal.alarm(patience_s)
        with os.fdopen(writing, "wb") as answer, contextlib.suppress(BaseException):
            answer.write(work())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said
