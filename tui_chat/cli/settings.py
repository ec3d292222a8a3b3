"""Reads the settings for a command; what is wrong with them is said, and everything else holds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import Settings


def load() -> tuple[Paths, Settings]:
    """Return the places and the settings in force."""
    from tui_chat.config.paths import config_file, resolve_paths
    from tui_chat.config.settings import load_settings

    loaded = load_settings(config_file())
    if loaded.problem is not None:
        for line in (*loaded.problem.what.splitlines(), loaded.problem.kept, loaded.problem.remedy):
            sys.stderr.write(f"tui-chat: {line}\n")
    return resolve_paths(loaded.settings.paths), loaded.settings
