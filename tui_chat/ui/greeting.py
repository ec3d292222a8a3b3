"""What a person is told who has no chat yet: what was found on this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from tui_chat.ui import words
from tui_chat.wire.api import ModelInfo
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.wire.telemetry import Sample

_WIDTH, _LABEL, _WIDEST = 44, 9, 72
"""Columns of the lines, so that those of one width stand below each other, and of their first words."""
_GPUS = 2
"""GPUs that are named; of more, only how many there are."""


def found(models: Sequence[ModelInfo], sample: Sample | None) -> Content:
    """Say what is here: models, servers, GPUs and memory, as far as that is known."""
    rows = [("models", _models(models)), *_servers(models), *(_machine(sample) if sample else ())]
    width = min(_WIDEST, max(_WIDTH, *(_LABEL + len(text) for _, text in rows)))
    lines = [_line(label, words.shorten(text, _WIDEST - _LABEL), width) for label, text in rows]
    return Content("\n").join(lines)


def _line(label: str, text: str, width: int) -> Content:
    return Content.assemble(f"{label:<{_LABEL}}", (text.ljust(width - _LABEL), "$foreground"))


def _models(models: Sequence[ModelInfo]) -> str:
    ours = [model for model in models if not model.server and model.problem is None]
    if not ours:
        return "none on this machine"
    return f"{len(ours)} on this machine, {size(sum(model.size_bytes for model in ours))}"


def _servers(models: Iterable[ModelInfo]) -> Iterable[tuple[str, str]]:
    served = Counter(model.server for model in models if model.server)
    if served:
        yield (
            "servers",
            words.listed([f"{name} with {words.count(n, 'model')}" for name, n in served.items()]),
        )


def _machine(sample: Sample) -> Iterable[tuple[str, str]]:
    gpus = [gpu for gpu in sample.gpus if gpu.slice is None]
    if len(gpus) > _GPUS:
        yield "GPUs", f"{len(gpus)}, {size(sum(gpu.total_bytes or 0 for gpu in gpus))} together"
    for gpu in gpus if len(gpus) <= _GPUS else ():
        yield f"GPU {gpu.number}", f"{gpu.name}{f', {size(gpu.total_bytes)}' if gpu.total_bytes else ''}"
    if not gpus:
        yield "GPU", "none found; models run on the processor"
    machine = sample.machine
    yield "memory", f"{size(machine.ram_bytes)}, {size(machine.available_bytes)} of it free"
