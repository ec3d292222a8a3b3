"""llama.cpp's own cache: ``OWNER_REPO_FILE`` in one folder, later the layout of the Hugging Face cache."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tui_chat.library.files import entries_of, expanded, models_in
from tui_chat.library.sources.folders import says_little
from tui_chat.library.sources.found import Found
from tui_chat.library.sources.huggingface import find_in_hub_cache
from tui_chat.wire.api import ModelSource

_MANIFEST = "manifest="
"""`llama-cli -hf` notes what it fetched as ``manifest=OWNER=REPO=TAG.json`` beside the files."""


def llama_cache() -> Path:
    """Where the cache is, by the same variables as llama.cpp."""
    if os.environ.get("LLAMA_CACHE"):
        return expanded(os.environ["LLAMA_CACHE"])
    if sys.platform == "darwin":
        return expanded("~/Library/Caches/llama.cpp")
    return expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "llama.cpp"


def find_llamacpp() -> Iterator[Found]:
    """Find what ``-hf`` fetched."""
    cache = llama_cache()
    repositories = _repositories(cache)
    for files in models_in(cache):
        stem = files[0].stem
        repository = next((r for r in repositories if stem.startswith(r.replace("/", "_") + "_")), "")
        short = stem[len(repository) + 1 :] if repository else stem
        names = (short, f"{repository}/{short}") if repository else (short,)
        poor = says_little(short)
        yield Found(files, ModelSource.LLAMA_CPP, names[poor:] or names, makeshift=poor and not repository)
    yield from find_in_hub_cache(cache, ModelSource.LLAMA_CPP)


def _repositories(cache: Path) -> list[str]:
    """The repositories that the manifests name, the longest first so that none hides another."""
    named = set()
    for entry in entries_of(cache):
        parts = entry.name.removesuffix(".json").split("=")
        if entry.name.startswith(_MANIFEST) and len(parts) >= 3:
            named.add(f"{parts[1]}/{parts[2]}")
    return sorted(named, key=len, reverse=True)
