"""Which projector belongs to which model, where they lie side by side."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tui_chat.wire.api import ModelInfo, ModelKind, ModelState
from tui_chat.wire.servers import Capability

_MARK = re.compile(r"(^|[-_.])mmproj([-_.]|$)", re.IGNORECASE)
_TAIL = re.compile(
    r"[-_.](ud[-_.])?(i?q\d\w*|b?f(p?16|32)|fp16|tq\d_0|mxfp4\w*|model|gguf|imat|i1)$", re.IGNORECASE
)
_PREFERRED = ("F16", "BF16", "Q8_0", "F32")
"""A projector is small: precision first, then what every device computes quickly."""


def with_projectors(infos: Sequence[ModelInfo], *, seeing: bool) -> list[ModelInfo]:
    """Return `infos` with each chat model knowing the projector beside it, if one is meant for it.

    Those that have one can see, if models are to be `seeing` at all.
    """
    beside: dict[Path, list[ModelInfo]] = defaultdict(list)
    families: dict[Path, set[str]] = defaultdict(set)
    for info in infos:
        folder = Path(info.path).parent
        if info.kind is ModelKind.PROJECTOR and info.state is not ModelState.BROKEN:
            beside[folder].append(info)
        elif info.kind is ModelKind.CHAT:
            families[folder].add(_family(info))

    def fitting(info: ModelInfo) -> str | None:
        folder = Path(info.path).parent
        alone = len(families[folder]) == 1
        fits = [each for each in beside[folder] if _belongs(_family(each), _family(info), alone)]
        return min(fits, key=_preference).path if fits else info.projector

    found = (
        msgspec.structs.replace(info, projector=info.projector or fitting(info))
        if info.kind is ModelKind.CHAT and beside.get(Path(info.path).parent)
        else info
        for info in infos
    )
    return [_seeing(info) if seeing and info.projector else info for info in found]


def projector_of(info: ModelInfo) -> str:
    """Path of what is to be loaded too with one of our own that can see; empty for others."""
    return info.projector if info.projector and info.sees and not info.server else ""


def _seeing(info: ModelInfo) -> ModelInfo:
    return msgspec.structs.replace(info, capabilities=(*info.capabilities, Capability.VISION))


def _family(info: ModelInfo) -> str:
    """The model's name without what its files differ in: quant, shard, and "mmproj"."""
    name = _MARK.sub(r"\1", Path(info.path).stem).strip("-_.")
    name = re.sub(r"-\d{5}-of-\d{5}$", "", name)
    while (shorter := _TAIL.sub("", name)) != name:
        name = shorter
    return "" if _TAIL.fullmatch(f"-{name}") else name.casefold()


def _belongs(projector: str, model: str, alone: bool) -> bool:
    """A projector without a name of its own belongs to the only model beside it."""
    if not projector:
        return alone
    return projector.startswith(model) or model.startswith(projector)


def _preference(projector: ModelInfo) -> tuple[int, str]:
    return precision(projector.quant), projector.path


def precision(quant: str) -> int:
    """How far down the list of what a projector should be its `quant` is; what is not on it is the last."""
    return _PREFERRED.index(quant) if quant in _PREFERRED else len(_PREFERRED)
