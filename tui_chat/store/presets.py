"""The person's own presets on disk: whole files, of which none is replaced unless that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import tomli_w

from tui_chat.chat.model import ProblemCode
from tui_chat.config.presets import Preset
from tui_chat.store.errors import StoreError, disk_problem
from tui_chat.store.files import make_folder, sweep_temporaries, write_atomic

_NAME_LENGTH = 60


def keep_preset(folder: Path, preset: Preset, replacing: Path | None = None) -> Path:
    """Write `preset` into `folder`, or into the file that it is `replacing`; return that file.

    A new one gets a name that no file has, so that nothing is lost, not even what could not be read.

    Raises:
        StoreError: The disk refused; what was there is as it was.
    """
    file = replacing or folder
    try:
        make_folder(folder)
        sweep_temporaries(folder)
        file = replacing or _free(folder, preset.name)
        raw = msgspec.to_builtins(preset)
        write_atomic(file, tomli_w.dumps(raw, multiline_strings=True).encode("utf-8", "replace"))
    except OSError as error:
        kept = "Nothing that was there has changed."
        raise StoreError(
            disk_problem(ProblemCode.SAVE_FAILED, "saving the preset", file, error, kept=kept)
        ) from error
    return file


def _free(folder: Path, name: str) -> Path:
    """A file for a preset called `name`, with a number where another one is there."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:_NAME_LENGTH] or "preset"
    file, number = folder / f"{stem}.toml", 1
    while file.exists() or file.is_symlink():
        number += 1
        file = folder / f"{stem}-{number}.toml"
    return file
