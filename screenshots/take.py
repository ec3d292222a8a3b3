"""Take the pictures of the README: the real app, engine and model, one conversation, two sizes.

Run by `make screenshots`; writes SVG files beside this script.
"""

from __future__ import annotations

import asyncio
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


async def converse(bench: Bench, size: tuple[int, int], opening: Opening, file: str, *said: str) -> None:
    """Open the app, say every one of `said`, and draw the screen into `file` once all is answered."""
    log = bench.paths.logs / "ui.log"
    app = TuiChat(LoadedSettings(SETTINGS), lambda: Workspace(bench.paths, SETTINGS), opening, log)
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        for text in said:
            await screen._opened.wait()
            screen.prompt.put(text)
            await pilot.press("enter")
            await _until(pilot, lambda: screen._presenter.answering)
            await _until(pilot, lambda: not screen._presenter.answering)
        await _until(pilot, lambda: screen._presenter.last_answer is not None)
        await pilot.pause(1.0)
        (HERE / file).write_text(app.export_screenshot(title="tui-chat"), encoding="utf-8")


async def _until(pilot, condition) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await pilot.pause(0.05)


def main() -> None:
    """Take all pictures."""
    with bench_home() as bench:
        asyncio.run(converse(bench, (120, 40), Opening(), "chat-120x40.svg", *ASKED))
        asyncio.run(converse(bench, (80, 24), Opening(last=True), "chat-80x24.svg"))


if __name__ == "__main__":
    main()
