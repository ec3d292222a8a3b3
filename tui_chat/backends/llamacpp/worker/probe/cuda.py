"""What CUDA's backend answers when llama.cpp lays a graph out: sizes of tensors, and what it takes from RAM.

Read from the source of ggml-cuda as llama-cpp-python 0.3.36 has it; it runs without a GPU.
"""

from __future__ import annotations

import ctypes
import math

from tui_chat.backends.llamacpp.worker.native import ggml

ALIGNMENT = 128
"""Of tensors in CUDA's buffers, and of the copies that flash attention makes."""
_ROW = 512
"""Elements to which the last row of a quantised matrix is padded (``MATRIX_ROW_PADDING``)."""
_OFFLOAD = 32
"""Batch from which operations whose weights are in RAM are evaluated on the GPU."""
_F16, _F16_BYTES = 1, 2
_FIRST_QUANTISED = 2
_UNQUANTISED = frozenset({0, 1, *range(24, 29), 30})

_pointer = ctypes.c_void_p
_size = ctypes.c_size_t


class _Tensor(ctypes.Structure):
    """The beginning of ``struct ggml_tensor``."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buffer", _pointer),
        ("ne", ctypes.c_int64 * 4),
        ("nb", _size * 4),
        ("op", ctypes.c_int),
        ("op_params", ctypes.c_int32 * 16),
        ("flags", ctypes.c_int32),
        ("src", _pointer * 10),
        ("view_src", _pointer),
        ("view_offs", _size),
    )


def declare() -> None:
    """Tell ctypes how ggml's functions are called that are asked here."""
    ggml.ggml_nbytes.restype = _size
    ggml.ggml_nbytes.argtypes = [_pointer]
    ggml.ggml_row_size.restype = _size
    ggml.ggml_row_size.argtypes = [ctypes.c_int, ctypes.c_int64]
    ggml.ggml_op_name.restype = ctypes.c_char_p
    ggml.ggml_op_name.argtypes = [ctypes.c_int]


def alloc_size(tensor: int) -> int:
    """As ``ggml_backend_cuda_buffer_type_get_alloc_size``: bytes for the tensor at an address."""
    size: int = ggml.ggml_nbytes(tensor)
    seen = _Tensor.from_address(tensor)
    if ggml.ggml_op_name(seen.op) == b"FLASH_ATTN_EXT":
        size = _with_copies(size, seen)
    if seen.type >= _FIRST_QUANTISED and seen.type not in _UNQUANTISED and seen.ne[0] % _ROW:
        size += ggml.ggml_row_size(seen.type, _ROW - seen.ne[0] % _ROW)
    return size


def _with_copies(size: int, attention: _Tensor) -> int:
    """As ``ggml_cuda_flash_attn_ext_get_f16_extra_data``: room for f16 copies of keys and values.

    They are put behind the result, unless they are f16 already or are a part of the keys, as values can be.
    For single tokens a kernel is chosen that needs no copies; but such a graph is smaller than that of a
    prompt, which is laid out too and decides.
    """
    keys = _Tensor.from_address(attention.src[1])
    values = _Tensor.from_address(attention.src[2])
    copied = [keys, values]
    if values.view_src and _is_part_of(values, keys, attention.src[1]):
        copied = [keys]
    for each in copied:
        if each.type != _F16:
            size = -(-size // ALIGNMENT) * ALIGNMENT + math.prod(each.ne) * _F16_BYTES
    return size


def _is_part_of(values: _Tensor, keys: _Tensor, address: int) -> bool:
    same = (values.view_src, values.view_offs) == (keys.view_src, keys.view_offs)
    return same or bool(values.view_src == address)


def offloads(tensor: int) -> bool:
    """As ``ggml_backend_cuda_device_offload_op``."""
    seen = _Tensor.from_address(tensor)
    operation = ggml.ggml_op_name(seen.op)
    if operation == b"GET_ROWS":
        return False
    if operation == b"MUL_MAT":
        batch = seen.ne[1]
    elif operation in (b"MUL_MAT_ID", b"ROPE", b"ROPE_BACK"):
        batch = seen.ne[2]
    else:
        batch = seen.ne[1] * seen.ne[2] * seen.ne[3]
    return bool(batch >= _OFFLOAD)
