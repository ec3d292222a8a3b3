"""What an Ollama has in its memory and on its disk: models, runners, blobs, and when they come and go.

After research on releases about 0.33. Words stand for tokens, and every model answers what it is told to.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.servers.raw_http import ClientGoneError, refused

RUNNER_OPTIONS = (
    "num_ctx", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread", "draft_num_predict",
)  # fmt: skip
"""Those whose change has a model loaded anew."""
INTEGERS = {"num_ctx", "num_batch", "num_gpu", "num_thread", "top_k", "seed", "num_predict", "repeat_last_n"}
FLOATS = {"temperature", "top_p", "min_p", "repeat_penalty", "frequency_penalty", "presence_penalty"}
FOREVER = 10.0**9
"""Seconds; Ollama says the year 2318."""
TOKEN_BYTES = 1024
"""Of the KV cache, for each token of the context."""
_LOOK_S = 0.002


@dataclass
class Model:
    """A model on disk. It answers `answer`, after it has thought `thinking`."""

    name: str
    size: int = 90_000_000
    family: str = "llama"
    parameter_size: str = "134.52M"
    quant: str = "Q4_1"
    capabilities: tuple[str, ...] = ("completion",)
    trained_context: int = 8192
    answer: str = "The sky is blue because air scatters short waves the most."
    thinking: str = ""
    template: str = "{{ .Prompt }}"
    parameters: str = ""
    licence: str = "Apache 2.0"
    system: str = ""
    remote_host: str = ""
    digest: str = ""
    layers: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        self.digest = self.digest or hashlib.sha256(self.name.encode()).hexdigest()


@dataclass
class Runner:
    """A model in memory."""

    model: Model
    asked: dict[str, Any]
    shift: bool
    context: int
    keep_alive: float
    expires: float = 0.0
    users: int = 0
    ready: bool = False
    leaving: bool = False
    read: tuple[str, ...] = ()
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def size(self) -> int:
        return self.model.size + self.context * TOKEN_BYTES

    @property
    def vram(self) -> int:
        """All of it, or what that many of 30 layers take."""
        layers = self.asked.get("num_gpu", -1)
        return self.size if layers < 0 else self.size * min(layers, 30) // 30


@dataclass
class World:
    """One Ollama's state. A test changes it at will, also from another thread."""

    models: dict[str, Model] = field(default_factory=dict)
    registry: dict[str, Model] = field(default_factory=dict)
    version: str = "0.33.0"
    load_s: float = 0.0
    token_s: float = 0.0
    default_context: int = 4096
    max_loaded: int = 3
    keep_alive: float = 300.0
    memory: int = 1 << 40
    pending: int = 512
    hold_loads: bool = False
    hold_after: int | None = None
    """Tokens after which answers wait until this is None again."""
    hold_pull_at: int | None = None
    """Bytes after which fetching waits until this is None again."""
    runners: dict[str, Runner] = field(default_factory=dict)
    loads: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Every load that was begun: the model, and the runner options that it was asked for with."""
    cancelled: list[str] = field(default_factory=list)
    """What was given up because the client had gone: ``load``, ``chat``, ``pull``."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    fetched: dict[str, int] = field(default_factory=dict)
    waiting: int = 0

    @classmethod
    def of(cls, *models: Model, **more: Any) -> World:
        return cls(models={model.name: model for model in models}, **more)

    @property
    def release(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))

    def holds(self, tokens: int) -> bool:
        """Whether an answer waits that has so many tokens."""
        return self.hold_after is not None and tokens >= self.hold_after

    def find(self, name: Any) -> Model:
        if not name:
            raise refused(400, "model is required")
        found = self.models.get(full_name(name))
        if found is None:
            raise refused(404, f"model '{name}' not found")
        return found

    def running(self) -> list[Runner]:
        """What `/api/ps` lists, the longest-lived first."""
        self._expire()
        shown = [runner for runner in self.runners.values() if runner.ready or self.release < (0, 30)]
        return sorted(shown, key=lambda runner: -runner.expires)

    def _expire(self) -> None:
        now = time.monotonic()
        for name, runner in list(self.runners.items()):
            if runner.ready and not runner.users and (runner.leaving or runner.expires <= now):
                del self.runners[name]

    def unload(self, model: Model) -> None:
        """Have it go as soon as nobody uses it."""
        if runner := self.runners.get(model.name):
            runner.leaving = True
        self._expire()

    async def take(self, model: Model, body: dict[str, Any], gone: Callable[[], bool]) -> Runner:
        """The runner for a request, loaded or loaded anew if need be; it is to be released."""
        asked = runner_options(body)
        shift = body.get("shift") is not False
        if self.waiting >= self.pending:
            raise refused(503, "server busy, please try again.  maximum pending requests exceeded")
        self.waiting += 1
        try:
            while True:
                self._expire()
                runner = self.runners.get(model.name)
                if runner is None:
                    runner = await self._load(model, asked, shift=shift, gone=gone)
                    break
                if runner.ready and not runner.leaving and not _needs_reload(runner, asked, shift=shift):
                    break
                if runner.ready and not runner.users:
                    del self.runners[model.name]
                    continue
                await self.pause(gone)
        finally:
            self.waiting -= 1
        if "keep_alive" in body:
            runner.keep_alive = seconds(body["keep_alive"])
        runner.users += 1
        runner.expires = time.monotonic() + runner.keep_alive
        return runner

    def release_runner(self, runner: Runner) -> None:
        runner.users -= 1
        runner.expires = time.monotonic() + runner.keep_alive
        self._expire()

    async def _load(
        self, model: Model, asked: dict[str, Any], *, shift: bool, gone: Callable[[], bool]
    ) -> Runner:
        context = min(asked.get("num_ctx", self.default_context), model.trained_context)
        runner = Runner(model, asked, shift, context, self.keep_alive)
        while len(self.runners) >= self.max_loaded:
            idle = [each for each in self.runners.values() if each.ready and not each.users]
            if idle:
                del self.runners[min(idle, key=lambda each: each.keep_alive).model.name]
            else:
                await self.pause(gone)
        self.runners[model.name] = runner
        self.loads.append((model.name, asked))
        try:
            await self.pause(gone, self.load_s, lambda: self.hold_loads)
            if sum(each.size for each in self.runners.values()) > self.memory:
                raise refused(500, self._no_memory(runner))
        except BaseException as error:
            del self.runners[model.name]
            if isinstance(error, ClientGoneError):
                self.cancelled.append("load")
            raise
        runner.ready = True
        return runner

    def _no_memory(self, runner: Runner) -> str:
        if self.release < (0, 30):
            need, have = (f"{size / 2**30:.1f} GiB" for size in (runner.size, self.memory))
            return f"model requires more system memory ({need}) than is available ({have})"
        return (
            "llama-server process has terminated: exit status 1: ggml_aligned_malloc: insufficient memory "
            "(attempted to allocate 1440.00 MB)\nllama_init_from_model: failed to initialize the context: "
            "failed to allocate buffer for kv cache"
        )

    async def pause(
        self, gone: Callable[[], bool], for_s: float = 0.0, held: Callable[[], bool] = lambda: False
    ) -> None:
        """Take that long, and then as long as it is held. Raises `ClientGoneError`."""
        until = time.monotonic() + for_s
        while True:
            if gone():
                raise ClientGoneError
            if time.monotonic() >= until and not held():
                return
            await asyncio.sleep(_LOOK_S)


