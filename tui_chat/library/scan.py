"""Which models exist on this machine, and which of them a person means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.library.describe import describe, describe_path
from tui_chat.library.files import group_files
from tui_chat.wire.api import ModelInfo, ModelState

_NAMES_SHOWN = 5


def model_folders(paths: Paths, settings: Settings) -> list[Path]:
    """The folders that models are looked for in, the models folder first."""
    return [paths.models, *(Path(folder).expanduser() for folder in settings.models.folders)]


def scan_folders(folders: Iterable[Path]) -> list[ModelInfo]:
    """List the models below `folders`: usable ones first, the newest first.

    A split model counts once; projectors and adapters are left out; a damaged file is listed with
    its problem. Blocks on the disk.
    """
    found: list[tuple[bool, int, ModelInfo]] = []
    taken: set[str] = set()
    for files in group_files(folders):
        info = describe(files)
        if info is not None:
            named = msgspec.structs.replace(info, id=_free_id(info, taken))
            newest = max(file.mtime_ns for file in files)
            found.append((info.state is ModelState.BROKEN, -newest, named))
            taken.add(named.id)
    return [info for *_, info in sorted(found, key=lambda entry: (*entry[:2], entry[2].id))]


def with_residents(infos: Iterable[ModelInfo], residents: Iterable[ModelInfo]) -> list[ModelInfo]:
    """Return `infos` with those that are in memory as the engine describes them."""
    loaded = {resident.path: resident for resident in residents}
    return [loaded.get(info.path, info) for info in infos]


def find_model(infos: Sequence[ModelInfo], wanted: str) -> ModelInfo | Problem:
    """Return the model meant by `wanted`, or a problem that says what else there is.

    Tried in this order: the exact id; a path to a GGUF file, which need not be among `infos`; the id
    without regard to case; the beginning of exactly one id; a part of exactly one id.
    """
    exact = next((info for info in infos if info.id == wanted), None)
    if exact is not None:
        return exact
    if wanted.startswith(("/", "~", "./", "../")) or wanted.lower().endswith(".gguf"):
        return _by_path(infos, wanted)
    folded = wanted.casefold()
    tests: tuple[Callable[[str], bool], ...] = (
        folded.__eq__,
        lambda name: name.startswith(folded),
        lambda name: folded in name,
    )
    for test in tests:
        hits = [info for info in infos if folded and test(info.id.casefold())]
        if len(hits) == 1:
            return hits[0]
        if hits:
            return _ambiguous(wanted, hits)
    return _unknown(wanted, infos)


def _free_id(info: ModelInfo, taken: set[str]) -> str:
    """The model's stem; if that is taken, with as few of its folders in front as it takes."""
    folders = Path(info.path).parent.parts
    tails = ("/".join((*folders[len(folders) - depth :], info.id)) for depth in range(len(folders) + 1))
    return next((tail for tail in tails if tail not in taken), info.path)


def _by_path(infos: Sequence[ModelInfo], wanted: str) -> ModelInfo | Problem:
    path = _place(wanted)
    if "\0" not in wanted:
        real = os.path.realpath(path)
        for info in infos:
            if os.path.realpath(info.path) == real:
                return info
    return describe_path(path)


def _place(wanted: str) -> Path:
    try:
        return Path(wanted).expanduser().absolute()
    except RuntimeError:  # "~somebody", who is unknown here
        return Path(wanted).absolute()


def _ambiguous(wanted: str, hits: Sequence[ModelInfo]) -> Problem:
    return Problem(
        code=ProblemCode.MODEL_UNKNOWN,
        what=f"“{wanted}” could be any of {len(hits)} models: {_names(hits)}.",
        remedy="Give more of the name.",
    )


def _unknown(wanted: str, infos: Sequence[ModelInfo]) -> Problem:
    if not infos:
        return Problem(
            code=ProblemCode.NO_MODEL,
            what=f"There is no model called “{wanted}”, nor any other on this machine.",
            remedy="Get the starter model: tui-chat models get starter",
        )
    ids = {info.id.casefold(): info.id for info in infos}
    close = get_close_matches(wanted.casefold(), ids, n=1, cutoff=0.5)
    return Problem(
        code=ProblemCode.MODEL_UNKNOWN,
        what=f"There is no model called “{wanted}” on this machine.",
        remedy=f"Did you mean {ids[close[0]]}?" if close else f"There are: {_names(infos)}.",
    )


def _names(infos: Sequence[ModelInfo]) -> str:
    more = len(infos) - _NAMES_SHOWN
    return ", ".join(info.id for info in infos[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
