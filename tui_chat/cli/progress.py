"""Progress of a download on stderr: a bar in a terminal, a line per stage elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from tui_chat.wire.words import size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ProgressLine:
    """Shows `update(done, total, stage)`; bytes, with a total of 0 while it is unknown."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stage = ""
        self._bar: Progress | None = _bar(stream) if stream.isatty() else None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Show the bar."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last bar standing and give the cursor back."""
        if self._bar is not None:
            self._bar.stop()

    def update(self, done: int, total: int, stage: str) -> None:
        """Show that `done` of `total` bytes of `stage` are done."""
        if self._bar is None:
            if stage != self._stage:
                whole = f" ({size(total)})" if total else ""
                self._stream.write(f"{stage}{whole}\n")
                self._stream.flush()
        elif self._task is None or stage != self._stage:
            self._task = self._bar.add_task(stage, total=total or None, completed=done)
        else:
            self._bar.update(self._task, total=total or None, completed=done)
        self._stage = stage


def _bar(stream: TextIO) -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        """In the units of the amount, which rich's own column does not keep to."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed / 2**20:.1f} MiB/s" if speed else "", style="progress.data.speed")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        Speed(),
        TimeRemainingColumn(),
        console=Console(file=stream),
    )
