"""Reads the settings closely: where each value is from, and everything that is wrong, with lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.config.checking import Finding, check_document, check_environment, lacking
from tui_chat.config.schema import KeyPath, Setting, schema
from tui_chat.config.settings import Settings
from tui_chat.config.spans import layout

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")
_UNUSABLE = "the file cannot be used"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value is from: an environment variable, a line of the file, or nowhere: the default."""

    variable: str = ""
    line: int | None = None

    def words(self, file: Path) -> str:
        """Say so; `file` is the one of the settings."""
        return self.variable or (f"{file}:{self.line}" if self.line is not None else "default")


class BrokenError(ValueError):
    """A text is no TOML; `finding` says why, and where."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Reading:
    """The settings in force, and how they came to be.

    Attributes:
        file: The file of the settings, whether it is there or not.
        data: What is in it; None where it is missing or cannot be read.
        document: All that is in it, empty where that cannot be told.
        settings: What is in force.
        values: What is said, in the file's terms, by setting; the others have their defaults.
        origins: Where each of `values` is from.
        findings: What is wrong, in the order of the file, and then of the environment.
        broken: Whether the file as a whole cannot be used.
    """

    file: Path
    data: bytes | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    values: Mapping[KeyPath, Any] = field(default_factory=dict)
    origins: Mapping[KeyPath, Origin] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    broken: bool = False

    def origin(self, setting: Setting) -> Origin:
        """Where the value of `setting` is from."""
        return self.origins.get(setting.path, Origin())

    def value(self, setting: Setting) -> Any:
        """What is in force, in the file's terms; None where there is neither value nor default."""
        return self.values.get(setting.path, setting.default)

    @property
    def all(self) -> list[Setting]:
        """Every setting there is, those of each named server among them."""
        names = dict.fromkeys(path[1] for path in self.values if len(path) == 3)
        found: list[Setting] = []
        for each in schema():
            if len(each.path) == 2:
                found.append(each)
            elif not any(len(other.path) == 3 for other in found):
                found += [of.at(name) for name in names for of in schema() if len(of.path) == 3]
        return found

    @property
    def told(self) -> list[str]:
        """What is wrong, each in a line with its place."""
        return [f"{_place(self.file, each)}{each.what}." for each in self.findings]

    @property
    def slips(self) -> list[str]:
        """The same, where it is known which file this is about."""
        return [f"{_place(None, each)}{each.what}." for each in self.findings]

    @property
    def problem(self) -> Problem | None:
        """What is wrong, all in one; None when nothing is."""
        if not self.findings:
            return None
        told = self.told
        if len(told) > 1:
            about = self.file if any(not each.variable for each in self.findings) else "the environment"
            told = [f"{len(told)} things are wrong in {about}:", *self.slips]
        rest = "the defaults are in force" if self.broken else "everything else it says is in force"
        return Problem(
            ProblemCode.CONFIG_INVALID,
            "\n".join(told),
            f"The file is untouched; {rest}.",
            "`tui-chat config edit` opens it, and `tui-chat config check` looks at it.",
        )


def _place(file: Path | None, finding: Finding) -> str:
    if finding.variable:
        return f"{finding.variable} "
    if file is None:
        return f"line {finding.line}: " if finding.line is not None else ""
    return f"{file}:{finding.line}: " if finding.line is not None else f"{file}: "


def parse(text: str) -> dict[str, Any]:
    """Read `text` as TOML.

    Raises:
        BrokenError: It is none.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise BrokenError(Finding(f"{_UNUSABLE}: it is nested too deeply")) from None
    except ValueError as error:  # also of numbers with thousands of digits
        found = _PLACE.search(str(error))
        what = str(error)[: found.start()] if found else str(error)
        last = text.rstrip("\r\n").count("\n") + 1
        line = (int(found["line"]) if found["line"] else last) if found else None
        raise BrokenError(Finding(f"{_UNUSABLE}: {what[:1].lower()}{what[1:].rstrip('.')}", line)) from None


def decode(data: bytes) -> str:
    """Return the text of a file, without the mark that some editors begin it with.

    Raises:
        BrokenError: It is no UTF-8.
    """
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BrokenError(Finding(f"{_UNUSABLE}: this is no UTF-8", line)) from None


def read_settings(file: Path, environ: Mapping[str, str]) -> Reading:
    """Read `file` and the environment closely. Never fails: what is wrong is among the findings."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return _combine(file, None, "", environ)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return _combine(file, None, "", environ, Finding(f"the file cannot be read: {why}"))
    return reading_of(file, data, environ)


def reading_of(file: Path, data: bytes, environ: Mapping[str, str]) -> Reading:
    """The same, of a file with `data` in it."""
    try:
        text = decode(data)
        parse(text)
    except BrokenError as error:
        return _combine(file, data, "", environ, error.finding)
    return _combine(file, data, text, environ)


def _combine(
    file: Path, data: bytes | None, text: str, environ: Mapping[str, str], broken: Finding | None = None
) -> Reading:
    document = parse(text)
    checked, places = check_document(document), layout(text)
    values = dict(checked.values)
    origins = {path: Origin(line=places.line(path)) for path in values}
    names = {path[1] for path in values if len(path) == 3}
    overruled, wrong = check_environment(environ, names)
    for path, (variable, value) in overruled.items():
        values[path], origins[path] = value, Origin(variable)
    for name in dict.fromkeys(path[1] for path in values if len(path) == 3):
        if ("servers", name, "url") not in values:
            if name in names:
                checked.refuse(("servers", name), lacking(name))
            else:
                variable = next(v for path, (v, _) in overruled.items() if path[:2] == ("servers", name))
                wrong.append(Finding(lacking(name), variable=variable))
            values = {path: each for path, each in values.items() if path[:2] != ("servers", name)}
    findings = [Finding(what, places.line(path)) for path, what in checked.wrong]
    findings.sort(key=lambda each: each.line or 0)
    return Reading(
        file,
        data,
        document,
        msgspec.convert(_nested(values), Settings),
        values,
        {path: origins[path] for path in values},
        (*([broken] if broken else ()), *findings, *wrong),
        broken is not None,
    )


def _nested(values: Mapping[KeyPath, Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, value in values.items():
        table = document
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = value
    return document
