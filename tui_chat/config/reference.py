"""The reference of the settings, written from their declaration: ``python -m tui_chat.config.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby

from msgspec import inspect

from tui_chat.config.editing import formatted
from tui_chat.config.schema import Setting, schema
from tui_chat.config.settings import Settings

_HEAD = """\
# Settings

Written from the code by `python -m tui_chat.config.reference`.

The file is `~/.config/tui-chat/config.toml`, or the one that `$TUI_CHAT_CONFIG` names; `tui-chat config
path` prints it. It needs to hold only what differs from the defaults. What is wrong in it is told with its
line, and ignored; the rest of the file stays in force, and a file that is no TOML leaves all defaults in
force. It is never changed but by the settings screen and by `tui-chat config set` and `reset`, which change
one key and leave all else as it is, to the byte.

An environment variable overrules the file: `TUI_CHAT_`, the table and the key, in capitals, such as
`{example}`. Its value is TOML, or a bare word. The engine has the environment of whoever started it;
`tui-chat engine stop` ends it, and it is started again when it is needed.
"""


def reference() -> str:
    """Return the reference, in Markdown."""
    example = next(each for each in schema() if each.path == ("ui", "theme")).variable
    parts = [_HEAD.format(example=f"{example}=tui-chat-light")]
    intros = {field.name: _intro(field.type) for field in inspect.type_info(Settings).fields}  # type: ignore[attr-defined]
    for table, settings in groupby(schema(), key=lambda each: each.path[:-1]):
        parts.append("\n".join(_section(".".join(table), intros[table[0]], list(settings))))
    return "\n".join(parts)


def _section(name: str, intro: str, settings: list[Setting]) -> Iterator[str]:
    yield f"## `[{name}]`\n"
    yield f"{intro}\n"
    yield "| Key | Default | Meaning | Takes | A change takes effect |"
    yield "|---|---|---|---|---|"
    for each in settings:
        default = f"`{formatted(each.default)}`" if each.default is not None else "none"
        cells = (f"`{each.path[-1]}`", default, each.about, each.wants, each.when.value)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _intro(kind: inspect.Type) -> str:
    """What the table's declaration says of it."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.DictType):
        kind = kind.value_type
    assert isinstance(kind, inspect.StructType)
    return " ".join((kind.cls.__doc__ or "").split())


def main() -> None:
    """Write the reference to standard output."""
    sys.stdout.write(reference())


if __name__ == "__main__":
    main()
