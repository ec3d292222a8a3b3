"""The values there are of settings that name something: a theme, a preset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App

    from tui_chat.config.schema import Setting


def suggested(app: App[Any], setting: Setting) -> Sequence[str]:
    """The names that `setting` may have; none where it is no name, or nobody knows them all."""
    if setting.path == ("ui", "theme"):
        return sorted(app.available_themes)
    if setting.path == ("chat", "preset"):
        from tui_chat.config.presets import find_presets

        return [each.preset.name for each in find_presets().listed]
    return ()
