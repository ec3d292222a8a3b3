"""The files that come with tui-chat: themes, presets and example sessions, in a wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def themes_folder() -> Path:
    """The folder of the themes that come with tui-chat."""
    return _folder("_themes", "themes")


def examples_folder() -> Path:
    """The folder of the example sessions."""
    return _folder("_sessions_example", "sessions.example")


def presets_folder() -> Path:
    """The folder of the presets that come with tui-chat."""
    return _PACKAGE / "config" / "builtin_presets"


def _folder(in_wheel: str, in_checkout: str) -> Path:
    packaged = _PACKAGE / in_wheel
    return packaged if packaged.is_dir() else _PACKAGE.parent / in_checkout
