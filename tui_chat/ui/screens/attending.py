"""What the chat does about the terminal it is in: title, notifications, and a line that is slow."""

from __future__ import annotations

import os
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer

from tui_chat.ui import bandwidth
from tui_chat.ui.attention import Attention, Sight, window_title
from tui_chat.ui.output.app import PaintedApp
from tui_chat.ui.reach.kinds import set_title
from tui_chat.ui.screens.arranging import ArrangingActions

if TYPE_CHECKING:
    from tui_chat.config.settings import UiSettings

TICK_S = 0.4
"""How often times, speeds and ETAs on the status line are brought up to date."""

SLOW_TICK_S = 1.0
"""The same on a slow line."""


class AttendingActions(ArrangingActions):
    """The actions of a screen that fills a terminal."""

    _settings: UiSettings
    _ticking: Timer | None = None
    _told_slow = False
    _window_title = ""

    @property
    def terminal(self) -> PaintedApp:
        """The app that has the terminal."""
        assert isinstance(self.app, PaintedApp)
        return self.app

    # The line

    def stream_fps(self) -> float:
        """How often streamed text is painted per second."""
        if self.terminal.line.slow:
            return bandwidth.paints(self.terminal.line)
        return self._settings.stream_fps or (15 if os.environ.get("SSH_CONNECTION") else 30)

    def tick(self) -> None:
        """Bring what tells the time up to date now and then; less often on a slow line."""
        every = SLOW_TICK_S if self.terminal.line.slow else TICK_S
        if self._ticking is not None:
            self._ticking.stop()
        self._ticking = self.set_interval(every, self._presenter.refresh)

    def show_line(self) -> None:
        """Paint as the line allows from now on, and say so once."""
        line = self.terminal.line
        self.transcript.pace(self.stream_fps())
        self.prompt.cursor_blink = not line.slow
        self._presenter.facts.line = bandwidth.fact(line)
        if self._ticking is not None:
            self.tick()
            self._presenter.refresh()
        if line.slow and line.forced is None and not self._told_slow:
            self._told_slow = True
            self.note(f"{bandwidth.fact(line)}; tokens come as fast as ever")

    # The window, and whoever looks elsewhere

    @cached_property
    def _attention(self) -> Attention:
        return Attention(self._settings.notify_after_s)

    def attend(self) -> None:
        """Write the title of the window, and tell of a long answer that has ended."""
        conversation = self._conversation
        if conversation is None:
            return
        session, live = conversation.session, conversation.live
        sight = Sight(
            session.id,
            session.title,
            conversation.ephemeral,
            live.id if live else None,
            live.started if live else 0.0,
        )
        title = window_title(sight)
        if self._settings.title and title != self._window_title and self.terminal.has_title:
            self._window_title = title
            self.terminal.to_terminal(set_title(title))
        if self._attention.ended(sight, monotonic()):
            self._announce(sight.title, sight.ephemeral)

    @work(group="announcing")
    async def _announce(self, title: str, ephemeral: bool) -> None:
        from tui_chat.ui.reach import notifying
        from tui_chat.ui.reach.kinds import inside
        from tui_chat.ui.reach.tmux import ask_tmux

        tmux = await ask_tmux()
        self.terminal.to_terminal(
            notifying.announce(
                notifying.words(title, ephemeral=ephemeral),
                self._settings.notify,
                attended=self.terminal.attended,
                code=notifying.desktop_code(os.environ, tmux),
                around=inside(os.environ),
                tmux=tmux,
            )
        )
