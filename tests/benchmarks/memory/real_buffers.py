"""llama.cpp's layout without allocation against what it really allocates, in RAM."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.memory.allocated import Job, allocate
from tests.benchmarks.memory.files import zoo_files
from tests.benchmarks.places import STARTER
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Buffers, Probe, Probed
from tui_chat.wire.plan import KvType, LoadOptions

ZOO = (LoadOptions(context=2048, ubatch=128), LoadOptions(context=4096, kv_type=KvType.Q8_0, ubatch=64))
WHOLE = tuple(
    LoadOptions(context=context, kv_type=kv_type, ubatch=ubatch, sequences=sequences)
    for context, ubatch, sequences in ((2048, 128, 1), (8192, 256, 2))
    for kv_type in (KvType.F16, KvType.Q8_0, KvType.Q4_0)
)


def rows() -> Iterator[Row]:
    """Lay out, allocate and evaluate: every architecture, and a whole model in more ways."""
    with zoo_files() as zoo:
        wanted = list(zip(zoo, itertools.cycle(ZOO)))
        wanted += [(STARTER, options) for options in WHOLE]
        pairs, evaluated = asyncio.run(_pairs(wanted))
    yield informs("loads laid out by the probe and then allocated", len(pairs), "")
    yield informs("of these, evaluated too before their buffers were looked at", evaluated, "")
    yield at_most("weights: most bytes between probe and allocation", _most(pairs, "weights"), "bytes", 0)
    yield at_most("KV and states: the same", _most(pairs, "kv"), "bytes", 0)
    yield at_most("compute buffers: the same", _most(pairs, "compute"), "bytes", 0)


def _most(pairs: list[tuple[Buffers, Buffers]], part: str) -> int:
    return max(abs(getattr(said, part) - getattr(real, part)) for said, real in pairs)


async def _pairs(wanted: list[tuple[Path, LoadOptions]]) -> tuple[list[tuple[Buffers, Buffers]], int]:
    """What the probe says of RAM and what is allocated there, and for how many after an evaluation."""
    prober = Prober()
    said: list[tuple[Path, LoadOptions, Buffers]] = []
    for path, options in wanted:
        (answer,) = (await prober.ask(Probe(str(path), (), (options,)))).answers
        if isinstance(answer, Probed):
            said.append((path, options, answer.buffers[-1]))
    await prober.close()
    real = allocate([Job(path=str(path), options=options) for path, options, _ in said])
    refused = [f"{path.stem}: {each.why}" for (path, _, _), each in zip(said, real, strict=True) if each.why]
    assert not refused, refused
    pairs = [(buffers, each.buffers[-1]) for (_, _, buffers), each in zip(said, real, strict=True)]
    return pairs, sum(each.evaluated for each in real)
