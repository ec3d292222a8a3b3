"""How sizes, speeds and devices are written for a person: the same words on a screen and in a pipe."""

from __future__ import annotations

from collections.abc import Sequence

from tui_chat.chat.model import Timings, Usage

_EXACT_TPS = 50.0
_KIB, _MIB, _GIB, _TIB = (1 << power for power in (10, 20, 30, 40))


def size(count: int) -> str:
    """Write bytes with the unit that fits: ``4.7 GiB``, ``94 MiB``, ``3 KiB``, ``0 B``.

    From half a GiB on it is GiB, as people count the memory of devices in them; what is there is never
    rounded down to nothing.
    """
    if count >= _TIB:
        return f"{count / _TIB:.1f} TiB"
    if count >= _GIB / 2:
        return f"{count / _GIB:.1f} GiB"
    if count >= _MIB:
        return f"{count / _MIB:.0f} MiB"
    return f"{-(-count // _KIB)} KiB" if count >= _KIB else f"{count} B"


def sizes(counts: Sequence[int]) -> tuple[list[str], str]:
    """Write sizes in the one unit that fits the largest, and that unit; what is there is never ``0.0``."""
    if max(counts, default=0) >= _GIB / 2:
        return [f"{max(0.1, count / _GIB):.1f}" if count else "0" for count in counts], "GiB"
    return [f"{max(1, round(count / _MIB))}" if count else "0" for count in counts], "MiB"


def device(name: str) -> str:
    """Name a device for a person: ``GPU 0``, ``RAM``."""
    return "RAM" if name == "ram" else f"GPU {name.removeprefix('gpu')}"


def rate(per_second: float) -> str:
    """Write a speed of decoding, never more than 1 % off from 5 tok/s on: ``204 tok/s``, ``37.2 tok/s``."""
    return f"{per_second:.0f} tok/s" if per_second >= _EXACT_TPS else f"{per_second:.1f} tok/s"


def speed(usage: Usage, timings: Timings) -> str:
    """Write how fast an answer was decoded, with ~ where its tokens are a guess; "" where nobody knows."""
    return f"{about(usage)}{rate(timings.decode_tps)}" if timings.decode_tps else ""


def about(usage: Usage) -> str:
    """What stands before counts of tokens: ``~`` where a server did not tell them, and they are a guess."""
    return "~" if usage.estimated else ""
