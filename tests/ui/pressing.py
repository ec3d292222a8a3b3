"""Pressing every key there is where the person is."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import pytest
from textual.actions import parse

from tests.ui.support import Chat
from tui_chat.ui.commands import COMMANDS
from tui_chat.ui.offering import here, is_possible, reachable
from tui_chat.ui.screens.help import help_text

ALL = frozenset(command.id for command in COMMANDS)
OURS = {command.action.removeprefix("focused.") for command in COMMANDS}


class Spy:
    """Takes note of the actions that keys lead to, instead of running those that are possible."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._run = chat.app.run_action
        self.heard: list[str] = []

    async def run(self, action: str, default_namespace: Any = None) -> bool:
        if action.removeprefix("focused.") not in OURS:
            return await self._run(action, default_namespace)
        namespace, name, parameters = parse(action)
        app = self._chat.app
        targets = {"app": app, "screen": app.screen, "focused": app.screen.focused}
        target = targets.get(namespace, default_namespace)
        if not hasattr(target, f"action_{name}") or target.check_action(name, parameters) is False:
            return False
        self.heard.append(action)
        return True


async def press_everything(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, ids: Container[str] = ALL
) -> set[str]:
    """Press each key of each command that is possible here, and look for it in help and palette.

    Args:
        chat: The app.
        monkeypatch: Undoes what is needed for it.
        ids: The commands to press the keys of.

    Returns:
        The ids of those commands that their keys led to; they are not run.
    """
    screen, reached = chat.app.screen, set()
    possible = [command for command in here(screen, chat.app.keymap) if is_possible(screen, command)]
    spy = Spy(chat)
    with monkeypatch.context() as patched:
        patched.setattr(chat.app, "run_action", spy.run)
        for command in (each for each in possible if each.id in ids):
            for key in filter(None, command.keys.split(",")):
                spy.heard.clear()
                await chat.press(*key.split())
                if {command.action, command.action.removeprefix("focused.")} & set(spy.heard):
                    reached.add(command.id)
                else:
                    assert command.yields, f"{key} is {spy.heard} and not {command.id} on {screen}"
    text = help_text(possible, width=200).plain
    assert all(command.title in text for command in possible)
    named = {command.id for command in reachable(screen, chat.app.keymap)}
    assert {command.id for command in possible} <= named
    return reached
