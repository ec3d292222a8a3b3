"""The cache that huggingface_hub and newer versions of llama.cpp keep.

``models--OWNER--REPO/snapshots/COMMIT/FILE`` is a link to a blob; ``refs/main`` names the commit
that was the newest at the last look. A download that is under way is no link yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tui_chat.library.files import expanded, folders_in, models_below
from tui_chat.library.sources.folders import says_little
from tui_chat.library.sources.found import Found
from tui_chat.wire.api import ModelSource

_PREFIX = "models--"


def hub_cache() -> Path:
    """Where the cache is, by the same variables as huggingface_hub."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return expanded(os.environ[variable])
    if os.environ.get("HF_HOME"):
        return expanded(os.environ["HF_HOME"]) / "hub"
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expanded(caches) / "huggingface" / "hub"


def find_in_hub_cache(hub: Path, source: ModelSource) -> Iterator[Found]:
    """Find the models in the cache at `hub`; of a file that was updated, only the newest."""
    for folder in folders_in(hub):
        if folder.name.startswith(_PREFIX):
            yield from _of_repository(folder, source)


def _of_repository(folder: Path, source: ModelSource) -> Iterator[Found]:
    owner_and_name = folder.name.removeprefix(_PREFIX).split("--")
    listed: set[Path] = set()
    for snapshot in _snapshots(folder):
        for files in models_below(snapshot):
            name = files[0].path.relative_to(snapshot)
            if name not in listed:
                listed.add(name)
                stem = files[0].stem
                tails = ("/".join(owner_and_name[-depth:]) for depth in range(1, len(owner_and_name) + 1))
                names = (stem, *(f"{tail}/{stem}" for tail in tails))
                # A repository says what "model.gguf" does not.
                yield Found(files, source, names[1:] if says_little(stem) else names)


def _snapshots(folder: Path) -> list[Path]:
    """The commits of a repository: the one that is ``main`` here first, then the newest."""
    try:
        main = (folder / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        main = ""

    def age(snapshot: Path) -> tuple[bool, float]:
        try:
            return snapshot.name != main, -snapshot.stat().st_mtime
        except OSError:
            return True, 0.0

    return sorted(folders_in(folder / "snapshots"), key=age)
