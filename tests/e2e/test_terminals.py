"""Old terminals, few colours, none, and locales without UTF-8: what really reaches the terminal."""

from __future__ import annotations

import re

import pytest

from tests.e2e.tmux import TUI_CHAT, Tmux
from tests.homes import Home

COLOURS = re.compile(r"\x1b\[[\d;:]*?(?<!\d)(3[0-8]|4[0-8]|9[0-7]|10[0-7])(?!\d)[\d;:]*m")
RICH = re.compile(r"[34]8[;:][25]")


def _seen(chat: Tmux) -> str:
    """The help and the list of themes, with their escape sequences."""
    chat.wait("no model")
    chat.keys("F1")
    chat.wait("esc close")
    seen = chat._tmux("capture-pane", "-p", "-e")
    chat.keys("F1")
    chat.wait_gone("esc close")
    chat.keys("C-p")
    chat.wait("what you want to do")
    chat.type("change the theme")
    chat.wait("Change the theme")
    chat.keys("Enter")
    chat.wait("read anew")
    return seen + chat._tmux("capture-pane", "-p", "-e")


@pytest.mark.parametrize(
    ("term", "environ", "colours", "ascii_only"),
    [
        ("linux", (), "few", True),
        ("vt100", (), "none", True),
        ("screen", ("LANG=en_GB.UTF-8",), "few", False),
        ("tmux-256color", ("NO_COLOR=", "LANG=en_GB.UTF-8"), "none", False),
        ("tmux-256color", ("LC_ALL=C",), "many", True),
    ],
)
def test_a_terminal_gets_only_what_it_has(
    empty_home: Home, term: str, environ: tuple[str, ...], colours: str, ascii_only: bool
) -> None:
    program = ("env", "-u", "LC_ALL", "-u", "LC_CTYPE", "-u", "COLORTERM", *environ, TUI_CHAT)
    with Tmux(program=program, term=term) as chat:
        seen = _seen(chat)
        if colours == "none":
            assert not COLOURS.search(seen)
        elif colours == "few":
            assert COLOURS.search(seen)
            assert not RICH.search(seen)
        else:
            assert RICH.search(seen)
        assert seen.isascii() == ascii_only
        chat.keys("Escape")
        chat.wait_gone("read anew")
        chat.keys("C-q")
        chat.wait_exit()


def test_colours_can_be_chosen_by_hand_and_a_dumb_terminal_is_refused(empty_home: Home) -> None:
    with Tmux("--color", "none", term="xterm-256color") as chat:
        chat.wait("no model")
        assert not COLOURS.search(chat._tmux("capture-pane", "-p", "-e"))
    with Tmux(term="dumb") as chat:
        chat.wait_exit()
        told = chat._tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "m")
        assert "tui-chat --plain" in told
        assert "tui-chat ask" in told
