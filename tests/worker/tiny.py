"""Writes tiny GGUF models with random weights, of the kinds whose caches cannot simply be rewound."""

from __future__ import annotations

import array
import math
import random
import struct
from collections.abc import Sequence
from pathlib import Path

Value = bool | int | float | str | list[int] | list[float] | list[str]
Tensors = list[tuple[str, list[int]]]
_ALIGNMENT = 32
LAYERS, WIDTH, VOCABULARY = 6, 64, 500
WINDOW = 64


def write_sliding_window(path: Path, tokenizer: dict[str, Value] | None = None) -> None:
    """A gemma3: five layers in six see `WINDOW` tokens only."""
    heads, kv_heads, head, hidden = 2, 1, 32, 128
    tensors: Tensors = [("token_embd.weight", [WIDTH, VOCABULARY]), ("output_norm.weight", [WIDTH])]
    for layer in range(LAYERS):
        tensors += [
            (f"blk.{layer}.{name}.weight", shape)
            for name, shape in {
                "attn_norm": [WIDTH],
                "attn_q": [WIDTH, heads * head],
                "attn_k": [WIDTH, kv_heads * head],
                "attn_v": [WIDTH, kv_heads * head],
                "attn_output": [heads * head, WIDTH],
                "attn_q_norm": [head],
                "attn_k_norm": [head],
                "post_attention_norm": [WIDTH],
                "ffn_norm": [WIDTH],
                "post_ffw_norm": [WIDTH],
                "ffn_gate": [WIDTH, hidden],
                "ffn_down": [hidden, WIDTH],
                "ffn_up": [WIDTH, hidden],
            }.items()
        ]
    facts: dict[str, Value] = {
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.sliding_window": WINDOW,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "feed_forward_length": hidden,
    }
    _write(path, "gemma3", facts, tensors, tokenizer)


def write_speller(path: Path) -> None:
    """A gemma3 that reads byte by byte: its SentencePiece vocabulary has no piece for a text or a space."""
    write_sliding_window(path, spelling())


