"""How numbers, durations, sizes and ages are written on the screen: always with a unit."""

from __future__ import annotations

from datetime import datetime

from tui_chat.wire.events import Loading, Prefill, Queued

_GIB = 1024**3
_MIB = 1024**2


def size(size_bytes: int) -> str:
    """Write a size with the unit that fits: ``4.7 GiB``, ``94 MiB``, ``3 KiB``."""
    if size_bytes >= _GIB / 2:
        return f"{size_bytes / _GIB:.1f} GiB"
    if size_bytes >= _MIB:
        return f"{size_bytes / _MIB:.0f} MiB"
    return f"{-(-size_bytes // 1024)} KiB"


def context(tokens: int) -> str:
    """Write a context size: ``8k``, ``1.5k`` or ``512``."""
    if tokens < 1024:
        return str(tokens)
    k = tokens / 1024
    return f"{k:.0f}k" if k >= 10 or k == int(k) else f"{k:.1f}k"


def count(number: int, noun: str) -> str:
    """Write ``1 message`` or ``1,204 messages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seconds(value: float) -> str:
    """Write a duration: ``0.09 s``, ``3.1 s``, ``41 s``, ``2 min 5 s``."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def age(moment: datetime, now: datetime) -> str:
    """Write how long ago `moment` was: ``now``, ``5 min``, ``3 h``, ``2 days``, or a date."""
    passed = (now - moment).total_seconds()
    if passed < 60:
        return "now"
    if passed < 3600:
        return f"{int(passed // 60)} min"
    if passed < 86400:
        return f"{int(passed // 3600)} h"
    days = int(passed // 86400)
    if days < 14:
        return "1 day" if days == 1 else f"{days} days"
    return f"{moment.astimezone():%Y-%m-%d}"


def shorten(text: str, width: int) -> str:
    """Cut `text` in the middle, so that both ends stay readable, to `width` characters."""
    if len(text) <= width:
        return text
    if width < 3:
        return text[: max(0, width)]
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"


def phase(event: Queued | Loading | Prefill, model: str) -> str:
    """Name what an answer of `model` waits for, how far it is, and how long it will take if known."""
    match event:
        case Queued(ahead=ahead):
            return f"queued behind {count(ahead, 'answer')}" if ahead else "queued"
        case Loading(fraction=fraction, eta_s=eta):
            return f"loading {model} {fraction * 100:.0f} %" + _left(eta)
        case Prefill(done=done, total=total, eta_s=eta):
            part = done / total * 100 if total else 0
            return f"reading {count(total, 'token')} {part:.0f} %" + _left(eta)


def _left(eta_s: float | None) -> str:
    if eta_s is None:
        return ""
    return f", {eta_s:.0f} s left" if eta_s >= 1 else ", under 1 s left"
