"""Measures how fast this machine's RAM is, for whoever streams weights through all its cores."""

from __future__ import annotations

import ctypes
import os
import threading
from time import perf_counter

_CHUNK = 32 << 20
"""Bytes; larger than any cache that a core can keep for itself."""
_ROUNDS = 3
_buffer = ctypes.create_string_buffer


def measure_ram_bandwidth() -> float:
    """Copy memory on every CPU that we may use; return bytes read and written per second. Takes 0.1 s."""
    count = len(os.sched_getaffinity(0))
    buffers = [(_buffer(_CHUNK), _buffer(_CHUNK)) for _ in range(count)]
    for source, target in buffers:
        ctypes.memset(source, 1, _CHUNK)
        ctypes.memset(target, 1, _CHUNK)

    def copy(source: ctypes.Array[ctypes.c_char], target: ctypes.Array[ctypes.c_char]) -> None:
        for _ in range(_ROUNDS):
            ctypes.memmove(target, source, _CHUNK)

    threads = [threading.Thread(target=copy, args=pair) for pair in buffers]
    started = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 2.0 * _CHUNK * _ROUNDS * count / (perf_counter() - started)
