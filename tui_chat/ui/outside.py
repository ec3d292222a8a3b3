"""The person's own editor, in the place of the chat until it is left."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from textual.app import App

_USUAL = ("nano", "micro", "vim", "vi", "emacs")
"""Looked for where neither $VISUAL nor $EDITOR says which."""


class EditorError(Exception):
    """No text came back from an editor; the message says why and what to do."""


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """Return the words that start the person's editor. Raises `EditorError`."""
    for name in ("VISUAL", "EDITOR"):
        if said := environ.get(name, "").strip():
            try:
                words = shlex.split(said)
            except ValueError as error:
                raise EditorError(f"${name} cannot be understood ({error}): {said}") from error
            if not words or shutil.which(words[0]) is None:
                raise EditorError(f"{said} is no editor that is there: set {name}, as in {name}=nano")
            return words
    found = next((each for each in _USUAL if shutil.which(each)), None)
    if found is None:
        raise EditorError("there is no editor: set EDITOR, as in EDITOR=nano")
    return [found]


async def edit_outside(app: App[Any], text: str, suffix: str = ".md") -> str:
    """Have `text` changed in the person's editor, and return it as it is then.

    It lies in a folder that only this user can read, and is deleted with it.

    Raises:
        EditorError: The editor cannot be started or failed, or the file cannot be read afterwards.
    """
    command = editor_command(os.environ)
    name = Path(command[0]).name
    with tempfile.TemporaryDirectory(prefix="tui-chat-") as folder:
        file = Path(folder) / f"message{suffix}"
        try:
            await asyncio.to_thread(file.write_text, text, encoding="utf-8")
            status = await _run([*command, str(file)], app)
            changed = await asyncio.to_thread(file.read_text, encoding="utf-8")
        except FileNotFoundError as error:
            raise EditorError(f"{name} left no file; the text is as it was") from error
        except UnicodeDecodeError as error:
            raise EditorError(f"{name} left a file that is no UTF-8; the text is as it was") from error
        except OSError as error:
            raise EditorError(f"{name}: {error.strerror or error}") from error
        except SuspendNotSupported as error:
            raise EditorError("this terminal cannot be lent to an editor") from error
    if status != 0:
        raise EditorError(f"{name} ended with status {status}; the text is as it was")
    return changed if text.endswith("\n") else changed.removesuffix("\n")


async def _run(command: list[str], app: App[Any]) -> int:
    """Lend the terminal to a program until it ends; return its status. Raises as starting it does."""
    failed: OSError | None = None
    status = 0
    with app.batch_update(), _unmoved_by_interrupts(), app.suspend():
        # Nothing may escape from in here: Textual would leave the terminal as it is.
        try:
            process = await asyncio.create_subprocess_exec(*command)
            status = await process.wait()
        except OSError as error:
            failed = error
    app.screen.refresh()
    if failed is not None:
        raise failed
    return status


@contextmanager
def _unmoved_by_interrupts() -> Iterator[None]:
    """Leave ctrl+c to the editor, which the terminal tells of it as it tells us."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
