"""Reads what a person writes: a line with editing and history where there is a terminal, or several."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui_chat.cli.plain.voice import YOU
from tui_chat.cli.printable import printable

if TYPE_CHECKING:
    from types import ModuleType

QUOTES = '"""'
_MORE = "... "


class Reader:
    """Asks for input, from the thread that gets the signals."""

    def __init__(self, earlier: Iterable[str], words: Iterable[str]) -> None:
        self._words = sorted(f"/{word}" for word in words)
        self._readline = _readline()
        if self._readline is not None:
            self._readline.set_auto_history(False)
            self._readline.set_completer_delims(" \n")
            self._readline.set_completer(self._complete)
            self._readline.parse_and_bind("tab: complete")
            for text in earlier:
                self._readline.add_history(text)

    def read(self, draft: str = "") -> str:
        """Return what is written, with `draft` there to begin with.

        Raises:
            EOFError: There is no more.
            KeyboardInterrupt: The person wants to leave, and had written nothing.
        """
        while True:
            try:
                text = self._line(YOU, draft)
                if text.strip().startswith(QUOTES):
                    text = self._several(text.strip().removeprefix(QUOTES))
            except KeyboardInterrupt:
                sys.stdout.write("\n")
                if not self._typed():
                    raise
                self._remember(self._typed())
                sys.stdout.write("(not sent; the key for “up” brings it back, and ctrl+c again leaves)\n")
                draft = ""
                continue
            self._remember(text)
            if not sys.stdin.isatty():  # nobody has seen it
                sys.stdout.write(f"{printable(text)}\n")
            return text

    def _several(self, first: str) -> str:
        """Read until quotes end a line."""
        lines, line = [], first
        while not line.rstrip().endswith(QUOTES):
            lines.append(line)
            line = self._line(_MORE)
        lines.append(line.rstrip().removesuffix(QUOTES))
        return "\n".join(lines).strip("\n")

    def _line(self, prompt: str, draft: str = "") -> str:
        readline = self._readline
        if readline is None:
            return input(prompt)
        readline.set_startup_hook((lambda: readline.insert_text(draft)) if draft else None)
        try:
            return input(prompt)
        finally:
            readline.set_startup_hook(None)

    def _typed(self) -> str:
        return str(self._readline.get_line_buffer()).strip() if self._readline is not None else ""

    def _remember(self, text: str) -> None:
        if self._readline is not None and text.strip():
            self._readline.add_history(text)

    def _complete(self, text: str, state: int) -> str | None:
        found = [word for word in self._words if word.startswith(text)] if text.startswith("/") else []
        return f"{found[state]} " if state < len(found) else None


def _readline() -> ModuleType | None:
    """The library that edits lines, where there is a terminal to edit them on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    with contextlib.suppress(ImportError):
        import readline

        return readline
    return None
