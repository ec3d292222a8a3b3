"""Telling somebody who looks elsewhere that an answer is there: pure."""

from __future__ import annotations

from collections.abc import Mapping

from tui_chat.config.settings import Notify
from tui_chat.ui.reach.kinds import Inside, Tmux, clean, for_screen, for_tmux

BELL = "\x07"

_BY_PROGRAM = {"iTerm.app": "9", "iTerm2": "9", "WezTerm": "9", "ghostty": "9", "rio": "9"}
_BY_TERM = {"xterm-kitty": "99", "xterm-ghostty": "9", "wezterm": "9", "foot": "777", "rxvt-unicode": "777"}


def desktop_code(environ: Mapping[str, str], tmux: Tmux | None) -> str:
    """Name the OSC by which this terminal notifies, empty if it is not known to."""
    if tmux is not None:
        return _by_term(tmux.term)
    programs = (environ.get("TERM_PROGRAM", ""), environ.get("LC_TERMINAL", ""))
    found = next((_BY_PROGRAM[name] for name in programs if name in _BY_PROGRAM), "")
    return found or _by_term(environ.get("TERM", "")) or ("777" if environ.get("VTE_VERSION") else "")


def _by_term(term: str) -> str:
    return next((code for name, code in _BY_TERM.items() if term.startswith(name)), "")


def words(title: str, *, ephemeral: bool) -> str:
    """Say which chat was answered, never what; of one that is kept nowhere, not even which."""
    name = clean(title, 60)
    return "tui-chat: answer ready" if ephemeral or not name else f"tui-chat: answer ready in {name}"


def announce(
    text: str, how: Notify, *, attended: bool | None, code: str, around: Inside, tmux: Tmux | None
) -> str:
    """Write what tells of an answer, empty if nobody needs to be told.

    Args:
        text: What to say.
        how: What the person wants.
        attended: Whether the terminal has the focus; None where it does not say.
        code: By which OSC the terminal notifies, if it does.
        around: What we run inside of.
        tmux: What the tmux we are in has told.
    """
    elsewhere = tmux is not None and not tmux.watched
    if how is Notify.OFF or (attended and not elsewhere):
        return ""
    away = attended is False or elsewhere
    note = _desktop(text, code, around, tmux) if away and how is not Notify.BELL else ""
    flags = away and (not note or around.tmux)  # the bell is what marks a window of tmux
    bell = how is Notify.BELL or (how is Notify.AUTO and flags)
    return note + BELL * bell


def _desktop(text: str, code: str, around: Inside, tmux: Tmux | None) -> str:
    text = clean(text)
    match code:
        case "9":
            note = f"\x1b]9;{text}\x07"
        case "99":
            note = f"\x1b]99;;{text}\x1b\\"
        case "777":
            note = f"\x1b]777;notify;tui-chat;{text.removeprefix('tui-chat: ').replace(';', ',')}\x07"
        case _:
            return ""
    if around.tmux:
        return for_tmux(note) if tmux is not None and tmux.passes else ""
    return for_screen(note) if around.screen else note
