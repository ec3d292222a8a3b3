"""What a model keeps of a conversation, layer by layer, as llama.cpp 0.3.36 lays it out.

The rules are those of ``llama_model::create_memory``, ``llama_kv_cache`` and ``llama_hparams``. Where an
architecture has a memory of its own, or one newer than this table, `Caches.certain` is False, and
llama.cpp itself has to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tui_chat.memory.gguf import number
from tui_chat.memory.gguf_reader import Value

WINDOWS = {
    "afmoe": 4,
    "cohere2": 4,
    "exaone-moe": 4,
    "exaone4": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "llama4": 4,
    "mellum": 4,
    "muse-glimmer": 4,
    "olmo2": 4,
    "plamo3": 8,
}
"""Every n-th layer sees everything, the others a window: ``load_swa_pattern``, unless the file says it."""
WINDOWS_AFTER = {"cohere2moe": 4, "laguna": 4, "smallthinker": 4}
"""The same, but the first of each n layers is the one that sees everything."""
LISTED_WINDOWS = frozenset({"gemma4", "granite-swa", "maple", "mimo2", "spark2-5", "step35"})
"""The file lists which layers have a window."""
NO_CACHE = frozenset(
    {
        *("bert", "jina-bert-v2", "jina-bert-v3", "nomic-bert", "nomic-bert-moe", "neo-bert", "eurobert"),
        *("wavtokenizer-dec", "modern-bert", "gemma-embedding", "dream", "llada", "llada-moe", "rnd1"),
    }
)
RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
HYBRID = frozenset(
    {"jamba", "plamo2", "granitehybrid", "lfm2", "lfm2moe", "kimi-linear", "bailingmoe3", "kimi-k3"}
)
"""Layers without KV heads are recurrent, the others attend."""
INTERVALS = frozenset({"qwen3next", "qwen35", "qwen35moe", "minimax-01"})
"""Hybrids in which every n-th layer attends, unless the file lists the recurrent ones."""
BOTH = frozenset({"falcon-h1"})
"""Hybrids in which each layer attends and is recurrent."""
VERIFIED = frozenset(
    {
        *("apertus", "arcee", "bailingmoe", "bert", "cohere2", "command-r", "deepseek", "deepseek2", "dots1"),
        *("ernie4_5", "exaone4", "falcon", "falcon-h1", "gemma", "gemma2", "gemma3", "gemma3n", "gemma4"),
        *("glm4", "glm4moe", "gpt-oss", "gptneox", "granite", "granitehybrid", "granitemoe", "hunyuan-dense"),
        *("internlm2", "jamba", "lfm2", "lfm2moe", "llama", "llama4", "mamba", "mamba2", "minicpm3"),
        *("mistral3", "nemotron", "nemotron_h", "olmo2", "olmoe", "phi2", "phi3", "phimoe", "plamo2"),
        *("qwen2", "qwen2moe", "qwen3", "qwen3moe", "qwen3next", "rwkv6", "rwkv7", "seed_oss"),
        *("smallthinker", "smollm3", "stablelm", "starcoder2"),
    }
)
"""Architectures whose every byte is compared with llama.cpp's own account by tests/memory."""
_DEFAULT_WINDOW = {"gemma2": 4096, "exaone4": 4096, "llama4": 8192}
_FORCED_WINDOW = {"llama4": 8192, "smallthinker": 4096}
"""Windows that llama.cpp takes whatever the file says, unless it says 0."""
_EXAONE4_LAYERS_WITH_WINDOW = 64
_GEMMA3N_LAYERS_WITH_KV = 20
_STATE_ELEMENT = 4
"""Bytes; recurrent states are F32."""


class LayerCache(msgspec.Struct, frozen=True, array_like=True):
    """What one layer keeps.

    Attributes:
        keys, values: Elements per token.
        windowed: Whether only the last tokens are kept.
        state: Bytes per sequence, however long it is.
    """

    keys: int = 0
    values: int = 0
    windowed: bool = False
    state: int = 0


class Caches(msgspec.Struct, frozen=True):
    """What all layers keep. `window` is in tokens, 0 where no layer has one."""

    layers: tuple[LayerCache, ...]
    window: int = 0
    certain: bool = True

    @property
    def branches(self) -> bool:
        """Whether a context can keep branches in them that share what they have in common."""
        return not self.window and not any(layer.state for layer in self.layers)


class _Facts:
    """A header's numbers for one architecture, with llama.cpp's defaults."""

    def __init__(self, metadata: Mapping[str, Value], architecture: str) -> None:
        self._metadata = metadata
        self.architecture = architecture
        self.layers = self.number("block_count")
        self.trunk = self.layers - self.number("nextn_predict_layers")
        self.embedding = self.number("embedding_length")
        self.heads = self.per_layer("attention.head_count", 0)
        self.kv_heads = self.per_layer("attention.head_count_kv", None) or self.heads
        self.feed_forward = self.per_layer("feed_forward_length", 0)
        first = self.heads[0] if self.heads else 0
        named = first or architecture == "plamo2"
        size = self.embedding // first if first else 0
        self.keys = self.number("attention.key_length", size) if named else 0
        self.values = self.number("attention.value_length", size) if named else 0
        self.window_keys = self.number("attention.key_length_swa", self.keys)
        self.window_values = self.number("attention.value_length_swa", self.values)
        self.mla = bool(self.number("attention.key_length_mla") and self.number("attention.value_length_mla"))

    def number(self, key: str, default: int = 0) -> int:
        return number(self._metadata, f"{self.architecture}.{key}", default)

    def listed(self, key: str) -> tuple[int, ...] | None:
        value = self._metadata.get(f"{self.architecture}.{key}")
        if not isinstance(value, tuple) or not all(isinstance(each, int) for each in value):
            return None
        return tuple(int(each) for each in value)

    def per_layer(self, key: str, default: int | None) -> list[int]:
        listed = self.listed(key)
        if listed is not None:
            return [*listed, *[0] * (self.layers - len(listed))][: self.layers]
        single = self.number(key, -1 if default is None else default)
        return [] if single < 0 else [single] * self.layers


