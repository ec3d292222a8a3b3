"""Says, as JSON, what CUDA's stand-in wants for attention over caches of some shapes and types.

Run as a process of its own, because it loads ggml: ``python flash.py CASE…``, each
``TYPE,KEYS,VALUES,CELLS,QUERIES``: the type of the cache by its number in ggml, the sizes of a head's keys
and values (fewer than the keys: a part of them), tokens in the cache and in the batch. There are 32 heads,
and 8 in the cache.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

from tui_chat.backends.llamacpp.worker.native import ggml
from tui_chat.backends.llamacpp.worker.probe import cuda

HEADS, KV_HEADS = 32, 8
F32, F16 = 0, 1


class _Init(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


def _declare() -> None:
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    for name in ("ggml_init", "ggml_new_tensor_4d", "ggml_view_4d", "ggml_flash_attn_ext"):
        getattr(ggml, name).restype = pointer
    ggml.ggml_init.argtypes = [_Init]
    ggml.ggml_new_tensor_4d.argtypes = [pointer, ctypes.c_int, *[count] * 4]
    ggml.ggml_view_4d.argtypes = [pointer, pointer, *[count] * 4, *[ctypes.c_size_t] * 4]
    ggml.ggml_flash_attn_ext.argtypes = [*[pointer] * 5, *[ctypes.c_float] * 3]


def _size(context: Any, kind: int, keys: int, values: int, cells: int, queries: int) -> int:
    q = ggml.ggml_new_tensor_4d(context, F32, keys, queries, HEADS, 1)
    k = ggml.ggml_new_tensor_4d(context, kind, keys, cells, KV_HEADS, 1)
    if values == keys:
        v = ggml.ggml_new_tensor_4d(context, kind, values, cells, KV_HEADS, 1)
    else:
        row = ggml.ggml_row_size(kind, keys)
        strides = (row, row * cells, row * cells * KV_HEADS)
        v = ggml.ggml_view_4d(context, k, values, cells, KV_HEADS, 1, *strides, 0)
    mask = ggml.ggml_new_tensor_4d(context, F16, cells, queries, 1, 1)
    return cuda.alloc_size(ggml.ggml_flash_attn_ext(context, q, k, v, mask, 1.0, 0.0, 0.0))


def main(cases: list[str]) -> None:
    cuda.declare()
    _declare()
    context = ggml.ggml_init(_Init(1 << 20, None, True))
    print(json.dumps([_size(context, *map(int, case.split(","))) for case in cases]))


main(sys.argv[1:])
