"""The settings a person can change: one declared schema, read from a TOML file, never at import."""

from __future__ import annotations

import enum
import os
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from tui_chat.chat.limits import objection
from tui_chat.chat.model import Problem, Sampling
from tui_chat.chat.routing import Routes
from tui_chat.config.declared import Mebibytes, Place, Seconds, Tokens, When, about, takes_effect
from tui_chat.config.keys import KeySettings
from tui_chat.config.looks import Ability, Glyphs
from tui_chat.config.servers import DetectSettings, Name, ServerSettings
from tui_chat.wire.api import ModelSource
from tui_chat.wire.plan import Strategy

ENVIRONMENT = "TUI_CHAT_"
"""What the names of environment variables begin with that overrule settings."""
FILE_VARIABLE = f"{ENVIRONMENT}CONFIG"
"""The one of them that names the file of the settings."""

KeepAlive = Annotated[float, msgspec.Meta(ge=-(10**9), le=10**9)]


class PathSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where things live; what is not said is in the place that the platform has for it."""

    models: Annotated[Place | None, about("Folder of the models")] = None
    sessions: Annotated[Place | None, about("Folder of the sessions")] = None
    state: Annotated[Place | None, about("Folder of drafts, history and the log of answers")] = None
    logs: Annotated[Place | None, about("Folder of the logs")] = None
    cache: Annotated[Place | None, about("Folder of the cache, with the parked conversations")] = None
    runtime: Annotated[Place | None, about("Folder of the engine's socket; only you may read it")] = None


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which models are offered and how they are loaded."""

    folders: Annotated[
        tuple[Place, ...], about("More folders to look for GGUF files in, with all that is below them")
    ] = ()
    sources: Annotated[
        tuple[ModelSource, ...],
        about(
            "Where models are looked for: the models folder, `models.folders`, and other programs' folders"
        ),
    ] = tuple(ModelSource)
    default: Annotated[
        str | None,
        about("Id of the model for new chats; else the one in memory, else the newest file", When.NEW_CHATS),
    ] = None
    fallback: Annotated[
        str | None,
        about(
            "Id of the model that answers instead when memory, process or server of another gives out",
            When.NOW,
        ),
    ] = None
    context: Annotated[
        Tokens, about("Context to wish for, in tokens; it grows with a conversation that needs more")
    ] = 8192
    threads: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=4096)] | None,
        about("Threads for a model; else as many as there are usable cores"),
    ] = None
    strategy: Annotated[Strategy, about("What plans strive for, as `tui-chat plan --strategy`")] = (
        Strategy.BALANCED
    )
    leave_free_mib: Annotated[Mebibytes, about("MiB to leave free on each GPU, beyond a margin of 512")] = 0
    ram_limit_mib: Annotated[
        Mebibytes | None, about("MiB of RAM that models may take together; else what is available")
    ] = None
    keep_alive_s: Annotated[
        KeepAlive,
        about("Seconds that an idle model stays in memory; 0: it goes after each answer; negative: it stays"),
    ] = 1800.0
    keep_alive_for: Annotated[
        dict[str, KeepAlive], about('The same for single models, by id: `{"qwen3-8b" = -1}`')
    ] = {}
    prewarm: Annotated[
        bool,
        about(
            "While nothing is going on, load what usually comes next if it fits beside all that is loaded,"
            " and read the files ahead of what may"
        ),
    ] = True
    pictures: Annotated[
        bool,
        about(
            "Load the projector (mmproj) that lies beside a model too, so that it can be shown pictures;"
            " `false` saves its memory"
        ),
    ] = True


class EngineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the engine behaves."""

    idle_exit_s: Annotated[
        Seconds, about("Seconds without work or visitors after which the engine leaves")
    ] = 600.0


class CacheSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much room parked KV caches may take."""

    ram_mib: Annotated[
        Mebibytes | None,
        about(
            "MiB of RAM for parked conversations, and for a moment more while one passes through to the"
            " disk; else a tenth of the RAM, 2048 at most; 0 for none"
        ),
    ] = None
    disk_mib: Annotated[
        Mebibytes | None,
        about(
            "MiB of disk for parked conversations; else a tenth of what is free there without them, from"
            " 1024 to 32768. 5 % of the disk, at least 1 GiB, stays free in any case"
        ),
    ] = None


class SessionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what was deleted can be had back."""

    trash_days: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=36_500)],
        about("Days after which deleted sessions and branches go for good; 0: never by themselves"),
    ] = 30


class Bandwidth(enum.StrEnum):
    """When the screen is painted seldom and frugally: as the line is measured, always, or never."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Notify(enum.StrEnum):
    """How somebody who looks elsewhere is told of an answer: as the terminal can, by bell, on the desktop."""

    AUTO = "auto"
    BELL = "bell"
    DESKTOP = "desktop"
    OFF = "off"


class UiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the screen behaves."""

    theme: Annotated[str | None, about("Name of a theme; else one that suits the terminal", When.NOW)] = None
    stream_fps: Annotated[
        Annotated[int, msgspec.Meta(ge=1, le=120)] | None,
        about("Frames per second while an answer streams; else 30, and 15 over SSH", When.NOW),
    ] = None
    mouse: Annotated[bool, about("Whether the mouse scrolls and selects")] = True
    instruments: Annotated[
        bool,
        about(
            "Show speed, memory, processors and GPUs beside the conversation, or in a few words where it is"
            " narrow",
            When.NOW,
        ),
    ] = True
    low_bandwidth: Annotated[
        Bandwidth,
        about("Paint seldom, for a slow line: always, never, or as it is measured", When.NOW),
    ] = Bandwidth.AUTO
    notify: Annotated[Notify, about("How you are told of an answer while you look elsewhere", When.NOW)] = (
        Notify.AUTO
    )
    notify_after_s: Annotated[
        Seconds, about("Seconds that an answer must have taken for you to be told of it", When.NOW)
    ] = 10.0
    title: Annotated[
        bool, about("Write the session and whether it answers into the title of the window", When.NOW)
    ] = True
    color: Annotated[Ability, about("How many colours are used, if the terminal tells wrong")] = Ability.AUTO
    glyphs: Annotated[
        Glyphs, about("What lines, graphs and marks are made of, where the font or locale lacks some")
    ] = Glyphs.AUTO


class InstrumentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the engine reads of the machine."""

    enabled: Annotated[
        bool,
        about(
            "Have the engine read processors, memory and GPUs while somebody watches or an answer is written"
        ),
    ] = True


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged of answers. Never the texts of a chat that is kept nowhere."""

    log: Annotated[bool, about("Whether the numbers of every answer are logged")] = True
    texts: Annotated[
        bool,
        about(
            "Whether what was asked and answered is logged with them; never that of a chat that is kept"
            " nowhere"
        ),
    ] = False


class HeatAction(enum.StrEnum):
    """What is done about a device that is too hot."""

    PAUSE = "pause"
    SLOW = "slow"
    WARN = "warn"


class GovernorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on heat is told and acted upon; the own limit of a device counts if it is lower."""

    warn_c: Annotated[
        Annotated[float, msgspec.Meta(ge=30, le=120)],
        about("From which °C on a GPU or the processor is told to be hot"),
    ] = 80.0
    critical_c: Annotated[
        Annotated[float, msgspec.Meta(ge=40, le=120)],
        about("From which °C on something is done about it; its own limit counts if that is lower"),
    ] = 90.0
    action: Annotated[
        HeatAction,
        about(
            "What is done at the critical temperature: `pause` answers, `slow` them down to half, or only"
            " `warn`"
        ),
    ] = HeatAction.PAUSE


class ChatSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How new chats begin."""

    preset: Annotated[str | None, about("Name of the preset that new chats begin with")] = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set, with its defaults; a table says when changes in it take effect."""

    ui: Annotated[UiSettings, takes_effect(When.START)] = UiSettings()
    keys: Annotated[KeySettings, takes_effect(When.NOW)] = KeySettings()
    chat: Annotated[ChatSettings, takes_effect(When.NEW_CHATS)] = ChatSettings()
    sampling: Annotated[Sampling, takes_effect(When.NEW_CHATS)] = Sampling()
    models: Annotated[ModelSettings, takes_effect(When.ENGINE)] = ModelSettings()
    routes: Annotated[Routes, takes_effect(When.NEW_CHATS)] = Routes()
    servers: Annotated[dict[Name, ServerSettings], takes_effect(When.ENGINE)] = {}
    detect: Annotated[DetectSettings, takes_effect(When.ENGINE)] = DetectSettings()
    sessions: Annotated[SessionSettings, takes_effect(When.START)] = SessionSettings()
    engine: Annotated[EngineSettings, takes_effect(When.ENGINE)] = EngineSettings()
    cache: Annotated[CacheSettings, takes_effect(When.ENGINE)] = CacheSettings()
    instruments: Annotated[InstrumentSettings, takes_effect(When.ENGINE)] = InstrumentSettings()
    governor: Annotated[GovernorSettings, takes_effect(When.ENGINE)] = GovernorSettings()
    metrics: Annotated[MetricsSettings, takes_effect(When.ENGINE)] = MetricsSettings()
    paths: Annotated[PathSettings, takes_effect(When.START)] = PathSettings()


class LoadedSettings(msgspec.Struct, frozen=True):
    """The settings in force, and what is wrong with where they come from, if anything is."""

    settings: Settings
    problem: Problem | None = None


def load_settings(file: Path) -> LoadedSettings:
    """Read `file` and the environment. What is wrong with either is told, and its default is in force."""
    if not any(name.startswith(ENVIRONMENT) and name != FILE_VARIABLE for name in os.environ):
        try:
            written = tomllib.loads(file.read_text(encoding="utf-8"))
            settings = msgspec.convert(written, Settings)
        except FileNotFoundError:
            return LoadedSettings(Settings())
        except (OSError, ValueError, RecursionError):
            pass  # looked at more closely below
        else:
            # Sessions have the same, and forbid no fields: those of later versions are kept there.
            unknown = written.get("sampling", {}).keys() - set(Sampling.__struct_fields__)
            if not unknown and not objection(settings.sampling):
                return LoadedSettings(settings)
    from tui_chat.config.reading import read_settings

    reading = read_settings(file, os.environ)
    return LoadedSettings(reading.settings, reading.problem)
