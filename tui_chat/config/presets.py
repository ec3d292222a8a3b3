"""Presets: how a model is to answer, under a name. TOML files of one's own, and those that come with us."""

from __future__ import annotations

import enum
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from tui_chat.chat.limits import objection
from tui_chat.chat.model import Problem, ProblemCode, Sampling, Setup
from tui_chat.chat.policy import Policy, PolicyKind
from tui_chat.config.paths import config_file
from tui_chat.config.resources import presets_folder


class SamplingPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a preset says of a `Sampling`; what it does not is as the settings have it."""

    temperature: float | UnsetType = UNSET
    top_k: int | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    min_p: float | UnsetType = UNSET
    repeat_penalty: float | UnsetType = UNSET
    frequency_penalty: float | UnsetType = UNSET
    presence_penalty: float | UnsetType = UNSET
    penalty_last_n: int | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    stop: tuple[str, ...] | UnsetType = UNSET

    def over(self, usual: Sampling) -> Sampling:
        """What is usual, with what is said here in its place."""
        return msgspec.structs.replace(usual, **_said(self))


class PolicyPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a preset says of a `Policy`; what it does not is as in a new chat."""

    kind: PolicyKind | UnsetType = UNSET
    window: int | UnsetType = UNSET
    fill: float | UnsetType = UNSET
    target: float | UnsetType = UNSET
    keep: int | UnsetType = UNSET
    turns: int | UnsetType = UNSET
    reserve: int | UnsetType = UNSET

    @property
    def whole(self) -> Policy:
        """The policy it describes."""
        return Policy(**_said(self))


def _said(part: SamplingPart | PolicyPart) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(part).items() if value is not UNSET}


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One preset, as it stands in its file.

    Attributes:
        name: What it is called; the file's name if it does not say.
        about: One line on what it is for.
        system: The system prompt.
        model: Id of the model that is to answer; None leaves that to the chat.
        sampling: How answers are drawn.
        policy: What happens when the context is full; None leaves that to the chat.
    """

    name: str = ""
    about: str = ""
    system: str = ""
    model: str | None = None
    sampling: SamplingPart = SamplingPart()
    policy: PolicyPart | None = None

    def setup(self, usual: Sampling) -> Setup:
        """What a model is told by it, where answers are else drawn as is `usual`."""
        return Setup(self.system.strip(), self.sampling.over(usual), self.name)


class Source(enum.StrEnum):
    """Where a preset is from."""

    BUILT_IN = "built-in"
    OWN = "yours"


@dataclass(frozen=True, slots=True)
class Listed:
    """A preset with where it is from; `hides` says that it stands in the place of a built-in one."""

    preset: Preset
    source: Source
    file: Path
    hides: bool = False


@dataclass(frozen=True, slots=True)
class FoundPresets:
    """All presets there are, one's own first, and what is wrong with files that could not be used."""

    listed: tuple[Listed, ...] = ()
    problems: tuple[Problem, ...] = ()

    def named(self, name: str) -> Preset:
        """The preset called `name`, in whatever case.

        Raises:
            PresetError: There is none.
        """
        wanted = name.strip().casefold()
        for each in self.listed:
            if each.preset.name.casefold() == wanted:
                return each.preset
        raise PresetError(self._unknown(name))

    def own(self, name: str) -> Listed | None:
        """The person's own preset called `name`."""
        wanted = name.strip().casefold()
        mine = (each for each in self.listed if each.source is Source.OWN)
        return next((each for each in mine if each.preset.name.casefold() == wanted), None)

    def _unknown(self, name: str) -> Problem:
        names = [each.preset.name for each in self.listed]
        close = get_close_matches(name.casefold(), names, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        return Problem(
            ProblemCode.CONFIG_INVALID,
            f"There is no preset called {name!r}.",
            remedy=f"{hint}There are {', '.join(names)}.",
        )


class PresetError(Exception):
    """A preset cannot be had; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def own_presets_folder() -> Path:
    """Where the person's own presets are, beside the settings."""
    return config_file().parent / "presets"


def find_presets() -> FoundPresets:
    """Read all presets there are; a file that cannot be used is a problem of its own, and the others do."""
    problems: list[Problem] = []
    own = _listed(own_presets_folder(), Source.OWN, problems)
    built_in = _listed(presets_folder(), Source.BUILT_IN, problems)
    ours = {each.preset.name.casefold() for each in built_in}
    taken = {each.preset.name.casefold() for each in own}
    mine = (Listed(each.preset, each.source, each.file, each.preset.name.casefold() in ours) for each in own)
    rest = (each for each in built_in if each.preset.name.casefold() not in taken)
    return FoundPresets((*mine, *rest), tuple(problems))


def _listed(folder: Path, source: Source, problems: list[Problem]) -> list[Listed]:
    found: dict[str, Listed] = {}
    for file in _files(folder):
        try:
            preset = read_preset(file)
        except PresetError as error:
            problems.append(error.problem)
            continue
        first = found.setdefault(preset.name.casefold(), Listed(preset, source, file))
        if first.file != file:
            problems.append(_refused(file, f"{first.file.name} is called “{first.preset.name}” already"))
    return list(found.values())


def _files(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob("*.toml")) if folder.is_dir() else ()


def read_preset(file: Path) -> Preset:
    """Read one preset.

    Raises:
        PresetError: The file cannot be read, or says something that is not understood.
    """
    if not file.is_file():
        raise PresetError(_refused(file, "it is no file"))
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        preset = msgspec.convert(raw, Preset)
    except RecursionError as error:
        raise PresetError(_refused(file, "it is nested too deeply")) from error
    except (OSError, ValueError) as error:  # no UTF-8, no TOML, no preset
        raise PresetError(_refused(file, str(error))) from error
    preset = msgspec.structs.replace(preset, name=preset.name.strip() or file.stem)
    wrong = objection(preset.sampling.over(Sampling())) or objection(
        preset.policy.whole if preset.policy else Policy()
    )
    if wrong:
        raise PresetError(_refused(file, wrong))
    return preset


def _refused(file: Path, why: str) -> Problem:
    return Problem(
        ProblemCode.CONFIG_INVALID,
        f"The preset {file} cannot be used: {why}.",
        "The file is untouched, and the other presets are there.",
        "Correct the file.",
    )
