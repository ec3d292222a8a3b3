"""Servers that run models beside us: Ollama, llama-server, vLLM and their like, as they go over the wire."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from tui_chat.chat.model import Problem


class ServerKind(enum.StrEnum):
    """What a server is, by what it answers; `OPENAI` is any other that speaks that API.

    ``pytorch`` is no server but a bare process that holds memory of a GPU.
    """

    OLLAMA = "ollama"
    LLAMA_SERVER = "llama-server"
    LLAMA_SWAP = "llama-swap"
    VLLM = "vllm"
    SGLANG = "sglang"
    LM_STUDIO = "lmstudio"
    TEXTGEN = "textgen"
    OPENAI = "openai"
    PYTORCH = "pytorch"


KIND_NAMES = {
    ServerKind.OLLAMA: "Ollama",
    ServerKind.LLAMA_SERVER: "llama-server",
    ServerKind.LLAMA_SWAP: "llama-swap",
    ServerKind.VLLM: "vLLM",
    ServerKind.SGLANG: "SGLang",
    ServerKind.LM_STUDIO: "LM Studio",
    ServerKind.TEXTGEN: "text-generation-webui",
    ServerKind.OPENAI: "OpenAI-compatible server",
    ServerKind.PYTORCH: "PyTorch process",
}
"""As their makers write them."""


class Control(enum.StrEnum):
    """How much of a server is ours to decide.

    ``deep``: its models are planned, loaded, unloaded and fetched like our own. ``medium``: it is talked to,
    and loads what it can be asked to load. ``watch``: it is seen, and not touched.
    """

    DEEP = "deep"
    MEDIUM = "medium"
    WATCH = "watch"


class ServerState(enum.StrEnum):
    """How a server was when it was last asked."""

    UNKNOWN = "unknown"
    UP = "up"
    LOADING = "loading"
    DOWN = "down"
    REFUSING = "refusing"


class Capability(enum.StrEnum):
    """What a model of a server can do, or lets be done with it."""

    CHAT = "chat"
    THINKING = "thinking"
    VISION = "vision"
    PERHAPS_VISION = "perhaps vision"
    """Its server does not tell; asked with a picture, it refuses or answers."""
    TOOLS = "tools"
    EMBEDDING = "embedding"


SEEING = frozenset({Capability.VISION, Capability.PERHAPS_VISION})


class ServedModel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model as its server lists it; what it does not tell is 0, empty or None. Sizes in bytes.

    Attributes:
        name: As the server calls it.
        trained_context: What it was trained for, in tokens; `context` is what it is loaded with.
        loaded: Whether it is in the server's memory; None where the server does not tell.
        size_bytes: Of its file.
        ram_bytes, vram_bytes: What it takes of memory while it is loaded.
        expires: When the server unloads it if nobody asks for it.
        blob: Its file on this machine, where that can be read.
    """

    name: str
    trained_context: int = 0
    context: int = 0
    loaded: bool | None = None
    size_bytes: int = 0
    ram_bytes: int = 0
    vram_bytes: int = 0
    expires: datetime | None = None
    capabilities: tuple[Capability, ...] = (Capability.CHAT,)
    architecture: str = ""
    quant: str = ""
    parameters: int = 0
    digest: str = ""
    blob: str | None = None


class Activity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a server says of its work now; None where it does not tell.

    Attributes:
        running, waiting: Requests.
        kv_used: Share of the KV cache that is in use, 0..1.
        read_tps, written_tps: Tokens per second of late.
    """

    running: int | None = None
    waiting: int | None = None
    kv_used: float | None = None
    read_tps: float | None = None
    written_tps: float | None = None


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One server, or one process that holds memory of a GPU.

    Attributes:
        name: As the settings call it, else its kind; what its models' ids begin with.
        url: Where it is asked; empty for what is only watched. Never with a key or a password.
        here: Whether it runs on this machine.
        configured: Whether the settings name it; else it was found.
        pid: Its process, where it is one of ours to see; 0 else.
        memory_bytes: What its processes hold of GPUs, where that can be seen.
        router: Whether it loads and unloads models when asked.
        kv_type: Of its KV caches, as far as that is known; empty else.
        next_try_s: Seconds until a server that failed is asked again; 0 while it is asked at any time.
        notes: What it cannot do, or cannot be seen of it, each a plain sentence.
    """

    name: str
    kind: ServerKind
    control: Control
    url: str = ""
    state: ServerState = ServerState.UNKNOWN
    version: str = ""
    here: bool = False
    configured: bool = False
    pid: int = 0
    memory_bytes: int = 0
    router: bool = False
    kv_type: str = ""
    models: tuple[ServedModel, ...] = ()
    activity: Activity | None = None
    problem: Problem | None = None
    next_try_s: float = 0.0
    notes: tuple[str, ...] = ()


class ServersReply(msgspec.Struct, frozen=True):
    """All servers that are known: those of the settings, then those that were found."""

    servers: tuple[ServerInfo, ...]


ID_SEPARATOR = "/"


def model_id(server: str, model: str) -> str:
    """The id of a server's model: ``ollama/llama3.2:3b``."""
    return f"{server}{ID_SEPARATOR}{model}"


def model_place(server: str, model: str) -> str:
    """What stands in the place of a path for a server's model: ``server:ollama/llama3.2:3b``."""
    return f"server:{model_id(server, model)}"


class PullState(enum.StrEnum):
    """How far a server is with fetching a model."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Pull(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model that a server is fetching, or was. Sizes in bytes; `total` 0 while it is not known.

    `status` is in the server's own words. What was fetched stays with the server when it is cancelled, and
    pulling again goes on from there. `file` is the path of what it is made of, where that is on this machine.
    """

    server: str
    model: str
    state: PullState = PullState.RUNNING
    status: str = ""
    done: int = 0
    total: int = 0
    file: str = ""
    problem: Problem | None = None


class ServedRequest(msgspec.Struct, frozen=True):
    """Name a model of a server."""

    server: str
    model: str


class CopyRequest(msgspec.Struct, frozen=True):
    """Have a server give a model a second name."""

    server: str
    model: str
    to: str


class CreateRequest(msgspec.Struct, frozen=True):
    """Have a server make a model called `model` from the GGUF file at `path` on this machine."""

    server: str
    model: str
    path: str


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that a server tells of one model for a person to read."""

    model: ServedModel
    template: str = ""
    parameters: str = ""
    licence: str = ""
    system: str = ""
    modelfile: str = ""
