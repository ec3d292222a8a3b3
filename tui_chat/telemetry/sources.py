"""All that can be read."""

from __future__ import annotations

from tui_chat.telemetry.amd import AmdSource
from tui_chat.telemetry.intel import IntelSource
from tui_chat.telemetry.machine import MachineSource
from tui_chat.telemetry.nvidia import NvidiaSource
from tui_chat.telemetry.others import OtherSource
from tui_chat.telemetry.source import Source


def all_sources(engine: int) -> tuple[Source, ...]:
    """The machine first, then the GPUs of each maker; ours are `engine` and the processes it has started."""
    return MachineSource(engine), NvidiaSource(), AmdSource(engine), IntelSource(engine), OtherSource()
