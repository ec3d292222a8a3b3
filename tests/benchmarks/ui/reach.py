"""What can be done with the keyboard alone, and what of each screen can be seen at 80x24."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.benchmarks.harness import Row, at_least, informs
from tests.benchmarks.places import bench_home
from tests.homes import Home
from tests.ui.support import Chats
from tests.ui.test_keys import reached_by_keys
from tests.ui.themes.tour import STOPS, toured
from tui_chat.config.keys import KeySet, KeySettings
from tui_chat.ui.commands import COMMANDS
from tui_chat.ui.keymap import clashes, keymap_of, unsendable

WAYS_OUT = ("esc", "F1 help")


def rows() -> Iterator[Row]:
    """Press everything, then look at every screen in the smallest terminal."""
    with bench_home("[detect]\nenabled = false\n") as bench, pytest.MonkeyPatch.context() as monkeypatch:
        pressed = asyncio.run(reached_by_keys(Chats(Home(bench.root, bench.paths)), monkeypatch))
    for keys in KeySet:
        keymap = keymap_of(KeySettings(set=keys))
        wrong = {*unsendable(keymap), *(each for _, *pair in clashes(keymap) for each in pair)}
        share = 100 * (1 - len(wrong) / len(COMMANDS))
        yield at_least(f"commands with a key that every terminal sends, set {keys}", share, "%", 100)
    yield informs("of these pressed, found in help and in the list of commands", len(pressed), "commands")
    yield informs("commands in all; others need a server, or a message that waits", len(COMMANDS), "commands")
    with bench_home("[detect]\nenabled = false\n") as bench:
        usable = asyncio.run(_usable(Home(bench.root, bench.paths)))
    yield at_least("screens usable at 80x24", 100 * usable / len(STOPS), "%", 100)


async def _usable(home: Home) -> int:
    """Walk through all screens; how many show what they are for, whole, and the way out of them."""
    usable = 0
    async with toured(home) as chat:
        for stop in STOPS:
            await chat.press(*["space" if key == " " else key for key in stop.keys])
            screen = await chat.sees(*stop.sees)
            last = screen.splitlines()[-4:]
            usable += any(way in line for way in WAYS_OUT for line in last)
    return usable
