"""Take the pictures of the README: the real app, engine and model, a conversation of ours and the examples.

Run by `make screenshots`; writes SVG files beside this script.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from tests.benchmarks.places import Bench, bench_home
from tui_chat.chat.model import Sampling
from tui_chat.client.workspace import Workspace
from tui_chat.config.settings import LoadedSettings, Settings
from tui_chat.ui.app import TuiChat
from tui_chat.ui.opening import Opening
from tui_chat.ui.screens.chat import ChatScreen

HERE = Path(__file__).parent
SETTINGS = Settings(sampling=Sampling(temperature=0.0, repeat_penalty=1.1, max_tokens=400))
ASKED = (
    "What does a lighthouse keeper do?",
    "Write a Python function that mixes two colours, then explain it in a short list.",
)

AGAIN = "again"
"""In place of a key: have the focused answer written once more."""
FOLLOW_UP = "Name three sounds that Ingrid hears at night."


async def converse(
    bench: Bench, size: tuple[int, int], opening: Opening, file: str, *said: str, keys: tuple[str, ...] = ()
) -> None:
    """Open the app, say all of `said`, press `keys`, and draw the screen into `file` once all is answered."""
    log = bench.paths.logs / "ui.log"
    app = TuiChat(LoadedSettings(SETTINGS), lambda: Workspace(bench.paths, SETTINGS), opening, log)
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        for text in said:
            await screen._opened.wait()
            await _answered(pilot, screen, lambda text=text: _send(pilot, screen, text))
        await _until(pilot, lambda: screen._presenter.last_answer is not None)
        for key in keys:
            if key == AGAIN:
                await _answered(pilot, screen, lambda: pilot.press("r"))
            else:
                await pilot.press(key)
                await pilot.pause(0.3)
        await pilot.pause(1.0)
        (HERE / file).write_text(app.export_screenshot(title="tui-chat"), encoding="utf-8")


async def _send(pilot, screen, text) -> None:
    screen.prompt.put(text)
    await pilot.press("enter")


async def _answered(pilot, screen, ask) -> None:
    await ask()
    await _until(pilot, lambda: screen._presenter.answering)
    await _until(pilot, lambda: not screen._presenter.answering)


async def _until(pilot, condition) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await pilot.pause(0.05)


def main() -> None:
    """Take all pictures."""
    with bench_home() as bench:
        asyncio.run(converse(bench, (120, 40), Opening(), "chat-120x40.svg", *ASKED))
        asyncio.run(converse(bench, (80, 24), Opening(last=True), "chat-80x24.svg"))
        walk = ("shift+tab", "k", "k", AGAIN, AGAIN, "left", "shift+tab", "end", "f4")
        asyncio.run(converse(bench, (120, 40), Opening(last=True), "branches-120x40.svg", keys=walk))
        for example in (HERE.parent / "sessions.example").glob("*.json"):
            shutil.copy(example, bench.paths.sessions)
        novel = Opening(name="example-lighthouse-novel")
        asyncio.run(converse(bench, (120, 40), novel, "context-120x40.svg", FOLLOW_UP, keys=("f5",)))
        asyncio.run(converse(bench, (120, 40), novel, "summary-120x40.svg", keys=("shift+tab", *"kkkkkkkk")))


if __name__ == "__main__":
    main()
