"""What a model was planned to take of each device, beside what it really takes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual.content import Content

from tui_chat.ui.instruments import ends, stacked
from tui_chat.ui.words import shorten
from tui_chat.wire.plan import DeviceKind
from tui_chat.wire.words import device, size, sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_chat.wire.api import ModelInfo
    from tui_chat.wire.telemetry import GpuSample


class Taken(msgspec.Struct, frozen=True):
    """Of one device, in bytes; `real` is None where nobody tells."""

    device: str
    planned: int
    real: int | None

    @property
    def off(self) -> str:
        """How far the plan was off: ``-3 %``; "" where it cannot be told."""
        if not self.planned or self.real is None:
            return ""
        return f"{(self.real - self.planned) / self.planned * 100:+.0f} %"


def taken_by(model: ModelInfo, gpus: Sequence[GpuSample]) -> tuple[Taken, ...]:
    """What `model` takes of the devices that it was planned for, and of GPUs that it was not."""
    real = _on_gpus(model.id, gpus)
    told = {f"gpu{gpu.index}" for gpu in gpus if gpu.processes is not None}
    uses = []
    for use in model.devices:
        if use.kind is DeviceKind.RAM:
            uses.append(Taken(use.name, use.total_bytes, model.real_bytes or None))
        else:
            there = real.pop(use.name, None)
            uses.append(Taken(use.name, use.total_bytes, there or (0 if use.name in told else None)))
    uses += [Taken(name, 0, count) for name, count in real.items()]
    return tuple(use for use in uses if use.planned or use.real)


def _on_gpus(model: str, gpus: Sequence[GpuSample]) -> dict[str, int]:
    """The memory of its processes by device; one that a GPU and a slice of it both tell of counts once."""
    found: dict[tuple[str, int], int] = {}
    for gpu in gpus:
        for process in gpu.processes or ():
            if process.model == model and process.used_bytes:
                key = (f"gpu{gpu.index}", process.pid)
                found[key] = max(found.get(key, 0), process.used_bytes)
    return {name: sum(count for (at, _), count in found.items() if at == name) for name, _ in found}


def draw_taken(name: str, uses: Sequence[Taken], width: int) -> Content:
    """Draw it for a narrow column, under the model's `name`."""
    lines = [Content.assemble(("model", "bold"), (f"  {shorten(name, width - 8)}", "$muted"))]
    for use in uses:
        label = f" {device(use.device)}"
        if use.real is None:
            lines.append(ends(f"{label} planned", size(use.planned), width))
            continue
        lines.append(ends(f"{label} takes", size(use.real), width))
        beyond = max(0, use.real - use.planned)
        parts = [(use.real - beyond, "$accent"), (beyond, "$warning")]
        lines.append(Content.assemble(" ", stacked(parts, max(use.planned, use.real), width - 2)))
        off = f" ({use.off})" if use.off else ""
        lines.append(Content.styled(f" planned {size(use.planned)}{off}", "$muted"))
    return Content("\n").join(lines)


def in_words(use: Taken) -> str:
    """Say it of one device: ``takes 361, planned 372 MiB (-3 %)``."""
    if use.real is None:
        return f"planned {size(use.planned)}"
    (real, before), unit = sizes([use.real, use.planned])
    return f"takes {real}, planned {before} {unit}" + (f" ({use.off})" if use.off else "")


def in_short(uses: Sequence[Taken]) -> str:
    """Say it in a few words, of all devices together: ``361 of 372 MiB planned``; "" if nobody knows."""
    known = [use for use in uses if use.real is not None]
    if not known:
        return ""
    (real, planned), unit = sizes([sum(use.real or 0 for use in known), sum(use.planned for use in known)])
    return f"{real} of {planned} {unit} planned"
