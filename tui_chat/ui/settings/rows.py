"""A row for each setting, and what is said of the highlighted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from textual.content import Content

from tui_chat.config.reading import Origin, Reading
from tui_chat.config.schema import Setting, dotted
from tui_chat.config.showing import shown
from tui_chat.ui import words
from tui_chat.ui.fuzzy import ranked
from tui_chat.ui.widgets.filtered import Row, columns, containing

_TABLE_CELLS = 13
_NAME_CELLS = 19
_SLIPS = 3
"""How many of the things that are wrong are said on the screen."""


def rows(reading: Reading) -> list[Row[Setting]]:
    """Make the rows, in the order of the declaration."""
    return [
        Row(each.key, each, f"{each.key} {each.about}", partial(_drawn, reading, each, False))
        for each in reading.all
    ]


def matching(reading: Reading, typed: str, listed: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Keep the rows that match what was typed, the best first; each table is named where it begins.

    What a setting does is said in a sentence, in which the letters of most words can be found: only where
    none has the words themselves are letters looked for.
    """
    found = ranked(typed, ((row.words, row) for row in containing(typed, listed) or listed))
    table: tuple[str, ...] = ()
    told = []
    for row in found:
        before, table = table, row.thing.path[:-1]
        told.append(replace(row, draw=partial(_drawn, reading, row.thing, table != before)))
    return told


def _drawn(reading: Reading, setting: Setting, first: bool, width: int) -> Content:
    """Draw a row: the table where it is the `first` of that, name, value, and where that is from."""
    origin = reading.origin(setting)
    table = words.shorten(dotted(setting.path[:-1]), _TABLE_CELLS - 1) if first else ""
    value = shown(setting, reading.value(setting))
    left = Content.assemble(
        (f"{table:<{_TABLE_CELLS}}", "$accent"),
        (f"{words.shorten(setting.path[-1], _NAME_CELLS - 1):<{_NAME_CELLS}}", "$foreground"),
        (value, "$muted" if origin == Origin() else "bold $foreground"),
    )
    return columns(width, left, Content.styled(_briefly(origin), "$muted"))


def _briefly(origin: Origin) -> str:
    if origin.variable:
        return "environment"
    return f"line {origin.line}" if origin.line is not None else "default"


def about(reading: Reading, setting: Setting) -> Content:
    """Say what a setting does and takes, where its value is from, and when a change takes effect."""
    default = shown(setting, setting.default)
    usual = f" · {default} by default" if setting.default is not None else ""
    return Content("\n").join(
        [
            Content.assemble((setting.key, "bold"), (f"   {setting.wants}{usual}", "$muted")),
            Content.styled(f"{setting.about}.".replace("`", ""), "$foreground"),
            Content.styled(_from(reading, setting), "$muted"),
        ]
    )


def _from(reading: Reading, setting: Setting) -> str:
    origin = reading.origin(setting)
    if origin.variable:
        return f"set by {origin.variable} where tui-chat was started: it cannot be changed here"
    effect = f"a change takes effect {setting.when}"
    if origin.line is None:
        return effect
    return f"line {origin.line} of {words.place(str(reading.file))} · {effect}"


def wrong(reading: Reading) -> str:
    """Say what is wrong with file and environment, as far as there is room for it; "" for nothing."""
    slips = reading.slips
    more = f"\n{len(slips) - _SLIPS} more: tui-chat config check" if len(slips) > _SLIPS else ""
    return "\n".join(slips[:_SLIPS]) + more


def summary(reading: Reading) -> str:
    """Say which file this is about."""
    place = words.place(str(reading.file))
    return place if reading.data is not None else f"{place}, which is made when something is changed"
