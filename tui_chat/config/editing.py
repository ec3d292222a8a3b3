"""Changes one key in the text of a TOML file; everything else stays as it was, byte for byte."""

from __future__ import annotations

import copy
import re
from typing import Any

import tomli_w

from tui_chat.config.reading import BrokenError, parse
from tui_chat.config.schema import KeyPath, dotted
from tui_chat.config.spans import Layout, Path, Span, Statement, layout


class EditError(ValueError):
    """A change cannot be made without touching something else; the message says why."""


def with_value(text: str, path: KeyPath, value: Any) -> str:
    """Return `text` with `value` at `path`.

    Raises:
        BrokenError: `text` is no TOML.
        EditError: There is no place for it in what the text says, or TOML cannot say it.
    """
    document = parse(text)
    places = layout(text)
    if path in places.values:
        new = _spliced(text, places.values[path], formatted(value))
    else:
        cleared = _cleared(text, path)
        new = _inserted(cleared, layout(cleared), path, formatted(value))
    wanted = copy.deepcopy(document)
    _put(wanted, path, value)
    return _proven(new, wanted, path)


def without(text: str, path: KeyPath) -> str:
    """Return `text` without what it says at `path`, and below.

    A comment on the same line stays.

    Raises:
        BrokenError: `text` is no TOML.
        EditError: Removing it would change something else.
    """
    wanted = copy.deepcopy(parse(text))
    _drop(wanted, path)
    return _proven(_cleared(text, path), wanted, path, but_for_empty_tables=True)


