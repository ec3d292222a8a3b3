"""What the settings name that there is not: a theme, a preset, a command to give keys to."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.config.presets import PresetError, find_presets
from tui_chat.config.reading import Reading


def told(reading: Reading) -> list[str]:
    """Return everything that is wrong with the settings, each in a line with its place."""
    return [*reading.told, *_keys(reading), *unknown(reading)]


def unknown(reading: Reading) -> Iterator[str]:
    """Say which theme and which preset there is not; what is wrong with one's own is told elsewhere."""
    from textual.theme import BUILTIN_THEMES

    from tui_chat.ui.themes.files import file_of

    theme, preset = reading.settings.ui.theme, reading.settings.chat.preset
    if theme and theme not in BUILTIN_THEMES and file_of(theme) is None:
        yield f"{_place(reading, 'ui', 'theme')}there is no theme “{theme}”; /theme in the chat lists them."
    if preset:
        try:
            find_presets().named(preset)
        except PresetError as error:
            problem = error.problem
            yield f"{_place(reading, 'chat', 'preset')}{problem.what} {problem.remedy}"


def _keys(reading: Reading) -> Iterator[str]:
    from tui_chat.ui.keymap import keymap_of

    for fault in keymap_of(reading.settings.keys).faults:
        yield f"{_place(reading, 'keys', 'bind')}{fault}."


def _place(reading: Reading, *path: str) -> str:
    origin = reading.origins.get(path)
    return f"{origin.words(reading.file)}: " if origin is not None else ""
