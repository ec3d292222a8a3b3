"""Choices made elsewhere than in the list of settings, kept in the same file."""

from __future__ import annotations

import asyncio

from tui_chat.config.paths import config_file
from tui_chat.store.errors import StoreError
from tui_chat.store.settings import SettingsFile


async def remember_theme(name: str) -> str:
    """Have the next start be in the theme called `name`; returns what is to be said of it."""
    try:
        await asyncio.to_thread(SettingsFile(config_file()).set, ("ui", "theme"), name)
    except StoreError as error:
        return f"{name} is in force until you leave: {error.problem.what} {error.problem.remedy}"
    return f"{name} from now on"