def formatted(value: Any) -> str:
    """Write `value` as TOML in one line.

    Raises:
        EditError: It cannot be written so.
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(formatted, value))}]"
    if isinstance(value, dict):
        entries = [f"{dotted((key,))} = {formatted(each)}" for key, each in value.items()]
        return f"{{ {', '.join(entries)} }}" if entries else "{}"
    try:
        written = tomli_w.dumps({"value": value})
        written.encode()
    except (TypeError, ValueError) as error:
        raise EditError(f"this cannot be written as TOML: {error}") from None
    return written.removeprefix("value = ").removesuffix("\n")


# Putting in


def _inserted(text: str, places: Layout, path: KeyPath, value: str) -> str:
    """Say `value` at `path`, where nothing stands yet: in its table, in whatever style, or in a new one."""
    for depth in range(len(path) - 1, -1, -1):
        table, rest = path[:depth], f"{dotted(path[depth:])} = {value}"
        if table in places.values:
            return _into_inline(text, places, table, rest)
        blocks = [number for number, block in enumerate(places.blocks) if block.path == table]
        if blocks and depth == len(path) - 1:
            return _into_block(text, places, blocks[-1], path[-1], rest)
        if by := [each for each in places.statements if each.path[:depth] == table and each.prefix < depth]:
            return _after(
                text, by[-1].value.end, by[-1].key.start, f"{dotted(path[by[-1].prefix :])} = {value}"
            )
        if any(block.path[:depth] == table for block in places.blocks):
            return _appended(text, path, value)
    raise AssertionError("there is always the root")


def _into_inline(text: str, places: Layout, table: Path, entry: str) -> str:
    span = places.values[table]
    if text[span.start] != "{":
        raise EditError(f"{_named(table)} is no table there")
    inner = [
        each.end for path, each in places.values.items() if path[: len(table)] == table and path != table
    ]
    if inner:
        return _spliced(text, Span(max(inner), max(inner)), f", {entry}")
    blank = text[span.start + 1 : span.end - 1] or " "
    return _spliced(text, span, f"{{ {entry}{blank}}}")


def _into_block(text: str, places: Layout, number: int, name: str, line: str) -> str:
    """Put `line` below what is said in a block, or where a comment shows how `name` would be said."""
    header = places.blocks[number].header
    said = [each for each in places.statements if each.block == number]
    shown = re.compile(rf"^[ \t]*#[ \t]*{re.escape(dotted((name,)))}[ \t]*=", re.MULTILINE)
    end = places.blocks[number + 1].header.start if number + 1 < len(places.blocks) else len(text)
    for found in shown.finditer(text, header.end, end):
        if not any(each.value.start <= found.start() < each.value.end for each in said):
            return _after(text, found.end(), found.end(), line)
    if said:
        return _after(text, said[-1].value.end, said[-1].key.start, line)
    if header.end == 0:
        return f"{line}{_line_end(text)}{text}"
    return _after(text, header.end, header.start, line)


def _after(text: str, offset: int, model: int, line: str) -> str:
    """Put `line` below the one that `offset` is on, indented as what begins at `model`."""
    indent = text[text.rfind("\n", 0, model) + 1 : model]
    indent = indent if not indent.strip() else ""
    end = text.find("\n", offset)
    if end < 0:
        return f"{text}{_line_end(text)}{indent}{line}"
    return f"{text[: end + 1]}{indent}{line}{_line_end(text)}{text[end + 1 :]}"


def _appended(text: str, path: KeyPath, value: str) -> str:
    end = _line_end(text)
    before = text + ("" if not text or text.endswith("\n") else end) + (end if text.strip() else "")
    return f"{before}[{dotted(path[:-1])}]{end}{dotted(path[-1:])} = {value}{end}"


# Taking out


def _cleared(text: str, path: KeyPath) -> str:
    """Take out everything that is said at `path` and below; what stands in a table goes before its header."""
    while True:
        places = layout(text)
        if statement := next((each for each in places.statements if _below(each.path, path)), None):
            text = _without_statement(text, statement)
        elif inner := next((each for each in places.keys if _below(each, path)), None):
            text = _without_entry(text, places, inner)
        elif header := next((each.header for each in places.blocks if _below(each.path, path)), None):
            text = _without_line(text, header)
        else:
            return text


def _below(path: Path, table: KeyPath) -> bool:
    return path[: len(table)] == table


def _without_statement(text: str, statement: Statement) -> str:
    return _without_line(text, Span(statement.key.start, statement.value.end))


def _without_line(text: str, span: Span) -> str:
    """Take `span` out, and its lines with it unless a comment follows it."""
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    rest = text[span.end : len(text) if end < 0 else end]
    if rest.strip():
        return text[: span.start] + text[span.end :].lstrip(" \t")
    return text[:start] + ("" if end < 0 else text[end + 1 :])


def _without_entry(text: str, places: Layout, path: Path) -> str:
    """Take an entry out of an inline table, and one of the commas beside it."""
    table = next(path[:depth] for depth in range(len(path) - 1, 0, -1) if path[:depth] in places.values)
    beside = [each for each in places.keys if _holder(places, each) == table]
    at = beside.index(path)
    if len(beside) == 1:
        return _spliced(text, places.values[table], "{}")
    if at == 0:
        return _spliced(text, Span(places.keys[path].start, places.keys[beside[1]].start), "")
    return _spliced(text, Span(places.values[beside[at - 1]].end, places.values[path].end), "")


def _holder(places: Layout, path: Path) -> Path:
    return next(path[:depth] for depth in range(len(path) - 1, -1, -1) if path[:depth] in places.values)


# Making sure


def _proven(text: str, wanted: dict[str, Any], path: KeyPath, *, but_for_empty_tables: bool = False) -> str:
    """Return `text` if it says what is `wanted`, and nothing else.

    Raises:
        EditError: It does not.
    """
    try:
        said = parse(text)
    except BrokenError as error:
        raise EditError(f"there is no place for {dotted(path)}: {error}") from None
    same = _same(_pruned(said), _pruned(wanted)) if but_for_empty_tables else _same(said, wanted)
    if not same:
        raise EditError(f"{dotted(path)} cannot be changed without changing something else")
    return text


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal as TOML has it: 1, 1.0 and true are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


def _pruned(value: Any) -> Any:
    """Leave tables out in which nothing is said."""
    if isinstance(value, list):
        return [_pruned(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _pruned(each) for key, each in value.items()}
    return {key: each for key, each in kept.items() if each != {}}


def _put(document: dict[str, Any], path: KeyPath, value: Any) -> None:
    for part in path[:-1]:
        inner = document.setdefault(part, {})
        if not isinstance(inner, dict):
            raise EditError(f"{part} is no table there")
        document = inner
    document[path[-1]] = list(value) if isinstance(value, tuple) else value


def _drop(document: dict[str, Any], path: KeyPath) -> None:
    for part in path[:-1]:
        inner = document.get(part)
        if not isinstance(inner, dict):
            return
        document = inner
    document.pop(path[-1], None)


def _spliced(text: str, span: Span, new: str) -> str:
    return text[: span.start] + new + text[span.end :]


def _line_end(text: str) -> str:
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def _named(path: Path) -> str:
    return dotted(tuple(str(part) for part in path))
