"""The GGUF files below some folders, grouped into models: a split model is one."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One GGUF file as the disk has it.

    Attributes:
        stem: The model's name: the file's, without its ending and without a shard's number.
        shard: Its place in a split model, from 1.
        shards: How many files the model is split into, 1 for a whole one.
    """

    path: Path
    size: int
    mtime_ns: int
    stem: str
    shard: int = 1
    shards: int = 1


def group_files(folders: Iterable[Path]) -> list[tuple[ModelFile, ...]]:
    """List the models below `folders`, each with its files in order; a file reachable twice is taken once.

    Symbolic links are followed, loops are not. Folders and files that are missing or closed to us
    are passed over. Blocks on the disk.
    """
    groups: dict[tuple[Path, str, int], list[ModelFile]] = defaultdict(list)
    seen: set[str] = set()
    for folder in folders:
        for file in sorted(_walk(folder), key=lambda file: file.path):
            real = os.path.realpath(file.path)
            if real not in seen:
                seen.add(real)
                groups[file.path.parent, file.stem, file.shards].append(file)
    return [tuple(files) for files in groups.values()]


def files_of(path: Path) -> tuple[ModelFile, ...]:
    """List the files of the model that `path` is, or is a part of. Raises OSError or ValueError."""
    file = _model_file(path)
    if file.shards == 1:
        return (file,)
    beside = (_model_file(other) for other in sorted(path.parent.glob("*.gguf")))
    return tuple(other for other in beside if (other.stem, other.shards) == (file.stem, file.shards))


def _walk(root: Path) -> Iterator[ModelFile]:
    visited: set[tuple[int, int]] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        try:
            status = Path(folder).stat()
        except OSError:
            continue
        if (status.st_dev, status.st_ino) in visited:
            below.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        for name in names:
            if name.lower().endswith(".gguf"):
                try:
                    yield _model_file(Path(folder, name))
                except OSError:
                    continue


def _model_file(path: Path) -> ModelFile:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(path)
    shard = _SHARD.fullmatch(path.stem)
    if shard is None:
        return ModelFile(path, status.st_size, status.st_mtime_ns, path.stem)
    place = int(shard["number"]), int(shard["count"])
    return ModelFile(path, status.st_size, status.st_mtime_ns, shard["stem"], *place)
