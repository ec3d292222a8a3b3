"""What can go wrong with getting a model, as types."""

from __future__ import annotations

import errno
from pathlib import Path

from tui_chat.chat.model import Problem


class DownloadError(Exception):
    """The model could not be had; `problem` says why and what was kept."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class DownloadCancelledError(DownloadError):
    """Somebody asked to stop; what was fetched is kept."""


def disk_trouble(folder: Path, error: OSError) -> str:
    """Say in one sentence what the disk of `folder` refuses."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder} is full."
    return f"{folder} cannot be written to: {error}."
