"""Where everything of ours lives on disk: XDG through platformdirs, each place settable."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from tui_chat.config.settings import FILE_VARIABLE, PathSettings

APP = "tui-chat"


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders in force. Nothing here exists until somebody needs it."""

    models: Path
    sessions: Path
    state: Path
    logs: Path
    cache: Path
    runtime: Path

    @property
    def parks(self) -> Path:
        """The folder of parked KV caches."""
        return self.cache / "kv"

    @property
    def metrics(self) -> Path:
        """The folder of the log of answers."""
        return self.state / "metrics"

    @property
    def drafts(self) -> Path:
        """The folder of what was typed and not yet sent."""
        return self.state / "drafts"

    @property
    def socket(self) -> Path:
        """The engine's Unix socket."""
        return self.runtime / "engine.sock"


def config_file() -> Path:
    """Where the settings are read from: ``$TUI_CHAT_CONFIG`` or ``config.toml`` in the config folder."""
    override = os.environ.get(FILE_VARIABLE)
    return Path(override) if override else platformdirs.user_config_path(APP) / "config.toml"


def resolve_paths(settings: PathSettings) -> Paths:
    """Combine the settings with the platform's own places. Touches no disk."""

    def place(setting: str | None, default: Path) -> Path:
        return expanded(setting) if setting else default

    data = platformdirs.user_data_path(APP)
    state = place(settings.state, platformdirs.user_state_path(APP))
    return Paths(
        models=place(settings.models, data / "models"),
        sessions=place(settings.sessions, data / "sessions"),
        state=state,
        logs=place(settings.logs, state / "logs"),
        cache=place(settings.cache, platformdirs.user_cache_path(APP)),
        runtime=place(settings.runtime, _runtime_folder()),
    )


def expanded(setting: str) -> Path:
    """The place that a setting names; one that begins with the ``~`` of nobody here is a folder here."""
    return Path(os.path.expanduser(setting))  # noqa: PTH111 - pathlib's raises there


def _runtime_folder() -> Path:
    """The folder for sockets: short, local to this machine, gone after a reboot.

    Not platformdirs': on a headless server without ``XDG_RUNTIME_DIR`` it warns on stderr and
    shares one folder between programs. A folder of our own in /tmp, as tmux does, can be checked
    for owner and mode before it is trusted.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base:
        return Path(base) / APP
    systemd = Path(f"/run/user/{os.getuid()}")
    return systemd / APP if systemd.is_dir() else Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"
