"""Textual's terminal driver, with what we need of a terminal beyond that.

* A lone Esc is told when it is due: Textual 8.2.8 looks only every tenth of a second whether an ESC was a key
  of its own or the beginning of another key's sequence, and Esc stops the model here.
* A burst of resizes is one resize, told when it is over.
* Everything that was asked of the terminal is taken back when it is left, for good or for the shell.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from typing import Any

from textual import events
from textual._parser import ParseError
from textual._time import get_time
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.keys import Keys
from textual.message import Message

from tui_chat.ui import terminal
from tui_chat.ui.ground import GroundTold, Listener
from tui_chat.ui.output.outlet import Outlet
from tui_chat.ui.output.painter import ASK, Painter
from tui_chat.ui.pasting import PasteParser
from tui_chat.ui.resizing import Settled

IDLE_S = 0.1
"""How often to look whether the program ends, as Textual does."""

FAREWELL_S = 1.0
"""How long a terminal that has answered so far may take to answer a last time."""

ANSWER = "\x1b[0n"
"""What a terminal says to `ASK`."""


class PromptDriver(LinuxDriver):
    """Reads the terminal like `LinuxDriver`, waiting no longer than an unfinished sequence is given."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take the terminal that Textual's driver takes."""
        super().__init__(*arguments, **options)
        assert sys.__stderr__ is not None
        self._outlet = Outlet(sys.__stderr__.fileno(), sys.__stderr__.encoding, self._told)
        self._file = self._outlet  # type: ignore[assignment]
        self.painter: Painter | None = None
        self._answered = threading.Event()
        self._asked = self._heard = 0
        self._resizes = Settled(self._loop, self._send_resize)
        self._left = True
        self.after_start = ""
        """What to write when the terminal was taken."""
        self.before_stop = ""
        """What to write before the terminal is left."""

    # Taking and leaving the terminal

    def start_application_mode(self) -> None:
        """Take the terminal, unless we are in the background."""
        self._writer_thread = None
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is None:
            return  # stopped once more, because another job has the terminal
        self._left = False
        signal.signal(signal.SIGWINCH, lambda *_: self._loop.call_soon_threadsafe(self._look_at_size))
        if terminal.wants_modified_keys():
            self.write(terminal.TELL_SHIFT_ENTER)
        self.write(self.after_start)
        if self.painter is not None:
            self._loop.call_soon_threadsafe(self.painter.start)

    def disable_input(self) -> None:
        """Stop reading, once the terminal has said all that it was asked to say."""
        if self.painter is not None:
            self.painter.stop()
        if not self._left and not self.exit_event.is_set():
            self._disable_mouse_support()
            self.write("\x1b[?1004l")
            self._fence()
        super().disable_input()

    def stop_application_mode(self) -> None:
        """Leave the terminal as it was found."""
        if self._left:
            return
        self.write(self.before_stop)
        if terminal.wants_modified_keys():
            self.write(terminal.TELL_SHIFT_ENTER_NO_MORE)
        super().stop_application_mode()
        self.write("\x1b[m")
        self._left = True

    def close(self) -> None:
        """Write what is left to write."""
        super().close()
        self._writer_thread = None

    @property
    def left(self) -> bool:
        """Whether the terminal is as it was found."""
        return self._left

    def write(self, data: str) -> None:
        """Write, unless the terminal has been left."""
        if data and self._writer_thread is not None:
            self._asked += data.count(ASK)
            super().write(data)

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse_pixels:
            self.write("\x1b[?1016l")

    def _fence(self) -> None:
        """Wait until the terminal has read all that was written; what it still sends can then be thrown away.

        Otherwise reports of the mouse that are on their way would be typed into the shell.
        """
        if self.painter is not None and self.painter.line.answers and not self._outlet.gone:
            self.write(ASK)
            until = monotonic() + FAREWELL_S
            while self._heard < self._asked and (left := until - monotonic()) > 0:
                self._answered.wait(left)
                self._answered.clear()

    # Stopped and continued by the shell

    def _sigtstp_application(self, *_: object) -> None:
        if not terminal.has_job_control():
            return
        if self._auto_restart:
            # Not here and now: whatever the signal has interrupted may hold the lock of the writer's queue.
            self._loop.call_soon_threadsafe(self._go_to_shell)
        else:  # an editor of ours has the terminal, and has been stopped with us
            os.kill(os.getpid(), signal.SIGSTOP)

    def _go_to_shell(self) -> None:
        if not self._left:
            self.suspend_application_mode()
            self._must_signal_resume = True
            os.killpg(0, signal.SIGSTOP)  # all of us, as ctrl+z does: the shell looks at the first of us

    def _sigcont_application(self, *_: object) -> None:
        if self._auto_restart:
            self._loop.call_soon_threadsafe(self._come_back)

    def _come_back(self) -> None:
        if not self._left:  # nobody told us before we were stopped: the shell has had the terminal meanwhile
            self.suspend_application_mode()
        self.resume_application_mode()

    # Resizes

    def _look_at_size(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._resizes.put(events.Resize(size, size))

    def _send_resize(self, event: events.Resize) -> None:
        if self.painter is not None:
            self.painter.resized(event.size)
        self.send_message(event)

    def process_message(self, message: Message) -> None:
        """Pass a message on; of many resizes only the last."""
        if isinstance(message, events.Resize):
            self._loop.call_soon_threadsafe(self._resizes.put, message)
        else:
            super().process_message(message)

    # What is read

    def run_input_thread(self) -> None:
        """Read input and dispatch events until told to end; replaces the method of the same name."""
        parser = _Parser(self._hear_answer)
        decode = getincrementaldecoder("utf-8")("replace").decode
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

    def _hear_answer(self) -> None:
        self._heard += 1
        self._answered.set()
        if self.painter is not None:
            self._loop.call_soon_threadsafe(self.painter.answered, monotonic())

    def _told(self, began: float, ended: float, size: int) -> None:
        if self.painter is not None:
            with suppress(RuntimeError):  # the loop may have ended
                self._loop.call_soon_threadsafe(self.painter.written, began, ended, size)


class _Parser(PasteParser):
    """Reads keys and pastes, and knows an answer to `ASK` from keys."""

    def __init__(self, answered: Callable[[], None]) -> None:
        super().__init__()
        self._answered = answered

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence == ANSWER:
            self._answered()
            return (events.Key(Keys.Ignore, sequence),)
        return super()._sequence_to_key_events(sequence, alt)


def _patience(parser: _Parser) -> float:
    due = parser._timeout_time  # there is no public way to know; the tests press Esc
    return IDLE_S if due is None else min(IDLE_S, max(0.0, due - get_time()))
