"""Take the pictures of the README: the real app, engine and model, a conversation of ours and the examples.

Run by `make screenshots`; writes SVG files beside this script, and PNG files of the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.cells import cell_len
from rich.color import blend_rgb
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip

from screenshots.pixels import Cell, draw
from tests.benchmarks.memory.files import published_files
from tests.benchmarks.places import STARTER, TUI_CHAT, Bench, bench_home
from tui_chat.chat.model import Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.workspace import Workspace
from tui_chat.config.settings import LoadedSettings, ModelSettings, Settings, UiSettings
from tui_chat.ui.app import TuiChat
from tui_chat.ui.opening import Opening
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.top import TopApp

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "sessions.example"
SAMPLING = Sampling(temperature=0.0, repeat_penalty=1.1, max_tokens=400)
PATIENCE_S = 120
SETTLED_S = 0.5
WATCHED_S = 8.0
FAINT = 2 / 3
"""What is left of a dim ink, in most terminals."""

BESIDE = ("Llama-3.2-3B", "Qwen3-8B", "Mistral-Small-24B", "Qwen3-30B-A3B", "Llama-3.1-70B")
"""Models that are listed as well: files whose header is whole and whose weights are a hole."""

AGAIN = "again"
"""In place of a key: have the focused answer written once more."""

LAST = Opening(last=True)
NOVEL = Opening(name="example-lighthouse-novel")
RETRY = Opening(name="example-retry-in-python")


@dataclass(frozen=True)
class Picture:
    """One picture: the conversation opened, what is said in it, the keys pressed then, the theme."""

    name: str
    opening: Opening
    said: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    small: bool = False
    theme: str = UiSettings().theme

    @property
    def file(self) -> Path:
        """Where it is kept; its name tells the size of the terminal."""
        return HERE / f"{self.name}-{'80x24' if self.small else '120x40'}.svg"


PICTURES = (
    Picture(
        "chat",
        Opening(),
        (
            "What does a lighthouse keeper do?",
            "Write a Python function that mixes two colours, then explain it in a short list.",
        ),
    ),
    Picture("chat", LAST, small=True),
    Picture("switcher", LAST, keys=("f2",)),
    Picture("switcher", LAST, keys=("f2",), small=True),
    Picture("branches", LAST, keys=("shift+tab", "k", "k", AGAIN, AGAIN, "left", "shift+tab", "end", "f4")),
    Picture("context", NOVEL, ("Name three sounds that Ingrid hears at night.",), ("f5",)),
    Picture("summary", NOVEL, keys=("shift+tab", *"kkkkkkkk")),
    Picture("settings", NOVEL, keys=("ctrl+o", "o")),
    Picture("themes", RETRY, keys=("ctrl+o", "t")),
    *(
        Picture(f"theme-{theme}", RETRY, small=True, theme=theme)
        for theme in ("tui-chat-light", "nord", "high-contrast-dark", "monochrome")
    ),
)
"""In this order: the later ones show what the earlier have said."""


async def take(bench: Bench, picture: Picture) -> None:
    """Open the app, do what makes the picture, and draw the screen once all is answered."""
    settings = Settings(
        sampling=SAMPLING, models=ModelSettings(default=STARTER.stem), ui=UiSettings(theme=picture.theme)
    )
    app = TuiChat(
        LoadedSettings(settings),
        lambda: Workspace(bench.paths, settings),
        picture.opening,
        bench.paths.logs / "ui.log",
    )
    async with app.run_test(size=(80, 24) if picture.small else (120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, ChatScreen)
        await screen._opened.wait()
        for text in picture.said:
            screen.prompt.put(text)
            await _answered(pilot, screen, lambda: pilot.press("enter"))
        await _until(pilot, lambda: screen._presenter.last_answer is not None)
        await pilot.pause(SETTLED_S)
        for key in picture.keys:
            if key == AGAIN:
                await _answered(pilot, screen, lambda: pilot.press("r"))
            else:
                await pilot.press(key)
                await pilot.pause(SETTLED_S)
        await pilot.pause(2 * SETTLED_S)
        _draw(app, picture.file)


async def take_top(bench: Bench) -> None:
    """Draw `tui-chat top` while somebody is answered elsewhere."""
    asking = await asyncio.create_subprocess_exec(
        TUI_CHAT,
        "ask",
        "Write a long story about a lighthouse.",
        env=bench.env,
        stdout=asyncio.subprocess.DEVNULL,
    )
    app = TopApp(None, lambda: EngineClient(bench.paths.socket), bench.paths.state)
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause(WATCHED_S)
        _draw(app, HERE / "top-120x24.svg")
    asking.terminate()
    await asking.wait()


def _draw(app: App[object], file: Path) -> None:
    file.write_text(app.export_screenshot(title="tui-chat"), encoding="utf-8")
    rows = [_cells(strip) for strip in app.screen._compositor.render_strips(app.size)]
    draw(rows).save(file.with_suffix(".png"), optimize=True)


async def _answered(pilot: Pilot[object], screen: ChatScreen, ask: Callable[[], Awaitable[object]]) -> None:
    await ask()
    await _until(pilot, lambda: screen._presenter.answering)
    await _until(pilot, lambda: not screen._presenter.answering)


async def _until(pilot: Pilot[object], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await pilot.pause(0.05)


def _furnish(bench: Bench, models: list[Path]) -> None:
    """Put models of several sizes in place, and the examples, in which nothing is left to chance."""
    for file in models:
        if file.stem in BESIDE:
            (bench.paths.models / file.name).symlink_to(file)
    bench.paths.sessions.mkdir(parents=True)
    for file in EXAMPLES.glob("*.json"):
        session = json.loads(file.read_text(encoding="utf-8"))
        session["sampling"] = msgspec.to_builtins(SAMPLING)
        (bench.paths.sessions / file.name).write_text(json.dumps(session), encoding="utf-8")


def _cells(strip: Strip) -> list[Cell]:
    cells = []
    for text, style, _ in strip:
        assert style is not None
        assert style.bgcolor is not None
        ground = style.bgcolor.get_truecolor(foreground=False)
        ink = style.color.get_truecolor() if style.color else ground  # only spaces have none
        if style.dim:
            ink = blend_rgb(ground, ink, FAINT)
        if style.reverse:
            ink, ground = ground, ink
        for letter in text:
            cells.append(Cell(letter, ink.hex, ground.hex, bool(style.bold), bool(style.underline)))
            cells += [Cell("", ink.hex, ground.hex)] * (cell_len(letter) - 1)
    return cells


def main() -> None:
    """Take all pictures."""
    with bench_home() as bench, published_files() as models:
        _furnish(bench, models)
        for picture in PICTURES:
            asyncio.run(take(bench, picture))
        asyncio.run(take_top(bench))


if __name__ == "__main__":
    main()
