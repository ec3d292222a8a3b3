"""What a document and the environment say of the settings: what of it holds, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import msgspec
from msgspec import inspect

from tui_chat.config.schema import (
    NAME,
    KeyPath,
    Setting,
    ValueRefusedError,
    dotted,
    schema,
    setting_at,
    similar,
)
from tui_chat.config.servers import Name
from tui_chat.config.settings import ENVIRONMENT, FILE_VARIABLE
from tui_chat.config.spans import Path as Place

_SHOWN = 40
"""Characters of a wrong value that are shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Attributes:
        what: What it is, and what is in force instead, as a sentence.
        line: Of the file, from 1; None where there is none to tell.
        variable: The environment variable it is about, instead of the file.
    """

    what: str
    line: int | None = None
    variable: str = ""


@dataclass(slots=True)
class Checked:
    """What holds, by setting, in the file's terms; and what is wrong, by its place."""

    values: dict[KeyPath, Any] = field(default_factory=dict)
    wrong: list[tuple[Place, str]] = field(default_factory=list)

    def refuse(self, path: Place, what: str) -> None:
        """Take note of something that is wrong."""
        self.wrong.append((path, what))


def check_document(document: Mapping[str, Any]) -> Checked:
    """Find out what holds of the document of a settings file."""
    found = Checked()
    tables = {each.path[0]: each.path[1] == NAME for each in schema()}
    for table, content in document.items():
        if table not in tables:
            found.refuse((table,), _unknown_table(table, tables, content))
        elif not isinstance(content, dict):
            found.refuse((table,), f"{table} is {_shown(content)}, and has to be a table; it is ignored")
        elif tables[table]:
            for name, inner in content.items():
                _check_named(found, (table, name), inner)
        else:
            _check_table(found, (table,), content)
    return found


def _check_named(found: Checked, path: KeyPath, content: Any) -> None:
    """Look at one table of a name that is a person's choice."""
    if not isinstance(content, dict):
        found.refuse(path, f"{dotted(path)} has to be a table; it is ignored")
    elif not is_server_name(path[1]):
        rule = "letters, digits, dots and dashes, 40 at most, a letter or digit first"
        found.refuse(path, f"{dotted(path)} is no name for a server ({rule}); it is ignored")
    elif content:
        _check_table(found, path, content)
    else:
        found.refuse(path, lacking(path[1]))


def is_server_name(name: str) -> bool:
    """Whether a server may be called so."""
    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError:
        return False
    return True


def lacking(name: str) -> str:
    """What is wrong with a server without a place."""
    return f"{dotted(('servers', name, 'url'))} is missing, the address of that server; it is ignored"


def _check_table(found: Checked, path: KeyPath, content: Mapping[str, Any]) -> None:
    for name, value in content.items():
        here = (*path, name)
        setting = setting_at(here)
        if setting is None:
            found.refuse(here, _unknown(here))
        elif isinstance(setting.kind, inspect.DictType) and isinstance(value, dict):
            good = {
                key: each for key, each in value.items() if _check_value(found, setting, {key: each}, key)
            }
            if good or not value:
                found.values[here] = good
        elif _check_value(found, setting, value):
            found.values[here] = value


def _check_value(found: Checked, setting: Setting, value: Any, entry: str | None = None) -> bool:
    """Whether `setting` takes `value`; why not is noted. With `entry`, only that of its table is meant."""
    try:
        setting.check(value)
    except ValueRefusedError as refused:
        part = entry if entry is not None else _bad_item(setting, value)
        name, told, wants = setting.key, value, str(refused)
        if part is not None:
            told, wants = value[part], setting.item_wants
            name = dotted((*setting.path, part)) if isinstance(part, str) else f"{name} (item {part + 1})"
        shown = "" if setting.secret or isinstance(told, dict) else f" is {_shown(told)}, and"
        instead = _instead(setting) if entry is None else "it is ignored"
        path: Place = setting.path if part is None else (*setting.path, part)
        found.refuse(path, f"{name}{shown} has to be {wants}{_meant(setting, told)}; {instead}")
        return False
    return True


