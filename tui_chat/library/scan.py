"""Which models exist on this machine, and which of them a person means."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.library.describe import describe, describe_path
from tui_chat.library.files import expanded
from tui_chat.library.headers import Headers
from tui_chat.library.projectors import with_projectors
from tui_chat.library.sources.all import find_models
from tui_chat.library.sources.found import Found
from tui_chat.wire.api import ModelInfo, ModelKind, ModelState

HEADERS = "headers.msgpack"
"""Name of the file in the cache folder that keeps what headers say."""
_NAMES_SHOWN = 5


def list_models(paths: Paths, settings: Settings, *, everything: bool = False) -> list[ModelInfo]:
    """List the models on this machine: usable ones first, the newest first.

    A split model counts once, as does a file that several programs know; a damaged file is listed with
    its problem. Files that are no models to chat with are left out unless `everything` is asked for.
    Blocks on the disk.
    """
    found = find_models(paths, settings)
    with Headers(paths.cache / HEADERS) as headers:
        infos = with_projectors([describe(each, headers) for each in found], seeing=settings.models.pictures)
    entries: list[tuple[bool, bool, int, ModelInfo]] = []
    taken: set[str] = set()
    # What is not offered must take no name from what is.
    for info, each in sorted(zip(infos, found, strict=True), key=lambda pair: not _offered(pair[0])):
        if everything or _offered(info):
            named = msgspec.structs.replace(info, id=_free_id(each, info, taken))
            newest = max((file.mtime_ns for file in each.files), default=0)
            entries.append((not _offered(info), info.state is ModelState.BROKEN, -newest, named))
            taken.add(named.id)
    ordered = [info for *_, info in sorted(entries, key=lambda entry: (*entry[:3], entry[3].id))]
    return [_without_aliases(info, taken) for info in ordered]


def with_residents(
    infos: Iterable[ModelInfo], residents: Iterable[ModelInfo], parked: Collection[str] = ()
) -> list[ModelInfo]:
    """Return `infos` with those that are in memory as the engine describes them.

    Those on disk whose ids are in `parked` have a conversation parked, and are called so.
    """
    loaded = {resident.path: resident for resident in residents}
    return [loaded.get(info.path) or _with_park(info, parked) for info in infos]


def find_model(infos: Sequence[ModelInfo], wanted: str) -> ModelInfo | Problem:
    """Return the model meant by `wanted`, or a problem that says what else there is.

    Tried in this order: the exact id or path; another name of one model; a path to a GGUF file, which need
    not be among `infos`; a name without regard to case; the beginning of a name of exactly one model; a part
    of one.
    """
    exact = [info for info in infos if wanted in (info.id, info.path)]
    exact = exact or [info for info in infos if wanted in info.aliases]
    if len(exact) == 1:
        return exact[0]
    if wanted.startswith(("/", "~", "./", "../")) or wanted.lower().endswith(".gguf"):
        return _by_path(infos, wanted)
    folded = wanted.casefold()
    tests: tuple[Callable[[str], bool], ...] = (
        folded.__eq__,
        lambda name: name.startswith(folded),
        lambda name: folded in name,
    )
    for test in tests:
        hits = [info for info in infos if folded and any(test(name.casefold()) for name in _called(info))]
        if len(hits) == 1:
            return hits[0]
        if hits:
            return _ambiguous(wanted, hits)
    return _unknown(wanted, infos)


def _called(info: ModelInfo) -> tuple[str, ...]:
    return (info.id, *info.aliases)


def _without_aliases(info: ModelInfo, taken: Collection[str]) -> ModelInfo:
    """Without those other names that are some model's own."""
    return msgspec.structs.replace(info, aliases=tuple(name for name in info.aliases if name not in taken))


def _with_park(info: ModelInfo, parked: Collection[str]) -> ModelInfo:
    if info.state is not ModelState.ON_DISK or info.id not in parked:
        return info
    return msgspec.structs.replace(info, state=ModelState.PARKED)


def _offered(info: ModelInfo) -> bool:
    return info.kind is ModelKind.CHAT


def _free_id(found: Found, info: ModelInfo, taken: set[str]) -> str:
    """The shortest free name; if all are taken, the file's with as few of its folders as it takes."""
    folders = Path(info.path).parent.parts
    stem = info.id
    tails = ("/".join((*folders[len(folders) - depth :], stem)) for depth in range(1, len(folders) + 1))
    names = chain((stem,), found.names[1:], tails)
    return next((name for name in names if name not in taken), info.path)


def _by_path(infos: Sequence[ModelInfo], wanted: str) -> ModelInfo | Problem:
    path = expanded(wanted).absolute()
    if "\0" not in wanted:
        real = os.path.realpath(path)
        for info in infos:
            if os.path.realpath(info.path) == real:
                return info
    return describe_path(path)


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
    names = {name.casefold(): name for info in infos for name in _called(info)}
    close = get_close_matches(wanted.casefold(), names, n=1, cutoff=0.5)
    return Problem(
        code=ProblemCode.MODEL_UNKNOWN,
        what=f"There is no model called “{wanted}” on this machine.",
        remedy=f"Did you mean {names[close[0]]}?" if close else f"There are: {_names(infos)}.",
    )


def _names(infos: Sequence[ModelInfo]) -> str:
    more = len(infos) - _NAMES_SHOWN
    return ", ".join(info.id for info in infos[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
