"""Which files on this machine are the same model in another quant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from tui_chat.library.hub.quants import without_label
from tui_chat.wire.api import ModelInfo, ModelKind

_NEARLY = 0.02
"""Of the parameters, by so much two quants of one model may differ: some keep a copy of the embeddings."""


def smaller_quants(model: ModelInfo, among: Iterable[ModelInfo]) -> list[ModelInfo]:
    """Return those of `among` that are `model` in fewer bytes, the largest first."""
    found = [
        other
        for other in among
        if other.problem is None
        and other.kind is ModelKind.CHAT
        and other.path != model.path
        and other.size_bytes < model.size_bytes
        and _is_the_same(model, other)
    ]
    return sorted(found, key=lambda other: -other.size_bytes)


def _is_the_same(one: ModelInfo, other: ModelInfo) -> bool:
    """Whether two files have the name of one model, but for the quant, and are of its size and kind."""
    alike = abs(one.parameters - other.parameters) <= _NEARLY * one.parameters
    return alike and one.architecture == other.architecture and bool(_names(one) & _names(other))


def _names(model: ModelInfo) -> set[str]:
    """What the model is called, without quants and folders."""
    return {without_label(PurePosixPath(name).name).casefold() for name in (model.id, *model.aliases)}
