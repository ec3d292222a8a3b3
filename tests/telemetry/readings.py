"""Samples as tests make them up."""

from __future__ import annotations

from tui_chat.wire.telemetry import GpuSample, MachineSample, Maker, Sample

MACHINE = MachineSample(
    cores=(0.5, 0.5),
    ours=0.2,
    temperature_c=55.0,
    clock_mhz=2400,
    ram_bytes=16 << 30,
    available_bytes=8 << 30,
)


def gpu(index: int, **more: object) -> GpuSample:
    """An NVIDIA GPU."""
    return GpuSample(id=f"GPU-{index}", index=index, maker=Maker.NVIDIA, name="H200", **more)


def sampled(*gpus: GpuSample, machine: MachineSample = MACHINE) -> Sample:
    """All instruments at one moment."""
    return Sample(at=0.0, machine=machine, gpus=gpus)
