"""Reads llama.cpp's own account of its buffers, which it keeps in a C++ map."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any, NamedTuple

from tui_chat.backends.llamacpp.worker.native import ggml, lib

_SYMBOL = "_Z26llama_get_memory_breakdownPK13llama_context"


class Entry(NamedTuple):
    """Bytes of one type of buffer."""

    name: str
    host: bool
    weights: int
    context: int
    compute: int


class _Links(ctypes.Structure):
    """``std::_Rb_tree_node_base`` of libstdc++."""

    _fields_ = (
        ("color", ctypes.c_int),
        ("parent", ctypes.c_void_p),
        ("left", ctypes.c_void_p),
        ("right", ctypes.c_void_p),
    )


class _Map(ctypes.Structure):
    """``std::map`` of libstdc++; the root is its header's parent."""

    _fields_ = (("compare", ctypes.c_size_t), ("header", _Links), ("count", ctypes.c_size_t))


class _Node(ctypes.Structure):
    """A map's node: its links, a buffer type, and ``llama_memory_breakdown_data``."""

    _fields_ = (
        ("links", _Links),
        ("buffer_type", ctypes.c_void_p),
        ("weights", ctypes.c_size_t),
        ("context", ctypes.c_size_t),
        ("compute", ctypes.c_size_t),
    )


def breakdown(context: Any) -> list[Entry]:
    """List the buffers of `context` and its model by type. Leaks a few nodes: for processes that end.

    Raises:
        RuntimeError: This build of llama.cpp keeps its account differently.
    """
    if not hasattr(lib._lib, _SYMBOL):
        raise RuntimeError("this llama.cpp does not export its memory breakdown")
    function = getattr(lib._lib, _SYMBOL)
    function.restype, function.argtypes = _Map, [ctypes.c_void_p]
    ggml.ggml_backend_buft_name.restype = ctypes.c_char_p
    ggml.ggml_backend_buft_name.argtypes = [ctypes.c_void_p]
    ggml.ggml_backend_buft_is_host.restype = ctypes.c_bool
    ggml.ggml_backend_buft_is_host.argtypes = [ctypes.c_void_p]
    found = function(context)
    entries = list(_walk(found.header.parent))
    if len(entries) != found.count:
        raise RuntimeError("this llama.cpp keeps its memory breakdown in another layout")
    return entries


def _walk(address: int | None) -> Iterator[Entry]:
    if not address:
        return
    node = _Node.from_address(address)
    yield from _walk(node.links.left)
    yield Entry(
        ggml.ggml_backend_buft_name(node.buffer_type).decode(),
        bool(ggml.ggml_backend_buft_is_host(node.buffer_type)),
        node.weights,
        node.context,
        node.compute,
    )
    yield from _walk(node.links.right)
