"""A sequence's state as bytes: out of a context, and back into one."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

from tui_chat.backends.llamacpp.worker.native import lib

State = ctypes.Array[ctypes.c_uint8]

SEQUENCE = 0
"""The sequence that everything is evaluated in."""
EVERY_SEQUENCE = -1
"""All of them, with what they share in it once."""

WHOLE = 0
PARTIAL = 1
"""``LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY``: only what cannot be rewound, the sliding windows or the recurrent
state. What attends to everything is left in the cache, where cutting it off is enough."""


def state_size(context: Any, kind: int = WHOLE, sequence: int = SEQUENCE) -> int:
    """Bytes that `copy_state` writes."""
    size: int = lib.llama_state_seq_get_size_ext(context, sequence, kind)
    return size


def copy_state(context: Any, room: State, kind: int = WHOLE, sequence: int = SEQUENCE) -> bool:
    """Copy the state into the ctypes array `room`; False if llama.cpp could not."""
    written: int = lib.llama_state_seq_get_data_ext(context, room, len(room), sequence, kind)
    return written == len(room) > 0


def take_state(context: Any, kind: int = WHOLE, sequence: int = SEQUENCE) -> State | None:
    """Copy the state into memory of its own; None if it cannot be had, for want of memory too.

    The memory is mapped, not allocated: touched once instead of twice, and given back when it is freed.
    """
    size = state_size(context, kind, sequence)
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, ValueError):
        return None
    room = (ctypes.c_uint8 * size).from_buffer(memory)
    return room if copy_state(context, room, kind, sequence) else None


def set_state(context: Any, state: State, kind: int = WHOLE, sequence: int = SEQUENCE) -> bool:
    """Put a state back. When llama.cpp refuses it, what the context then holds is not to be trusted.

    The bytes must be those of `copy_state`, proven by a checksum: llama.cpp asserts where they are not.
    """
    read: int = lib.llama_state_seq_set_data_ext(context, state, len(state), sequence, kind)
    return read == len(state) > 0
