"""From our options to llama.cpp's parameters: one place, for loading and for asking what a load costs."""

from __future__ import annotations

import ctypes
from typing import Any

from tui_chat.backends.llamacpp.worker.native import ggml, lib
from tui_chat.memory.sharing import sequences
from tui_chat.wire.plan import KvType, LoadOptions

KV_TYPES = {
    KvType.F32: 0,
    KvType.F16: 1,
    KvType.BF16: 30,
    KvType.Q8_0: 8,
    KvType.Q5_1: 7,
    KvType.Q5_0: 6,
    KvType.Q4_1: 3,
    KvType.Q4_0: 2,
    KvType.IQ4_NL: 20,
}
"""``enum ggml_type``."""

_MAX_DEVICES = 16
_MAX_LAYERS = 999
EXPERTS = r"\.ffn_(up|down|gate|gate_up)_(ch|)exps"
"""Names of the experts' tensors, as llama.cpp's own ``--cpu-moe`` matches them."""


class _Override(ctypes.Structure):
    """``struct llama_model_tensor_buft_override``; a list of them ends with an empty one."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buft", ctypes.c_void_p))


def model_params(options: LoadOptions) -> tuple[Any, list[Any]]:
    """Parameters for loading the weights, and what must be kept alive while they are used."""
    params = lib.llama_model_default_params()
    params.n_gpu_layers = options.gpu_layers
    keep: list[Any] = []
    if options.split:
        split = (ctypes.c_float * _MAX_DEVICES)(*options.split)
        params.tensor_split = split
        keep.append(split)
    if options.cpu_experts:
        overrides = _overrides(options.cpu_experts)
        params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p)
        keep.append(overrides)
    return params, keep


def context_params(model: Any, options: LoadOptions, threads: int) -> Any:
    """Parameters for a context of `model`, without the memory that its sequences do not need."""
    params = lib.llama_context_default_params()
    params.n_ctx = options.context
    params.n_batch = params.n_ubatch = options.ubatch
    params.n_seq_max = params.n_outputs_max = sequences(options, branches=_keeps_branches(model))
    params.n_threads = params.n_threads_batch = threads
    params.flash_attn_type = lib.LLAMA_FLASH_ATTN_TYPE_AUTO
    params.swa_full = False
    params.kv_unified = True
    params.type_k = params.type_v = KV_TYPES[options.kv_type]
    return params


def _keeps_branches(model: Any) -> bool:
    """Whether a model's cache can be cut off anywhere, so that sequences can share what they have in common.

    Each more of them would cost a recurrent state, or the cells of a window.
    """
    recurrent = lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)
    return not recurrent and lib.llama_model_n_swa(model) == 0


def _overrides(layers: int) -> Any:
    """Keep the experts of the first `layers` layers in RAM, as llama.cpp's ``--n-cpu-moe`` does."""
    overrides = (_Override * (layers + 1))()
    for layer in range(layers):
        overrides[layer] = _Override(rf"blk\.{layer}{EXPERTS}".encode(), ggml.ggml_backend_cpu_buffer_type())
    return overrides
