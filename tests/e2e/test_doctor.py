"""`tui-chat doctor` in real terminals: what tmux does with copied text, and what a dumb one is told."""

from __future__ import annotations

import re

from tests.e2e.tmux import TUI_CHAT, Tmux
from tests.homes import Home

DOCTOR = ("sh", "-c", f"{TUI_CHAT} doctor; echo left with $?")


def _told(terminal: Tmux) -> str:
    return re.sub(r"\s+", " ", terminal.wait(r"left with \d"))


def test_inside_tmux(home: Home) -> None:
    with Tmux(program=DOCTOR, columns=120, rows=50) as terminal:
        screen = _told(terminal)
        assert "It has 120 columns and 50 rows." in screen
        assert "It runs inside tmux." in screen
        assert "It answers when it is asked: what it is" in screen
        assert "Copied text goes through tmux, to the terminal." in screen
        assert "16 million." in screen
        assert "left with 0" in screen


def test_a_dumb_terminal_is_pointed_to_lines(home: Home) -> None:
    with Tmux(program=DOCTOR, columns=100, rows=50, term="dumb") as terminal:
        screen = _told(terminal)
        assert "tui-chat --plain" in screen
        assert "left with 1" in screen
