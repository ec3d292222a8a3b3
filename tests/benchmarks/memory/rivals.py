"""How others guess what a model takes, beside our forecast, on the same models."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.harness import Row, informs
from tests.benchmarks.memory.exactness import Compared, compare
from tests.benchmarks.memory.files import published_files
from tests.benchmarks.places import STARTER
from tui_chat.memory.gguf import number, read_file
from tui_chat.wire.plan import KvType, LoadOptions

FILE_FACTOR = 1.2
"""The rule of thumb: a model takes its file, and a fifth more."""
CONTEXTS = (4096, 32768)


@dataclass(frozen=True, slots=True)
class Shape:
    """What Ollama's formula looks at; sizes in bytes."""

    file: int
    layers: int
    least_kv_heads: int
    head: int

    def ollama(self, context: int, parallel: int = 1) -> int:
        """Bytes that ``PredictServerVRAM`` of Ollama's ``llm/llama_server.go`` predicts."""
        return self.file + 2 * self.layers * self.least_kv_heads * self.head * context * parallel * 2


def read_shape(path: Path) -> Shape:
    """Read what the formula needs; a layer without heads counts as one with a single head."""
    file = read_file(path, complete=False)
    prefix = f"{file.header.architecture}."
    heads = _heads(file.metadata.get(f"{prefix}attention.head_count"))
    kv_heads = _heads(file.metadata.get(f"{prefix}attention.head_count_kv")) or heads
    embedding = number(file.metadata, f"{prefix}embedding_length", 0)
    return Shape(
        file=file.full_bytes,
        layers=number(file.metadata, f"{prefix}block_count", 0),
        least_kv_heads=max(1, min(kv_heads, default=0)),
        head=embedding // max(heads) if any(heads) else 0,
    )


def rows() -> Iterator[Row]:
    """Compare on the published sizes, with the whole model in RAM and an f16 cache."""
    with published_files() as published:
        paths = [*published, STARTER]
        found = asyncio.run(compare(paths, _options, ()))
        shapes = [read_shape(path) for path in paths for _ in CONTEXTS]
    truth = [one.real[-1].weights + one.real[-1].kv + one.real[-1].compute for one in found]
    ours = [one.forecast[-1].total / real - 1 for one, real in zip(found, truth, strict=True)]
    theirs = [_ollama(shape, one) / real - 1 for shape, one, real in zip(shapes, found, truth, strict=True)]
    thumb = [shape.file * FILE_FACTOR / real - 1 for shape, real in zip(shapes, truth, strict=True)]
    for who, errors in (("our arithmetic", ours), ("Ollama's formula", theirs), ("file size x 1.2", thumb)):
        yield informs(f"{who}, error of the whole: median", statistics.median(map(abs, errors)) * 100, "%")
        yield informs(f"{who}: most too much", max(0.0, *errors) * 100, "%")
        yield informs(f"{who}: most too little", -min(0.0, *errors) * 100, "%")


def _ollama(shape: Shape, compared: Compared) -> int:
    return shape.ollama(compared.options.context)


def _options(_: int) -> list[LoadOptions]:
    return [LoadOptions(context=context, kv_type=KvType.F16) for context in CONTEXTS]


def _heads(value: object) -> tuple[int, ...]:
    if isinstance(value, tuple):
        return tuple(each for each in value if isinstance(each, int))
    return (value,) if isinstance(value, int) else ()
