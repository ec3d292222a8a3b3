"""What the headers of model files say, kept on disk so that a file is read once.

A header costs milliseconds, and two hundred of them a second; looking here costs nothing. An entry
counts for a path only as long as the file's size and time of change are the same.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tui_chat import __version__
from tui_chat.chat.model import Problem
from tui_chat.library.files import ModelFile
from tui_chat.memory.gguf import GgufError, read_header

_FORMAT = 1
_MAX_BYTES = 64 << 20
_MAX_ENTRIES = 20_000


class FileFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a list of models wants to know of one GGUF file.

    Attributes:
        type: ``general.type``, such as ``model`` or ``adapter``.
        parameters: Number of weights in this file.
        trained_context: In tokens, 0 where the file does not say.
    """

    architecture: str
    type: str
    quant: str = ""
    parameters: int = 0
    trained_context: int = 0


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    size: int
    mtime_ns: int
    facts: FileFacts | None = None
    problem: Problem | None = None


class _Cache(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    version: str
    entries: dict[str, _Entry]


class Headers:
    """Reads headers through the cache in `file`; leaving the block writes what is new.

    A cache that is missing, damaged, foreign or of another version is empty, and is written anew. One that
    cannot be written is done without. Two processes at once each write a whole one, and the last stays.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known = _load(file) if file else {}
        self._seen: dict[str, _Entry] = {}

    def __enter__(self) -> Self:
        """Read through the cache."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the cache if it has changed."""
        if error is None and self._file is not None:
            self._save(self._file)

    def of(self, file: ModelFile) -> FileFacts | Problem:
        """What the file's header says, or what is wrong with the file."""
        path = str(file.path)
        entry = self._known.get(path)
        if entry is None or (entry.size, entry.mtime_ns) != (file.size, file.mtime_ns):
            entry, lasting = _read(file)
            if not lasting:
                return _said(entry)
        self._seen[path] = entry
        return _said(entry)

    def of_all(self, files: Sequence[ModelFile]) -> list[FileFacts | Problem]:
        """What the headers of a model's files say, in order."""
        return [self.of(file) for file in files]

    def _save(self, file: Path) -> None:
        if all(self._known.get(path) is entry for path, entry in self._seen.items()):
            return
        others = {path: entry for path, entry in self._known.items() if path not in self._seen}
        there = {path: entry for path, entry in others.items() if Path(path).is_file()}
        entries = dict([*self._seen.items(), *there.items()][:_MAX_ENTRIES])
        with contextlib.suppress(OSError, UnicodeEncodeError):
            _write(file, msgspec.json.encode(_Cache(_FORMAT, __version__, entries)))


def _read(file: ModelFile) -> tuple[_Entry, bool]:
    """Read one header; also say whether it will be the same next time, which a closed door need not be."""
    try:
        header = read_header(file.path)
    except GgufError as error:
        lasting = not isinstance(error.__context__, OSError)
        return _Entry(file.size, file.mtime_ns, problem=error.problem), lasting
    facts = FileFacts(
        architecture=header.architecture,
        type=header.kind,
        quant=header.quant,
        parameters=header.parameters,
        trained_context=header.trained_context,
    )
    return _Entry(file.size, file.mtime_ns, facts=facts), True


def _said(entry: _Entry) -> FileFacts | Problem:
    said = entry.facts or entry.problem
    assert said is not None, "an entry without facts says what is wrong"
    return said


def _load(file: Path) -> dict[str, _Entry]:
    try:
        if file.stat().st_size > _MAX_BYTES:
            return {}
        cache = msgspec.json.decode(file.read_bytes(), type=_Cache)
    except (OSError, ValueError, msgspec.DecodeError):
        return {}
    if (cache.format, cache.version) != (_FORMAT, __version__):
        return {}
    return {path: entry for path, entry in cache.entries.items() if entry.facts or entry.problem}


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
        Path(scratch).replace(file)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
