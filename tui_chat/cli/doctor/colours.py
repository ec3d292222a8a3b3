"""How many colours the terminal is believed to have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui_chat.cli.doctor.finding import Finding, note, ok
from tui_chat.ui.reach.kinds import inside

SUBJECT = "colours"
_NONE = ("vt", "dumb", "xterm-mono")
_FEW = ("linux", "ansi", "cons25", "screen", "xterm", "rxvt")
"""Names without “256color” whose terminals promise no more than 16."""


def check(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Say what is shown, and what would make it more."""
    term = environ.get("TERM", "")
    if "NO_COLOR" in environ:
        yield note(SUBJECT, "NO_COLOR is set, so none are used.", "Unset it for colours.")
    elif not term or term.startswith(_NONE):
        yield note(SUBJECT, f"A terminal called “{term}” has none; marks and words say everything.")
    elif environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        yield ok(SUBJECT, "16 million (COLORTERM says so).")
    elif "256color" in term:
        yield from _many(environ)
    elif term in _FEW:
        yield note(
            SUBJECT,
            f"16, as a terminal called {term} promises no more.",
            f"If it has more, set TERM={term}-256color" if term != "linux" else "",
        )
    else:
        yield ok(SUBJECT, f"As many as a terminal called {term} has.")


def _many(environ: Mapping[str, str]) -> Iterator[Finding]:
    what = "256, as TERM says; COLORTERM, which would say that there are 16 million, is not set."
    if inside(environ).ssh:
        yield note(
            SUBJECT,
            what,
            "ssh does not bring it along: export COLORTERM=truecolor if your terminal has them.",
        )
    else:
        yield ok(SUBJECT, what)
