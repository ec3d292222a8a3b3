"""The GPUs of this machine and their free memory, as drivers tell it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui_chat.wire.plan import DeviceKind, DeviceSpec

_DATA_RATE = 2
"""Transfers per clock of a GPU's memory, as NVML counts clocks."""
_DRM = Path("/sys/class/drm")


def nvidia_gpus(kind: DeviceKind) -> Iterator[DeviceSpec]:
    """The GPUs that NVIDIA's driver knows and CUDA may use, in PCI order; none where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return
    try:
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        for place, handle in enumerate(_visible(handles)):
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            yield DeviceSpec(
                name=f"gpu{place}",
                kind=kind,
                total_bytes=int(memory.total),
                free_bytes=int(memory.free),
                bandwidth=_bandwidth(handle),
            )
    except pynvml.NVMLError:
        return  # the driver went away; what was not seen is not planned with
    finally:
        pynvml.nvmlShutdown()


def _visible(handles: list[Any]) -> list[Any]:
    """Those that ``CUDA_VISIBLE_DEVICES`` leaves, in its order; a name CUDA does not know ends the list."""
    import pynvml

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return handles
    known = [(pynvml.nvmlDeviceGetUUID(handle), handle) for handle in handles]
    chosen = []
    for name in (each.strip() for each in named.split(",")):
        if name.isdigit() and int(name) < len(handles):
            chosen.append(handles[int(name)])
        elif name and (named_so := [handle for uuid, handle in known if uuid.startswith(name)]):
            chosen.append(named_so[0])
        else:
            break
    return chosen


def _bandwidth(handle: Any) -> float:
    """What the memory delivers at most, from its clock (MHz) and the width of its bus (bits)."""
    import pynvml

    try:
        clock = pynvml.nvmlDeviceGetMaxClockInfo(handle, pynvml.NVML_CLOCK_MEM)
        width = pynvml.nvmlDeviceGetMemoryBusWidth(handle)
    except pynvml.NVMLError:
        return 0.0
    return float(clock * 1e6 * width / 8 * _DATA_RATE)


def amd_gpus() -> Iterator[DeviceSpec]:
    """The GPUs whose kernel driver tells how much VRAM they have and use."""
    for card in sorted(_DRM.glob("card[0-9]*/device/mem_info_vram_total")):
        try:
            total = int(card.read_text(encoding="ascii"))
            used = int(card.with_name("mem_info_vram_used").read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        name = card.parent.parent.name.replace("card", "gpu")
        yield DeviceSpec(name=name, kind=DeviceKind.GPU, total_bytes=total, free_bytes=max(0, total - used))
