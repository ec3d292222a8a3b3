"""Lays a model and its context out without allocating them, and reads off what they would take."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui_chat.backends.llamacpp.probing import RAM, Buffers, Probe, Probed, Unknown
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.native import ggml, lib
from tui_chat.backends.llamacpp.worker.params import context_params, model_params
from tui_chat.backends.llamacpp.worker.probe.breakdown import Entry, breakdown
from tui_chat.backends.llamacpp.worker.probe.devices import StandIn
from tui_chat.memory.forecast import place_layers
from tui_chat.memory.gguf import GgufFile, read_file
from tui_chat.wire.plan import DeviceKind, DeviceSpec, LoadOptions

_REPACKED = "CPU_REPACK"
_PIPELINED = "pipeline parallelism enabled"
_COPIES, _FLOAT = 4, 4
"""``GGML_SCHED_MAX_COPIES``, and the bytes of a number in them."""
_BEGIN_OTHERWISE = frozenset({"gemma3n", "jamba", "lfm2moe"})
"""Architectures whose layers have that norm, and do not begin with it on every GPU."""
_SET_TENSOR = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


def measure(probe: Probe, log: NativeLog) -> tuple[Probed | Unknown, ...]:
    """Answer every set of options; those that differ in their context only share one loaded model.

    Raises:
        GgufError: The file is missing or no GGUF file.
    """
    file = read_file(Path(probe.path), complete=False)
    answers: dict[LoadOptions, Probed | Unknown] = {}
    with _readable(Path(probe.path), file) as path, _stand_ins(probe.gpus) as devices:
        for group in _groups(probe.options):
            answers |= _measure_group(path, file, devices, group, log)
    return tuple(answers[options] for options in probe.options)


def _measure_group(
    path: str, file: GgufFile, devices: Sequence[StandIn], group: Sequence[LoadOptions], log: NativeLog
) -> dict[LoadOptions, Probed | Unknown]:
    log.lines.clear()
    model = _load(path, file, devices, group[0])
    if not model:
        return dict.fromkeys(group, Unknown(log.last_words()))
    answers: dict[LoadOptions, Probed | Unknown] = {}
    for options in group:
        log.lines.clear()
        context = lib.llama_init_from_model(model, context_params(model, options, 1))
        if not context:
            answers[options] = Unknown(log.last_words())
            continue
        laid_out = _by_device(breakdown(context), devices)
        pipelined = any(_PIPELINED in line for line in log.lines)
        answers[options] = Probed(_as_allocated(laid_out, file, options, model) if pipelined else laid_out)
        lib.llama_free(context)
    lib.llama_model_free(model)
    return answers


def _load(path: str, file: GgufFile, devices: Sequence[StandIn], options: LoadOptions) -> Any:
    params, _keep = model_params(options)
    params.no_alloc = True
    params.load_mode = lib.LLAMA_LOAD_MODE_NONE  # llama.cpp aborts if asked to map what it must not allocate
    addresses = (ctypes.c_void_p * (len(devices) + 1))(*(device.address for device in devices), None)
    params.devices = ctypes.cast(addresses, ctypes.c_void_p)
    # Beside CUDA, weights in RAM go to pinned memory, or stay in the file where it is mapped.
    params.use_extra_bufts = all(device.spec.kind is not DeviceKind.CUDA for device in devices)
    if file.tensors:
        return lib.llama_model_load_from_file(path.encode(), params)
    return _from_metadata(path, params)


class _GgufParams(ctypes.Structure):
    """``struct gguf_init_params``."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


def _from_metadata(path: str, params: Any) -> Any:
    """Load a file that has no table of tensors: llama.cpp then gives them their shapes, in F32."""
    ggml.gguf_init_from_file.restype = ctypes.c_void_p
    ggml.gguf_init_from_file.argtypes = [ctypes.c_char_p, _GgufParams]
    function = lib._lib.llama_model_init_from_user
    function.restype = ctypes.c_void_p
    function.argtypes = [ctypes.c_void_p, _SET_TENSOR, ctypes.c_void_p, type(params)]
    metadata = ggml.gguf_init_from_file(path.encode(), _GgufParams(no_alloc=True))
    return function(metadata, _SET_TENSOR(lambda *_: None), None, params) if metadata else None


def _groups(options: Sequence[LoadOptions]) -> Iterator[list[LoadOptions]]:
    """Collect the options that place the weights alike."""
    groups: dict[tuple[object, ...], list[LoadOptions]] = {}
    for each in dict.fromkeys(options):
        groups.setdefault((each.gpu_layers, each.split, each.cpu_experts), []).append(each)
    yield from groups.values()


@contextlib.contextmanager
def _readable(path: Path, file: GgufFile) -> Iterator[str]:
    """Give llama.cpp a file as long as it should be: weights that are not there yet are a hole."""
    if path.stat().st_size >= file.full_bytes:
        yield str(path)
        return
    memory = os.memfd_create("probe")
    try:
        with path.open("rb") as source, os.fdopen(os.dup(memory), "wb") as copy:
            copy.write(source.read(file.header_bytes))
        os.ftruncate(memory, file.full_bytes)
        yield f"/proc/self/fd/{memory}"
    finally:
        os.close(memory)


@contextlib.contextmanager
def _stand_ins(gpus: Sequence[DeviceSpec]) -> Iterator[list[StandIn]]:
    """Make the devices, and keep them until the last model is gone."""
    devices = [StandIn(gpu) for gpu in gpus]
    yield devices
    devices.clear()


def _by_device(entries: Sequence[Entry], devices: Sequence[StandIn]) -> tuple[Buffers, ...]:
    names = {device.spec.name for device in devices}
    ours = {entry.name: entry for entry in entries if entry.name in names}
    gpus = tuple(
        Buffers(device=name, weights=entry.weights, kv=entry.context, compute=entry.compute)
        for device in devices
        for name in (device.spec.name,)
        for entry in (ours.get(name, Entry(name, False, 0, 0, 0)),)
    )
    rest = [entry for entry in entries if entry.name not in names]
    ram = Buffers(
        device=RAM,
        weights=sum(entry.weights for entry in rest),
        kv=sum(entry.context for entry in rest),
        compute=sum(entry.compute for entry in rest),
        repacked=sum(entry.weights for entry in rest if entry.name == _REPACKED),
    )
    return (*gpus, ram)


def _as_allocated(
    buffers: tuple[Buffers, ...], file: GgufFile, options: LoadOptions, model: Any
) -> tuple[Buffers, ...]:
    """Take off the inputs that llama.cpp lays out twice when it does not allocate.

    ``ggml_backend_sched_reserve_size`` forgets which GPU the norm that a layer begins with was assigned to,
    and so has its result copied there beside the layer's input: once for each batch that GPUs work on in
    turn. Layers that begin otherwise are as laid out.
    """
    if file.header.architecture in _BEGIN_OTHERWISE:
        return buffers
    names = {tensor.name for tensor in file.tensors}
    gpus = len(buffers) - 1
    runs = [run for run in place_layers(lib.llama_model_n_layer(model), options, gpus) if run.device < gpus]
    later = {run.device for run in runs[1:] if f"blk.{run.first}.attn_norm.weight" in names}
    spare = _COPIES * min(options.ubatch, options.context) * lib.llama_model_n_embd(model) * _FLOAT
    return tuple(
        msgspec.structs.replace(each, compute=each.compute - spare) if gpu in later else each
        for gpu, each in enumerate(buffers)
    )