def full_name(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def runner_options(body: dict[str, Any]) -> dict[str, Any]:
    """Those options of a request that a load depends on; all are looked at for their types."""
    options = body.get("options") or {}
    for name, value in options.items():
        if name in INTEGERS and (not isinstance(value, int) or isinstance(value, bool)):
            raise refused(500, f'option "{name}" must be of type integer')
        if name in FLOATS and (not isinstance(value, int | float) or isinstance(value, bool)):
            raise refused(500, f'option "{name}" must be of type float32')
        if name == "stop" and not isinstance(value, list):
            raise refused(500, 'option "stop" must be of type array')
    return {name: options[name] for name in RUNNER_OPTIONS if name in options}


def _needs_reload(runner: Runner, asked: dict[str, Any], *, shift: bool) -> bool:
    def told(options: dict[str, Any]) -> dict[str, Any]:
        free = asked.get("num_gpu", -1) < 0
        return {name: value for name, value in options.items() if not (free and name == "num_gpu")}

    return told(runner.asked) != told(asked) or runner.shift != shift


def seconds(keep_alive: Any) -> float:
    """A duration as Ollama reads it: a number, or words such as ``10m``."""
    if isinstance(keep_alive, int | float) and not isinstance(keep_alive, bool):
        return FOREVER if keep_alive < 0 else float(keep_alive)
    if isinstance(keep_alive, str):
        if keep_alive == "0":
            return 0.0
        units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}
        found = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", keep_alive.lstrip("-"))
        if found and "".join(map("".join, found)) == keep_alive.lstrip("-"):
            total = sum(float(number) * units[unit] for number, unit in found)
            return FOREVER if keep_alive.startswith("-") else total
    shown = json.dumps(keep_alive)
    raise refused(400, f"time: missing unit in duration {shown}")


def stamp(time: datetime) -> str:
    """A time in UTC as Go writes it, to the nanosecond."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}789Z"


def words(text: str) -> tuple[str, ...]:
    """Text as tokens: each word with the spaces after it."""
    return tuple(re.findall(r"\S+\s*|\s+", text))
