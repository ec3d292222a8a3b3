"""LM Studio's models: ``OWNER/REPO/FILE`` in its home, or in the folder that its settings name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tui_chat.library.files import expanded
from tui_chat.library.sources.folders import find_below
from tui_chat.library.sources.found import Found
from tui_chat.wire.api import ModelSource

_POINTER = "~/.lmstudio-home-pointer"
"""A file with the path of LM Studio's home, if that is elsewhere."""
_HOMES = ("~/.lmstudio", "~/.cache/lm-studio")


class _Settings(msgspec.Struct):
    downloads: str = msgspec.field(default="", name="downloadsFolder")


def find_lmstudio() -> Iterator[Found]:
    """Find the models of every LM Studio that this user has or had."""
    folders: list[Path] = []
    for home in _homes():
        with contextlib.suppress(OSError, msgspec.DecodeError):
            downloads = msgspec.json.decode((home / "settings.json").read_bytes(), type=_Settings).downloads
            if downloads:
                folders.append(expanded(downloads))
        folders.append(home / "models")
    for folder in dict.fromkeys(folders):
        yield from find_below(folder, ModelSource.LM_STUDIO)


def _homes() -> list[Path]:
    homes = [expanded(home) for home in _HOMES]
    with contextlib.suppress(OSError, ValueError):
        pointed = expanded(_POINTER).read_text(encoding="utf-8").strip()
        if pointed:
            homes.insert(0, expanded(pointed))
    return homes
