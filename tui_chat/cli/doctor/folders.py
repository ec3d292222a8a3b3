"""The folders: whether they can be written, how much room there is, and who else can look in."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from tui_chat.cli.doctor.finding import Finding, note, ok, wrong
from tui_chat.config.paths import Paths
from tui_chat.wire.words import size

SUBJECT = "folders"
SCARCE, LITTLE = 64 << 20, 2 << 30
"""Bytes below which writing is about to fail, and below which a model hardly fits."""


def check(paths: Paths) -> Iterator[Finding]:
    """Judge each folder; one that is not there yet by the place where it would be made."""
    good: list[str] = []
    for name in ("models", "sessions", "state", "logs", "cache", "runtime"):
        faults = list(_check(name, getattr(paths, name)))
        yield from faults
        if not faults:
            good.append(name)
    if good:
        yield ok(SUBJECT, f"Those for {', '.join(good)} can be written, and have room.")


def _check(name: str, folder: Path) -> Iterator[Finding]:
    """What there is to say of a folder."""
    change = f"Or have it elsewhere: tui-chat config set paths.{name} DIR"
    there = _existing(folder)
    if not there.is_dir():
        what = f"The folder for {name}, {folder}, cannot be: {there} is no folder."
        yield wrong(SUBJECT, what, f"Move that file away. {change}")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        what = f"The folder for {name}, {folder}, cannot be written to."
        yield wrong(SUBJECT, what, f"ls -ld {there} shows whose it is. {change}")
        return
    if name == "runtime" and there == folder and folder.stat().st_uid != os.getuid():
        yield wrong(
            SUBJECT, f"The folder of the engine's socket, {folder}, belongs to somebody else.", change
        )
        return
    if there == folder and name in ("sessions", "state", "logs"):
        yield from _seen_by_others(name, folder)
    free = shutil.disk_usage(there).free
    if free < SCARCE:
        yield wrong(SUBJECT, f"The disk of {folder} is full: {size(free)} are free.", f"Make room. {change}")
    elif free < LITTLE and name == "models":
        yield note(SUBJECT, f"{size(free)} are free for models in {folder}, which is little.", change)


def _existing(folder: Path) -> Path:
    """The folder, or else the nearest above it that is there."""
    return next(each for each in (folder, *folder.parents) if os.path.lexists(each))


def _seen_by_others(name: str, folder: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022:
        yield note(
            SUBJECT,
            f"Others can write to the folder for {name}, {folder} ({mode:04o}).",
            f"chmod 700 {folder}",
        )
    elif mode & 0o055:
        yield note(
            SUBJECT,
            f"Others can look into the folder for {name}, {folder} ({mode:04o}).",
            f"chmod 700 {folder}",
        )
