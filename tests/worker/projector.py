"""Writes tiny projectors with random weights: what lets a model see, without the sense of it."""

from __future__ import annotations

from pathlib import Path

from tests.worker.tiny import Tensors, Value, write_gguf

SIDE, PATCH, WIDTH, HIDDEN, LAYERS, HEADS = 64, 16, 32, 64, 2, 2
PATCHES = (SIDE // PATCH) ** 2
_POSITIONS = "v.position_embd.weight"


def write_llava(path: Path, width: int = 576) -> None:
    """For a model of `width`, SmolLM2's by default, that reads a picture like words, nothing around it."""
    shapes = {"mm.0.weight": [WIDTH, width], "mm.0.bias": [width]}
    shapes |= {"mm.2.weight": [width, width], "mm.2.bias": [width]}
    _write(path, "mlp", width, [*_eyes(), *shapes.items()], {})


def write_idefics3(path: Path, width: int) -> None:
    """For one that looks at a picture in tiles, with words around each."""
    merged = 2
    tensors = [*_eyes(), ("mm.model.fc.weight", [WIDTH * merged**2, width])]
    _write(path, "idefics3", width, tensors, {"clip.vision.projector.scale_factor": merged})


def write_gemma3(path: Path, width: int) -> None:
    """For a gemma3, whose pictures are seen at once and not from left to right."""
    tensors = [*_eyes(), ("mm.input_projection.weight", [width, WIDTH]), ("mm.soft_emb_norm.weight", [WIDTH])]
    _write(path, "gemma3", width, tensors, {"clip.vision.projector.scale_factor": 2})


def write_qwen2vl(path: Path, width: int, more: Tensors | None = None) -> None:
    """For a qwen2vl, in whose pictures tokens have a place in two dimensions."""
    merged = WIDTH * 4
    eyes = [(name, shape) for name, shape in _eyes() if name not in ("v.patch_embd.bias", _POSITIONS)]
    tensors = [
        *eyes,
        *(more or ()),
        ("v.patch_embd.weight.1", [PATCH, PATCH, 3, WIDTH]),
        ("mm.0.weight", [merged, merged]),
        ("mm.0.bias", [merged]),
        ("mm.2.weight", [merged, width]),
        ("mm.2.bias", [width]),
    ]
    _write(path, "qwen2vl_merger", width, tensors, {})


def write_deadly(path: Path, width: int = 576) -> None:
    """With a tensor that llama.cpp takes it for certain will not be there: it ends the process."""
    write_qwen2vl(path, width, [("v.patch_embd.bias", [WIDTH])])


def _eyes() -> Tensors:
    tensors: Tensors = [
        ("v.patch_embd.weight", [PATCH, PATCH, 3, WIDTH]),
        ("v.patch_embd.bias", [WIDTH]),
        (_POSITIONS, [WIDTH, PATCHES]),
        ("v.post_ln.weight", [WIDTH]),
        ("v.post_ln.bias", [WIDTH]),
    ]
    matrices = {"attn_q": WIDTH, "attn_k": WIDTH, "attn_v": WIDTH, "attn_out": WIDTH, "ffn_up": HIDDEN}
    for layer in range(LAYERS):
        block = f"v.blk.{layer}."
        for name, out in matrices.items():
            tensors += [(f"{block}{name}.weight", [WIDTH, out]), (f"{block}{name}.bias", [out])]
        tensors += [(f"{block}ffn_down.weight", [HIDDEN, WIDTH]), (f"{block}ffn_down.bias", [WIDTH])]
        norms = (f"{block}{norm}.{part}" for norm in ("ln1", "ln2") for part in ("weight", "bias"))
        tensors += [(norm, [WIDTH]) for norm in norms]
    return tensors


def _write(path: Path, kind: str, width: int, tensors: Tensors, facts: dict[str, Value]) -> None:
    write_gguf(
        path,
        {
            "general.architecture": "clip",
            "clip.projector_type": kind,
            "clip.has_vision_encoder": True,
            "clip.use_gelu": True,
            "clip.vision.image_size": SIDE,
            "clip.vision.patch_size": PATCH,
            "clip.vision.embedding_length": WIDTH,
            "clip.vision.feed_forward_length": HIDDEN,
            "clip.vision.projection_dim": width,
            "clip.vision.block_count": LAYERS,
            "clip.vision.attention.head_count": HEADS,
            "clip.vision.attention.layer_norm_epsilon": 1e-6,
            "clip.vision.image_mean": [0.5, 0.5, 0.5],
            "clip.vision.image_std": [0.5, 0.5, 0.5],
        }
        | facts,
        tensors,
    )
