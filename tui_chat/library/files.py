"""GGUF files on disk, grouped into models: a split model is one."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})")
_ENDING = ".gguf"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One GGUF file as the disk has it.

    Attributes:
        identity: Device and inode: the same for every link to the file.
        stem: The model's name: the file's, without its ending and without a shard's number.
        shard: Its place in a split model, from 1.
        shards: How many files the model is split into, 1 for a whole one.
    """

    path: Path
    size: int
    mtime_ns: int
    identity: tuple[int, int]
    stem: str
    shard: int = 1
    shards: int = 1


def models_below(folder: Path) -> list[tuple[ModelFile, ...]]:
    """List the models below `folder`, each with its files in order.

    Symbolic links are followed, loops are not. Folders and files that are missing or closed to us
    are passed over. Blocks on the disk.
    """
    return group_files(_walk(folder))


def models_in(folder: Path) -> list[tuple[ModelFile, ...]]:
    """List the models right in `folder`, and not in the folders below it."""
    names = (entry.name for entry in entries_of(folder))
    return group_files(_gguf_files(folder, names))


def group_files(files: Iterable[ModelFile]) -> list[tuple[ModelFile, ...]]:
    """Put the files of each model together, in the order of their paths."""
    groups: dict[tuple[Path, str, int], list[ModelFile]] = defaultdict(list)
    for file in sorted(files, key=lambda file: file.path):
        groups[file.path.parent, file.stem, file.shards].append(file)
    return [tuple(group) for group in groups.values()]


def files_of(path: Path) -> tuple[ModelFile, ...]:
    """List the files of the model that `path` is, or is a part of. Raises OSError or ValueError."""
    file = model_file(path)
    if file.shards == 1:
        return (file,)
    beside = (model_file(other) for other in sorted(path.parent.glob(f"*{_ENDING}")))
    return tuple(other for other in beside if (other.stem, other.shards) == (file.stem, file.shards))


def split_name(name: str) -> tuple[str, int, int]:
    """Take a file's name apart: the model's name, the shard's number, and how many there are."""
    bare = name[: -len(_ENDING)] if name.lower().endswith(_ENDING) else name
    shard = _SHARD.fullmatch(bare)
    return (shard["stem"], int(shard["number"]), int(shard["count"])) if shard else (bare, 1, 1)


def model_file(path: Path) -> ModelFile:
    """Look at one file. Raises OSError if it is missing or is no file, ValueError for an impossible path."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(path)
    identity = (status.st_dev, status.st_ino)
    return ModelFile(path, status.st_size, status.st_mtime_ns, identity, *split_name(path.name))


def expanded(path: str) -> Path:
    """Write ``~`` out; it stays where nobody of that name is known here."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def folders_in(folder: Path) -> list[Path]:
    """List the folders right in `folder`, by name; hidden ones left out."""
    return [Path(entry.path) for entry in entries_of(folder) if entry.name[0] != "." and _is_folder(entry)]


def entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder by name; one that is missing, closed to us or no folder is empty."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


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
        yield from _gguf_files(Path(folder), names)


def _gguf_files(folder: Path, names: Iterable[str]) -> Iterator[ModelFile]:
    for name in names:
        if name.lower().endswith(_ENDING):
            try:
                yield model_file(folder / name)
            except OSError:
                continue
