"""NVIDIA's GPUs, by NVML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from tui_chat.telemetry.source import Reading
from tui_chat.wire.telemetry import Driver, DriverState, GpuProcess, GpuSample, Maker, Throttle, Unread

_REASONS = {
    0x001: Throttle.IDLE,
    0x002: Throttle.CHOSEN,
    0x004: Throttle.POWER_LIMIT,
    0x008: Throttle.HARDWARE,
    0x010: Throttle.SYNC,
    0x020: Throttle.HEAT,
    0x040: Throttle.HEAT_HARDWARE,
    0x080: Throttle.POWER_BRAKE,
    0x100: Throttle.DISPLAY,
}
"""The bits of ``nvmlClocksEventReasons``, from nvml.h."""
_KINDS = ("Graphics", "MPSCompute", "Compute")
"""Whose processes are asked for: who draws, who computes through a server of NVIDIA's, who computes."""
_RELEASES = ("_v3", "_v2")
"""Of the calls for processes, the newest first; drivers before 510 have only the second."""


class NvidiaSource:
    """Asks the driver anew until there is one, and again after it has gone."""

    name = "nvidia"

    def __init__(self, control: Path = Path("/dev/nvidiactl")) -> None:
        self._control = control
        self._version = ""
        self._facts: dict[str, _Facts] = {}
        self._release: dict[str, str] = {}
        self._ready = False

    def read(self) -> Reading:
        """Read every GPU, and every slice of one."""
        import pynvml

        try:
            if not self._ready:
                pynvml.nvmlInit()
                self._ready = True
                self._version = str(pynvml.nvmlSystemGetDriverVersion())
            gpus = tuple(self._gpus())
        except pynvml.NVMLError as error:
            self.close()
            return Reading(self._without(error))
        return Reading(Driver(Maker.NVIDIA, DriverState.READY, self._version), gpus)

    def close(self) -> None:
        """Let go of the driver; one that has died has let go of us."""
        import pynvml

        if self._ready:
            with suppress(pynvml.NVMLError):
                pynvml.nvmlShutdown()
        self._ready = False
        self._facts.clear()
        self._release.clear()  # the next driver may be another

    def _without(self, error: Any) -> Driver:
        """Say why there is no driver to ask."""
        import pynvml

        if error.value == pynvml.NVML_ERROR_LIBRARY_NOT_FOUND and self._control.exists():
            what = "It cannot be asked: its library, libnvidia-ml.so.1, is not found."
            return Driver(Maker.NVIDIA, DriverState.REFUSED, what=what)
        if error.value in (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, pynvml.NVML_ERROR_DRIVER_NOT_LOADED):
            return Driver(Maker.NVIDIA, DriverState.ABSENT)
        what = {
            pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "The driver in the kernel and its library are of"
            " different releases, as after an update; a reboot helps.",
            pynvml.NVML_ERROR_NO_PERMISSION: f"We may not use it: no permission for {self._control}.",
        }.get(error.value, f"It says: {error}.")
        return Driver(Maker.NVIDIA, DriverState.REFUSED, what=what)

    def _gpus(self) -> Iterator[GpuSample]:
        import pynvml

        for index in range(pynvml.nvmlDeviceGetCount()):
            try:
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                gpu = self._gpu(handle, index)
            except (pynvml.NVMLError_GpuIsLost, pynvml.NVMLError_NoPermission) as error:
                yield _unreadable(index, error)
                continue
            yield gpu
            yield from self._slices(handle, gpu)

    def _gpu(self, handle: Any, index: int, slice: int | None = None) -> GpuSample:
        import pynvml

        uuid = str(pynvml.nvmlDeviceGetUUID(handle))
        facts = self._facts.get(uuid)
        if facts is None:
            facts = self._facts[uuid] = _facts_of(handle)
        asking = _Asking(handle)
        memory = asking("memory", pynvml.nvmlDeviceGetMemoryInfo)
        rates = asking("utilisation", pynvml.nvmlDeviceGetUtilizationRates)
        power = asking("power", pynvml.nvmlDeviceGetPowerUsage)
        limit = asking("limit", pynvml.nvmlDeviceGetEnforcedPowerLimit)
        fan = asking("fan", pynvml.nvmlDeviceGetFanSpeed)
        return GpuSample(
            id=uuid,
            index=index,
            maker=Maker.NVIDIA,
            name=facts.name,
            slice=slice,
            total_bytes=None if memory is None else int(memory.total),
            used_bytes=None if memory is None else int(memory.used),
            utilisation=None if rates is None else rates.gpu / 100,
            memory_utilisation=None if rates is None else rates.memory / 100,
            temperature_c=asking("temperature", pynvml.nvmlDeviceGetTemperature, pynvml.NVML_TEMPERATURE_GPU),
            warn_c=facts.warn_c,
            stop_c=facts.stop_c,
            power_w=None if power is None else power / 1000,
            limit_w=None if limit is None else limit / 1000,
            clock_mhz=asking("clock", pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_SM),
            top_clock_mhz=facts.top_clock_mhz,
            memory_clock_mhz=asking("memory clock", pynvml.nvmlDeviceGetClockInfo, pynvml.NVML_CLOCK_MEM),
            throttled=_throttled(asking),
            fan=None if fan is None else fan / 100,
            processes=self._processes(asking),
            unread={**facts.unread, **asking.unread},
        )

    def _processes(self, asking: _Asking) -> tuple[GpuProcess, ...] | None:
        """Whoever uses it; a process that does so in several ways is told each time, with the same memory."""
        told = {kind: asking("processes", self._running, kind) for kind in _KINDS}
        if told["Compute"] is None:
            return None
        asking.unread.pop("processes", None)  # not every GPU draws, and few have such a server
        found = {each.pid: each.usedGpuMemory for kind in _KINDS for each in told[kind] or ()}
        return tuple(GpuProcess(pid, used) for pid, used in sorted(found.items()))

    def _running(self, handle: Any, kind: str) -> Any:
        """Ask in the newest way that this driver knows, which is found out once.

        The binding's calls without a number are no use: they take the newest, and raise what is no NVMLError.
        """
        import pynvml

        known = self._release.get(kind)
        for release in _RELEASES if known is None else (known,):
            self._release[kind] = release
            with suppress(pynvml.NVMLError_FunctionNotFound):
                return getattr(pynvml, f"nvmlDeviceGet{kind}RunningProcesses{release}")(handle)
        raise pynvml.NVMLError_FunctionNotFound

    def _slices(self, handle: Any, gpu: GpuSample) -> Iterator[GpuSample]:
        """The MIG instances of a GPU that is divided into them."""
        import pynvml

        try:
            if pynvml.nvmlDeviceGetMigMode(handle)[0] != pynvml.NVML_DEVICE_MIG_ENABLE:
                return
            most = pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)
        except pynvml.NVMLError:
            return  # a GPU or a driver that knows no MIG
        for number in range(most):
            try:
                part = pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
                yield self._gpu(part, gpu.index, number)
            except pynvml.NVMLError_NotFound:
                continue  # fewer slices than there could be


