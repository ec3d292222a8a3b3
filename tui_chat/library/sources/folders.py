"""Our own models folder, and the folders that the settings name: whatever is below them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tui_chat.library.files import models_below
from tui_chat.library.sources.found import Found
from tui_chat.wire.api import ModelSource

_HASH = re.compile(r"(sha256[-_:])?[0-9a-f]{32,}", re.IGNORECASE)
_NAMELESS = re.compile(r"(ggml-)?model([-_.](i?q\d\w*|b?f(16|32)|tq\d_0))?", re.IGNORECASE)


def find_below(folder: Path, source: ModelSource) -> Iterator[Found]:
    """Find the models below `folder`."""
    for files in models_below(folder):
        stem = files[0].stem
        yield Found(files, source, (stem,), makeshift=says_little(stem))


def says_little(stem: str) -> bool:
    """Whether a file's name is only a hash, or only says that it is a model."""
    return bool(_HASH.fullmatch(stem) or _NAMELESS.fullmatch(stem))
