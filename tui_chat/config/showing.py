"""How the values of settings are shown; what is secret never is."""

from __future__ import annotations

import re
from typing import Any

from tui_chat.config.editing import formatted
from tui_chat.config.schema import Setting

HIDDEN = "(hidden)"
_PASSWORD = re.compile(r"(?<=://)[^/@\s]*@")


def masked(setting: Setting, value: Any) -> Any:
    """The value of `setting` without what is secret in it."""
    if setting.secret and value:
        return HIDDEN
    return _PASSWORD.sub("…@", value) if isinstance(value, str) else value


def shown(setting: Setting, value: Any) -> str:
    """Write the value of `setting` as TOML in one line; "none" where there is none."""
    if value is None:
        return "none"
    return HIDDEN if setting.secret and value else formatted(masked(setting, value))