def _bad_item(setting: Setting, value: Any) -> int | None:
    """The number of the item of a list that is wrong; None where it is the value as such."""
    if isinstance(setting.kind, inspect.VarTupleType) and isinstance(value, list):
        for number, item in enumerate(value):
            try:
                setting.check([item])
            except ValueRefusedError:
                return number
    return None


def _meant(setting: Setting, value: Any) -> str:
    kind = setting.kind.item_type if isinstance(setting.kind, inspect.VarTupleType) else setting.kind
    if not isinstance(kind, inspect.EnumType) or not isinstance(value, str):
        return ""
    close = get_close_matches(value.lower(), [each.value for each in kind.cls], n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _instead(setting: Setting) -> str:
    if setting.default in (None, (), {}):
        return "it is ignored"
    return f"the default, {_shown(setting.default)}, is in force"


def _unknown(path: KeyPath) -> str:
    close = similar(path)
    return f"{dotted(path)} is no setting{f' (did you mean {close}?)' if close else ''}; it is ignored"


def _unknown_table(name: str, tables: Mapping[str, bool], content: Any) -> str:
    close = get_close_matches(name.lower(), tables, n=1)
    kind = "table of settings" if isinstance(content, dict) else "setting"
    return f"{dotted((name,))} is no {kind}{f' (did you mean {close[0]}?)' if close else ''}; it is ignored"


def _shown(value: Any) -> str:
    """Write a value of a file shortly, in one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]" if len(str(value)) <= 2 * _SHOWN else "a list"
    told = str(value) if len(str(value)) <= _SHOWN else f"{str(value)[: _SHOWN - 1]}…"
    told = "".join(each if each.isprintable() else " " for each in told)
    return f"“{told}”" if isinstance(value, str) else told


# The environment


def check_environment(
    environ: Mapping[str, str], servers: set[str]
) -> tuple[dict[KeyPath, tuple[str, Any]], list[Finding]]:
    """Find out which settings the environment overrules.

    Args:
        environ: The variables.
        servers: Names of the servers that the file names.

    Returns:
        Variable and value by setting, and what is wrong.
    """
    values: dict[KeyPath, tuple[str, Any]] = {}
    wrong: list[Finding] = []
    known = {each.variable: each for each in schema() if NAME not in each.path}
    known |= {each.variable: each for name in servers for each in _of_server(name)}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(ENVIRONMENT) or variable == FILE_VARIABLE or not text:
            continue
        setting = known.get(variable) or _of_new_server(variable)
        if setting is None:
            close = get_close_matches(variable, [*known, FILE_VARIABLE], n=1, cutoff=0.8)
            meant = f" (did you mean {close[0]}?)" if close else ""
            wrong.append(Finding(f"names no setting{meant}; it is ignored", variable=variable))
            continue
        try:
            text.encode()
            values[setting.path] = (variable, setting.read(text))
        except ValueRefusedError as refused:
            shown = "" if setting.secret else f"is {_shown(text)}, and "
            wrong.append(Finding(f"{shown}has to be {refused}; it is ignored", variable=variable))
        except UnicodeEncodeError:
            wrong.append(Finding("is no UTF-8; it is ignored", variable=variable))
    return values, wrong


def _of_server(name: str) -> Iterator[Setting]:
    return (each.at(name) for each in schema() if NAME in each.path)


def _of_new_server(variable: str) -> Setting | None:
    """The setting of a server that only the environment names, in capitals."""
    fits = []
    for each in schema():
        if NAME not in each.path:
            continue
        before, after = each.variable.split(NAME, 1)
        name = variable.removeprefix(before).removesuffix(after).lower()
        if variable == f"{before}{name.upper()}{after}" and is_server_name(name):
            fits.append(each.at(name))
    return min(fits, key=lambda each: len(each.path[1]), default=None)
