"""The keys: what of `[keys]` in the settings cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.cli.doctor.finding import Finding, ok, wrong
from tui_chat.config.keys import KeySettings
from tui_chat.ui.commands import COMMANDS
from tui_chat.ui.keymap import keymap_of

SUBJECT = "keys"


def check(settings: KeySettings) -> Iterator[Finding]:
    """Judge the keys in force."""
    keymap = keymap_of(settings)
    for fault in keymap.faults:
        yield wrong(
            SUBJECT, f"{fault}.", "`tui-chat keys` lists ids and keys; `tui-chat config edit` changes them."
        )
    if not keymap.faults:
        changed = f", {len(settings.bind)} of them bound by you" if settings.bind else ""
        yield ok(SUBJECT, f"{len(COMMANDS)} commands, the {settings.set.value} set{changed}.")
