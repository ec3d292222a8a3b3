"""What instruments read, written for a person; units always."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.wire.telemetry import DriverState, GpuSample, MachineSample, Sample
from tui_chat.wire.words import size, sizes


def percent(share: float) -> str:
    """Write a ratio: ``88 %``."""
    return f"{share * 100:.0f} %"


def heat(degrees: float) -> str:
    """Write a temperature: ``61 °C``."""
    return f"{degrees:.0f} °C"


def of(used: int, total: int) -> str:
    """Write what is used of something in one unit: ``22.1 of 139.8 GiB``."""
    (left, right), unit = sizes([used, total])
    return f"{left} of {right} {unit}"


def name_of(gpu: GpuSample) -> str:
    """What a GPU is called: ``GPU 0  NVIDIA H200``, and ``GPU 0.1`` for a slice of it."""
    return f"GPU {gpu.number}  {gpu.name}"


def lines_of(sample: Sample) -> list[str]:
    """Write all of a sample, one thing a line."""
    lines = list(_machine(sample.machine))
    for gpu in sample.gpus:
        lines += _gpu(gpu)
    for driver in sample.drivers:
        if driver.state not in (DriverState.READY, DriverState.ABSENT):
            lines.append(f"{driver.maker.upper()} driver  {driver.what}")
    if not sample.gpus and all(driver.state is DriverState.ABSENT for driver in sample.drivers):
        lines.append("GPU     none; models run on the processors")
    return lines


def _machine(machine: MachineSample) -> Iterator[str]:
    facts = [f"{len(machine.cores)} processors"]
    if machine.busy is not None:
        facts.insert(0, f"{percent(machine.busy)} of")
    cpu = " ".join(facts)
    if machine.ours is not None:
        cpu += f" · ours {percent(machine.ours)}"
    if machine.clock_mhz is not None:
        cpu += f" · {machine.clock_mhz / 1000:.1f} GHz"
    if machine.temperature_c is not None:
        cpu += f" · {heat(machine.temperature_c)}"
    if machine.power_w is not None:
        cpu += f" · {machine.power_w:.0f} W"
    yield f"CPU     {cpu}"
    used = machine.ram_bytes - machine.available_bytes
    yield f"RAM     {of(used, machine.ram_bytes)} · ours {size(machine.ours_bytes)}"
    if machine.swap_bytes:
        yield f"swap    {of(machine.swap_used_bytes, machine.swap_bytes)}"
    if machine.read_bps is not None and machine.written_bps is not None:
        yield f"disk    reads {size(round(machine.read_bps))}/s · writes {size(round(machine.written_bps))}/s"


def _gpu(gpu: GpuSample) -> Iterator[str]:
    yield name_of(gpu)
    if gpu.problem:
        yield f"  {gpu.problem}"
        return
    if gpu.total_bytes is not None and gpu.used_bytes is not None:
        yield f"  VRAM  {of(gpu.used_bytes, gpu.total_bytes)}"
    if facts := list(_facts(gpu)):
        yield f"  {' · '.join(facts)}"
    if gpu.clock_mhz is not None:
        why = ", ".join(reason.value for reason in gpu.throttled)
        yield f"  clocks {clocks_of(gpu)}" + (f": {why}" if why else "")
    for process in gpu.processes or ():
        whose = process.model or process.name or f"process {process.pid}"
        taken = "" if process.used_bytes is None else f"  {size(process.used_bytes)}"
        yield f"  {whose}{taken}"


def _facts(gpu: GpuSample) -> Iterator[str]:
    if gpu.utilisation is not None:
        yield percent(gpu.utilisation)
    if gpu.temperature_c is not None:
        slows = "" if gpu.warn_c is None else f" (slows down at {heat(gpu.warn_c)})"
        yield heat(gpu.temperature_c) + slows
    if gpu.power_w is not None:
        limit = "" if gpu.limit_w is None else f" of {gpu.limit_w:.0f}"
        yield f"{gpu.power_w:.0f}{limit} W"
    if gpu.fan is not None:
        yield f"fan {percent(gpu.fan)}"


def clocks_of(gpu: GpuSample) -> str:
    """Write the clocks of a GPU's cores: ``1,410 of 1,980 MHz``."""
    if gpu.clock_mhz is None:
        return ""
    top = "" if gpu.top_clock_mhz is None else f" of {gpu.top_clock_mhz:,}"
    return f"{gpu.clock_mhz:,}{top} MHz"