class _Facts(msgspec.Struct, frozen=True):
    """What stays as it is while a driver runs."""

    name: str
    warn_c: float | None
    stop_c: float | None
    top_clock_mhz: int | None
    unread: dict[str, Unread]


class _Asking:
    """Asks for one thing after the other, and notes why one is not told."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.unread: dict[str, Unread] = {}

    def __call__(self, field: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the driver tells, or None.

        Raises:
            NVMLError: No further question makes sense: the GPU is lost, or the driver.
        """
        import pynvml

        try:
            return call(self._handle, *arguments)
        except (pynvml.NVMLError_GpuIsLost, pynvml.NVMLError_Uninitialized, pynvml.NVMLError_DriverNotLoaded):
            raise
        except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound):
            self.unread[field] = Unread.NOT_SUPPORTED
        except pynvml.NVMLError_NoPermission:
            self.unread[field] = Unread.NO_PERMISSION
        except pynvml.NVMLError:
            self.unread[field] = Unread.FAILED
        return None


def _facts_of(handle: Any) -> _Facts:
    import pynvml

    asking = _Asking(handle)
    threshold = pynvml.nvmlDeviceGetTemperatureThreshold
    return _Facts(
        name=str(asking("name", pynvml.nvmlDeviceGetName) or "NVIDIA GPU"),
        warn_c=asking("slowdown", threshold, pynvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN),
        stop_c=asking("shutdown", threshold, pynvml.NVML_TEMPERATURE_THRESHOLD_SHUTDOWN),
        top_clock_mhz=asking("top clock", pynvml.nvmlDeviceGetMaxClockInfo, pynvml.NVML_CLOCK_SM),
        unread=asking.unread,
    )


def _throttled(asking: _Asking) -> tuple[Throttle, ...]:
    import pynvml

    bits = asking("throttling", pynvml.nvmlDeviceGetCurrentClocksThrottleReasons) or 0
    return tuple(reason for bit, reason in _REASONS.items() if bits & bit)


def _unreadable(index: int, error: Exception) -> GpuSample:
    import pynvml

    lost = isinstance(error, pynvml.NVMLError_GpuIsLost)
    what = "It has fallen off the bus; resetting it or a reboot brings it back." if lost else "No permission."
    return GpuSample(id=f"nvidia-{index}", index=index, maker=Maker.NVIDIA, name="NVIDIA GPU", problem=what)
