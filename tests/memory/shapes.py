"""Lets llama.cpp say which tensors an architecture has, and writes them into files without weights.

Run as ``python -m tests.memory.shapes FOLDER``: for each model a file whose header is whole and whose
weights are a hole. Each is made in a child of its own, because llama.cpp aborts on metadata it dislikes.
"""

from __future__ import annotations

import ctypes
import math
import os
import struct
import sys
from pathlib import Path

from tests.memory.architectures import ARCHITECTURES, Facts, Value

F32, F16, Q8_0, Q4_K = 0, 1, 8, 12
LAYOUT = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34), Q4_K: (256, 144)}
ALIGNMENT = 32
UNQUANTISED = ("norm", "conv1d", "ffn_gate_inp", "altup", "ssm_", "time_mix", "laurel")
Shapes = list[tuple[str, tuple[int, ...], int]]


def metadata(architecture: str, facts: Facts) -> list[bytes]:
    entries: Facts = {"general.architecture": architecture, "tokenizer.ggml.model": "none"}
    entries |= {f"{architecture}.{key}" if key[0] != "/" else key[1:]: value for key, value in facts.items()}
    return [text(key) + encode(value) for key, value in entries.items()]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def encode(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    if isinstance(value, list):
        kind, code = {bool: (7, "?"), int: (5, "i"), float: (6, "f")}[type(value[0])]
        return struct.pack(f"<IIQ{len(value)}{code}", 9, kind, len(value), *value)
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    return struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value)


def write(path: Path, entries: list[bytes], shapes: Shapes) -> None:
    """Write a GGUF file with a hole for its weights."""
    infos, offset = b"", 0
    for name, shape, kind in shapes:
        infos += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        block, size = LAYOUT[kind]
        offset += -(-math.prod(shape) // block * size // ALIGNMENT) * ALIGNMENT
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(entries)) + b"".join(entries) + infos
    head += b"\0" * (-len(head) % ALIGNMENT)
    path.write_bytes(head)
    os.truncate(path, len(head) + offset)


def kind_of(name: str, shape: tuple[int, ...]) -> int:
    """Quantise the matrices, as real files do; norms, biases and convolutions stay F32."""
    if len(shape) < 2 or not name.endswith(".weight") or any(word in name for word in UNQUANTISED):
        return F32
    if shape[0] % 256 == 0 and "blk.0." not in name:
        return Q4_K
    return Q8_0 if shape[0] % 32 == 0 else F16


def shapes_of(path: Path) -> Shapes:
    """Load the metadata in `path` and note the tensors that llama.cpp asks data for."""
    from tui_chat.backends.llamacpp.worker.native import ggml, lib

    lib.llama_backend_init()
    found: dict[str, tuple[int, ...]] = {}

    class Parameters(ctypes.Structure):
        _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))

    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)

    @callback
    def note(tensor: int, _: int) -> None:
        ggml.ggml_get_name.restype = ctypes.c_char_p
        name = ggml.ggml_get_name(ctypes.c_void_p(tensor)).decode()
        extents = list((ctypes.c_int64 * 4).from_address(tensor + 16))
        while len(extents) > 1 and extents[-1] == 1:
            extents.pop()
        found[name] = tuple(extents)

    ggml.gguf_init_from_file.restype = ctypes.c_void_p
    ggml.gguf_init_from_file.argtypes = [ctypes.c_char_p, Parameters]
    parsed = ggml.gguf_init_from_file(str(path).encode(), Parameters(no_alloc=True))
    init = lib._lib.llama_model_init_from_user
    init.restype = ctypes.c_void_p
    params = lib.llama_model_default_params()
    init.argtypes = [ctypes.c_void_p, callback, ctypes.c_void_p, type(params)]
    if not init(parsed, note, None, params):
        raise SystemExit(f"llama.cpp does not take {path.name}")
    if path.stem.endswith("-tied"):
        del found["output.weight"]
    return [(name, shape, kind_of(name, shape)) for name, shape in found.items()]


def make(folder: Path, name: str) -> None:
    architecture, facts = ARCHITECTURES[name]
    entries = metadata(architecture, facts)
    path = folder / f"{name}.gguf"
    write(path, entries, [])
    write(path, entries, shapes_of(path))


def main() -> None:
    folder = Path(sys.argv[1])
    names = sys.argv[2:] or list(ARCHITECTURES)
    from tui_chat.backends.llamacpp.worker.native import lib  # noqa: F401 - once, for all children

    for name in names:
        child = os.fork()
        if not child:
            log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            make(folder, name)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            (folder / f"{name}.gguf").unlink(missing_ok=True)
            print(
                f"{name}: {status}",
                (folder / f"{name}.log").read_text(errors="replace")[-300:],
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
