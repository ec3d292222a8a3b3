"""Screens kept as text: compared with what was kept, or kept anew.

After a wanted change: ``UPDATE_SNAPSHOTS=1 pytest tests/ui``, and read the diff.
"""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ui.support import LARGE, SMALL, Chat, masked

STILL = 12
"""Looks in a row at which a screen that is to be kept has to be the same."""
FOLDER = Path(__file__).parent / "snapshots"
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


async def check(name: str, chat: Chat, answer: str = "") -> None:
    """Wait until the screen is the one kept, or fail; `answer` is what the model happened to say."""

    def seen() -> str:
        return masked(chat.text(), answer) + "\n"

    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(await _settled(chat, seen), encoding="utf-8")
    kept = file.read_text(encoding="utf-8")
    with contextlib.suppress(AssertionError):
        await chat.until(lambda: seen() == kept)
    shown = seen()
    difference = "\n".join(difflib.unified_diff(kept.splitlines(), shown.splitlines(), "kept", "seen", n=1))
    assert shown == kept, difference


async def _settled(chat: Chat, seen: Callable[[], str]) -> str:
    """What is seen once it has not changed for a while."""
    still, last = 0, seen()
    while still < STILL:
        await chat.pilot.pause(0.05)
        now = seen()
        still, last = (still + 1 if now == last else 0), now
    return last


def named(name: str, size: tuple[int, int]) -> str:
    """The name of a screen at one size."""
    return f"{name}-{size[0]}x{size[1]}"
