"""Files whose names fit what was typed; a walk through a large folder ends soon."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from time import monotonic

from tui_chat.ui.fuzzy import has_letters, ranked

MOST_SEEN = 20_000
"""Entries of folders that are looked at."""
WALKED_S = 0.5
"""How long a walk may take."""
MOST_RANKED = 300
"""Names that are weighed against each other; the walk finds those nearest to its beginning first."""
OFFERED = 50
_SKIPPED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules"})


def files_for(word: str, folder: str, stopped: Callable[[], bool] = lambda: False) -> list[str]:
    """Return names to offer for `word`, the best first; folders end in a slash.

    Below `folder` all files are looked through. Where `word` itself leads elsewhere (``~``, ``/``, ``..``),
    or into a folder that is there, only that folder is listed. Hidden ones are offered where a dot was typed.

    Args:
        word: What was typed.
        folder: What names are relative to.
        stopped: Whether nobody waits for it any more.
    """
    head, slash, tail = word.rpartition("/")
    inside = os.path.join(folder, os.path.expanduser(head + slash))  # noqa: PTH111, PTH118 - as it was typed
    listed = bool(slash) and os.path.isdir(inside)  # noqa: PTH112
    if word in ("~", "..", "."):
        return [f"{word}/"]
    hidden = tail.startswith(".")
    if listed:
        names = [f"{head}{slash}{name}" for name in _listed(inside, hidden=hidden)]
    else:
        names = list(_walked(folder, hidden=hidden, stopped=stopped))
    found = [name for name in names if has_letters(word, name)][:MOST_RANKED]
    return ranked(word, ((name, name) for name in found))[:OFFERED]


def _listed(folder: str, *, hidden: bool) -> list[str]:
    seen = (name for _, name in zip(range(MOST_SEEN), _entries(folder, hidden=hidden), strict=False))
    return sorted(seen, key=str.casefold)


def _walked(folder: str, *, hidden: bool, stopped: Callable[[], bool]) -> Iterator[str]:
    """Yield files and folders below `folder`, those that are the least deep first."""
    waiting, seen, until = deque([""]), 0, monotonic() + WALKED_S
    while waiting and seen < MOST_SEEN and monotonic() < until and not stopped():
        at = waiting.popleft()
        for name in sorted(_entries(os.path.join(folder, at), hidden=hidden), key=str.casefold):  # noqa: PTH118
            seen += 1
            if name.endswith("/"):
                waiting.append(at + name)
            yield at + name


def _entries(folder: str, *, hidden: bool) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in _SKIPPED or (entry.name.startswith(".") and not hidden):
                    continue
                yield f"{entry.name}/" if _is_folder(entry) else entry.name
    except OSError:
        return


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder, not a link to one: links may lead in circles."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
