"""What UI tests share: opening apps, waiting for what is on the screen, reading the screen."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from textual._context import visible_screen_stack
from textual.app import App
from textual.pilot import Pilot

from tests.homes import Home
from tui_chat.chat.model import Sampling
from tui_chat.client.workspace import Workspace
from tui_chat.config.settings import LoadedSettings, Settings, UiSettings
from tui_chat.ui.app import TuiChat
from tui_chat.ui.opening import Opening
from tui_chat.ui.screens.chat import ChatScreen
from tui_chat.ui.widgets.prompt import Prompt

SMALL, LARGE = (80, 24), (120, 40)
DEADLINE_S = 60.0


@dataclass
class Chat:
    """An open app, with the screen and the keyboard of a person."""

    app: TuiChat
    pilot: Pilot[int]
    workspace: Workspace

    @property
    def screen(self) -> ChatScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, ChatScreen)
        return screen

    @property
    def prompt(self) -> Prompt:
        return self.screen.prompt

    @property
    def conversation(self):
        return self.screen._conversation

    def text(self) -> str:
        return screen_text(self.app)

    def alarms(self) -> list[str]:
        """What stands over the screen now, to be read."""
        return [each.message for each in self.app._notifications]

    @property
    def _sending(self) -> bool:
        """Whether a message is on its way into the conversation: what it takes is found out before."""
        return any(each.group == "sending" and not each.is_finished for each in self.app.workers)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def say(self, text: str) -> None:
        """Type `text` and send it."""
        self.prompt.put(text)
        await self.pilot.press("enter")

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until `condition` holds; fails with the screen when it does not in time."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not condition():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited in vain {what}; the screen:\n{self.text()}") from None

    async def sees(self, *texts: str) -> str:
        """Wait until all of `texts` are on the screen; returns the screen."""
        seen = ""

        def there() -> bool:
            nonlocal seen
            seen = self.text()
            return all(text in seen for text in texts)

        await self.until(there, f"for {texts}")
        return seen

    async def answered(self) -> None:
        """Wait until what was said is in the conversation, and all that is to be answered has been."""
        await self.until(
            lambda: (
                self.conversation
                and not self._sending
                and not self.conversation.live
                and not self.conversation.queued
            ),
            "for the answer to settle",
        )
        await self.pilot.pause()


class Chats:
    """Opens chats in one home, one after another or side by side."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.sampling = Sampling(temperature=0.0, max_tokens=8)

    @contextlib.asynccontextmanager
    async def open(
        self, size: tuple[int, int] = SMALL, opening: Opening | None = None, settings: Settings | None = None
    ) -> AsyncIterator[Chat]:
        """Open an app and wait until its conversation is there."""
        used = settings or Settings(sampling=self.sampling, ui=UiSettings(instruments=False))
        workspace = Workspace(self.home.paths, used)
        log = self.home.paths.logs / "ui.log"
        app = TuiChat(LoadedSettings(used), lambda: workspace, opening or Opening(), log)
        async with app.run_test(size=size) as pilot:
            chat = Chat(app, pilot, workspace)
            try:
                await chat.until(lambda: chat.conversation, "for a conversation")
                await chat.until(lambda: chat.screen._presenter._facts.models is not None, "for the models")
                await pilot.pause()
                yield chat
            finally:
                app.workers.cancel_all()  # as when it leaves by itself; a pilot takes its screens first


def screen_text(app: App[object]) -> str:
    """Return what the screen shows, one line of text for each row, without trailing spaces.

    What a dialog lets through of the screen below it is rendered when it is looked at, and then kept.
    """
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips(app.size)
    return "\n".join(strip.text.rstrip() for strip in strips)


def masked(text: str, answer: str = "") -> str:
    """Hide what differs from run to run: numbers, the gaps they make, and the lines of `answer`."""
    said = {line.strip() for line in answer.splitlines() if line.strip()}

    def hidden(line: str) -> str:
        chat, edge, panel = line.partition("▏")
        return f"   ANSWER  {edge}{panel}".rstrip() if chat.strip() in said else line

    lines = [hidden(line) for line in text.splitlines()]
    text = re.sub(r"(?<![\w-])\d+(?:[.,:]\d+)*(?![\w-])", "#", "\n".join(lines))
    return re.sub(r"(?<=\S)[ ─]{2,}(?=\S)", "  ", text)
