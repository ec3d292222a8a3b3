"""The flags by which the host stops a generation, or parking: one store into shared memory, no message.

llama.cpp asks an abort callback some hundred times per token whether to go on. The worker gives it
libc's own `strlen` on a flag, so the question never takes the interpreter's lock, and the answer
changes the instant the host writes. Each generation has a flag of its own, so one that is raised too
late stops nothing but the generation it was meant for.
"""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass

FLAGS = 2048
_WIDTH = 2
"""A flag is a C string: empty, or one character; its second byte stays the terminator."""
HELD = FLAGS * _WIDTH
"""Where the byte is that holds every answer up between two tokens; llama.cpp never sees it."""
_SIZE = HELD + 1


def create_flags() -> int:
    """Make the shared memory and return its file descriptor, which the caller owns."""
    fd = os.memfd_create("tui-chat-abort", os.MFD_CLOEXEC)
    os.ftruncate(fd, _SIZE)
    return fd


@dataclass(frozen=True, slots=True)
class Flag:
    """One generation's flag: the byte of `memory` at `offset`."""

    memory: mmap.mmap
    offset: int

    @property
    def hoisted(self) -> bool:
        """Whether the generation has been told to stop."""
        return self.memory[self.offset] != 0


class AbortFlags:
    """Both processes' view of the flags behind a file descriptor, which it does not keep."""

    def __init__(self, fd: int) -> None:
        self.memory = mmap.mmap(fd, _SIZE)

    def of(self, number: int) -> Flag:
        """The flag of generation `number`."""
        return Flag(self.memory, number % FLAGS * _WIDTH)

    def lower(self, number: int) -> None:
        """Make the flag ready for a new generation."""
        self.memory[self.of(number).offset] = 0

    def hold(self, held: bool) -> None:
        """Have the answer wait between two tokens, or go on."""
        self.memory[HELD] = held

    def hoist(self, number: int) -> None:
        """Tell generation `number` to stop."""
        self.memory[self.of(number).offset] = 1
