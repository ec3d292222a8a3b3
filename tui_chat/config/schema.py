"""Every setting there is, as the declaration says: name, type, limits, default and what it is for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from tui_chat.chat.limits import SAMPLING, Limits
from tui_chat.chat.model import Sampling
from tui_chat.config.declared import When
from tui_chat.config.settings import ENVIRONMENT, Settings

NAME = "NAME"
"""Stands for any name in the path of a setting of which there are as many as there are servers."""
_ITEMS = {"text": "texts", "a path": "paths", "a number": "numbers", "a whole number": "whole numbers"}

KeyPath = tuple[str, ...]


class ValueRefusedError(ValueError):
    """A value is not what a setting takes; the message says what it does take."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set.

    Attributes:
        path: Its table, and its name there; for a setting of servers with the name of one between.
        type: What `msgspec.convert` makes its value.
        kind: Of its value, leaving out that there may be none.
        default: In the file's terms; None where there is none.
        about: What it does, in one line.
        when: When a change takes effect.
        secret: Whether its value is never shown.
        limits: The least and the most that a number may be.
    """

    path: KeyPath
    type: Any
    kind: inspect.Type
    default: Any
    about: str
    when: When
    secret: bool
    limits: Limits | None

    @property
    def key(self) -> str:
        """Its path as in a TOML file."""
        return dotted(self.path)

    @property
    def variable(self) -> str:
        """The environment variable that overrules it."""
        return ENVIRONMENT + re.sub(r"[^A-Z0-9]", "_", "_".join(self.path).upper())

    @property
    def choices(self) -> tuple[str, ...]:
        """The values to choose from, where there are only a few."""
        return tuple(each.value for each in self.kind.cls) if isinstance(self.kind, inspect.EnumType) else ()

    @property
    def wants(self) -> str:
        """What its value has to be."""
        return f"{_wanted(self.kind)}{f' {self.limits}' if self.limits else ''}"

    @property
    def item_wants(self) -> str:
        """What each item of its list has to be, or each value in its table."""
        kind = self.kind
        if isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
        elif isinstance(kind, inspect.DictType):
            kind = kind.value_type
        limits = _limits(kind)
        return f"{_wanted(kind)}{f' {limits}' if limits else ''}"

    def check(self, value: object) -> None:
        """Make sure that it takes `value`, which is in the file's terms.

        Raises:
            ValueRefusedError: It does not.
        """
        try:
            made = msgspec.convert(value, self.type)
        except msgspec.ValidationError:
            raise ValueRefusedError(self.wants) from None
        if self.limits and isinstance(made, int | float) and not self.limits.hold(made):
            raise ValueRefusedError(self.wants)

    def read(self, text: str) -> Any:
        """The value that `text` stands for: TOML, or else the text itself.

        Raises:
            ValueRefusedError: It takes no such value.
        """
        for value in _meanings(text):
            try:
                self.check(value)
            except ValueRefusedError:
                continue
            return value
        raise ValueRefusedError(self.wants)

    def read_entry(self, name: str, text: str) -> Any:
        """The value that `text` stands for in the entry `name` of its table.

        Raises:
            ValueRefusedError: It takes no such value there, or has no table.
        """
        for value in _meanings(text):
            try:
                self.check({name: value})
            except ValueRefusedError:
                continue
            return value
        raise ValueRefusedError(self.item_wants)

    def at(self, name: str) -> Setting:
        """The same of the server called `name`."""
        return replace(self, path=tuple(name if part == NAME else part for part in self.path))


def _meanings(text: str) -> Iterator[Any]:
    """What `text` may stand for: what it says as TOML, and else itself."""
    try:
        said = tomllib.loads(f"value = {text}")
        if said.keys() == {"value"}:
            yield said["value"]
    except (ValueError, RecursionError):
        pass
    yield text


def dotted(path: KeyPath) -> str:
    """Write `path` as a key of TOML, quoted where need be."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else _quoted(part) for part in path)


def _quoted(part: str) -> str:
    import tomli_w

    return tomli_w.dumps({part: 0}).removesuffix(" = 0\n")


def parsed(key: str) -> KeyPath | None:
    """Read `key`, such as ``models.keep_alive_for."qwen3.5"``; None if it is no key of TOML."""
    try:
        said: Any = tomllib.loads(f"{key} = 0")
    except (ValueError, RecursionError):
        return None
    path: KeyPath = ()
    while isinstance(said, dict) and len(said) == 1:
        ((part, said),) = said.items()
        path = (*path, part)
    return path if said == 0 and "\n" not in key else None


