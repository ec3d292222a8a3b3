"""What stands between us and the person, and how to get sequences through it: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

SCREEN_CHUNK = 700
"""Characters that GNU screen passes on at once; its limit is 768."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_LONGEST = 120


class Inside(msgspec.Struct, frozen=True):
    """Which multiplexers are on the way. Of those at the other end of an SSH line only the last is known."""

    tmux: bool = False
    screen: bool = False
    ssh: bool = False
    far_tmux: bool = False
    """Whether this is an SSH line out of a tmux at the other end."""


def inside(environ: Mapping[str, str]) -> Inside:
    """Say what we run inside of."""
    term = environ.get("TERM", "")
    tmux, screen = bool(environ.get("TMUX")), bool(environ.get("STY"))
    ssh = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    far = not tmux and not screen
    return Inside(
        tmux,
        screen or (far and term.startswith("screen")),
        ssh,
        far and term.startswith(("tmux", "screen")),
    )


class Tmux(msgspec.Struct, frozen=True):
    """What the tmux we are in has told of itself and of the terminal it is shown on."""

    set_clipboard: str = ""
    passthrough: str = ""
    term: str = ""
    features: tuple[str, ...] = ()
    watched: bool = True
    """Whether somebody is attached who has our window before them."""

    @property
    def passes(self) -> bool:
        """Whether it passes on what is wrapped for it."""
        return self.passthrough in ("on", "all")


def clean(text: str, longest: int = _LONGEST) -> str:
    """Make a text harmless inside a sequence: no control characters, nothing that turns its direction."""
    text = _CONTROLS.sub(" ", text).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def for_tmux(sequence: str) -> str:
    """Wrap a sequence so that tmux passes it on to its own terminal."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def for_screen(sequence: str) -> str:
    """Wrap a sequence so that GNU screen passes it on, in pieces that it takes."""
    body = sequence.replace("\x1b\\", "\x07")
    pieces = (body[at : at + SCREEN_CHUNK] for at in range(0, len(body), SCREEN_CHUNK))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def has_titles(environ: Mapping[str, str]) -> bool:
    """Whether the terminal has a title; the consoles of Linux and VT100 would print it."""
    return not environ.get("TERM", "").startswith(("linux", "vt", "dumb", "cons"))


PUSH_TITLE = "\x1b[22;2t"
POP_TITLE = "\x1b]2;\x1b\\\x1b[23;2t"
"""Clears the title where nothing was pushed, because the terminal keeps none."""


def set_title(text: str) -> str:
    """Set the title of the window."""
    return f"\x1b]2;{clean(text)}\x1b\\"
