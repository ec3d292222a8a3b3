"""What a model's header says about the memory it will need: its layers' weights, its KV cache, its state."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tui_chat.memory.attention import NO_CACHE, Caches, caches
from tui_chat.memory.cpu import REPACKED_ROWS, repacked_types
from tui_chat.memory.gguf import GgufFile, Tensor, length, number, read_file
from tui_chat.memory.gguf_reader import Value

_BLOCK = re.compile(r"blk\.(\d+)\.")
_EXPERTS = re.compile(r"\.ffn_(up|down|gate|gate_up)_(ch|)exps")
"""As llama.cpp's own ``LLM_FFN_EXPS_REGEX``."""
_INPUT = ("token_embd.", "position_embd.", "token_types.", "per_layer_token_embd.")
"""Tensors that llama.cpp always keeps in RAM (``LLM_TENSOR_LAYER_INPUT``)."""
_FIRST_LAYER = ("token_embd_norm.", "per_layer_model_proj.", "per_layer_proj_norm.")
_EVERYWHERE = ("rope_freqs.", "rope_factors_long.", "rope_factors_short.")
"""Tensors that are copied to every device with a layer on it."""
_NORM_IS_OUTPUT = frozenset({"lfm2", "lfm2moe"})
"""Architectures that call the norm before the output layer ``token_embd_norm``."""
_IGNORED = ("masked_embd_",)
_EMBEDDING, _OUTPUT = "token_embd.weight", "output.weight"
CUDA_ROW = 512
"""Elements to which CUDA pads the last row of anything quantised (``MATRIX_ROW_PADDING``)."""
_RAM_ALIGNMENT, CUDA_ALIGNMENT = 32, 128


