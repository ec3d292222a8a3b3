"""Requests and replies of the engine's HTTP surface, version 1 (paths are in `wire.paths`)."""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec

from tui_chat.chat.model import Answer, Problem, Role, Sampling
from tui_chat.wire.heat import Hot
from tui_chat.wire.pictures import Picture
from tui_chat.wire.plan import DeviceSpec, DeviceUse, KvType, LoadOptions, Plan, Strategy
from tui_chat.wire.scarce import Scarce
from tui_chat.wire.servers import SEEING, Capability

PROTOCOL = 4
"""Raised whenever a client and an engine of different releases could misunderstand each other."""


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message as it is sent to a model; `thinking` is what it thought before, if that is sent too."""

    role: Role
    text: str
    thinking: str = ""
    pictures: tuple[Picture, ...] = ()


class GenerateRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Ask for one answer.

    Attributes:
        id: The answer's message id, chosen by the client; posting the same id twice is one generation.
        model: Model id as `ModelInfo.id`, or an absolute path to a GGUF file.
        turns: The exact messages to send, system first if there is one.
        context: Context size wanted, in tokens; None lets the engine choose.
        journal: Absolute path of the journal file to keep while generating; None keeps none.
        session: Session id, for other terminals to find the generation by.
        only_while_heard: Cancel when the last listener goes, or none comes (an interrupted command line).
        prefix: What the answer has said already: it is continued, and only what follows is streamed.
        thought: What it has thought already; continued if nothing was said yet.
        shift: Whether turns that follow dropped ones may be moved up in the KV cache, where the model
            allows that, instead of being evaluated again.
    """

    id: str
    model: str
    turns: tuple[Turn, ...]
    prefix: str = ""
    thought: str = ""
    shift: bool = False
    sampling: Sampling = Sampling()
    context: int | None = None
    journal: str | None = None
    session: str | None = None
    only_while_heard: bool = False


class GenerationState(enum.StrEnum):
    """Where a generation is on its way."""

    QUEUED = "queued"
    LOADING = "loading"
    PREFILL = "prefill"
    DECODING = "decoding"
    SETTLED = "settled"


class GenerationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A generation as the engine knows it now. `last_seq` is its newest event's number."""

    id: str
    model: str
    state: GenerationState
    last_seq: int
    session: str | None = None


class ModelState(enum.StrEnum):
    """Where a model is: on disk, on its way, in memory, on its way out, or unusable.

    ``parked``: on disk, but what it had read of a conversation is kept. ``failed``: it could not be
    loaded when last asked for, and may be asked for again. ``broken``: its file is no good.
    ``resizing``: in memory, while its context is made larger or smaller.
    """

    ON_DISK = "on_disk"
    PLANNED = "planned"
    EVICTING = "evicting"
    SPAWNING = "spawning"
    LOADING = "loading"
    WARMING = "warming"
    READY = "ready"
    BUSY = "busy"
    RESIZING = "resizing"
    PARKING = "parking"
    PARKED = "parked"
    FAILED = "failed"
    BROKEN = "broken"

    @property
    def in_memory(self) -> bool:
        """Whether it could answer at once, or is answering."""
        return self in (ModelState.READY, ModelState.BUSY)

    @property
    def on_its_way(self) -> bool:
        """Whether somebody is having it loaded."""
        return self in _ON_THEIR_WAY


_ON_THEIR_WAY = (
    ModelState.PLANNED,
    ModelState.EVICTING,
    ModelState.SPAWNING,
    ModelState.LOADING,
    ModelState.WARMING,
)


class ModelSource(enum.StrEnum):
    """Where a model was found; in this order one name is preferred to another."""

    OWN = "own"
    FOLDERS = "folders"
    HUGGING_FACE = "huggingface"
    LM_STUDIO = "lmstudio"
    LLAMA_CPP = "llamacpp"
    OLLAMA = "ollama"


class ModelKind(enum.StrEnum):
    """What a model file is for. Only `CHAT` is offered to chat with."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    RERANKER = "reranker"
    PROJECTOR = "projector"
    ADAPTER = "adapter"
    DRAFT = "draft"
    IMATRIX = "imatrix"
    VOCABULARY = "vocabulary"
    OTHER = "other"


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One model on this machine or of a server; what follows `capabilities` is of those in memory only.

    Attributes:
        path: Of its (first) file; of a server's model, what stands in the place of that.
        aliases: Other names of the same file, such as Ollama's tags.
        context: Size of the resident's context in tokens, 0 when not resident.
        projector: Path of the file beside it that lets it see pictures, if there is one.
        server: Name of the server that runs it; empty for those that we run ourselves.
        host: Where that is, if not on this machine.
        file: Of a server's model: its file on this machine, where that can be read.
        capabilities: What a server says that it can do; of our own, whether it sees.
        kv_type: Of its KV cache, where that is not ours to choose.
        fixed: Whether nothing at all of how it is loaded is ours to choose.
        options: How it was loaded.
        devices: What it was predicted to take.
        real_bytes: What its process really takes of RAM; of GPUs, their samples tell.
        progress: How much of it is loaded, 0..1; `eta_s` seconds are left of that, None where unknown.
        keep_alive_s: How long it stays when idle; negative for ever. `idle_s` is how long it has been.
    """

    id: str
    path: str
    size_bytes: int
    state: ModelState
    source: ModelSource = ModelSource.OWN
    aliases: tuple[str, ...] = ()
    kind: ModelKind = ModelKind.CHAT
    architecture: str = ""
    quant: str = ""
    parameters: int = 0
    trained_context: int = 0
    context: int = 0
    projector: str | None = None
    problem: Problem | None = None
    server: str = ""
    host: str = ""
    file: str = ""
    capabilities: tuple[Capability, ...] = ()
    kv_type: KvType | None = None
    fixed: bool = False
    options: LoadOptions | None = None
    devices: tuple[DeviceUse, ...] = ()
    real_bytes: int = 0
    progress: float | None = None
    eta_s: float | None = None
    pinned: bool = False
    keep_alive_s: float | None = None
    idle_s: float = 0.0

    @property
    def weights(self) -> str:
        """Path of its (first) file on this machine; empty where there is none to be planned with."""
        return self.file if self.server else self.path

    @property
    def sees(self) -> bool:
        """Whether it may be shown pictures."""
        return not SEEING.isdisjoint(self.capabilities)

    def is_called(self, name: str) -> bool:
        """Whether `name` is its id, one of its other names, or its path."""
        return name in (self.id, self.path, *self.aliases)


class LoadRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bring a model into memory, or change how it is there.

    Attributes:
        keep_alive_s: How long it stays when idle: 0 goes at once after the next answer, negative stays for
            ever, None as configured.
        force: Also evict what is pinned, and models that are answering.
    """

    model: str
    context: int | None = None
    kv_type: KvType | None = None
    strategy: Strategy | None = None
    keep_alive_s: float | None = None
    force: bool = False


class ModelRequest(msgspec.Struct, frozen=True):
    """Name a model, to unload it or to stop loading it."""

    model: str


class PinRequest(msgspec.Struct, frozen=True):
    """Have a resident stay whatever else is loaded, or let it go again."""

    model: str
    pinned: bool


class Need(msgspec.Struct, frozen=True):
    """What a conversation asks of a context, in tokens.

    Attributes:
        prompt: All that is to be read.
        answer: What is kept for the answer.
        counted: Whether the model itself counted the prompt; else it is an estimate on the safe side.
    """

    prompt: int
    answer: int
    counted: bool = False

    @property
    def total(self) -> int:
        """What the context must hold."""
        return self.prompt + self.answer


class PlanRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Ask what loading `models` would take now, each for itself.

    Attributes:
        need: Tokens that the context must hold: the conversation and its next answer.
        turns: The conversation itself, for the engine to find out what it needs of each model.
        max_tokens: The most that its answer may have, if that is limited.
        exact: Ask llama.cpp itself, which takes a fraction of a second per model; else by arithmetic.
    """

    models: tuple[str, ...]
    need: int = 0
    context: int | None = None
    kv_type: KvType | None = None
    strategy: Strategy | None = None
    exact: bool = False
    turns: tuple[Turn, ...] = ()
    max_tokens: int | None = None


class PlanReply(msgspec.Struct, frozen=True):
    """Plans by model, or why there is none; the devices as they are now; what the turns need, by model."""

    plans: dict[str, Plan]
    problems: dict[str, Problem]
    devices: tuple[DeviceSpec, ...]
    needs: dict[str, Need] = {}


class TokenizeRequest(msgspec.Struct, frozen=True):
    """Count the tokens of `text` with a resident model's tokenizer."""

    model: str
    text: str


class TokenizeReply(msgspec.Struct, frozen=True):
    """Number of tokens."""

    tokens: int


class CountRequest(msgspec.Struct, frozen=True):
    """Count the tokens of a conversation as a model would read it, without loading its weights."""

    model: str
    turns: tuple[Turn, ...]


class CountReply(msgspec.Struct, frozen=True):
    """Tokens of each turn with what the template puts around it, and of the whole prompt.

    What the template adds after the last turn, for the answer to begin, is in `total` alone. Not `exact`: a
    server puts another template around the turns than was counted here.
    """

    turns: tuple[int, ...]
    total: int
    exact: bool = True


class Kept(msgspec.Struct, frozen=True):
    """What one model has read and can go on from. Answers are named by their ids.

    Attributes:
        model: Its id.
        hot: Answers up to which, or up to near which, the KV cache in memory holds the conversation.
        warm: Answers up to which it is parked.
        tokens: Tokens of each of those.
        read_tps: Tokens per second that it has read at lately; None while nobody knows.
        cuts_anywhere: Whether the cache of an answer serves each message above it too; if not, only some.
    """

    model: str
    hot: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    tokens: dict[str, int] = {}
    read_tps: float | None = None
    cuts_anywhere: bool = True


class KeptReply(msgspec.Struct, frozen=True):
    """What is kept of one session, by model."""

    models: tuple[Kept, ...]


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who the engine is and what it is doing; `parked` as in `EngineChanged`."""

    version: str
    protocol: int
    pid: int
    started: datetime
    idle_exit_s: float
    generations: tuple[GenerationInfo, ...] = ()
    residents: tuple[ModelInfo, ...] = ()
    parked: tuple[str, ...] = ()


class EngineChanged(msgspec.Struct, frozen=True):
    """Sent on the engine's own event stream whenever a resident or a generation changes state.

    `parked` are the ids of the models of which conversations are parked, be they in memory or not;
    `hot` are the devices that are too hot, `scarce` those whose memory is about to run out; `servers` grows
    whenever something new is known of a server.
    """

    residents: tuple[ModelInfo, ...]
    generations: tuple[GenerationInfo, ...]
    parked: tuple[str, ...] = ()
    hot: tuple[Hot, ...] = ()
    scarce: tuple[Scarce, ...] = ()
    servers: int = 0


class JournalHeader(msgspec.Struct, frozen=True, kw_only=True):
    """First line of a journal: what is being generated, so that the file explains itself.

    `prefix` and `thought` are what the answer began with because it continues another one.
    """

    journal: int = 1
    id: str
    session: str | None
    started: datetime
    answer: Answer
    prefix: str = ""
    thought: str = ""


class ErrorReply(msgspec.Struct, frozen=True):
    """Body of every HTTP status from 400 up."""

    problem: Problem
