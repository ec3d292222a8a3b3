"""The GPUs: their drivers, their modes, and whether the installed llama.cpp can use them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from tui_chat.backends.llamacpp.build import backend_name, gpu_kinds
from tui_chat.cli.doctor.finding import Finding, note, ok, wrong
from tui_chat.telemetry.sources import all_sources
from tui_chat.wire.plan import DeviceKind
from tui_chat.wire.telemetry import Driver, DriverState, GpuSample, Maker
from tui_chat.wire.words import size

SUBJECT = "GPUs"
LIBRARY = "llama.cpp"
PATIENCE_S = 60.0
"""How long the library may take to load; a driver that starts its GPUs for it takes 10 s."""
_SUPPORT = "tui_chat.backends.llamacpp.worker.support"
_BUILDS = {
    Maker.NVIDIA: "CMAKE_ARGS=-DGGML_CUDA=on",
    Maker.AMD: "CMAKE_ARGS=-DGGML_HIP=on",
    Maker.INTEL: "CMAKE_ARGS=-DGGML_SYCL=on",
}
_REINSTALL = "pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python"


class Library(msgspec.Struct, frozen=True):
    """What the installed llama.cpp is.

    Attributes:
        name: With its version.
        kinds: What GPUs it was built for.
        sees: Whether it finds a GPU that it can use.
        fault: Why it cannot be loaded; empty if it can.
    """

    name: str
    kinds: frozenset[DeviceKind]
    sees: bool = False
    fault: str = ""


def check() -> Iterator[Finding]:
    """Ask the drivers, and llama.cpp in a process of its own. Blocks for seconds."""
    readings = [source.read() for source in all_sources(os.getpid())]
    gpus = [gpu for reading in readings for gpu in reading.gpus if gpu.slice is None]
    yield from of_drivers([each.driver for each in readings if each.driver is not None], gpus)
    if any(gpu.maker is Maker.NVIDIA for gpu in gpus):
        yield from _persistence()
    yield from of_library(ask_library(), gpus)


def of_drivers(drivers: Sequence[Driver], gpus: Sequence[GpuSample]) -> Iterator[Finding]:
    """Judge drivers and the GPUs that they tell of."""
    for driver in drivers:
        if driver.state in (DriverState.REFUSED, DriverState.SILENT):
            what = driver.what or "It does not come back from a call."
            yield wrong(
                SUBJECT,
                f"The driver of {driver.maker.value.upper()} does not work. {what}",
                "Without it, models run on the processor. A reboot helps after an update of the driver.",
            )
    for gpu in gpus:
        if gpu.problem:
            yield wrong(SUBJECT, f"GPU {gpu.number}: {gpu.problem}", "Reset it, or restart the machine.")
            continue
        memory = f", {size(gpu.total_bytes)}" if gpu.total_bytes else ""
        if gpu.total_bytes and gpu.used_bytes is not None:
            memory += f", {size(gpu.total_bytes - gpu.used_bytes)} free"
        version = next((each.version for each in drivers if each.maker is gpu.maker and each.version), "")
        yield ok(SUBJECT, f"GPU {gpu.number}: {gpu.name}{memory}{version and f', driver {version}'}.")
        harms = [each.value for each in gpu.throttled if each.harms]
        if harms:
            yield note(SUBJECT, f"GPU {gpu.number} is slowed down now: {', '.join(harms)}.")
    if not gpus and all(each.state is DriverState.ABSENT for each in drivers):
        yield ok(SUBJECT, "None; models run on the processor.")


def of_library(library: Library, gpus: Sequence[GpuSample]) -> Iterator[Finding]:
    """Judge llama.cpp on a machine with these GPUs."""
    if library.fault:
        yield wrong(
            LIBRARY,
            f"{library.name or 'llama-cpp-python'} cannot be loaded: {library.fault}",
            f"Build it for this machine: {_REINSTALL}",
        )
    elif gpus and not library.kinds:
        build = _BUILDS.get(gpus[0].maker, "CMAKE_ARGS=-DGGML_VULKAN=on")
        yield wrong(
            LIBRARY,
            f"{library.name} is built for the processor only, and there is a GPU: {gpus[0].name}.",
            f"Build it for that, too: {build} {_REINSTALL}",
        )
    elif gpus and not library.sees:
        yield wrong(
            LIBRARY,
            f"{library.name} is built for GPUs, and finds none that it can use.",
            "Look whether CUDA_VISIBLE_DEVICES hides them, and whether the driver is too old for CUDA.",
        )
    else:
        what = "uses the GPU" if library.sees else "runs models on the processor"
        yield ok(LIBRARY, f"{library.name} can be loaded, and {what}.")


def ask_library() -> Library:
    """Load llama.cpp in a process that is thrown away: it may crash, and prints what it likes."""
    name = ""
    with suppress(ImportError):  # of the package's metadata: it is not installed
        name = backend_name()
    command = [sys.executable, "-m", _SUPPORT]
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(
            command, stdin=quiet, capture_output=True, timeout=PATIENCE_S, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return Library(name, frozenset(), fault=f"it did not come up within {PATIENCE_S:.0f} s")
    if done.returncode < 0:
        return Library(name, frozenset(), fault=f"it is killed by signal {-done.returncode}")
    if done.returncode:
        return Library(name, frozenset(), fault=_last_line(done.stderr))
    return Library(name, gpu_kinds(), sees=_last_line(done.stdout) == "gpu")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _persistence() -> Iterator[Finding]:
    """Say which GPUs their driver switches off when nobody uses them."""
    import pynvml

    off = []
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        for index in range(pynvml.nvmlDeviceGetCount()):
            with suppress(pynvml.NVMLError):
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                if pynvml.nvmlDeviceGetPersistenceMode(handle) == pynvml.NVML_FEATURE_DISABLED:
                    off.append(str(index))
    if off:
        which = f"GPU {off[0]}" if len(off) == 1 else f"GPUs {', '.join(off)}"
        yield note(
            SUBJECT,
            f"Persistence mode of {which} is off: the driver starts anew for each first use, for seconds.",
            "sudo nvidia-smi -pm 1, or have nvidia-persistenced run.",
        )
