"""Models in the sizes that they are published in, as headers without weights.

llama.cpp is asked for the tensors of one layer with a tiny vocabulary; the file repeats that layer.
Run as ``python -m tests.benchmarks.memory.published FOLDER``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from tests.memory.architectures import MAMBA2, Facts, Value, dense
from tests.memory.shapes import Shapes, kind_of, metadata, shapes_of, write

_FIRST = "blk.0."
_TINY = 1056
"""Tokens of the vocabulary that llama.cpp is shown; no model has this number elsewhere."""


class Published(NamedTuple):
    """A model whose layers are all alike."""

    architecture: str
    facts: Facts


def _facts(
    layers: int, width: int, heads: int, kv_heads: int, hidden: int, tokens: int, **more: Value
) -> Facts:
    size = more.pop("head", width // heads if heads else 0)
    sized: Facts = {"attention__key_length": size, "attention__value_length": size}
    return dense(
        **{
            "block_count": layers,
            "embedding_length": width,
            "attention__head_count": heads,
            "attention__head_count_kv": kv_heads,
            "feed_forward_length": hidden,
            "vocab_size": tokens,
            "context_length": 131072,
            "rope__dimension_count": size,
        }
        | (sized if heads else {})
        | more
    )


def _moe(experts: int, used: int, hidden: int, **more: Value) -> Facts:
    return {"expert_count": experts, "expert_used_count": used, "expert_feed_forward_length": hidden, **more}


_GEMMA_2: Facts = {
    "attention__sliding_window": 4096,
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
}
_GEMMA_3: Facts = {"attention__sliding_window": 1024}
_GPT_OSS = _moe(32, 4, 2880, attention__sliding_window=128)
_STATE: Facts = MAMBA2 | {"ssm__inner_size": 5120, "ssm__state_size": 128, "ssm__time_step_rank": 80}

PUBLISHED = {
    "SmolLM2-360M": Published("llama", _facts(32, 960, 15, 5, 2560, 49152)),
    "SmolLM2-1.7B": Published("llama", _facts(24, 2048, 32, 32, 8192, 49152)),
    "Llama-3.2-1B": Published("llama", _facts(16, 2048, 32, 8, 8192, 128256)),
    "Llama-3.2-3B": Published("llama", _facts(28, 3072, 24, 8, 8192, 128256)),
    "Llama-3.1-8B": Published("llama", _facts(32, 4096, 32, 8, 14336, 128256)),
    "Llama-3.1-70B": Published("llama", _facts(80, 8192, 64, 8, 28672, 128256)),
    "Mistral-Small-24B": Published("llama", _facts(40, 5120, 32, 8, 32768, 131072, head=128)),
    "Mixtral-8x7B": Published("llama", _facts(32, 4096, 32, 8, 14336, 32000) | _moe(8, 2, 14336)),
    "Qwen2.5-0.5B": Published("qwen2", _facts(24, 896, 14, 2, 4864, 151936)),
    "Qwen2.5-7B": Published("qwen2", _facts(28, 3584, 28, 4, 18944, 152064)),
    "Qwen2.5-32B": Published("qwen2", _facts(64, 5120, 40, 8, 27648, 152064)),
    "Qwen3-4B": Published("qwen3", _facts(36, 2560, 32, 8, 9728, 151936, head=128)),
    "Qwen3-8B": Published("qwen3", _facts(36, 4096, 32, 8, 12288, 151936, head=128)),
    "Qwen3-30B-A3B": Published(
        "qwen3moe", _facts(48, 2048, 32, 4, 6144, 151936, head=128, **_moe(128, 8, 768))
    ),
    "Phi-3-mini": Published("phi3", _facts(32, 3072, 32, 32, 8192, 32064)),
    "Gemma-2-9B": Published("gemma2", _facts(42, 3584, 16, 8, 14336, 256000, head=256, **_GEMMA_2)),
    "Gemma-3-4B": Published("gemma3", _facts(34, 2560, 8, 4, 10240, 262208, head=256, **_GEMMA_3)),
    "Gemma-3-27B": Published("gemma3", _facts(62, 5376, 32, 16, 21504, 262208, head=128, **_GEMMA_3)),
    "gpt-oss-20b": Published(
        "gpt-oss",
        _facts(24, 2880, 64, 8, 2880, 201088, head=64, attention__sliding_window=128, **_moe(32, 4, 2880)),
    ),
    "Mamba2-2.7B": Published("mamba2", _facts(64, 2560, 0, 0, 0, 50288, **_STATE)),
}


def make(folder: Path, name: str) -> None:
    """Write the file of one of `PUBLISHED`; its weights are a hole."""
    model = PUBLISHED[name]
    shown = model.facts | {"block_count": 1, "vocab_size": _TINY}
    path = folder / f"{name}.gguf"
    write(path, metadata(model.architecture, shown), [])
    layers, tokens = model.facts["block_count"], model.facts["vocab_size"]
    assert isinstance(layers, int)
    assert isinstance(tokens, int)
    write(path, metadata(model.architecture, model.facts), _repeated(shapes_of(path), layers, tokens))


def _repeated(shapes: Shapes, layers: int, tokens: int) -> Shapes:
    full: list[tuple[str, tuple[int, ...]]] = []
    for name, shape, _ in shapes:
        if name.startswith(_FIRST):
            full += [(f"blk.{layer}.{name.removeprefix(_FIRST)}", shape) for layer in range(layers)]
        else:
            full.append((name, tuple(tokens if extent == _TINY else extent for extent in shape)))
    return [(name, shape, kind_of(name, shape)) for name, shape in full]


def main() -> None:
    """Write all of `PUBLISHED` into a folder, each in a child: llama.cpp ends with metadata it dislikes."""
    folder = Path(sys.argv[1])
    from tui_chat.backends.llamacpp.worker.native import lib  # noqa: F401 - once, for all children

    for name in PUBLISHED:
        child = os.fork()
        if not child:
            os.dup2(os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT), 2)
            make(folder, name)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            (folder / f"{name}.gguf").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
