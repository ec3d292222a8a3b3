"""The settings a person can change: one declared schema, read from a TOML file, never at import."""

from __future__ import annotations

import enum
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from tui_chat.chat.model import Problem, ProblemCode, Sampling
from tui_chat.chat.routing import Routes
from tui_chat.config.looks import Ability, Glyphs
from tui_chat.config.servers import DetectSettings, Name, ServerSettings
from tui_chat.wire.api import ModelSource
from tui_chat.wire.plan import Strategy


class PathSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where things live; None means the platform's own place (see `config.paths`)."""

    models: str | None = None
    sessions: str | None = None
    state: str | None = None
    logs: str | None = None
    cache: str | None = None
    runtime: str | None = None


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which models are offered and how they are loaded.

    `folders` are searched beside the models folder; `sources` are the places that are looked at;
    `default` and `fallback` are model ids: of new chats, and for when memory, process or server of another
    model gives out. `context` is the context wished for, in tokens; `threads` overrides the count of usable
    cores; `strategy` is what plans strive for; `leave_free_mib` stays free on each GPU; `ram_limit_mib` is
    the most RAM that models may take together. An idle model is kept for `keep_alive_s` (0: it goes after
    each answer; negative: it stays), or for what `keep_alive_for` says of its id. With `prewarm`, what
    usually comes next is loaded beforehand where it is no trouble.
    """

    folders: tuple[str, ...] = ()
    sources: tuple[ModelSource, ...] = tuple(ModelSource)
    default: str | None = None
    fallback: str | None = None
    context: int = 8192
    threads: int | None = None
    strategy: Strategy = Strategy.BALANCED
    leave_free_mib: int = 0
    ram_limit_mib: int | None = None
    keep_alive_s: float = 1800.0
    keep_alive_for: dict[str, float] = {}
    prewarm: bool = True


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the engine behaves. It leaves by itself after `idle_exit_s` without work or visitors."""

    idle_exit_s: float = 600.0


class CacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much room parked KV caches may take, in MiB.

    None takes a tenth of the RAM, 2 GiB at most, and a tenth of what is free on the disk, 32 GiB at most.
    """

    ram_mib: int | None = None
    disk_mib: int | None = None


class SessionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what was deleted can be had back: `trash_days` days, or, if 0, until it is emptied by hand."""

    trash_days: int = 30


class UiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the screen behaves. `stream_fps` None picks 30, or 15 over SSH.

    `instruments` shows speed, memory and heat beside the conversation, or in a few words where it is narrow.
    `color` is how many colours are used, and `glyphs` what lines and graphs are made of, where the terminal
    does not tell, or tells wrong.
    """

    theme: str | None = None
    stream_fps: int | None = None
    mouse: bool = True
    instruments: bool = True
    color: Ability = Ability.AUTO
    glyphs: Glyphs = Glyphs.AUTO


class InstrumentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the engine reads processors, memory and GPUs while somebody watches or an answer is written."""

    enabled: bool = True


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether every answer's numbers are logged, and with `texts` also what was asked and answered.

    Never the texts of a chat that is kept nowhere.
    """

    log: bool = True
    texts: bool = False


class HeatAction(enum.StrEnum):
    """What is done about a device that is too hot."""

    PAUSE = "pause"
    SLOW = "slow"
    WARN = "warn"


class GovernorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which °C on heat is told and acted upon; the own limit of a device counts if it is lower."""

    warn_c: Annotated[float, msgspec.Meta(ge=30, le=120)] = 80.0
    critical_c: Annotated[float, msgspec.Meta(ge=40, le=120)] = 90.0
    action: HeatAction = HeatAction.PAUSE


class ChatSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How new chats begin: with the `preset` of that name, if one is given."""

    preset: str | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set, with its defaults."""

    paths: PathSettings = PathSettings()
    models: ModelSettings = ModelSettings()
    engine: EngineSettings = EngineSettings()
    cache: CacheSettings = CacheSettings()
    sessions: SessionSettings = SessionSettings()
    instruments: InstrumentSettings = InstrumentSettings()
    governor: GovernorSettings = GovernorSettings()
    metrics: MetricsSettings = MetricsSettings()
    ui: UiSettings = UiSettings()
    chat: ChatSettings = ChatSettings()
    sampling: Sampling = Sampling()
    servers: dict[Name, ServerSettings] = {}
    detect: DetectSettings = DetectSettings()
    routes: Routes = Routes()


class LoadedSettings(msgspec.Struct, frozen=True):
    """The settings in force, and what was wrong with the file if they are only the defaults."""

    settings: Settings
    problem: Problem | None = None


def load_settings(file: Path) -> LoadedSettings:
    """Read `file`; a missing one gives the defaults, a broken one the defaults and a problem."""
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return LoadedSettings(msgspec.convert(raw, Settings))
    except FileNotFoundError:
        return LoadedSettings(Settings())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        return LoadedSettings(Settings(), _config_problem(file, error))


def _config_problem(file: Path, error: Exception) -> Problem:
    return Problem(
        code=ProblemCode.CONFIG_INVALID,
        what=f"{file} cannot be used: {error}.",
        kept="The file is untouched; the defaults are in force.",
        remedy="Correct the file and start again.",
    )