def caches(metadata: Mapping[str, Value], architecture: str) -> Caches:
    """Work out from a header's `metadata` what each layer keeps of a conversation."""
    facts = _Facts(metadata, architecture)
    if architecture in NO_CACHE:
        return Caches((LayerCache(),) * facts.layers)
    windows, window = _windows(facts)
    attends, recurs = _kinds(facts)
    state = _state_bytes(facts)
    layers = tuple(
        _layer(facts, index, windowed=windows[index], attends=attends[index], state=state * recurs[index])
        for index in range(facts.layers)
    )
    certain = architecture in VERIFIED and not facts.number("nextn_predict_layers")
    return Caches(layers, window if any(windows) else 0, certain)


def _layer(facts: _Facts, index: int, *, windowed: bool, attends: bool, state: int) -> LayerCache:
    if not attends:
        return LayerCache(windowed=windowed, state=state)
    keys = facts.window_keys if windowed else facts.keys
    values = facts.window_values if windowed else facts.values
    heads = facts.kv_heads[index]
    return LayerCache(keys * heads, 0 if facts.mla else values * heads, windowed, state)


def _windows(facts: _Facts) -> tuple[list[bool], int]:
    """Which layers keep a window only, and how long it is."""
    none = [False] * facts.layers
    architecture = facts.architecture
    window = facts.number("attention.sliding_window", _DEFAULT_WINDOW.get(architecture, 0))
    window = _FORCED_WINDOW.get(architecture, window) if window else 0
    if not window or (architecture == "exaone4" and facts.trunk != _EXAONE4_LAYERS_WITH_WINDOW):
        return none, 0
    if architecture in ("lfm2", "lfm2moe"):
        return [heads > 0 for heads in facts.kv_heads], window
    period, dense_first = WINDOWS.get(architecture), False
    if architecture in WINDOWS_AFTER:
        period, dense_first = WINDOWS_AFTER[architecture], True
    if period is None and architecture not in LISTED_WINDOWS:
        return none, 0
    listed = facts.listed("attention.sliding_window_pattern")
    if listed is not None:
        return [*map(bool, listed), *none][: facts.layers], window
    period = facts.number("attention.sliding_window_pattern", period or 0)
    first = 0 if dense_first else period - 1
    return [
        index < facts.trunk and (not period or index % period != first) for index in range(facts.layers)
    ], window


def _kinds(facts: _Facts) -> tuple[list[bool], list[bool]]:
    """Which layers have a KV cache, and which a recurrent state."""
    every, none = [True] * facts.layers, [False] * facts.layers
    architecture = facts.architecture
    if architecture in RECURRENT:
        return none, every
    if architecture in BOTH:
        return every, every
    if architecture in HYBRID:
        attends = [heads > 0 for heads in facts.kv_heads]
        return attends, [not each for each in attends]
    if architecture in INTERVALS:
        recurs = _by_interval(facts)
        trunk = [index < facts.trunk for index in range(facts.layers)]
        return (
            [mine and not each for mine, each in zip(trunk, recurs, strict=True)],
            [mine and each for mine, each in zip(trunk, recurs, strict=True)],
        )
    if architecture in ("nemotron_h", "nemotron_h_moe"):
        plain = [width == 0 for width in facts.feed_forward]
        return (
            [each and heads > 0 for each, heads in zip(plain, facts.kv_heads, strict=True)],
            [each and heads == 0 for each, heads in zip(plain, facts.kv_heads, strict=True)],
        )
    return [index < _layers_with_kv(facts) for index in range(facts.layers)], none


def _by_interval(facts: _Facts) -> list[bool]:
    listed = facts.listed("attention.recurrent_layers")
    if listed is not None:
        return [*map(bool, listed), *[False] * facts.layers][: facts.layers]
    interval = facts.number("full_attention_interval", 8 if facts.architecture == "minimax-01" else 4)
    return [(index + 1) % interval != 0 for index in range(facts.layers)]


def _layers_with_kv(facts: _Facts) -> int:
    """How many of the first layers have a cache; the rest look into theirs."""
    if facts.architecture == "gemma3n":
        return _GEMMA3N_LAYERS_WITH_KV
    if facts.architecture == "gemma4":
        return facts.layers - facts.number("attention.shared_kv_layers")
    return facts.layers


def _state_bytes(facts: _Facts) -> int:
    """Bytes of one layer's recurrent state for one sequence: ``n_embd_r`` and ``n_embd_s``."""
    conv, inner = facts.number("ssm.conv_kernel"), facts.number("ssm.inner_size")
    state, groups = facts.number("ssm.state_size"), facts.number("ssm.group_count")
    heads = facts.heads[0] if facts.heads else 0
    if wkv := facts.number("wkv.head_size"):
        shift = facts.number("token_shift_count", 2) * facts.embedding
        elements = shift + facts.embedding * wkv
    elif lconv := facts.number("shortconv.l_cache"):
        elements = facts.embedding * (lconv - 1)
    elif kda := facts.number("kda.head_dim"):
        elements = 3 * ((conv or 4) - 1) * heads * kda + kda * kda * heads
    else:
        elements = max(0, conv - 1) * (inner + 2 * groups * state) + state * inner
    return _STATE_ELEMENT * elements
