"""A cache into a park file and back."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from datetime import UTC, datetime

from tui_chat.backends.llamacpp.worker.cache import KvCache
from tui_chat.backends.llamacpp.worker.checkpoints import Checkpoint
from tui_chat.backends.llamacpp.worker.states import State, copy_state, state_size
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.parkfile import (
    KvIdentity,
    ParkError,
    ParkHeader,
    ParkLabel,
    Span,
    open_park,
    pack_tokens,
    write_park,
)


def describe(cache: KvCache, identity: KvIdentity, label: ParkLabel) -> ParkHeader:
    """Say what parking the cache now would write."""
    return ParkHeader(
        identity=identity,
        label=label,
        parked=datetime.now(UTC),
        packed=pack_tokens(cache.tokens),
        state=state_size(cache.context),
        checkpoints=tuple(Span(kept.position, kept.size) for kept in cache.checkpoints.kept),
        seam=cache.seam,
    )


def park(
    cache: KvCache,
    identity: KvIdentity,
    path: str,
    label: ParkLabel,
    stop: Callable[[], bool] = lambda: False,
) -> ParkHeader:
    """Write the active branch into the empty file at `path`. llama.cpp writes into the file's own pages.

    `stop` is asked between pieces whether to give up; llama.cpp's own copying, some 100 ms per GiB, is one.

    Raises:
        BackendError: The cache is empty.
        OSError: There is no room, or no such file.
        ParkError: llama.cpp would not give the state, or `stop` said to give up.
    """
    if not cache.tokens:
        raise BackendError(Problem(ProblemCode.BAD_REQUEST, "There is nothing to park: the cache is empty."))
    header = describe(cache, identity, label)

    def fill(room: mmap.mmap, offset: int) -> bool:
        if not copy_state(cache.context, _part(room, offset, header.state)):
            return False
        offset += header.state
        for kept in cache.checkpoints.kept:
            ctypes.memmove(_part(room, offset, kept.size), kept.state, kept.size)
            offset += kept.size
        return True

    write_park(path, header, fill, stop)
    return header


def restore(cache: KvCache, identity: KvIdentity, path: str) -> int:
    """Make what is parked at `path` the active branch; return how many tokens that is.

    Raises:
        ParkError: The file is damaged or belongs to something else, and the cache is as it was; or
            llama.cpp refuses it all the same, and the active branch is empty.
    """
    with open_park(path) as parked:
        header = parked.header
        if header.identity != identity:
            raise ParkError(path, "it belongs to another model, library, KV type or attention mode")
        if header.count > cache.size:
            raise ParkError(path, f"it holds {header.count:,} tokens, and the context {cache.size:,}")
        at = parked.offset + header.state
        checkpoints = []
        for span in header.checkpoints:
            state = (ctypes.c_uint8 * span.size).from_buffer_copy(parked.map, at)
            checkpoints.append(Checkpoint(span.position, state))
            at += span.size
        whole = _part(parked.map, parked.offset, header.state)
        loaded = cache.load(header.tokens.tolist(), whole, checkpoints, header.seam)
        del whole  # the map cannot be closed while anything points into it
    if not loaded:
        raise ParkError(path, "llama.cpp does not accept it")
    cache.name(header.label.answer or "")
    return header.count


def _part(room: mmap.mmap, offset: int, size: int) -> State:
    return (ctypes.c_uint8 * size).from_buffer(room, offset)
