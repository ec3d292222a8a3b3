"""Screens kept as text: compared with what was kept, or kept anew.

After a wanted change: ``UPDATE_SNAPSHOTS=1 pytest tests/ui``, and read the diff.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from tests.ui.support import LARGE, SMALL, Chat, masked

FOLDER = Path(__file__).parent / "snapshots"
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


async def check(name: str, chat: Chat, answer: str = "") -> None:
    """Wait until the screen is the one kept, or fail; `answer` is what the model happened to say."""

    def seen() -> str:
        return masked(chat.text(), answer) + "\n"

    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(seen(), encoding="utf-8")
    kept = file.read_text(encoding="utf-8")
    with contextlib.suppress(AssertionError):
        await chat.until(lambda: seen() == kept)
    assert seen() == kept


def named(name: str, size: tuple[int, int]) -> str:
    """The name of a screen at one size."""
    return f"{name}-{size[0]}x{size[1]}"
