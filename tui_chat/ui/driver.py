"""Textual's terminal driver, except that a lone Esc is told when it is due.

Textual 8.2.8 looks only every tenth of a second whether an ESC was a key of its own or the beginning of
another key's sequence. Esc stops the model here, so that tenth is most of the time to silence.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder
from contextlib import suppress

from textual._parser import ParseError
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui_chat.ui.ground import GroundTold, Listener

IDLE_S = 0.1
"""How often to look whether the program ends, as Textual does."""


class PromptDriver(LinuxDriver):
    """Reads the terminal like `LinuxDriver`, waiting no longer than an unfinished sequence is given."""

    def run_input_thread(self) -> None:
        """Read input and dispatch events until told to end; replaces the method of the same name."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")().decode
        listener = Listener()
        with selectors.SelectSelector() as selector, suppress(EOFError, ParseError):
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                readable = selector.select(_patience(parser))
                text = decode(os.read(self.fileno, 4096)) if readable else ""
                text = self._without_answers(text, listener)
                if text:
                    for message in parser.feed(text):
                        self.process_message(message)
                elif readable:
                    self.exit_event.wait(IDLE_S)  # input has ended; it stays readable
                for message in parser.tick():
                    self.process_message(message)
            for _ in parser.feed(""):
                pass

    def _without_answers(self, text: str, listener: Listener) -> str:
        """Return what was typed; what the terminal told of its ground goes to the app."""
        if not text:
            return listener.give_up()
        known, typed = listener.told, listener.feed(text)
        if listener.told is not known and listener.told is not None:
            self.process_message(GroundTold(listener.told))
        return typed


def _patience(parser: XTermParser) -> float:
    due = parser._timeout_time  # there is no public way to know; the tests press Esc
    return IDLE_S if due is None else min(IDLE_S, max(0.0, due - get_time()))
