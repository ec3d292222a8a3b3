"""Words after a slash, and the commands that they stand for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tui_chat.ui.command import Command
from tui_chat.ui.commands import COMMANDS
from tui_chat.ui.fuzzy import ranked

SLASH: Mapping[str, str] = {
    "model": "models",
    "new": "session.new",
    "session": "sessions",
    "preset": "presets",
    "system": "system.edit",
    "attach": "attach",
    "attachments": "attachments",
    "history": "history",
    "retry": "answer.retry",
    "undo": "tree.undo",
    "redo": "tree.redo",
    "copy": "answer.copy",
    "context": "context",
    "branches": "branches",
    "find": "find",
    "search": "search",
    "rename": "session.rename",
    "export": "export.branch",
    "import": "import",
    "ephemeral": "session.ephemeral",
    "statistics": "statistics",
    "servers": "servers",
    "memory": "residents",
    "drawing": "drawing",
    "editor": "input.editor",
    "settings": "settings",
    "theme": "themes",
    "help": "help",
    "quit": "quit",
}
"""Ids of commands by their words, the most usual first."""

TAKES: Mapping[str, str] = {
    "model": "NAME",
    "session": "NAME",
    "preset": "NAME",
    "theme": "NAME",
    "settings": "NAME",
    "attach": "FILE",
    "search": "WORDS",
    "rename": "TITLE",
}
"""What may follow some of the words."""

_CALL = re.compile(r"/([a-z][a-z-]*)(?:[ \t]+(.*))?")


class Word(NamedTuple):
    """A word that may follow a slash. `command` is None for one that chooses a route."""

    word: str
    title: str
    command: Command | None


class Call(NamedTuple):
    """A line that begins with a word after a slash."""

    word: str
    rest: str


def words(routes: Mapping[str, str]) -> list[Word]:
    """Return all words there are; `routes` has those that choose a model, each with its slash."""
    there = {command.id: command for command in COMMANDS}
    found = [Word(word, there[name].title, there[name]) for word, name in SLASH.items() if name in there]
    return [*found, *(Word(word[1:], f"Send the message to {model}", None) for word, model in routes.items())]


def usage(word: str) -> str:
    """Return a word as it is called, with what may follow it."""
    return f"/{word} {TAKES.get(word, '')}".rstrip()


def matching(typed: str, among: Sequence[Word]) -> list[Word]:
    """Return the words that `typed` may become: those that begin so, then those of which it has letters."""
    begin = [each for each in among if each.word.startswith(typed)]
    letters = ranked(typed, ((each.word, each) for each in among)) if typed else []
    return [*begin, *(each for each in letters if each not in begin)]


def call(text: str) -> Call | None:
    """Read a line as a call; None for text, such as a path or more than one line."""
    found = _CALL.fullmatch(text.strip())
    return Call(found[1], (found[2] or "").strip()) if found else None
