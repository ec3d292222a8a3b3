"""Reads which devices there are and what is free on them, without ever waiting long for a driver."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.devices import read_ram
from tui_chat.memory.machine import Machine

log = logging.getLogger(__name__)

PATIENCE_S = 3.0
"""A driver that wakes a sleeping GPU up takes a second and a half."""


class MachineReader:
    """Each reading is in a thread of its own: the loop's threads write journals, and must not be used up."""

    def __init__(self, read: Callable[[], Machine], patience_s: float = PATIENCE_S) -> None:
        self._read = read
        self._patience_s = patience_s
        self._last: Machine | None = None
        self._hanging: threading.Thread | None = None

    async def read(self) -> Machine:
        """The devices as they are now; where a driver hangs, its GPUs as they were last.

        Raises:
            BackendError: The driver hangs, and nothing was ever read.
        """
        if self._hanging is not None and self._hanging.is_alive():
            return self._as_last()
        answer: asyncio.Future[Machine | None] = asyncio.get_running_loop().create_future()
        reading = threading.Thread(target=self._tell, args=(answer,), daemon=True)
        reading.start()
        try:
            async with asyncio.timeout(self._patience_s):
                machine = await answer
        except TimeoutError:
            log.warning("the driver of the GPUs does not answer")
            self._hanging, machine = reading, None
        if machine is None:
            return self._as_last()
        self._last = machine
        return machine

    def _tell(self, answer: asyncio.Future[Machine | None]) -> None:
        machine: Machine | None = None
        try:
            machine = self._read()
        except Exception:
            log.exception("the devices cannot be read")

        def tell() -> None:
            if not answer.done():  # else nobody waits any more
                answer.set_result(machine)

        with suppress(RuntimeError):  # the engine may have left meanwhile
            answer.get_loop().call_soon_threadsafe(tell)

    def _as_last(self) -> Machine:
        if self._last is None:
            raise BackendError(
                Problem(
                    ProblemCode.LOAD_FAILED,
                    "The driver of the GPUs does not answer, so nobody can tell what would fit.",
                    kept="Nothing was loaded or unloaded.",
                    remedy="Try again; if it goes on, restart the driver or the machine.",
                )
            )
        return Machine(self._last.gpus, read_ram(self._last.ram.bandwidth))
