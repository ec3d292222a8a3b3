"""Starts the terminal application: environment, log, app."""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING

from tui_chat.ui.look import Look, look_of, told_to_textual

if TYPE_CHECKING:
    from pathlib import Path

    from tui_chat.client.workspace import Workspace
    from tui_chat.config.looks import Ability
    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import LoadedSettings, UiSettings
    from tui_chat.ui.opening import Opening


def run(
    paths: Paths,
    loaded: LoadedSettings,
    sessions: Path | None,
    opening: Opening,
    color: Ability | None = None,
) -> int:
    """Run the application until it is left.

    Args:
        paths: The folders in force.
        loaded: The settings, and what was wrong with them.
        sessions: Another folder of sessions than the settings', if one was asked for.
        opening: The conversation to begin with.
        color: How many colours to use, whatever settings and terminal say.

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
    look = look_at_terminal(loaded.settings.ui, color)
    from tui_chat.ui.app import TuiChat
    from tui_chat.ui.terminal import give_keys_back, say_why_we_left

    def workspace() -> Workspace:
        from tui_chat.client.workspace import Workspace

        return Workspace(paths, loaded.settings, sessions)

    log_file = paths.logs / "ui.log"
    _log_to(log_file)
    app = TuiChat(loaded, workspace, opening, log_file, look)
    try:
        app.run(mouse=loaded.settings.ui.mouse)
    finally:
        give_keys_back()
    status = app.return_code or 0
    say_why_we_left(status)
    return status


def look_at_terminal(ui: UiSettings, color: Ability | None = None) -> Look:
    """Find out what the terminal can show, and tell Textual, which reads it when it is imported."""
    look = look_of(os.environ, color or ui.color, ui.glyphs)
    os.environ.pop("NO_COLOR", None)  # Textual would make greys of it, which are colours too
    os.environ.update(told_to_textual(look))
    return look


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
