"""How a person is asked for the value of a setting: by a list to choose from, or a line that is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import inspect
from textual.app import App

from tui_chat.config.editing import formatted
from tui_chat.config.schema import Setting, ValueRefusedError
from tui_chat.ui.screens.dialogs import AskScreen, PickScreen

Suggest = Callable[[Setting], Iterable[str]]
"""Gives the values there are, of a setting whose declaration does not know them: names of themes, say."""


class Unset:
    """In place of a value: the default."""


UNSET = Unset()


async def ask(app: App[Any], setting: Setting, value: Any, suggested: Iterable[str]) -> Any:
    """Return a value that `setting` takes, `UNSET` for its default, or None for leaving it."""
    if isinstance(setting.kind, inspect.BoolType):
        return not value
    if choices := setting.choices or tuple(suggested):
        return await _pick(app, setting, value, choices)
    return await _line(app, setting, value)


async def _pick(app: App[Any], setting: Setting, value: Any, choices: tuple[str, ...]) -> Any:
    named = [f"{each}  ← now" if each == value else each for each in choices]
    if setting.default is None:
        named.append("none" if value is not None else "none  ← now")
    chosen = await app.push_screen_wait(PickScreen(f"{setting.key}: {setting.about}", named))
    if chosen is None:
        return None
    return choices[chosen] if chosen < len(choices) else UNSET


async def _line(app: App[Any], setting: Setting, value: Any) -> Any:
    text, note = _written(setting, value), ""
    if setting.secret:
        text, note = "", "What is there is not shown; what you write here takes its place."
    while True:
        question = f"{setting.key}: {setting.about} ({setting.wants})".replace("`", "")
        typed: str | None = await app.push_screen_wait(AskScreen(question, text, note=note))
        if typed is None:
            return None
        try:
            return setting.read(typed)
        except ValueRefusedError as refused:
            text, note = typed, f"This has to be {refused}. Nothing was changed."


def _written(setting: Setting, value: Any) -> str:
    """The value as it is edited: text as it is, where that is understood as such, all else as TOML."""
    if value is None:
        return ""
    if isinstance(value, str) and value.isprintable() and setting.read(value) == value:
        return value
    return formatted(value)
