"""The settings: every slip with its line."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.cli.config.names import unknown
from tui_chat.cli.doctor.finding import Finding, ok, wrong
from tui_chat.config.presets import find_presets
from tui_chat.config.reading import Reading

SUBJECT = "settings"


def check(reading: Reading) -> Iterator[Finding]:
    """Judge the file of the settings, and the environment that overrules it."""
    rest = "the defaults hold" if reading.broken else "all else of it holds"
    for told in reading.told:
        yield wrong(SUBJECT, f"{told.removesuffix('.')}; {rest}.", "Correct it: tui-chat config edit")
    names = list(unknown(reading))
    for told in names:
        yield wrong(SUBJECT, told, "Correct it: tui-chat config edit")
    if not reading.told and not names:
        there = "is in order" if reading.data is not None else "is not there, and need not be"
        yield ok(SUBJECT, f"{reading.file} {there}.")


def check_presets() -> Iterator[Finding]:
    """Say which presets cannot be read."""
    for problem in find_presets().problems:
        yield wrong(SUBJECT, problem.what, problem.remedy)
