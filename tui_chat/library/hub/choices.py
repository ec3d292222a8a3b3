"""The models in a repository to choose from: one for each quant, however many files it has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.library.files import split_name
from tui_chat.library.headers import FileFacts
from tui_chat.library.hub.address import HubAddress
from tui_chat.library.hub.quants import BITS, label_in, normal, without_label
from tui_chat.library.hub.repository import HubFile, Repository
from tui_chat.library.kinds import kind_of
from tui_chat.library.projectors import precision
from tui_chat.wire.api import ModelKind


@dataclass(frozen=True, slots=True)
class Choice:
    """One model to choose.

    Attributes:
        label: Its quant as people write it, or its file's name if that names none.
        family: The name without the quant: the same for all quants of one model.
        files: In the order of the shards.
        projector: What lets it see, if the repository has that: the best of its precisions.
    """

    label: str
    family: str
    files: tuple[HubFile, ...]
    projector: HubFile | None = None

    @property
    def all_files(self) -> tuple[HubFile, ...]:
        """Everything that belongs to it, its own files first."""
        return (*self.files, self.projector) if self.projector else self.files

    @property
    def size(self) -> int:
        """In bytes, of all files."""
        return sum(file.size for file in self.all_files)


def choices_of(repository: Repository, *, seeing: bool = True) -> list[Choice]:
    """List what can be chatted with, the largest first; without models that lack parts.

    Of companions, only projectors are wanted, and only if models are to be `seeing`.
    """
    groups: dict[tuple[str, str, int], list[tuple[int, HubFile]]] = defaultdict(list)
    for file in repository.files:
        path = PurePosixPath(file.path)
        stem, number, count = split_name(path.name)
        if _may_chat(stem, file.size):
            groups[str(path.parent), stem, count].append((number, file))
    choices = [
        Choice(
            label=label_in(stem) or stem,
            family=without_label(stem),
            files=tuple(file for _, file in sorted(files)),
            projector=_projector_in(repository, parent) if seeing else None,
        )
        for (parent, stem, count), files in groups.items()
        if {number for number, _ in files} == set(range(1, count + 1))
    ]
    return sorted(choices, key=lambda choice: (-choice.size, choice.label))


def main_family(choices: Sequence[Choice]) -> list[Choice]:
    """Of several models in one repository, the choices of the one that has the most."""
    counts = Counter(choice.family for choice in choices)
    most = max(counts, key=lambda family: counts[family], default="")
    return [choice for choice in choices if choice.family == most]


def named_choice(repository: Repository, choices: Sequence[Choice], address: HubAddress) -> Choice | Problem:
    """The choice that `address` names by quant or by file, or a problem that lists what there is."""
    if address.file is not None:
        by_file = (choice for choice in choices if address.file in [file.path for file in choice.files])
        file = next((file for file in repository.files if file.path == address.file), None)
        single = Choice(label_in(file.path) or file.path, "", (file,)) if file else None
        return next(by_file, single) or _unknown(address.file, repository, choices)
    wanted = normal(address.quant or "")
    labels = [(choice, choice.label.upper()) for choice in choices]
    for hits in (
        [choice for choice, label in labels if label == wanted],
        [choice for choice, label in labels if label.removeprefix("UD-") == wanted],
        [choice for choice, label in labels if label.startswith(wanted)],
    ):
        if len(hits) == 1:
            return hits[0]
        if hits:
            return _ambiguous(address, hits)
    return _unknown(address.quant or "", repository, choices)


def _projector_in(repository: Repository, parent: str) -> HubFile | None:
    """The projector that lies beside the models of one folder, as it must here to be found again."""
    paths = {file: PurePosixPath(file.path) for file in repository.files}
    found = [
        file
        for file, path in paths.items()
        if str(path.parent) == parent and kind_of(path.stem, None, 0) is ModelKind.PROJECTOR
    ]
    return min(found, key=_by_precision, default=None)


def _by_precision(file: HubFile) -> tuple[int, int]:
    return precision(label_in(PurePosixPath(file.path).stem) or ""), file.size


def _may_chat(stem: str, size: int) -> bool:
    """Whether neither its name nor its size gives a reason to leave a file out."""
    silent = FileFacts(architecture="", type="model")
    parameters = 1 + int(size * 8 / BITS["Q4_K_M"])
    return {kind_of(stem, None, 0), kind_of(stem, silent, parameters)} == {ModelKind.CHAT}


def _ambiguous(address: HubAddress, hits: Sequence[Choice]) -> Problem:
    names = ", ".join(f"{address.repository}/{choice.files[0].path}" for choice in hits[:4])
    labels = {choice.label for choice in hits}
    example = f"hf:{address.repository}:{hits[0].label}"
    if len(labels) < len(hits):
        example = f"hf:{address.repository}/{hits[0].files[0].path}"
    return Problem(
        code=ProblemCode.MODEL_UNKNOWN,
        what=f"“{address.quant}” could be any of {len(hits)}: {names}.",
        remedy=f"Name one of them: {example}",
    )


def _unknown(wanted: str, repository: Repository, choices: Sequence[Choice]) -> Problem:
    there = ", ".join(dict.fromkeys(choice.label for choice in choices))
    return Problem(
        code=ProblemCode.MODEL_UNKNOWN,
        what=f"{repository.name} has no {wanted}.",
        remedy=f"It has: {there}."
        if there
        else "It has no GGUF model at all; look for one with GGUF in its name.",
    )
