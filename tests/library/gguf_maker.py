"""Small GGUF files: valid headers with a few weights."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def make_gguf(
    path: Path,
    *,
    kind: str = "",
    name: str = "",
    weights: int = 64,
    architecture: str = "llama",
    facts: Mapping[str, int | bool] = MappingProxyType({}),
) -> Path:
    """Write a model of `weights` F32 weights: `kind` is its ``general.type``, `facts` are more of it."""
    entries = [("general.architecture", architecture), ("general.type", kind), ("general.name", name)]
    metadata = [text(key) + struct.pack("<I", 8) + text(value) for key, value in entries if value]
    for key, fact in facts.items():
        packed = struct.pack("<IB", 7, fact) if isinstance(fact, bool) else struct.pack("<II", 4, fact)
        metadata.append(text(key) + packed)
    tensors = text("w") + struct.pack("<IQIQ", 1, weights, 0, 0) if weights else b""
    head = b"GGUF" + struct.pack("<IQQ", 3, bool(weights), len(metadata)) + b"".join(metadata) + tensors
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + b"\0" * 4 * weights)
    return path
