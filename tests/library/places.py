"""The folders that other programs keep models in, laid out as those programs do it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tui_chat.config.paths import resolve_paths
from tui_chat.config.settings import ModelSettings, PathSettings, Settings
from tui_chat.library.scan import HEADERS, list_models
from tui_chat.wire.api import ModelInfo, ModelSource

NOBODY = 65534
LAYER = "application/vnd.ollama.image."


@dataclass(frozen=True)
class Place:
    """A home with nothing in it, and what is listed there."""

    root: Path

    @property
    def mine(self) -> Path:
        return self.root / "mine"

    @property
    def hub(self) -> Path:
        return self.root / ".cache" / "huggingface" / "hub"

    @property
    def ollama(self) -> Path:
        return self.root / ".ollama" / "models"

    @property
    def cache(self) -> Path:
        return self.root / "cache" / HEADERS

    def list(self, *sources: ModelSource, everything: bool = False) -> list[ModelInfo]:
        """List the models, of all sources or the given ones."""
        settings = Settings(models=ModelSettings(sources=sources or tuple(ModelSource)))
        paths = resolve_paths(PathSettings(models=str(self.mine), cache=str(self.cache.parent)))
        return list_models(paths, settings, everything=everything)

    def by_id(self, *sources: ModelSource, everything: bool = False) -> dict[str, ModelInfo]:
        return {info.id: info for info in self.list(*sources, everything=everything)}


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Let root meet closed doors too."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def cache_in_hub(hub: Path, repository: str, commit: str, file: Path, name: str, *, main: bool) -> Path:
    """Put `file` into a Hugging Face cache as huggingface_hub does, and return the link to it."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    blob = folder / "blobs" / hashlib.sha256(file.read_bytes()).hexdigest()
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(file.read_bytes())
    link = folder / "snapshots" / commit / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(blob)
    if main:
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / "main").write_text(commit)
    return link


def add_to_ollama(models: Path, name: str, layers: dict[str, Path]) -> Path:
    """Link the files of `layers` as Ollama's blobs, and write the manifest HOST/NAMESPACE/MODEL/TAG."""
    listed = []
    (models / "blobs").mkdir(parents=True, exist_ok=True)
    for kind, file in layers.items():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        blob = models / "blobs" / f"sha256-{digest}"
        if not blob.exists():
            blob.hardlink_to(file) if file.stat().st_dev == models.stat().st_dev else blob.symlink_to(file)
        listed.append({"mediaType": LAYER + kind, "digest": f"sha256:{digest}", "size": file.stat().st_size})
    manifest = models / "manifests" / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "config": {"digest": "sha256:0"}, "layers": listed}))
    return manifest
