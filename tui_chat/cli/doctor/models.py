"""The models: whether there are any, which files are damaged, and what was not fetched to its end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tui_chat.chat.model import Problem
from tui_chat.cli.doctor.finding import Finding, note, ok, wrong
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.library.scan import find_model, list_models
from tui_chat.wire.api import ModelInfo
from tui_chat.wire.words import size

SUBJECT = "models"


def check(paths: Paths, settings: Settings) -> Iterator[Finding]:
    """Look at every model on this machine. Blocks on the disk."""
    with tempfile.TemporaryDirectory(prefix="tui-chat-doctor-") as nowhere:  # ours stays as it is
        models = list_models(replace(paths, cache=Path(nowhere)), settings)
    good = [model for model in models if model.problem is None]
    if good:
        total = sum(model.size_bytes for model in good)
        count = "1 model" if len(good) == 1 else f"{len(good)} models"
        yield ok(SUBJECT, f"{count} to chat with, {size(total)} on disk.")
    else:
        what = "There is no model on this machine to chat with."
        yield wrong(SUBJECT, what, "Get a small first one: tui-chat models get starter")
    for model in models:
        if model.problem is not None:
            yield wrong(SUBJECT, model.problem.what, _remedy(model))
    yield from _unfinished(paths.models)
    yield from _named(settings, models)


def _remedy(model: ModelInfo) -> str:
    told = model.problem.remedy if model.problem is not None else ""
    return told or f"Fetch {model.path} again, or delete it."


def _unfinished(folder: Path) -> Iterator[Finding]:
    for part in sorted(folder.glob("**/*.part")):
        what = f"{part.name} was not fetched to its end: {size(part.stat().st_size)} are here."
        yield note(SUBJECT, what, f"Ask for it again, and it goes on there; or delete it from {part.parent}.")


def _named(settings: Settings, models: list[ModelInfo]) -> Iterator[Finding]:
    """Models that the settings name, and nobody has; what a server may have is not judged."""
    for key, name in (("default", settings.models.default), ("fallback", settings.models.fallback)):
        if name is None or "/" in name.removeprefix("/"):
            continue
        found = find_model(models, name)
        if isinstance(found, Problem):
            remedy = f"{found.remedy} Change it: tui-chat config set models.{key} NAME"
            yield wrong(SUBJECT, f"models.{key} is {name}. {found.what}", remedy)
