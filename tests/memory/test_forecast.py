"""The forecast against llama.cpp's own account, byte for byte: architectures, contexts, KV types, splits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.memory.architectures import ARCHITECTURES
from tests.memory.sizes import make_sized
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Probe, Probed
from tui_chat.memory.attention import VERIFIED
from tui_chat.memory.forecast import forecast
from tui_chat.memory.profile import read_profile
from tui_chat.wire.plan import DeviceKind, DeviceSpec, KvType, LoadOptions

EVERYTHING = 99


def gpus(count: int, kind: DeviceKind) -> tuple[DeviceSpec, ...]:
    return tuple(
        DeviceSpec(name=f"gpu{number}", kind=kind, total_bytes=8 << 30, free_bytes=8 << 30)
        for number in range(count)
    )


def options(layers: int) -> list[LoadOptions]:
    """Everything that moves bytes: context, KV type, batch, sequences, offload, split, experts in RAM."""
    return [
        LoadOptions(context=4096),
        LoadOptions(context=32768, kv_type=KvType.Q8_0),
        LoadOptions(context=8192, kv_type=KvType.Q4_0, ubatch=128, sequences=4),
        LoadOptions(context=5000, gpu_layers=EVERYTHING, split=(1, 1)),
        LoadOptions(context=4096, gpu_layers=1, split=(1, 1)),
        LoadOptions(context=4096, gpu_layers=3, split=(3, 1)),
        LoadOptions(context=4096, gpu_layers=3, split=(1, 2)),
        LoadOptions(context=4096, gpu_layers=layers, split=(1, 2)),
        LoadOptions(context=4096, gpu_layers=EVERYTHING, split=(1, 0), kv_type=KvType.Q8_0),
        LoadOptions(context=4096, gpu_layers=EVERYTHING, split=(1, 1), cpu_experts=2),
    ]


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    prober = Prober()
    yield prober
    await prober.close()


ALL = slice(None)


@pytest.mark.parametrize("kind", [DeviceKind.GPU, DeviceKind.CUDA])
async def test_weights_and_kv_are_exact_on_every_device(zoo: Path, kind: DeviceKind, prober: Prober) -> None:
    half = slice(kind is DeviceKind.CUDA, None, 2)  # all of them, on all: make bench GROUP=memory
    for name in ARCHITECTURES:
        await compare(zoo / f"{name}.gguf", kind, prober, half)


@pytest.mark.parametrize("kind", [DeviceKind.GPU, DeviceKind.CUDA])
async def test_the_starter_model_is_exact(starter_model: Path, kind: DeviceKind, prober: Prober) -> None:
    await compare(starter_model, kind, prober)


async def compare(path: Path, kind: DeviceKind, prober: Prober, part: slice = ALL) -> None:
    profile = read_profile([path])
    assert profile.certain
    wanted = options(profile.layer_count)[part]
    answers = await prober.ask(Probe(str(path), gpus(2, kind), tuple(wanted)))
    for each, answer in zip(wanted, answers.answers, strict=True):
        assert isinstance(answer, Probed), (path.stem, each, answer)
        shares = forecast(profile, each, [kind] * 2)
        said = [(buffers.weights, buffers.kv) for buffers in answer.buffers]
        assert [(share.weights, share.kv) for share in shares] == said, (path.stem, each)
        assert shares[-1].repacked == answer.buffers[-1].repacked, (path.stem, each)


def test_only_what_is_compared_is_called_certain() -> None:
    assert {architecture for architecture, _ in ARCHITECTURES.values()} == VERIFIED


@pytest.mark.parametrize("kv_type", [KvType.Q8_0, KvType.BF16, KvType.F32])
async def test_copies_for_flash_attention_are_counted_where_they_decide(
    kv_type: KvType, tmp_path: Path, prober: Prober
) -> None:
    """CUDA's attention reads f16 only, and at long contexts its copies outweigh all else in the buffer."""
    for name in ("llama-8b", "qwen3-30b-a3b"):
        path = make_sized(tmp_path, name)
        profile = read_profile([path])
        long = LoadOptions(context=131072, kv_type=kv_type, gpu_layers=EVERYTHING)
        answers = await prober.ask(Probe(str(path), gpus(1, DeviceKind.CUDA), (long,)))
        (answer,) = answers.answers
        assert isinstance(answer, Probed)
        share = forecast(profile, long, [DeviceKind.CUDA])[0]
        assert share.compute == pytest.approx(answer.buffers[0].compute, rel=0.001)


async def test_a_dense_models_compute_buffer_follows_the_formula(starter_model: Path, prober: Prober) -> None:
    profile = read_profile([starter_model])
    wanted = [
        LoadOptions(context=size, ubatch=batch, kv_type=kv_type)
        for size in (2048, 8192)
        for batch in (128, 512)
        for kv_type in (KvType.F16, KvType.Q8_0)
    ]
    answers = await prober.ask(Probe(str(starter_model), (), tuple(wanted)))
    for each, answer in zip(wanted, answers.answers, strict=True):
        assert isinstance(answer, Probed)
        (share,) = forecast(profile, each, [])
        assert share.compute == pytest.approx(answer.buffers[0].compute, rel=0.02), each
