"""Starts the terminal application: environment, log, app."""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tui_chat.client.workspace import Workspace
    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import LoadedSettings
    from tui_chat.ui.opening import Opening


def run(
    paths: Paths,
    loaded: LoadedSettings,
    sessions: Path | None,
    opening: Opening,
) -> int:
    """Run the application until it is left.

    Args:
        paths: The folders in force.
        loaded: The settings, and what was wrong with them.
        sessions: Another folder of sessions than the settings', if one was asked for.
        opening: The conversation to begin with.

    Returns:
        The process's exit code.
    """
    gc.disable()  # collections would be a tenth of the time to the first paint; after it they are tuned
    for stale in ("COLUMNS", "LINES"):  # a shell may export them; they would overrule every resize
        os.environ.pop(stale, None)
    # Both are read when textual is imported. A faster clock halves the latency of keys. After ESC
    # Textual waits for the rest of a key's sequence: on this machine that comes at once or not at all.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    os.environ.setdefault("ESCDELAY", "100" if "SSH_CONNECTION" in os.environ else "10")
    from tui_chat.ui.app import TuiChat
    from tui_chat.ui.terminal import give_keys_back, say_why_we_left

    def workspace() -> Workspace:
        from tui_chat.client.workspace import Workspace

        return Workspace(paths, loaded.settings, sessions)

    log_file = paths.logs / "ui.log"
    _log_to(log_file)
    app = TuiChat(loaded, workspace, opening, log_file)
    try:
        app.run(mouse=loaded.settings.ui.mouse)
    finally:
        give_keys_back()
    status = app.return_code or 0
    say_why_we_left(status)
    return status


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
