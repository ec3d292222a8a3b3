"""Which smaller file is the same model, and which only looks like it."""

from __future__ import annotations

from tui_chat.library.siblings import smaller_quants
from tui_chat.wire.api import ModelInfo, ModelKind, ModelState


def model(id: str, size: int, parameters: float = 8.2, **more: object) -> ModelInfo:
    told = {"architecture": "qwen3", "parameters": int(parameters * 1e9), "path": f"/{id}.gguf"}
    return ModelInfo(id=id, size_bytes=size, state=ModelState.ON_DISK, **(told | more))


def test_smaller_quants_of_the_same_model_come_largest_first() -> None:
    large = model("acme/Qwen3-8B-Q8_0", 80, aliases=("qwen3:8b-q8_0",))
    others = [
        model("Qwen3-8B-Q4_K_M", 45, 8.3),
        model("qwen3-8b.Q6_K", 60),
        model("qwen3:8b", 40),
        model("Qwen3-8B-F16", 160),
        model("Qwen3-8B-Base-Q4_K_M", 44),
        model("Qwen3-4B-Q4_K_M", 20, 4.0),
        model("Qwen3-8B-Q3_K_M", 35, architecture="qwen2"),
        model("Qwen3-8B-Q2_K", 30, kind=ModelKind.EMBEDDING),
        large,
    ]
    assert [each.id for each in smaller_quants(large, others)] == [
        "qwen3-8b.Q6_K",
        "Qwen3-8B-Q4_K_M",
        "qwen3:8b",
    ]
