"""What the files of one model say of it, and what is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library.files import ModelFile, files_of
from tui_chat.library.headers import FileFacts, Headers
from tui_chat.library.kinds import kind_of
from tui_chat.library.sources.found import Found
from tui_chat.memory.gguf import GgufError, read_header
from tui_chat.wire.api import ModelInfo, ModelKind, ModelSource, ModelState

_WORDS = {
    ModelKind.EMBEDDING: "an embedding model",
    ModelKind.RERANKER: "a reranker",
    ModelKind.PROJECTOR: "a projector, which lets another model see or hear",
    ModelKind.ADAPTER: "an adapter for another model",
    ModelKind.IMATRIX: "an importance matrix, made for quantising",
    ModelKind.VOCABULARY: "a vocabulary without weights",
    ModelKind.OTHER: "a model for speech, pictures or text by diffusion",
}
"""What cannot chat at all, as a person would say it. A draft can, badly, if it is asked for by its path."""


def describe(found: Found, headers: Headers) -> ModelInfo:
    """Describe what a source found, with its shortest name for an id."""
    files = found.files
    info = ModelInfo(
        id=_readable(found.names[0]),
        path=_readable(found.path),
        size_bytes=sum(file.size for file in files),
        state=ModelState.ON_DISK,
        source=found.source,
        aliases=tuple(map(_readable, found.aliases)),
        projector=_readable(found.projector) if found.projector else None,
    )
    said = headers.of_all(files)
    facts = [each for each in said if isinstance(each, FileFacts)]
    parameters = sum(each.parameters for each in facts)
    kind = found.kind or kind_of(info.id, facts[0] if facts else None, parameters)
    problem = found.problem or next((each for each in said if isinstance(each, Problem)), None)
    problem = problem or _missing_shards(files) or _unnameable(found.path)
    info = msgspec.structs.replace(
        info, kind=kind, problem=problem, state=ModelState.BROKEN if problem else ModelState.ON_DISK
    )
    if not facts:
        return info
    return msgspec.structs.replace(
        info,
        architecture=facts[0].architecture,
        quant=facts[0].quant,
        parameters=parameters,
        trained_context=facts[0].trained_context,
    )


def describe_path(path: Path) -> ModelInfo | Problem:
    """Describe the model that a person named by the path of its file, or of one of its files."""
    try:
        files = files_of(path)
    except (OSError, ValueError):
        return _why_not(path)
    info = describe(Found(files, ModelSource.FOLDERS, (files[0].stem,)), Headers(None))
    return no_chat(info) or info


def no_chat(info: ModelInfo) -> Problem | None:
    """Say why a file that is in order cannot be chatted with, if that is so."""
    if info.kind not in _WORDS or info.problem is not None:
        return None
    return Problem(
        code=ProblemCode.MODEL_INVALID,
        what=f"{info.id} is {_WORDS[info.kind]}, and nothing to chat with.",
        remedy="Choose another model: tui-chat models",
        detail=info.path,
    )


def _why_not(path: Path) -> Problem:
    try:
        read_header(path)
    except GgufError as error:
        return error.problem
    return _broken(path, "changed while it was looked at")


def _missing_shards(files: Sequence[ModelFile]) -> Problem | None:
    there = {file.shard for file in files}
    missing = (
        [str(number) for number in range(1, files[0].shards + 1) if number not in there] if files else []
    )
    if not missing:
        return None
    parts = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
    why = f"is one of {files[0].shards:,} parts, and these are missing: {parts}"
    return _broken(files[0].path, why)


def _unnameable(path: Path) -> Problem | None:
    """A name that is no UTF-8 cannot be sent to the engine."""
    if _readable(path) == str(path):
        return None
    return Problem(
        code=ProblemCode.MODEL_INVALID,
        what=f"The name of {_readable(path.name)} is not valid UTF-8.",
        remedy="Rename the file or its folder.",
        detail=_readable(path),
    )


def _readable(name: Path | str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _broken(path: Path, why: str) -> Problem:
    return Problem(
        code=ProblemCode.MODEL_INVALID,
        what=f"{_readable(path.name)} {why}.",
        remedy="Download the model again, or choose another one.",
        detail=_readable(path),
    )
