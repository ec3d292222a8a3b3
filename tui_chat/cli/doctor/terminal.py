"""The terminal: what it is called, how large it is, what it runs inside of, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from tui_chat.cli.doctor.finding import Finding, note, ok, wrong
from tui_chat.ui.reach.kinds import inside

SUBJECT = "terminal"
COLUMNS, ROWS = 80, 24
"""The size from which on everything has its place."""
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")


class Seen(msgspec.Struct, frozen=True):
    """What was found out of the terminal that we run in.

    Attributes:
        size: Columns and rows; None where it does not tell.
        known: Whether this machine has a description of terminals called so (terminfo).
        answers: What it answered when it was asked; None: it was not asked.
    """

    size: tuple[int, int] | None = None
    known: bool = True
    answers: tuple[str, ...] | None = None


def check(environ: Mapping[str, str], seen: Seen | None) -> Iterator[Finding]:
    """Judge the terminal; `seen` is None where there is none, as behind a pipe or in cron."""
    if seen is None:
        yield note(
            SUBJECT,
            "There is no terminal here (a pipe, a service or cron), so it cannot be looked at.",
            "Run `tui-chat doctor` in the terminal that you chat in.",
        )
        yield from _locale(environ)
        return
    yield from _name(environ, seen)
    yield from _size(seen)
    yield from _locale(environ)
    yield from _around(environ)
    if seen.answers:
        yield ok(SUBJECT, f"It answers when it is asked: {', '.join(seen.answers)}.")
    elif seen.answers is not None:
        yield note(
            SUBJECT,
            "It answers no questions, so its background and its keys are not known.",
            "Choose a theme that suits its background: tui-chat config set ui.theme NAME",
        )


def _name(environ: Mapping[str, str], seen: Seen) -> Iterator[Finding]:
    term = environ.get("TERM", "")
    if term in ("", "dumb"):
        what = "TERM is “dumb”" if term else "TERM is not set"
        yield wrong(
            SUBJECT,
            f"{what}: such a terminal cannot move its cursor, which the chat needs.",
            "If it can, set TERM to what it is, such as xterm-256color. If not: tui-chat --plain",
        )
    elif not seen.known:
        yield note(
            SUBJECT,
            f"TERM is {term}, which this machine has no description of; editors and pagers may refuse it.",
            "Install ncurses-term, or set TERM to a relative of it, such as xterm-256color.",
        )
    else:
        yield ok(SUBJECT, f"TERM is {term}.")


def _size(seen: Seen) -> Iterator[Finding]:
    if seen.size is None or 0 in seen.size:
        yield note(SUBJECT, "It does not tell its size.", f"stty cols {COLUMNS} rows {ROWS} tells it.")
        return
    columns, rows = seen.size
    if columns < COLUMNS or rows < ROWS:
        yield note(
            SUBJECT,
            f"It has {columns} columns and {rows} rows, fewer than {COLUMNS} by {ROWS}; lines are cut off.",
            "Make its window larger, or its letters smaller.",
        )
    else:
        yield ok(SUBJECT, f"It has {columns} columns and {rows} rows.")


def _locale(environ: Mapping[str, str]) -> Iterator[Finding]:
    name = next((name for name in _LOCALE if environ.get(name)), "")
    value = environ.get(name, "")
    if value.lower().replace("-", "").endswith("utf8"):
        yield ok(SUBJECT, f"Letters of all languages come through ({name} is {value}).")
        return
    what = f"{name} is {value}" if name else "No locale is set (LANG, LC_ALL)"
    yield note(
        SUBJECT,
        f"{what}, which is not UTF-8: tmux, editors and ssh may garble other letters than English ones.",
        "export LC_ALL=C.UTF-8",
    )


def _around(environ: Mapping[str, str]) -> Iterator[Finding]:
    around = inside(environ)
    far = around.far_tmux and not around.tmux
    places = [
        name
        for name, there in (
            ("tmux", around.tmux),
            ("GNU screen", around.screen and not far),
            ("a tmux or screen at your end", far),
            ("SSH", around.ssh),
        )
        if there
    ]
    if places:
        yield ok(SUBJECT, f"It runs inside {' and '.join(places)}.")
