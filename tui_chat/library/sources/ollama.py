"""Ollama's models: manifests that name blobs.

``manifests/HOST/NAMESPACE/MODEL/TAG`` is JSON with the layers of one model; a layer's file is
``blobs/sha256-HASH``, a GGUF file without that ending for the layers that hold weights.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library.files import ModelFile, entries_of, expanded, folders_in, model_file
from tui_chat.library.sources.found import Found
from tui_chat.wire.api import ModelKind, ModelSource

_ROOTS = ("~/.ollama/models", "/usr/share/ollama/.ollama/models", "/var/lib/ollama/.ollama/models")
_SYSTEM_ROOT = "/var/lib/ollama"
_LAYER = "application/vnd.ollama.image."
_HOST, _NAMESPACE = "registry.ollama.ai", "library"
_DIGEST = re.compile(r"sha256[:-][0-9A-Za-z]+")
_MAX_MANIFEST = 1 << 20
"""Bytes; a manifest has a few hundred."""


class _Layer(msgspec.Struct, frozen=True):
    media_type: str = msgspec.field(default="", name="mediaType")
    digest: str = ""


class _Manifest(msgspec.Struct, frozen=True):
    layers: tuple[_Layer, ...] = ()

    def digest(self, kind: str) -> str | None:
        """The first layer of a kind, such as ``model``."""
        return next((layer.digest for layer in self.layers if layer.media_type == _LAYER + kind), None)


def find_ollama() -> Iterator[Found]:
    """Find the models of this user's Ollama and of the system's."""
    for root in _roots():
        for manifest in _manifests(root / "manifests"):
            yield from _of_manifest(root / "blobs", manifest)


def weights_of(name: str, digest: str, models: Path | None = None) -> Path | None:
    """Find the GGUF file of a model that a running Ollama lists, or None if it cannot be read here.

    Args:
        name: As Ollama lists it.
        digest: As Ollama lists it: the sum of its manifest, by which it is told from others of that name.
        models: Where that Ollama keeps its models; None looks where it usually does.
    """
    parts = name.split("/")
    host, namespace, tagged = [_HOST, _NAMESPACE][: 3 - len(parts)] + parts if len(parts) < 4 else [""] * 3
    model, _, tag = tagged.partition(":")
    place = (host, namespace, model, tag)
    if any(part in ("", "..", ".") for part in place):
        return None
    for root in [models] if models else _roots():
        path = root.joinpath("manifests", *place)
        with contextlib.suppress(OSError, ValueError, msgspec.DecodeError):
            content = _read_manifest(path)
            layer = msgspec.json.decode(content, type=_Manifest).digest("model")
            file = _blob(root / "blobs", layer) if layer else None
            readable = file is not None and os.access(file.path, os.R_OK)
            if file and readable and hashlib.sha256(content).hexdigest() == digest.removeprefix("sha256:"):
                return file.path
    return None


def _read_manifest(path: Path) -> bytes:
    if path.stat().st_size > _MAX_MANIFEST:
        raise ValueError("it is too large")
    return path.read_bytes()


def _roots() -> list[Path]:
    """Where Ollama keeps models; as for Ollama itself, the variable stands instead of all others."""
    if os.environ.get("OLLAMA_MODELS"):
        return [expanded(os.environ["OLLAMA_MODELS"])]
    system = Path(_SYSTEM_ROOT)
    return [*(expanded(root) for root in _ROOTS), system / "models", system]


def _manifests(root: Path) -> Iterator[Path]:
    """The files four levels down, hidden ones left out."""
    models = [model for host in folders_in(root) for names in folders_in(host) for model in folders_in(names)]
    for model in models:
        yield from (Path(entry.path) for entry in entries_of(model) if entry.name[0] != ".")


def _of_manifest(blobs: Path, path: Path) -> Iterator[Found]:
    names = _names(path)
    try:
        manifest = msgspec.json.decode(_read_manifest(path), type=_Manifest)
    except OSError:
        return
    except (ValueError, msgspec.DecodeError) as error:
        yield _unusable(path, names, f"Ollama's manifest of {names[0]} cannot be read: {error}.")
        return
    # Without such a layer it is a model in the cloud, or in a format that is not GGUF.
    model = manifest.digest("model")
    if model is None:
        return
    projector, adapter = manifest.digest("projector"), manifest.digest("adapter")
    file = _blob(blobs, model)
    if file is None:
        yield _unusable(path, names, f"Ollama's manifest of {names[0]} names a blob that is not there.")
        return
    sees = _blob(blobs, projector) if projector else None
    yield Found(
        (file,),
        ModelSource.OLLAMA,
        names,
        makeshift=adapter is not None or path.name == "latest",
        projector=sees.path if sees else None,
        problem=_adapted(names[0]) if adapter else None,
    )
    for kind, digest in ((ModelKind.PROJECTOR, projector), (ModelKind.ADAPTER, adapter)):
        companion = _blob(blobs, digest) if digest else None
        if companion:
            yield Found((companion,), ModelSource.OLLAMA, (f"{names[0]} ({kind})",), kind=kind)


def _names(manifest: Path) -> tuple[str, ...]:
    """The model's name as Ollama writes it, then with what it leaves out."""
    host, namespace, model, tag = manifest.parts[-4:]
    long = f"{namespace}/{model}:{tag}"
    if host != _HOST:
        return (f"{host}/{long}",)
    short = (f"{model}:{tag}",) if namespace == _NAMESPACE else ()
    return (*short, long, f"{host}/{long}")


def _blob(blobs: Path, digest: str) -> ModelFile | None:
    if not _DIGEST.fullmatch(digest):
        return None
    for name in (digest.replace(":", "-"), digest):  # versions before 0.1.29 wrote the colon
        try:
            return model_file(blobs / name)
        except OSError:
            continue
    return None


def _unusable(path: Path, names: tuple[str, ...], what: str) -> Found:
    problem = Problem(
        code=ProblemCode.MODEL_MISSING,
        what=what,
        remedy=f"Fetch it again: ollama pull {names[0]}",
        detail=str(path),
    )
    return Found((), ModelSource.OLLAMA, names, problem=problem, place=path)


def _adapted(name: str) -> Problem:
    return Problem(
        code=ProblemCode.MODEL_INVALID,
        what=f"{name} is a model with a LoRA adapter of its own, which tui-chat does not apply.",
        remedy="Choose the model that it was made from.",
    )
