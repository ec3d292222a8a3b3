"""What the headers of model files say, kept on disk so that a file is read once.

A header costs milliseconds, and two hundred of them a second; looking here costs nothing. An entry
counts for a path only as long as the file's size and time of change are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tui_chat.chat.model import Problem
from tui_chat.config.cachefile import read_cache, write_cache
from tui_chat.library.files import ModelFile
from tui_chat.memory.gguf import GgufError, read_header

_MAX_ENTRIES = 20_000


class FileFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a list of models wants to know of one GGUF file.

    Attributes:
        type: ``general.type``, such as ``model`` or ``adapter``.
        parameters: Number of weights in this file.
        trained_context: In tokens, 0 where the file does not say.
        pooling, causal: As in `GgufHeader`.
    """

    architecture: str
    type: str
    quant: str = ""
    parameters: int = 0
    trained_context: int = 0
    pooling: int = 0
    causal: bool = True


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    size: int
    mtime_ns: int
    facts: FileFacts | None = None
    problem: Problem | None = None


class Headers:
    """Reads headers through the cache in `file`; leaving the block writes what is new.

    A cache that is missing, damaged or of another release is empty, and is written anew; one that cannot
    be written is done without.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known = (read_cache(file, dict[str, _Entry]) if file else None) or {}
        self._seen: dict[str, _Entry] = {}
        self._room = bytearray()

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
            entry, lasting = _read(file, self._room)
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
        write_cache(file, dict([*self._seen.items(), *there.items()][:_MAX_ENTRIES]))


def _read(file: ModelFile, room: bytearray) -> tuple[_Entry, bool]:
    """Read one header; also say whether it will be the same next time, which a closed door need not be."""
    try:
        header = read_header(file.path, room)
    except GgufError as error:
        lasting = not isinstance(error.__context__, OSError)
        return _Entry(file.size, file.mtime_ns, problem=error.problem), lasting
    facts = FileFacts(
        architecture=header.architecture,
        type=header.kind,
        quant=header.quant,
        parameters=header.parameters,
        trained_context=header.trained_context,
        pooling=header.pooling,
        causal=header.causal,
    )
    return _Entry(file.size, file.mtime_ns, facts=facts), True


def _said(entry: _Entry) -> FileFacts | Problem:
    said = entry.facts or entry.problem
    assert said is not None, "an entry without facts says what is wrong"
    return said
