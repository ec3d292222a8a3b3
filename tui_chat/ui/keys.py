"""The keys of commands: as Textual binds them, and as people write them."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui_chat.ui.commands import Handled, Place, commands


def bindings(*places: Place) -> list[BindingType]:
    """Make the Textual bindings of `places`; each carries its command's id for key maps."""
    return [
        Binding(c.keys, c.action, c.title, show=False, id=c.id, priority=c.priority)
        for c in commands(*places)
        if c.handled is Handled.BINDING and c.keys
    ]


_SHOWN = {
    "escape": "esc",
    "question_mark": "?",
    "slash": "/",
    "ctrl+underscore": "ctrl+/",
    "ctrl+slash": "ctrl+/",
    "pageup": "page up",
    "pagedown": "page down",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left": "←",
    "right": "→",
    "shift+left": "shift+←",
    "shift+right": "shift+→",
    "up": "↑",
    "down": "↓",
    "shift+up": "shift+↑",
    "shift+down": "shift+↓",
    "plus": "+",
    "minus": "-",
}


def shown(keys: str) -> str:
    """Write the first of `keys` as people do: ``escape`` is ``esc``, ``f1`` is ``F1``."""
    key = keys.split(",")[0]
    if key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return _SHOWN.get(key, key)


def all_shown(keys: str) -> str:
    """Write all of `keys`, as `shown` does; "" for none."""
    return " ".join(dict.fromkeys(shown(key) for key in keys.split(",") if key))
