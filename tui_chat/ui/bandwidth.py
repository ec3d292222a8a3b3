"""How often streamed text is painted, and how that is said: pure."""

from __future__ import annotations

from tui_chat.config.settings import Bandwidth
from tui_chat.ui.output.line import Line

FEWEST, MOST = 2.0, 4.0
"""Paints a second on a slow line."""

_SHARE = 0.1
"""Share of a slow line for streamed text: what is typed must get through beside it."""

_USUAL_PAINT = 1250
"""Bytes of a paint of streamed text on a slow line, on average."""

FORCED: dict[Bandwidth, bool | None] = {Bandwidth.AUTO: None, Bandwidth.ON: True, Bandwidth.OFF: False}
NEXT = {Bandwidth.AUTO: Bandwidth.ON, Bandwidth.ON: Bandwidth.OFF, Bandwidth.OFF: Bandwidth.AUTO}


def paints(line: Line) -> float:
    """How many times a second streamed text is painted on a slow line."""
    return max(FEWEST, min(MOST, round(line.rate * _SHARE / _USUAL_PAINT)))


def fact(line: Line) -> str:
    """Say how the line is used, if that is not as usual."""
    if not line.slow:
        return ""
    why = "slow line" if line.forced is None else "low bandwidth"
    return f"{why}, {paints(line):.0f} paints a second"


def told(line: Line, chosen: Bandwidth) -> str:
    """Say what has been chosen, and what that means now."""
    match chosen:
        case Bandwidth.ON:
            return f"low bandwidth: {paints(line):.0f} paints a second, nothing moves without need"
        case Bandwidth.OFF:
            return "full bandwidth, however slow the line is"
    return f"bandwidth as measured: the line is {'slow' if line.slow else 'quick'} now"
