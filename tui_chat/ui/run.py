"""Starts the terminal application: environment, log, app."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import LoadedSettings


def run(paths: Paths, loaded: LoadedSettings, sessions: Path | None, *, last: bool, name: str | None) -> int:
    """Run the application until it is left.

    Args:
        paths: The folders in force.
        loaded: The settings, and what was wrong with them.
        sessions: Another folder of sessions than the settings', if one was asked for.
        last: Open the last session.
        name: Open the session of this id or title; empty shows the list.

    Returns:
        The process's exit code.
    """
    os.environ.setdefault("TEXTUAL_FPS", "120")  # read when textual is imported; halves key latency
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.app import LOG_NAME, TuiChat
    from tui_chat.ui.opening import Opening

    _log_to(paths.logs / LOG_NAME)
    workspace = Workspace(paths, loaded.settings, sessions)
    app = TuiChat(workspace, Opening(last, name), loaded.problem)
    app.run(mouse=loaded.settings.ui.mouse)
    return app.return_code or 0


def _log_to(file: Path) -> None:
    """Send our log to `file`, which is made when there is something to write. Never to the screen."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler: logging.Handler = logging.FileHandler(file, delay=True, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("tui_chat")
    logger.addHandler(handler)
    logger.propagate = False
