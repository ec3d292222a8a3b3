"""How far something is that is fetched: a bar, how much of how much, and how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.wire.words import sizes

_CELLS = 20
_TELLING = 0.02
"""Before this part of the whole has come, nobody can say how long it takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When something was first seen (monotonic, in seconds), and how many bytes were there already."""

    since: float
    had: int = 0

    def left_s(self, now: float, done: int, total: int) -> float | None:
        """Seconds until all `total` bytes are there; None while nobody can tell."""
        come = done - self.had
        if come < total * _TELLING or come <= 0 or done >= total:
            return None
        return (now - self.since) / come * (total - done)


def fetched(done: int, total: int, left_s: float | None, cells: int = _CELLS) -> str:
    """Write progress in bytes: ``━━━━──── 1.2 of 2.0 GiB, 40 s left``."""
    full = round(min(1.0, done / max(1, total)) * cells)
    (had, whole), unit = sizes([done, total])
    left = f", {left_s:.0f} s left" if left_s is not None else ""
    return f"{'━' * full}{'─' * (cells - full)} {had} of {whole} {unit}{left}"
