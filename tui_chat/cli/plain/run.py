"""The two threads of the line by line chat: the main one reads lines and signals, the other has the loop."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from tui_chat.chat.model import Problem
from tui_chat.cli.plain.chat import PlainChat
from tui_chat.cli.plain.nudging import Nudges
from tui_chat.cli.plain.reading import Reader
from tui_chat.cli.plain.voice import Voice
from tui_chat.cli.plain.words import WORDS, perform
from tui_chat.client.workspace import Workspace
from tui_chat.config.paths import Paths
from tui_chat.config.settings import LoadedSettings
from tui_chat.ui.opening import Opening
from tui_chat.ui.run import log_to

T = TypeVar("T")

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""
_CLOSING_S = 5.0


def run(paths: Paths, loaded: LoadedSettings, sessions: Path | None, opening: Opening) -> int:
    """Chat until the person leaves; return the exit status."""
    log_to(paths.logs / "plain.log")
    for stream in (sys.stdin, sys.stdout):  # what is no text of this locale must not end the chat
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    if loaded.problem is not None:
        _say(loaded.problem)
    with Loop() as loop:
        chat = loop.run(_begin(paths, loaded, sessions))
        try:
            return _talk(loop, chat, opening)
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            loop.end(chat.close())


async def _begin(paths: Paths, loaded: LoadedSettings, sessions: Path | None) -> PlainChat:
    workspace = Workspace(paths, loaded.settings, sessions)
    await workspace.start()
    return PlainChat(workspace, Voice())


def _talk(loop: Loop, chat: PlainChat, opening: Opening) -> int:
    draft = loop.run(chat.open(opening))
    loop.answer(chat, chat.settle())
    reader = Reader(() if opening.ephemeral else chat.workspace.history.read(), WORDS)
    while not chat.left:
        try:
            text = reader.read(draft)
        except EOFError:
            sys.stdout.write("\n")
            break
        except KeyboardInterrupt:
            break
        draft = ""
        if text.startswith("/"):
            loop.answer(chat, perform(chat, text))
        elif text.strip():
            draft = loop.answer(chat, chat.send(text))
    _farewell(chat)
    return 0


def _farewell(chat: PlainChat) -> None:
    conversation = chat.conversation
    if conversation.ephemeral:
        sys.stdout.write("Nothing of this chat was kept.\n")
    elif conversation.session.messages:
        goes_on = "The answer goes on. " if conversation.live else ""
        sys.stdout.write(f"{goes_on}Everything is kept: tui-chat --plain --continue\n")


class Loop:
    """An event loop in a thread of its own, so that reading a line stops nothing."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="chat", daemon=True)
        self._nudges = Nudges()

    def __enter__(self) -> Loop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING_S)
        self._nudges.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._nudges.follow(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`, and return what it does."""
        return self._begun(work).result()

    def end(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for `work`, but not for ever."""
        with contextlib.suppress(TimeoutError):
            self._begun(work).result(_CLOSING_S)

    def answer(self, chat: PlainChat, work: Coroutine[Any, Any, T]) -> T:
        """Wait for `work`; Ctrl-C stops the answer, and a second one leaves."""
        going = self._begun(work)
        try:
            return going.result()
        except KeyboardInterrupt:
            self._begun(chat.stop_answer())
            return going.result()

    def _begun(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


def _say(problem: Problem) -> None:
    parts = (*problem.what.splitlines(), problem.kept, problem.remedy)
    sys.stdout.write("".join(f"tui-chat: {part}\n" for part in parts if part))
