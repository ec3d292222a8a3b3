"""Devices that exist only as far as llama.cpp asks before it computes anything.

A plan may be for GPUs that are full, or in another machine, and asking a real one costs hundreds of MiB
of its memory for a context. So these stand in: their structures are ggml's (``ggml-backend-impl.h``, API
version 2), they promise to run everything, and they give addresses instead of memory.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from tui_chat.backends.llamacpp.worker.native import ggml, lib
from tui_chat.backends.llamacpp.worker.probe import cuda
from tui_chat.wire.plan import DeviceKind, DeviceSpec

_GPU = 1
"""``GGML_BACKEND_DEVICE_TYPE_GPU``"""
_ADDRESS = 1 << 40
"""Handed out as the base of every buffer: aligned, and never touched."""
_ALIGNMENT = {DeviceKind.GPU: 32, DeviceKind.CUDA: cuda.ALIGNMENT}

_pointer = ctypes.c_void_p
_size = ctypes.c_size_t


class _Interface(ctypes.Structure):
    """A table of function pointers."""

    @classmethod
    def of(cls, **functions: Any) -> Any:
        return cls(**{name: ctypes.cast(function, _pointer) for name, function in functions.items()})


def _table(*names: str) -> Any:
    return type("_Table", (_Interface,), {"_fields_": [(name, _pointer) for name in names]})


_BufferTypeInterface = _table(
    "get_name", "alloc_buffer", "get_alignment", "get_max_size", "get_alloc_size", "is_host"
)
_BufferInterface = _table(
    *("free_buffer", "get_base", "init_tensor", "memset_tensor", "set_tensor", "get_tensor"),
    *("set_tensor_2d", "get_tensor_2d", "cpy_tensor", "clear", "reset"),
)
_BackendInterface = _table(
    *(
        "get_name",
        "free",
        "set_tensor_async",
        "get_tensor_async",
        "set_tensor_2d_async",
        "get_tensor_2d_async",
    ),
    *("cpy_tensor_async", "synchronize", "graph_plan_create", "graph_plan_free", "graph_plan_update"),
    *("graph_plan_compute", "graph_compute", "event_record", "event_wait", "graph_optimize"),
)
_DeviceInterface = _table(
    *(
        "get_name",
        "get_description",
        "get_memory",
        "get_type",
        "get_props",
        "init_backend",
        "get_buffer_type",
    ),
    *("get_host_buffer_type", "buffer_from_host_ptr", "supports_op", "supports_buft", "offload_op"),
    *("event_new", "event_free", "event_synchronize"),
)
_RegistryInterface = _table("get_name", "get_device_count", "get_device", "get_proc_address")


class _BufferType(ctypes.Structure):
    _fields_ = (("iface", _BufferTypeInterface), ("device", _pointer), ("context", _pointer))


class _Backend(ctypes.Structure):
    _fields_ = (("guid", _pointer), ("iface", _BackendInterface), ("device", _pointer), ("context", _pointer))


class _Device(ctypes.Structure):
    _fields_ = (("iface", _DeviceInterface), ("reg", _pointer), ("context", _pointer))


class _Registry(ctypes.Structure):
    _fields_ = (("api_version", ctypes.c_int), ("iface", _RegistryInterface), ("context", _pointer))


class _Event(ctypes.Structure):
    _fields_ = (("device", _pointer), ("context", _pointer))


class _Properties(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("memory_free", _size),
        ("memory_total", _size),
        ("type", ctypes.c_int),
        ("device_id", ctypes.c_char_p),
        ("async_", ctypes.c_bool),
        ("host_buffer", ctypes.c_bool),
        ("buffer_from_host_ptr", ctypes.c_bool),
        ("events", ctypes.c_bool),
        ("mmap_support", ctypes.c_bool),
    )


def _declare() -> None:
    ggml.ggml_backend_buffer_init.restype = _pointer
    ggml.ggml_backend_buffer_init.argtypes = [_pointer, _BufferInterface, _pointer, _size]
    cuda.declare()


class StandIn:
    """One device that stands in for a GPU of `spec`'s kind. Must outlive all models on it."""

    def __init__(self, spec: DeviceSpec) -> None:
        _declare()
        self.spec = spec
        self._name = ctypes.create_string_buffer(spec.name.encode())
        self._functions: list[Any] = []
        self._yes = ctypes.cast(
            lib._lib.llama_supports_mmap, _pointer
        )  # a native "true", whatever it is asked
        self._nothing = ctypes.cast(ctypes.CDLL(None).getpid, _pointer)  # takes anything, touches nothing
        self._registry = self._make_registry()
        self._device = _Device(reg=ctypes.addressof(self._registry))
        self._buffer_type = self._make_buffer_type()
        self._backend = self._make_backend()
        self._event = _Event(device=self.address)
        self._device.iface = self._make_interface()

    @property
    def address(self) -> int:
        """What llama.cpp takes as ``ggml_backend_dev_t``."""
        return ctypes.addressof(self._device)

    def _function(self, result: Any, arguments: Sequence[Any], body: Callable[..., Any]) -> Any:
        function = ctypes.CFUNCTYPE(result, *arguments)(body)
        self._functions.append(function)
        return function

    def _named(self) -> Any:
        return self._function(_pointer, [_pointer], lambda _: ctypes.addressof(self._name))

    def _make_registry(self) -> _Registry:
        return _Registry(
            api_version=2,
            iface=_RegistryInterface.of(
                get_name=self._named(),
                get_proc_address=self._function(_pointer, [_pointer, _pointer], lambda *_: None),
            ),
        )

    def _make_buffer_type(self) -> _BufferType:
        alignment = _ALIGNMENT[self.spec.kind]
        functions = {
            "get_name": self._named(),
            "alloc_buffer": self._function(_pointer, [_pointer, _size], self._allocate),
            "get_alignment": self._function(_size, [_pointer], lambda _: alignment),
        }
        if self.spec.kind is DeviceKind.CUDA:
            functions["get_alloc_size"] = self._function(
                _size, [_pointer, _pointer], lambda _, tensor: cuda.alloc_size(tensor)
            )
        return _BufferType(iface=_BufferTypeInterface.of(**functions), device=self.address)

    def _allocate(self, buffer_type: int, size: int) -> Any:
        interface = _BufferInterface.of(
            get_base=self._function(_pointer, [_pointer], lambda _: _ADDRESS),
            memset_tensor=self._nothing,
            set_tensor=self._nothing,
            get_tensor=self._nothing,
            clear=self._nothing,
        )
        return ggml.ggml_backend_buffer_init(buffer_type, interface, None, size)

    def _make_backend(self) -> _Backend:
        interface = _BackendInterface.of(
            get_name=self._named(),
            free=self._nothing,
            synchronize=self._nothing,
            event_record=self._nothing,
            event_wait=self._nothing,
        )
        return _Backend(iface=interface, device=self.address)

    def _make_interface(self) -> Any:
        functions = {
            "get_name": self._named(),
            "get_description": self._named(),
            "get_memory": self._function(None, [_pointer, _pointer, _pointer], self._memory),
            "get_type": self._function(ctypes.c_int, [_pointer], lambda _: _GPU),
            "get_props": self._function(None, [_pointer, ctypes.POINTER(_Properties)], self._properties),
            "init_backend": self._function(
                _pointer, [_pointer, _pointer], lambda *_: ctypes.addressof(self._backend)
            ),
            "get_buffer_type": self._function(
                _pointer, [_pointer], lambda _: ctypes.addressof(self._buffer_type)
            ),
            "supports_op": self._yes,
            "supports_buft": self._function(ctypes.c_bool, [_pointer, _pointer], self._is_ours),
            "event_new": self._function(_pointer, [_pointer], lambda _: ctypes.addressof(self._event)),
            "event_free": self._nothing,
            "event_synchronize": self._nothing,
        }
        if self.spec.kind is DeviceKind.CUDA:
            functions["offload_op"] = self._function(
                ctypes.c_bool, [_pointer, _pointer], lambda _, tensor: cuda.offloads(tensor)
            )
        return _DeviceInterface.of(**functions)

    def _is_ours(self, _: int, buffer_type: int) -> bool:
        return buffer_type == ctypes.addressof(self._buffer_type)

    def _memory(self, _: int, free: int, total: int) -> None:
        _size.from_address(free).value = self.spec.free_bytes
        _size.from_address(total).value = self.spec.total_bytes

    def _properties(self, _: int, to: Any) -> None:
        to[0] = _Properties(
            name=self._name.value,
            description=self._name.value,
            memory_free=self.spec.free_bytes,
            memory_total=self.spec.total_bytes,
            type=_GPU,
            async_=True,
            events=True,
            mmap_support=True,
        )
