"""What is said of a server: what it is, how it is, and how much of it is ours to decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tui_chat.ui import words
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.readings import percent
from tui_chat.wire.servers import KIND_NAMES, Activity, Control, ServedModel, ServerInfo, ServerState
from tui_chat.wire.words import rate, size

_STATES = {
    ServerState.UNKNOWN: "not asked yet",
    ServerState.UP: "answers",
    ServerState.LOADING: "is loading a model",
    ServerState.DOWN: "does not answer",
    ServerState.REFUSING: "does not let us in",
}
_MARKS = {
    ServerState.UNKNOWN: ("○", "$muted"),
    ServerState.UP: ("●", "$accent"),
    ServerState.LOADING: ("◐", "$accent"),
    ServerState.DOWN: ("✗", "$warning"),
    ServerState.REFUSING: ("✗", "$warning"),
}


def kind(server: ServerInfo) -> str:
    """Name what it is as its maker writes it, with its version: ``Ollama 0.33.0``."""
    return " ".join(part for part in (KIND_NAMES[server.kind], clean_line(server.version)) if part)


def state(server: ServerInfo) -> str:
    """Say how it is."""
    return "runs" if server.control is Control.WATCH else _STATES[server.state]


def mark(server: ServerInfo) -> tuple[str, str]:
    """The sign in front of it, and that sign's style."""
    return ("○", "$muted") if server.control is Control.WATCH else _MARKS[server.state]


def unwell(server: ServerInfo) -> bool:
    """Whether it cannot be talked to now."""
    return server.state in (ServerState.DOWN, ServerState.REFUSING)


def where(server: ServerInfo) -> str:
    """Say on which machine it is."""
    return "this machine" if server.here else urlsplit(server.url).hostname or server.url


def control(server: ServerInfo) -> str:
    """Say in a few words how much of it is ours to decide."""
    if server.control is Control.WATCH:
        return "only watched"
    if server.control is Control.DEEP:
        return "planned and loaded by us" if server.here else "loaded by us"
    return "loads what it is asked to" if server.router else "loads its models itself"


def control_in_full(server: ServerInfo) -> str:
    """Say in a sentence how much of it is ours to decide."""
    if server.control is Control.WATCH:
        return "It is only watched: what it holds is seen, and not touched."
    if server.control is Control.DEEP and server.here:
        return "Its models are planned, loaded, unloaded and fetched like our own."
    if server.control is Control.DEEP:
        return "Its models are loaded, unloaded and fetched from here; memory there is its own business."
    if server.router:
        return "It is talked to, and loads and unloads models when it is asked to."
    return "It is talked to; what it has loaded is its own business."


def collection(server: ServerInfo) -> str:
    """Say how many models it has, and how many of them are loaded, as far as it tells."""
    models = server.models
    if not models:
        return "" if server.control is Control.WATCH or not _answers(server) else "no models"
    if any(model.loaded is None for model in models):
        return words.count(len(models), "model")
    loaded = sum(bool(model.loaded) for model in models)
    return f"{loaded} of {words.count(len(models), 'model')} loaded"


def _answers(server: ServerInfo) -> bool:
    return server.state in (ServerState.UP, ServerState.LOADING)


def memory(server: ServerInfo) -> str:
    """Say what it holds of memory, as far as that can be seen."""
    held = max(server.memory_bytes, sum(model.vram_bytes for model in server.models))
    ram = sum(model.ram_bytes for model in server.models)
    if held and ram:
        return f"{size(held)} of GPUs, {size(ram)} of RAM"
    return f"{size(held)} of GPUs" if held else f"{size(ram)} of RAM" if ram else ""


def activity(told: Activity | None) -> str:
    """Say what it is doing: requests, how full its KV cache is, how quick it was of late."""
    return " · ".join(_activity(told)) if told is not None else ""


def _activity(told: Activity) -> Iterator[str]:
    if told.running is not None:
        yield f"{told.running} answering"
    if told.waiting:
        yield f"{told.waiting} waiting"
    if told.kv_used is not None:
        yield f"KV cache {percent(told.kv_used)} full"
    if told.read_tps:
        yield f"reads {rate(told.read_tps)}"
    if told.written_tps:
        yield f"writes {rate(told.written_tps)}"


def holding(model: ServedModel) -> str:
    """Say what a loaded model takes, and until when: ``3.4 GiB, 60 % on GPU, until 14:32``."""
    taken = model.ram_bytes + model.vram_bytes
    parts = [size(taken)] if taken else []
    if model.ram_bytes and model.vram_bytes:
        parts.append(f"{model.vram_bytes / taken * 100:.0f} % on GPU")
    if model.expires is not None:
        parts.append(f"until {model.expires.astimezone():%H:%M}")
    return ", ".join(parts)


def next_try(server: ServerInfo) -> str:
    """Say when a server that failed is asked again; "" while it is asked at any time."""
    soon = server.next_try_s
    return f"next try in {words.lasting(soon)}" if soon >= 1 else ""


def summary(servers: Sequence[ServerInfo]) -> str:
    """Say how many there are, and how many of them do not answer."""
    away = sum(map(unwell, servers))
    return words.count(len(servers), "server") + (f", {away} away" if away else "")
