"""How long it takes to know what is on the machine: two hundred models, with headers as real as they get."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.places import STARTER, bench_home
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.library.scan import HEADERS, list_models

MODELS = 200
ROUNDS = 5
HEADER_BYTES = 2 << 20
"""More than the starter model's header takes."""


def rows() -> Iterator[Row]:
    """Measure the list with nothing known of the files, then with everything known."""
    with bench_home() as bench:
        _fill(bench.paths.models)
        (bench.paths.models / STARTER.name).unlink()
        cold = statistics.median(_cold(bench.paths) for _ in range(ROUNDS))
        cached = statistics.median(_timed(bench.paths) for _ in range(ROUNDS))
        yield at_most(f"list {MODELS} models, nothing known of them", cold * 1e3, "ms", 1000)
        yield at_most(f"list {MODELS} models, headers cached", cached * 1e3, "ms", 100)
        yield informs(
            f"cache of {MODELS} headers", (bench.paths.cache / HEADERS).stat().st_size / 1024, "KiB"
        )
        started = time.perf_counter()
        bench.run("models", "--json")
        command = (time.perf_counter() - started) * 1e3
        yield informs(f"tui-chat models --json, {MODELS} models, headers cached", command, "ms")


def _fill(folder: Path) -> None:
    """Make copies of the starter model with its real header and holes for weights, each its own file."""
    with STARTER.open("rb") as file:
        header = file.read(HEADER_BYTES)
    for number in range(MODELS):
        with (folder / f"model-{number}.gguf").open("wb") as copy:
            copy.write(header)
            copy.truncate(STARTER.stat().st_size)


def _cold(paths: Paths) -> float:
    (paths.cache / HEADERS).unlink(missing_ok=True)
    return _timed(paths)


def _timed(paths: Paths) -> float:
    started = time.perf_counter()
    found = list_models(paths, Settings())
    passed = time.perf_counter() - started
    assert len(found) == MODELS
    return passed
