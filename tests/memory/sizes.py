"""Headers of models in their real sizes, written by hand: what plans are made for."""

from __future__ import annotations

from pathlib import Path

from tests.memory.architectures import Facts, dense
from tests.memory.shapes import F32, Q4_K, Q8_0, Shapes, metadata, write


def transformer(
    *,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    hidden: int,
    vocabulary: int,
    size: int,
    experts: int = 0,
) -> tuple[Facts, Shapes]:
    """A llama-like model, 4-bit; `size` is that of a head, `experts` of `hidden` each."""
    facts = dense(
        block_count=layers,
        embedding_length=width,
        feed_forward_length=hidden,
        vocab_size=vocabulary,
        context_length=131072,
        attention__head_count=heads,
        attention__head_count_kv=kv_heads,
        attention__key_length=size,
        attention__value_length=size,
        rope__dimension_count=size,
    )
    shapes: Shapes = [
        ("token_embd.weight", (width, vocabulary), Q4_K),
        ("output_norm.weight", (width,), F32),
        ("output.weight", (width, vocabulary), Q8_0),
    ]
    if experts:
        facts |= {"expert_count": experts, "expert_used_count": 8, "expert_feed_forward_length": hidden}
    for layer in range(layers):
        shapes += [
            (f"blk.{layer}.{name}.weight", shape, kind)
            for name, shape, kind in _layer(width, heads, kv_heads, hidden, size, experts)
        ]
    return facts, shapes


def _layer(width: int, heads: int, kv_heads: int, hidden: int, size: int, experts: int) -> Shapes:
    attention: Shapes = [
        ("attn_norm", (width,), F32),
        ("attn_q", (width, heads * size), Q4_K),
        ("attn_k", (width, kv_heads * size), Q4_K),
        ("attn_v", (width, kv_heads * size), Q4_K),
        ("attn_output", (heads * size, width), Q4_K),
        ("ffn_norm", (width,), F32),
    ]
    if not experts:
        return [
            *attention,
            ("ffn_gate", (width, hidden), Q4_K),
            ("ffn_up", (width, hidden), Q4_K),
            ("ffn_down", (hidden, width), Q4_K),
        ]
    return [
        *attention,
        ("attn_q_norm", (size,), F32),
        ("attn_k_norm", (size,), F32),
        ("ffn_gate_inp", (width, experts), F32),
        ("ffn_gate_exps", (width, hidden, experts), Q4_K),
        ("ffn_up_exps", (width, hidden, experts), Q4_K),
        ("ffn_down_exps", (hidden, width, experts), Q4_K),
    ]


MODELS = {
    "llama-8b": (
        "llama",
        transformer(layers=32, width=4096, heads=32, kv_heads=8, hidden=14336, vocabulary=128256, size=128),
    ),
    "llama-70b": (
        "llama",
        transformer(layers=80, width=8192, heads=64, kv_heads=8, hidden=28672, vocabulary=128256, size=128),
    ),
    "qwen3-30b-a3b": (
        "qwen3moe",
        transformer(
            layers=48, width=2048, heads=32, kv_heads=4, hidden=768, vocabulary=151936, size=128, experts=128
        ),
    ),
}


def make_sized(folder: Path, name: str) -> Path:
    """Write the header of one of `MODELS` into `folder`; its weights are a hole."""
    architecture, (facts, shapes) = MODELS[name]
    path = folder / f"{name}.gguf"
    write(path, metadata(architecture, facts), shapes)
    return path
