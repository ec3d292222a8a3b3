"""What a new settings file begins with: every setting with what it does, as comments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from msgspec import inspect

from tui_chat.config.editing import formatted
from tui_chat.config.schema import NAME, Setting, schema

_HEAD = """\
# Settings of tui-chat. Take the # away before a name to change it; what is not said has its default.
# `tui-chat config check` looks for slips; docs/settings.md says more.
"""


def template() -> str:
    """Return the text."""
    lines = [_HEAD]
    for table, settings in groupby(schema(), key=lambda each: each.path[:-1]):
        mark = "# " if NAME in table else ""
        lines += [f"{mark}[{'.'.join(table)}]", *(line for each in settings for line in _lines(each)), ""]
    return "\n".join(lines)


def _lines(setting: Setting) -> Iterator[str]:
    yield f"# {setting.about} ({setting.wants})"
    said = _example(setting) if setting.default is None else setting.default
    yield f"# {setting.path[-1]} = {formatted(said)}"


def _example(setting: Setting) -> Any:
    """Something that a setting without a default might be."""
    if setting.choices:
        return setting.choices[0]
    if isinstance(setting.kind, inspect.StructType):
        return {field.name: "" for field in setting.kind.fields if field.required}
    return int(setting.limits.least) if setting.limits else ""
