"""No sentence names a key that a person may have given to something else: it names the command."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tui_chat.ui.commands import COMMANDS
from tui_chat.ui.sentences import REFERENCE

PACKAGE = Path(__file__).resolve().parents[2] / "tui_chat"
_NAMES = r"\b(?:[Cc]trl|[Aa]lt|[Ss]hift)\+\S|\bF(?:1[0-2]|[1-9])\b|\b(?:[Ee]nter|[Ee]sc(?:ape)?|[Tt]ab)\b"
_LETTERS = r"(?:^(?!s )|[·;(] )[b-zB-HJ-Z] [a-z]{2,}|\([←→↑↓\[\]]\)"
NAMED = re.compile(f"{_NAMES}|{_LETTERS}")
"""The names of keys, and letters or arrows that stand as keys do: before what they do, or in brackets."""

ELSEWHERE = {
    "ui/keyboard": "the keys themselves",
    "ui/keynames.py": "how keys are called",
    "ui/top.py": "an app of its own, whose keys are fixed",
    "cli/plain": "lines are read by readline, which has keys of its own",
}
FIXED = {
    "and then …   esc for nothing": "whatever does not follow in a chord ends it",
    "enter ok": "a line of text is given with enter, and with nothing else",
    "1-9 or enter choose": "so is one of a few answers",
    "enter use   ↑↓ move": "and a form of several lines",
    "enter once more overwrites it": "as above",
    "Press up and enter to go on": "said in the shell",
    "f1,question_mark,q": "bindings of the help, beside those of every dialog",
    "ctrl+o,q,enter": "bindings of a page of facts, beside those of every dialog",
    "shift+enter": "what a terminal calls a key",
    "shift+\r": "what another terminal calls it",
}
"""What nobody can give to another key, by a part of the text, and why."""


def _texts(path: Path) -> Iterator[str]:
    """What a module may say: its strings, but for what describes its parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    described = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield node.value


def _sentences() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not place.startswith(tuple(ELSEWHERE)):
            yield from ((place, text) for text in _texts(path))


def _rest(text: str) -> str:
    """A text without what may stand in it."""
    for part in FIXED:
        text = text.replace(part, "")
    return REFERENCE.sub("", text)


def test_no_sentence_names_a_key_that_can_be_bound_to_something_else() -> None:
    named = [(place, text) for place, text in _sentences() if NAMED.search(_rest(text))]
    assert named == []


def test_the_exceptions_are_still_needed() -> None:
    told = "\n".join(text for _, text in _sentences())
    assert [part for part in FIXED if part not in told] == []


def test_every_command_that_a_sentence_names_exists() -> None:
    ids = {command.id for command in COMMANDS}
    named = {
        (place, found[1])
        for place, text in _sentences()
        if place.startswith("ui/")
        for found in REFERENCE.finditer(text)
        if f"#{found[0]}" not in text  # tmux has variables that look alike
    }
    assert [(place, name) for place, name in named if name not in ids] == []
    assert {"answer.retry", "models", "sessions.undo"} <= {name for _, name in named}
