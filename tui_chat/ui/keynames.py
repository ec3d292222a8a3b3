"""The names of keys: as Textual has them, as people write them, and what a plain terminal can send."""

from __future__ import annotations

import re
from collections.abc import Mapping

from textual.keys import _character_to_key

_SHOWN: Mapping[str, str] = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "comma": ",",
    "dollar_sign": "$",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "underscore": "_",
    "at": "@",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "pageup": "page up",
    "pagedown": "page down",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "plus": "+",
    "minus": "-",
    "backslash": "\\",
    "circumflex_accent": "^",
}
_ALIASES: Mapping[str, str] = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "page up": "pageup",
    "page down": "pagedown",
    "←": "left",
    "→": "right",
    "↑": "up",
    "↓": "down",
}
_MOVES = frozenset({"insert", "delete", "home", "end", "pageup", "pagedown", "left", "right", "up", "down"})
_FUNCTIONS = frozenset(f"f{number}" for number in range(1, 25))
_NAMED = _MOVES | _FUNCTIONS | {"escape", "enter", "tab", "space", "backspace"}
_MODIFIERS = ("ctrl", "alt", "shift")
_TWINS: Mapping[str, str] = {
    "ctrl+m": "enter",
    "ctrl+i": "tab",
    "ctrl+h": "backspace",
    "ctrl+left_square_bracket": "escape",
    "alt+enter": "enter",
}
"""What a terminal without the kitty protocol sends as another key; to bind one would take the other away."""

_UNDERSCORES = ("ctrl+slash", "ctrl+underscore")
"""One key on the keyboard: most terminals send the second for the first."""


class KeyNameError(ValueError):
    """A key that does not exist, or cannot be used; the message says why."""


def shown(keys: str) -> str:
    """Write the first of `keys` as people do: ``escape`` is ``esc``, ``f1`` is ``F1``; "" for none."""
    return " ".join(_written(key) for key in keys.split(",")[0].split())


def all_shown(keys: str) -> str:
    """Write all of `keys`, as `shown` does; "" for none."""
    return "  ".join(dict.fromkeys(shown(key) for key in keys.split(",") if key))


def _written(key: str) -> str:
    if key in _UNDERSCORES:
        return "ctrl+/"
    *modifiers, base = key.split("+")
    if base[0] == "f" and base[1:].isdigit():
        base = base.upper()
    return "+".join([*modifiers, _SHOWN.get(base, base)])


def read_keys(text: str) -> str:
    """Return the keys that `text` names, as Textual has them, comma-separated.

    `text` has commas between alternatives and spaces within those that are pressed one after the other:
    ``ctrl+g, ctrl+x ctrl+f``. Raises `KeyNameError`.
    """
    alternatives: list[str] = []
    for alternative in re.split(r",\s*(?!$)", text.strip()):
        parts = [[""]]
        for word in _ALIASES.get(alternative.strip().lower(), alternative).split():
            names = _read_key(word)
            parts = [[*part, name] for part in parts for name in names]
        alternatives += [" ".join(part[1:]) for part in parts if part[1:]]
    return ",".join(alternatives)


def _read_key(word: str) -> tuple[str, ...]:
    *modifiers, base = word.split("+") if not word.endswith("+") else [*word[:-1].split("+")[:-1], "+"]
    modifiers = [modifier.lower() for modifier in modifiers]
    for modifier in modifiers:
        if modifier not in _MODIFIERS:
            raise KeyNameError(f"there is no key “{modifier}” to hold while another is pressed")
    name = _base(base, word)
    if "shift" in modifiers and len(name) == 1:
        modifiers.remove("shift")
        name = name.upper()
    if "ctrl" in modifiers and len(name) == 1:
        name = name.lower()
    key = "+".join([*(each for each in _MODIFIERS if each in modifiers), name])
    if key in _TWINS:
        raise KeyNameError(f"terminals send the same for {shown(key)} and {shown(_TWINS[key])}")
    return _UNDERSCORES if key in _UNDERSCORES else (key,)


def _base(base: str, word: str) -> str:
    lowered = _ALIASES.get(base.lower(), base.lower())
    if lowered in _NAMED:
        return lowered
    if len(base) == 1:
        return _character_to_key(base)
    if lowered in _SHOWN:
        return lowered
    raise KeyNameError(f"there is no key called “{word}”")


def is_printable(key: str) -> bool:
    """Whether a key is text where text is typed."""
    return "+" not in key and key not in _NAMED - {"space"}


_CONTROL = frozenset("abcdefgjklnopqrstuvwxyz") | {
    "at",
    "backslash",
    "right_square_bracket",
    "circumflex_accent",
    "underscore",
    "slash",
    "space",
}


def is_plain(key: str) -> bool:
    """Whether every terminal can send a key, or keys one after the other."""
    return all(_is_plain(part) for part in key.split())


def _is_plain(key: str) -> bool:
    *modifiers, base = key.split("+")
    moves = base in _MOVES | _FUNCTIONS
    match modifiers:
        case []:
            return True
        case ["ctrl"]:
            return base in _CONTROL or moves
        case ["alt"]:
            return is_printable(base) or moves
        case ["shift"]:
            return base == "tab" or moves
        case _:
            return moves
