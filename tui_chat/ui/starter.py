"""Fetching the starter model from the screen: one key, progress in words, and a way to stop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from tui_chat.chat.model import Problem
from tui_chat.ui.progress import Pace, fetched

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace

NAME = "SmolLM2-135M"
_REPORT_S = 0.1


@dataclass(slots=True)
class _Progress:
    """What the fetching thread last said."""

    done: int = 0
    total: int = 0
    stage: str = ""


class Starter:
    """Fetches the starter model, once at a time, however often it is asked."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._cancel: threading.Event | None = None

    @property
    def running(self) -> bool:
        """Whether it is being fetched now."""
        return self._cancel is not None

    def stop(self) -> None:
        """Stop fetching; what is there is kept for the next time."""
        if self._cancel is not None:
            self._cancel.set()

    async def fetch(self, tell: Callable[[str], None]) -> Problem | None:
        """Fetch it, telling how far it is; returns what went wrong, or None. Does nothing if it runs."""
        if self.running:
            return None
        self._cancel = threading.Event()
        progress, started = _Progress(), monotonic()

        def hear(done: int, total: int, stage: str) -> None:
            progress.done, progress.total, progress.stage = done, total, stage

        task = asyncio.create_task(self._workspace.get_starter(hear, self._cancel))
        try:
            while not task.done():
                tell(_said(progress, monotonic() - started))
                await asyncio.wait({task}, timeout=_REPORT_S)
        finally:  # cancelled too: then the screen is gone, and nothing more is told
            self._cancel.set()
            self._cancel = None
        tell("")
        error = task.exception()
        problem = getattr(error, "problem", None)
        if error is not None and not isinstance(problem, Problem):
            raise error
        return problem


def _said(progress: _Progress, passed_s: float) -> str:
    """Write progress: a bar, how much of how much, and how long it will take."""
    if not progress.total:
        return f"getting {NAME}: {progress.stage or 'asking the package index'}, {passed_s:.0f} s"
    left_s = Pace(0.0).left_s(passed_s, progress.done, progress.total)
    return f"getting {NAME} {fetched(progress.done, progress.total, left_s)}"