def spelling(words: Sequence[str] = ()) -> dict[str, Value]:
    """A SentencePiece vocabulary of bytes, and of `words` as control tokens."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *words]
    pieces += [f"<unused{number}>" for number in range(VOCABULARY - len(pieces))]
    unknown, control, unused, byte = 2, 3, 5, 6
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.scores": [0.0] * VOCABULARY,
        "tokenizer.ggml.token_type": [
            *(unknown, control, control),
            *[byte] * 256,
            *[control] * len(words),
            *[unused] * (VOCABULARY - 259 - len(words)),
        ],
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }


def write_two_dimensional(path: Path, tokenizer: dict[str, Value]) -> None:
    """A qwen2vl: the tokens of a picture have a place in two dimensions."""
    heads, kv_heads, head, hidden = 2, 1, 32, 128
    shapes = {
        "attn_norm.weight": [WIDTH],
        "attn_q.weight": [WIDTH, heads * head],
        "attn_q.bias": [heads * head],
        "attn_k.weight": [WIDTH, kv_heads * head],
        "attn_k.bias": [kv_heads * head],
        "attn_v.weight": [WIDTH, kv_heads * head],
        "attn_v.bias": [kv_heads * head],
        "attn_output.weight": [heads * head, WIDTH],
        "ffn_norm.weight": [WIDTH],
        "ffn_gate.weight": [WIDTH, hidden],
        "ffn_down.weight": [hidden, WIDTH],
        "ffn_up.weight": [WIDTH, hidden],
    }
    tensors: Tensors = [("token_embd.weight", [WIDTH, VOCABULARY]), ("output_norm.weight", [WIDTH])]
    for layer in range(LAYERS):
        tensors += [(f"blk.{layer}.{name}", shape) for name, shape in shapes.items()]
    facts: dict[str, Value] = {
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "feed_forward_length": hidden,
        "rope.dimension_sections": [4, 6, 6, 0],
    }
    _write(path, "qwen2vl", facts, tensors, tokenizer)


def write_plain(path: Path, layers: int = LAYERS) -> None:
    """A llama: every layer attends to everything, so that its cache can be cut off anywhere."""
    heads, kv_heads, head, hidden = 2, 1, 32, 128
    shapes = {
        "attn_norm": [WIDTH],
        "attn_q": [WIDTH, heads * head],
        "attn_k": [WIDTH, kv_heads * head],
        "attn_v": [WIDTH, kv_heads * head],
        "attn_output": [heads * head, WIDTH],
        "ffn_norm": [WIDTH],
        "ffn_gate": [WIDTH, hidden],
        "ffn_down": [hidden, WIDTH],
        "ffn_up": [WIDTH, hidden],
    }
    tensors: Tensors = [("token_embd.weight", [WIDTH, VOCABULARY]), ("output_norm.weight", [WIDTH])]
    for layer in range(layers):
        tensors += [(f"blk.{layer}.{name}.weight", shape) for name, shape in shapes.items()]
    facts: dict[str, Value] = {
        "block_count": layers,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "feed_forward_length": hidden,
        "rope.dimension_count": head,
    }
    _write(path, "llama", facts, tensors)


def write_recurrent(path: Path) -> None:
    """A mamba2: a state of constant size instead of a cache."""
    inner, state, conv, heads = 2 * WIDTH, 16, 4, 4
    tensors: Tensors = [
        ("token_embd.weight", [WIDTH, VOCABULARY]),
        ("output_norm.weight", [WIDTH]),
        ("output.weight", [WIDTH, VOCABULARY]),
    ]
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        tensors += [
            (block + "attn_norm.weight", [WIDTH]),
            (block + "ssm_in.weight", [WIDTH, 2 * inner + 2 * state + heads]),
            (block + "ssm_conv1d.weight", [conv, inner + 2 * state]),
            (block + "ssm_conv1d.bias", [inner + 2 * state]),
            (block + "ssm_dt.bias", [heads]),
            (block + "ssm_a", [1, heads]),
            (block + "ssm_d", [1, heads]),
            (block + "ssm_norm.weight", [inner, 1]),
            (block + "ssm_out.weight", [inner, WIDTH]),
        ]
    facts: dict[str, Value] = {
        "attention.head_count": 0,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "feed_forward_length": 0,
        "ssm.conv_kernel": conv,
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.time_step_rank": heads,
        "ssm.group_count": 1,
    }
    _write(path, "mamba2", facts, tensors)


def write_hybrid(path: Path, window: int = 0) -> None:
    """An lfm2: short convolutions with a state, attention in every third layer, in a `window` if given."""
    heads, kv_heads, head, hidden, conv = 2, 1, 32, 128, 3
    attends = [layer % 3 == 2 for layer in range(LAYERS)]
    tensors: Tensors = [("token_embd.weight", [WIDTH, VOCABULARY]), ("token_embd_norm.weight", [WIDTH])]
    attention = {
        "attn_q_norm": [head],
        "attn_k_norm": [head],
        "attn_q": [WIDTH, heads * head],
        "attn_k": [WIDTH, kv_heads * head],
        "attn_v": [WIDTH, kv_heads * head],
        "attn_output": [heads * head, WIDTH],
    }
    convolution = {
        "shortconv.conv": [conv, WIDTH],
        "shortconv.in_proj": [WIDTH, 3 * WIDTH],
        "shortconv.out_proj": [WIDTH, WIDTH],
    }
    common = {
        "attn_norm": [WIDTH],
        "ffn_norm": [WIDTH],
        "ffn_gate": [WIDTH, hidden],
        "ffn_down": [hidden, WIDTH],
        "ffn_up": [WIDTH, hidden],
    }
    for layer in range(LAYERS):
        shapes = common | (attention if attends[layer] else convolution)
        tensors += [(f"blk.{layer}.{name}.weight", shape) for name, shape in shapes.items()]
    facts: dict[str, Value] = {
        "attention.head_count": heads,
        "attention.head_count_kv": [kv_heads if attends[layer] else 0 for layer in range(LAYERS)],
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "feed_forward_length": hidden,
        "shortconv.l_cache": conv,
    }
    if window:
        facts["attention.sliding_window"] = window
    _write(path, "lfm2", facts, tensors)


def _write(
    path: Path,
    architecture: str,
    facts: dict[str, Value],
    tensors: Tensors,
    tokenizer: dict[str, Value] | None = None,
) -> None:
    common = {"block_count": LAYERS, "embedding_length": WIDTH, "context_length": 4096}
    facts = common | {"vocab_size": VOCABULARY} | facts
    entries: dict[str, Value] = {"general.architecture": architecture}
    entries |= tokenizer or {"tokenizer.ggml.model": "none"}
    entries |= {f"{architecture}.{key}": value for key, value in facts.items()}
    write_gguf(path, entries, tensors)


def write_gguf(path: Path, entries: dict[str, Value], tensors: Tensors) -> None:
    """Write a file with these facts, and random weights in F32 of these shapes."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    header += b"".join(_string(key) + _value(value) for key, value in entries.items())
    data = b""
    for name, shape in tensors:
        header += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += _pad(_weights(name, math.prod(shape)))
    path.write_bytes(_pad(header) + data)


def _weights(name: str, count: int) -> bytes:
    draw = random.Random(name)
    if "norm" in name:
        numbers = [1.0] * count
    elif name.endswith("ssm_a"):
        numbers = [-abs(draw.gauss(0, 0.08)) - 0.1 for _ in range(count)]
    else:
        numbers = [draw.gauss(0, 0.12) for _ in range(count)]
    return array.array("f", numbers).tobytes()


def _value(value: Value) -> bytes:
    if isinstance(value, list):
        kinds, items = zip(*map(_scalar, value), strict=True)
        signed = {4: 5}  # as llama.cpp wants the numbers in arrays
        return struct.pack("<IIQ", 9, signed.get(kinds[0], kinds[0]), len(items)) + b"".join(items)
    kind, item = _scalar(value)
    return struct.pack("<I", kind) + item


def _scalar(value: bool | int | float | str) -> tuple[int, bytes]:
    """The number of its type in GGUF, and its bytes."""
    if isinstance(value, str):
        return 8, _string(value)
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    return (6, struct.pack("<f", value)) if isinstance(value, float) else (4, struct.pack("<I", value))


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _pad(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)
