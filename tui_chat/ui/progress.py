"""How far something is that takes a while: a bar, how much of how much, and how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass

from tui_chat.wire.words import sizes

_CELLS = 20
_TELLING = 0.02
"""Before this part of the whole has come, nobody can say how long it takes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When something was first seen (monotonic, in seconds), and how much of it was there already."""

    since: float
    had: int = 0

    def left_s(self, now: float, done: int, total: int) -> float | None:
        """Seconds until all of `total` is there; None while nobody can tell."""
        come = done - self.had
        if come < total * _TELLING or come <= 0 or done >= total:
            return None
        return (now - self.since) / come * (total - done)


def counted(done: int, total: int, what: str, left_s: float | None) -> str:
    """Write progress in things: ``━━━━──── 120 of 1,000 sessions, 4 s left``."""
    left = f", {left_s:.0f} s left" if left_s is not None else ""
    return f"{bar(done, total, _CELLS)} {done:,} of {total:,} {what}{left}"


def bar(done: int, total: int, cells: int) -> str:
    """Draw how much of it is done."""
    full = round(min(1.0, done / max(1, total)) * cells)
    return "━" * full + "─" * (cells - full)


def fetched(done: int, total: int, left_s: float | None, cells: int = _CELLS) -> str:
    """Write progress in bytes: ``━━━━──── 1.2 of 2.0 GiB, 40 s left``."""
    (had, whole), unit = sizes([done, total])
    left = f", {left_s:.0f} s left" if left_s is not None else ""
    return f"{bar(done, total, cells)} {had} of {whole} {unit}{left}"
