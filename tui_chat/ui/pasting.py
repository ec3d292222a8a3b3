"""Reads what a terminal sends, with each paste whole, whatever stands in it.

Textual 8.2.8 looks for keys in what is pasted: up to 32 characters after an escape character are typed
instead, ahead of the paste, and a line end among them is enter, which sends.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual._xterm_parser import XTermParser
from textual.message import Message

START, END = "\x1b[200~", "\x1b[201~"
_TORN = len(START) - 1
"""Characters of a mark that may have come with an earlier piece."""


class PasteParser(XTermParser):
    """Textual's parser, which sees the marks around a paste but not what is between them."""

    def __init__(self) -> None:
        super().__init__()
        self._before = ""
        self._pasted: list[str] | None = None

    def feed(self, data: str) -> Iterable[Message]:
        """Yield what `data`, a piece of any size, completes; an empty one ends all."""
        if not data:
            yield from super().feed("")
        while data:
            seen = self._before + data
            at = seen.find(START if self._pasted is None else END)
            ends = at + len(START) - len(self._before)
            piece, data = (data, "") if at < 0 else (data[:ends], data[ends:])
            self._before = seen[-_TORN:] if at < 0 else ""
            if self._pasted is None:
                yield from super().feed(piece)
                self._pasted = [] if at >= 0 else None
            else:
                self._pasted.append(piece)
                if at >= 0:
                    yield from self._end("".join(self._pasted).removesuffix(END))

    def _end(self, text: str) -> Iterable[Message]:
        self._pasted = None
        yield from (each for each in super().feed(END) if not isinstance(each, events.Paste))
        yield events.Paste(text.replace("\x00", ""))  # as Textual does
