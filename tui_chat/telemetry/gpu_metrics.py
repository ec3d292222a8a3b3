"""Why AMD's GPUs run slower than they could, from the table ``gpu_metrics`` of the kernel's driver."""

from __future__ import annotations

import struct

from tui_chat.wire.telemetry import Throttle

_HEADER = struct.Struct("<HBB")
"""How long the table is, and the two numbers of its release."""
_BITS = struct.Struct("<Q")
_AT = {(1, 3): 112, (2, 2): 120, (2, 3): 120, (2, 4): 120}
"""Where ``indep_throttle_status`` is, by release (kgd_pp_interface.h). Older tables have bits that mean
something else on each GPU, and those of MI300 and of the newest APUs count instead."""
_UNKNOWN = (1 << 64) - 1
"""What the driver leaves in fields that it does not fill."""


def _bits(first: int, last: int) -> int:
    return (1 << last + 1) - (1 << first)


_REASONS = {
    Throttle.POWER_LIMIT: _bits(0, 7) | _bits(16, 23),
    Throttle.HEAT: _bits(32, 43),
    Throttle.HEAT_HARDWARE: _bits(44, 47),
    Throttle.HARDWARE: _bits(56, 57),
}
"""The bits ``SMU_THROTTLER_*`` (amdgpu_smu.h): limits of power and of current; temperatures; signals that a
regulator or the processor is too hot; what is left."""


def throttled(table: bytes) -> tuple[Throttle, ...] | None:
    """Return the reasons; None where the table does not tell them."""
    if len(table) < _HEADER.size:
        return None
    size, *release = _HEADER.unpack_from(table)
    at = _AT.get((release[0], release[1]))
    if at is None or min(size, len(table)) < at + _BITS.size:
        return None
    (bits,) = _BITS.unpack_from(table, at)
    return None if bits == _UNKNOWN else tuple(reason for reason, mask in _REASONS.items() if bits & mask)
