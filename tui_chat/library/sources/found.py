"""What a source says of a model before anybody has read its header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tui_chat.chat.model import Problem
from tui_chat.library.files import ModelFile
from tui_chat.wire.api import ModelKind, ModelSource


@dataclass(frozen=True, slots=True)
class Found:
    """One model, as one source has it.

    Attributes:
        files: In the order of the shards; empty only with a `problem`.
        names: What it may be called, the shortest first; a longer one is used where that is taken.
        aliases: What the same file is called elsewhere.
        makeshift: The name tells little, so that another way to the same file names it better.
        projector: The projector that the source keeps with it.
        kind: What the source says it is, if it says so.
        problem: Why the source's own description is not to be trusted.
        place: The file to name where there is no model file.
    """

    files: tuple[ModelFile, ...]
    source: ModelSource
    names: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    makeshift: bool = False
    projector: Path | None = None
    kind: ModelKind | None = None
    problem: Problem | None = None
    place: Path | None = None

    @property
    def path(self) -> Path:
        """The file that stands for the model: its first."""
        path = self.files[0].path if self.files else self.place
        assert path is not None, "a model without a file has a place"
        return path