@cache
def schema() -> tuple[Setting, ...]:
    """Every setting, in the order of its declaration; those of servers with `NAME` in their paths."""
    found: list[Setting] = []
    whole = inspect.type_info(Settings)
    assert isinstance(whole, inspect.StructType)
    for field in whole.fields:
        kind, extra, _ = _bare(field.type)
        when = When(extra.get("when") or When.START)
        if isinstance(kind, inspect.StructType):
            found += _table((field.name,), kind, when)
        elif isinstance(kind, inspect.DictType) and isinstance(kind.value_type, inspect.StructType):
            found += _table((field.name, NAME), kind.value_type, when)
    return tuple(found)


def setting_at(path: KeyPath) -> Setting | None:
    """The setting at `path`; of a server's, its own."""
    if len(path) == 3:
        template = _by_path().get((path[0], NAME, path[2]))
        return template.at(path[1]) if template is not None else None
    return _by_path().get(path)


def check_at(path: KeyPath, value: object) -> None:
    """Make sure that `value` may be said at `path`: of a setting, or of an entry in a setting's table.

    Raises:
        ValueRefusedError: It may not; the message is a sentence about that.
    """
    setting, table = setting_at(path), setting_at(path[:-1])
    if setting is not None:
        wants = setting.wants
    elif table is not None and isinstance(table.kind, inspect.DictType):
        setting, value, wants = table, {path[-1]: value}, table.item_wants
    else:
        raise ValueRefusedError(f"there is no setting {dotted(path)}{_meant(path)}")
    try:
        setting.check(value)
    except ValueRefusedError:
        raise ValueRefusedError(f"{dotted(path)} has to be {wants}") from None


def _meant(path: KeyPath) -> str:
    close = similar(path)
    return f" (did you mean {close}?)" if close else ""


def similar(path: KeyPath) -> str:
    """The key that was probably meant by one that is none; "" if nothing is like it."""
    here = [dotted(each) for each in _by_path() if each[:-1] == path[:-1]]
    close = get_close_matches(dotted(path), here, n=1, cutoff=0.75)
    close = close or get_close_matches(dotted(path), map(dotted, _by_path()), n=1, cutoff=0.8)
    return close[0] if close else ""


@cache
def _by_path() -> dict[KeyPath, Setting]:
    return {each.path: each for each in schema()}


def _table(path: KeyPath, table: inspect.StructType, usual: When) -> Iterator[Setting]:
    types = {field.name: field.type for field in msgspec.structs.fields(table.cls)}
    for field in table.fields:
        kind, extra, about = _bare(field.type)
        default = (
            field.default_factory() if field.default is msgspec.NODEFAULT and not field.required else None
        )
        if field.default is not msgspec.NODEFAULT:
            default = field.default
        yield Setting(
            (*path, field.name),
            types[field.name],
            kind,
            msgspec.to_builtins(default),
            about,
            When(extra.get("when") or usual),
            bool(extra.get("secret")),
            SAMPLING.get(field.name) if table.cls is Sampling else _limits(kind),
        )


def _bare(kind: inspect.Type) -> tuple[inspect.Type, dict[str, Any], str]:
    """A type without that there may be none, and what is said of it."""
    extra, about = {}, ""
    if isinstance(kind, inspect.Metadata):
        extra, about = kind.extra or {}, (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    return kind, extra, about


def _limits(kind: inspect.Type) -> Limits | None:
    if isinstance(kind, inspect.IntType | inspect.FloatType) and kind.ge is not None and kind.le is not None:
        return Limits(kind.ge, kind.le)
    return None


def _wanted(kind: inspect.Type) -> str:
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.EnumType():
            return "one of " + ", ".join(each.value for each in kind.cls)
        case inspect.VarTupleType():
            return f"a list of {_items(kind.item_type)}"
        case inspect.DictType():
            return f"a table of {_items(kind.value_type)}"
        case inspect.StructType():
            told = " and ".join(each.name for each in kind.fields if each.required)
            rest = ", ".join(each.name for each in kind.fields if not each.required)
            return f"a table with {told}{f' (and perhaps {rest})' if rest else ''}"
        case inspect.StrType(pattern=str()):
            return "a path"
    return "text"


def _items(kind: inspect.Type) -> str:
    limits = _limits(kind)
    wanted = _wanted(kind)
    return f"{_ITEMS.get(wanted, wanted.removeprefix('one of '))}{f' {limits}' if limits else ''}"
