"""Copying: by OSC 52 and by every tool there is, and saying truly which way took the text."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

import msgspec

from tui_chat.ui.reach.kinds import Inside, Tmux, for_screen, for_tmux, inside
from tui_chat.ui.reach.tmux import ask_tmux
from tui_chat.ui.reach.tools import copy_natively

LARGEST = 74_994
"""Bytes that every terminal with OSC 52 takes: 100,000 characters once they are encoded."""

TMUX_CONF = "put `set -g set-clipboard on` into tmux.conf"


class Verdict(msgspec.Struct, frozen=True):
    """Whether copied text can be expected on the clipboard, how it gets there, and what to change if not."""

    reaches: bool
    way: str
    remedy: str = ""


def diagnose(around: Inside, tmux: Tmux | None, tools: tuple[str, ...], size: int = 0) -> Verdict:
    """Say where copied text of `size` bytes ends up.

    Args:
        around: What we run inside of.
        tmux: What the tmux we are in has told, if it has told anything.
        tools: The programs that took the text.
        size: Bytes of the text.
    """
    desktop = [tool for tool in tools if tool != "tmux"]
    if desktop:
        return Verdict(True, f"through {desktop[0]}")
    if size > LARGEST:
        in_tmux = "tmux keeps it (paste with prefix ]), but it is" if "tmux" in tools else "it is"
        return Verdict(False, f"{in_tmux} too long for the clipboard of a terminal")
    if around.tmux:
        return _through_tmux(tmux, took="tmux" in tools)
    if around.far_tmux:
        return Verdict(
            True, "to the terminal, through the tmux at your end", f"if it does not arrive there: {TMUX_CONF}"
        )
    return Verdict(True, "to the terminal, through GNU screen" if around.screen else "to the terminal")


def _through_tmux(tmux: Tmux | None, *, took: bool) -> Verdict:
    if tmux is None:
        return Verdict(took, "to tmux" if took else "tmux does not answer", "" if took else TMUX_CONF)
    if tmux.features and "clipboard" not in tmux.features:
        remedy = f"put `set -as terminal-features '{tmux.term}:clipboard'` into tmux.conf"
        return Verdict(False, "tmux keeps it (paste with prefix ]) and does not pass it on", remedy)
    if took or tmux.set_clipboard == "on":
        return Verdict(True, "through tmux, to the terminal")
    if tmux.passes:
        return Verdict(True, "past tmux, to the terminal")
    return Verdict(False, f"tmux drops it (set-clipboard is {tmux.set_clipboard})", TMUX_CONF)


def sequences(text: str, around: Inside, tmux: Tmux | None = None) -> str:
    """Write `text` for the terminal's clipboard in every form that may get through; empty if too long."""
    raw = text.encode("utf-8", "replace")
    if len(raw) > LARGEST:
        return ""
    plain = f"\x1b]52;c;{base64.b64encode(raw).decode()}\x07"
    out = plain
    if tmux is not None and tmux.passes and tmux.set_clipboard != "on":
        out += for_tmux(plain)
    if around.screen:
        out += for_screen(plain)
    elif around.far_tmux:
        out += for_tmux(plain)
    return out


async def copy(text: str, environ: Mapping[str, str] | None = None) -> tuple[str, Verdict]:
    """Give `text` to every tool; returns what to send the terminal besides, and what to say."""
    environ = os.environ if environ is None else environ
    around = inside(environ)
    tools = await copy_natively(text, environ)
    tmux = await ask_tmux(environ) if around.tmux else None
    reach = "" if tmux is not None and "tmux" in tools else sequences(text, around, tmux)
    return reach, diagnose(around, tmux, tools, len(text.encode("utf-8", "replace")))
