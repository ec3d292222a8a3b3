"""When an app has done what it was asked to: nothing is left to run, whoever else uses the processors.

Textual's own pilot watches the clock instead: an app that got no processor for a moment looks idle to it, and
each key takes it two of its looks.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from textual._context import active_app
from textual.app import ScreenError
from textual.screen import Screen

STILL = 3
"""Turns of the loop in a row at which there is nothing to do."""
BUSY_S = 2.0
"""How long it may go on having something to do: an answer that streams never ends to."""
THREADS_S = 0.05
"""How long its threads may take: they read files, and one may wait for a process to start."""
TURN_S = 0.001


async def wait_for_idle(*_: object, **__: object) -> None:
    """Wait until the app has nothing to do; what it asked others for, a test waits for by itself."""
    began, still = time.monotonic(), 0
    while still < STILL and (lasted := time.monotonic() - began) < BUSY_S:
        await asyncio.sleep(0 if _has_work() else TURN_S)
        if _has_work() or (lasted < THREADS_S and _threads_work()) or _painted():
            still = 0
        else:
            still += 1


def _has_work() -> bool:
    return bool(asyncio.get_running_loop()._ready)


def _threads_work() -> bool:
    executor: ThreadPoolExecutor | None = asyncio.get_running_loop()._default_executor
    if executor is None:
        return False
    return bool(executor._work_queue.qsize()) or len(executor._threads) > executor._idle_semaphore._value


def _painted() -> bool:
    """Have the screen take what changed, which it would do at its next frame; whether it did."""
    app = active_app.get(None)
    try:
        screen: Screen[object] | None = app.screen if app is not None else None
    except ScreenError:
        screen = None
    if screen is None or not _is_behind(screen):
        return False
    screen._on_timer_update()
    return not _is_behind(screen)


def _is_behind(screen: Screen[object]) -> bool:
    waits = screen._layout_required or screen._scroll_required or screen._repaint_required
    return bool(waits or screen._dirty_widgets or screen._callbacks or screen._recompose_required)