class Weights(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of some tensors as ggml lays them out, each padded to its device's alignment.

    Attributes:
        repacked: Of `plain`, what llama.cpp copies into a layout for this machine's CPU.
    """

    plain: int = 0
    cuda: int = 0
    repacked: int = 0

    def __add__(self, other: Weights) -> Weights:
        return Weights(self.plain + other.plain, self.cuda + other.cuda, self.repacked + other.repacked)


class Layer(msgspec.Struct, frozen=True, array_like=True):
    """One repeating layer's weights; `experts` is what a mixture-of-experts layer could keep in RAM."""

    dense: Weights = Weights()
    experts: Weights = Weights()


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a model that decides its memory.

    Attributes:
        size_bytes: Of the file or files.
        caches: What each layer keeps of a conversation.
        input: Weights that always stay in RAM.
        output: Weights of the output layer.
        tied: Weights of the embedding, when it serves as output layer too and is copied to its device.
        everywhere: Weights that each device with a layer on it gets.
        merges: Pairs that the vocabulary's tokens are put together from; 0 where it has none.
        experts, experts_used: Per mixture-of-experts layer; 0 in a dense model.
        certain: Whether this arithmetic is known to hold for the architecture. If not, ask llama.cpp.
        thinks, tools: What the chat template provides for.
    """

    architecture: str
    name: str
    quant: str
    fingerprint: str
    parameters: int
    size_bytes: int
    trained_context: int
    vocabulary: int
    embedding: int
    heads: int
    head_size: int
    feed_forward: int
    layers: tuple[Layer, ...]
    caches: Caches
    input: Weights
    output: Weights
    tied: Weights
    everywhere: Weights
    merges: int = 0
    experts: int = 0
    experts_used: int = 0
    certain: bool = True
    has_template: bool = False
    thinks: bool = False
    tools: bool = False
    recurrent: bool = False

    @property
    def layer_count(self) -> int:
        """Repeating layers; the output layer comes on top."""
        return len(self.layers)


def read_profile(paths: Sequence[Path]) -> Profile:
    """Read the profile of the model in `paths`, its files in order; headers without weights will do.

    Raises:
        GgufError: A file is missing or no GGUF file.
    """
    return profile_of([read_file(path, complete=False) for path in paths])


def profile_of(files: Sequence[GgufFile]) -> Profile:
    """Make the profile of the model whose files these are, the first one first."""
    first = files[0]
    metadata, architecture = first.metadata, first.header.architecture
    tensors = [tensor for file in files for tensor in file.tensors]
    found = caches(metadata, architecture)
    count = len(found.layers)
    sums = _Sums(tensors, count, architecture)
    template = first.header.chat_template or ""
    heads = _largest(metadata, f"{architecture}.attention.head_count")
    embedding = number(metadata, f"{architecture}.embedding_length", 0)
    return Profile(
        architecture=architecture,
        name=first.header.name,
        quant=first.header.quant,
        fingerprint=first.header.fingerprint,
        parameters=sum(file.header.parameters for file in files),
        size_bytes=sum(file.full_bytes for file in files),
        trained_context=first.header.trained_context,
        vocabulary=_vocabulary(metadata, architecture, tensors),
        embedding=embedding,
        heads=heads,
        head_size=number(
            metadata, f"{architecture}.attention.key_length", embedding // heads if heads else 0
        ),
        feed_forward=_largest(metadata, f"{architecture}.feed_forward_length"),
        layers=tuple(Layer(*pair) for pair in zip(sums.dense, sums.experts, strict=True)),
        caches=found,
        input=sums.input,
        output=sums.output,
        tied=Weights() if sums.has_output or architecture in NO_CACHE else sums.embedding,
        everywhere=sums.everywhere,
        merges=length(metadata, "tokenizer.ggml.merges"),
        experts=number(metadata, f"{architecture}.expert_count", 0),
        experts_used=_largest(metadata, f"{architecture}.expert_used_count"),
        certain=found.certain and bool(tensors) and all(tensor.kind for tensor in tensors),
        has_template=bool(template),
        thinks=any(tag in template for tag in ("</think>", "[/THINK]", "</seed:think>", "<|channel|>")),
        tools="tools" in template,
        recurrent=any(layer.state for layer in found.layers),
    )


class _Sums:
    """The weights of a model by where llama.cpp puts them."""

    def __init__(self, tensors: Sequence[Tensor], layers: int, architecture: str) -> None:
        self.dense = [Weights()] * layers
        self.experts = [Weights()] * layers
        self.input = self.output = self.embedding = self.everywhere = Weights()
        self.has_output = False
        self._first_layer = () if architecture in _NORM_IS_OUTPUT else _FIRST_LAYER
        for tensor in tensors:
            self._add(tensor, _padded(tensor))

    def _add(self, tensor: Tensor, size: Weights) -> None:
        name = tensor.name
        block = _BLOCK.match(name)
        if block is not None:
            self._add_to_layer(int(block[1]), name, size)
        elif name.startswith(_INPUT):
            self.input += msgspec.structs.replace(size, repacked=0)  # rows are looked up, not multiplied
            if name == _EMBEDDING:
                self.embedding = size
        elif self.dense and name.startswith(self._first_layer):
            self._add_to_layer(0, name, size)
        elif name.startswith(_EVERYWHERE):
            self.everywhere += size
        elif not name.startswith(_IGNORED):
            self.output += size
            self.has_output |= name == _OUTPUT

    def _add_to_layer(self, layer: int, name: str, size: Weights) -> None:
        if layer >= len(self.dense):
            return
        weights = self.experts if _EXPERTS.search(name) else self.dense
        weights[layer] += size


def _padded(tensor: Tensor) -> Weights:
    """The bytes that ggml sets aside for a tensor: ``ggml_backend_buft_get_alloc_size``, aligned."""
    cuda = tensor.size
    if tensor.kind is not None and tensor.kind.block > 1 and tensor.shape[0] % CUDA_ROW:
        missing = CUDA_ROW - tensor.shape[0] % CUDA_ROW
        cuda += missing // tensor.kind.block * tensor.kind.size
    plain = _pad(tensor.size, _RAM_ALIGNMENT)
    return Weights(plain, _pad(cuda, CUDA_ALIGNMENT), plain if _is_repacked(tensor) else 0)


def _is_repacked(tensor: Tensor) -> bool:
    """As ``ggml_repack_get_optimal_repack_type``."""
    rows = tensor.shape[1] if len(tensor.shape) > 1 else 1
    return tensor.kind is not None and tensor.kind.name in repacked_types() and rows % REPACKED_ROWS == 0


def _pad(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _vocabulary(metadata: Mapping[str, Value], architecture: str, tensors: Sequence[Tensor]) -> int:
    known = length(metadata, "tokenizer.ggml.tokens") or number(metadata, f"{architecture}.vocab_size", 0)
    if known:
        return known
    return next((tensor.shape[-1] for tensor in tensors if tensor.name == _EMBEDDING), 0)


def _largest(metadata: Mapping[str, Value], key: str) -> int:
    """The number at `key`, or the largest of a list with one per layer."""
    value = metadata.get(key)
    if isinstance(value, tuple):
        return max((each for each in value if isinstance(each, int)), default=0)
    return number(metadata, key, 0)
