"""The header of a model that is not here yet: enough of the file to say what it would cost."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tui_chat.library.download import Remote, download
from tui_chat.library.progress import Progress
from tui_chat.memory.gguf import GgufError, read_file

_STEPS = tuple(mib << 20 for mib in (2, 8, 24, 64))
"""Bytes to have after each request. A header has 2 to 16 MiB, nearly all of it vocabulary."""
_MAGIC = b"GGUF"


@contextmanager
def fetch_header(remote: Remote, name: str, cancel: threading.Event | None = None) -> Iterator[Path]:
    """Give a file called `name` that has the header of `remote` and is as long, with a hole for the weights.

    Whatever reads a header reads it as if the model were here; it takes a few MiB of the line and of
    the disk, and is gone with the block.

    Raises:
        FetchError: The server did not give it.
        GgufError: It is no GGUF file, or its header has more than 64 MiB.
    """
    progress = Progress(lambda *_: None, cancel or threading.Event())
    with tempfile.TemporaryDirectory(prefix="tui-chat-header-") as folder:
        path = Path(folder, name)
        with path.open("w+b") as file:
            _fetch(remote, path, file, progress)
            # A hole where the weights would be, so that a reader finds the file complete.
            file.truncate(remote.size)
        yield path


def _fetch(remote: Remote, path: Path, file: BinaryIO, progress: Progress) -> None:
    for have in _STEPS:
        download(remote, file, progress, "Reading the header", until=have)
        file.flush()
        try:
            read_file(path, complete=False)
        except GgufError:
            enough = os.fstat(file.fileno()).st_size >= remote.size or have == _STEPS[-1]
            if enough or not _promising(file):
                raise
        else:
            return


def _promising(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(len(_MAGIC)) == _MAGIC
