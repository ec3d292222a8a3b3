"""The probe process: what it can be asked about, and what a question may do to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.memory.architectures import dense
from tests.memory.shapes import metadata, write
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Probe, Probed, Unknown
from tui_chat.wire.plan import DeviceKind, DeviceSpec, KvType, LoadOptions

HEADER_BYTES = 1_790_000
PLAIN = (LoadOptions(context=4096),)


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    prober = Prober()
    yield prober
    await prober.close()


async def ask(prober: Prober, path: Path, options: tuple[LoadOptions, ...] = PLAIN) -> list[Probed | Unknown]:
    return list((await prober.ask(Probe(str(path), (), options))).answers)


async def test_a_header_without_weights_is_enough(
    starter_model: Path, tmp_path: Path, prober: Prober
) -> None:
    header = tmp_path / "header.gguf"
    with starter_model.open("rb") as file:
        header.write_bytes(file.read(HEADER_BYTES))
    whole = await ask(prober, starter_model)
    assert isinstance(whole[0], Probed)
    assert await ask(prober, header) == whole


async def test_metadata_without_tensors_is_enough(tmp_path: Path, prober: Prober) -> None:
    path = tmp_path / "metadata.gguf"
    write(path, metadata("llama", dense()), [])
    (answer,) = await ask(prober, path)
    assert isinstance(answer, Probed)
    layers, heads, size = 6, 2, 64
    assert answer.buffers[0].kv == 4096 * layers * heads * size * 2 * 2


async def test_a_question_that_kills_the_probe_costs_only_its_own_answer(
    starter_model: Path, tmp_path: Path, prober: Prober
) -> None:
    path = tmp_path / "deadly.gguf"
    write(path, metadata("llama", dense(expert_count=4, expert_used_count=8)), [])
    (answer,) = await ask(prober, path)
    assert isinstance(answer, Unknown)
    assert "GGML_ASSERT" in answer.why
    assert isinstance((await ask(prober, starter_model))[0], Probed)


async def test_what_llama_cpp_refuses_is_told_in_its_words(zoo: Path, prober: Prober) -> None:
    # Rows of a quantised cache are whole blocks of 32; one head of 40 is not.
    path = zoo.parent / "odd.gguf"
    write(
        path,
        metadata("llama", dense(embedding_length=320, rope__dimension_count=40, attention__head_count_kv=1)),
        [],
    )
    good, bad = await ask(prober, path, (*PLAIN, LoadOptions(context=4096, kv_type=KvType.Q8_0)))
    assert isinstance(good, Probed)
    assert isinstance(bad, Unknown)
    assert bad.why


async def test_a_missing_file_is_no_reason_to_die(
    starter_model: Path, tmp_path: Path, prober: Prober
) -> None:
    (answer,) = await ask(prober, tmp_path / "gone.gguf")
    assert isinstance(answer, Unknown)
    assert "gone.gguf" in answer.why
    assert isinstance((await ask(prober, starter_model))[0], Probed)


async def test_a_question_given_up_is_not_answered_to_the_next(starter_model: Path, prober: Prober) -> None:
    await prober.start()
    many = tuple(LoadOptions(context=256 * size) for size in range(1, 200))
    asking = asyncio.create_task(ask(prober, starter_model, many))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert len(await ask(prober, starter_model)) == 1


async def test_a_probe_takes_no_gpu_memory_and_little_ram(zoo: Path, prober: Prober) -> None:
    """A cache of 32 GiB is laid out, not allocated."""
    gpu = DeviceSpec(name="gpu0", kind=DeviceKind.GPU, total_bytes=1 << 40, free_bytes=1 << 40)
    huge = LoadOptions(context=1 << 24, gpu_layers=99)
    (answer,) = (await prober.ask(Probe(str(zoo / "llama.gguf"), (gpu,), (huge,)))).answers
    assert isinstance(answer, Probed)
    assert answer.buffers[0].kv > 32 << 30


async def test_two_gpus_with_as_many_layers_each_take_about_the_same(zoo: Path, prober: Prober) -> None:
    """As they do when llama.cpp allocates; laid out only, it has the second one's inputs twice."""
    gpus = tuple(
        DeviceSpec(name=name, kind=DeviceKind.CUDA, total_bytes=1 << 40, free_bytes=1 << 40)
        for name in ("gpu0", "gpu1")
    )
    halves = LoadOptions(context=2048, ubatch=128, gpu_layers=99, split=(1, 1))
    (answer,) = (await prober.ask(Probe(str(zoo / "llama.gguf"), gpus, (halves,)))).answers
    assert isinstance(answer, Probed)
    first, second, _ = answer.buffers
    assert second.compute == pytest.approx(first.compute, rel=0.01)


def test_cuda_wants_room_for_copies_of_what_attention_reads() -> None:
    """By hand: the result in f32, rounded up to 128 bytes, and 2 bytes per key and value that is not f16."""
    f16, q8_0, bf16 = 1, 8, 30
    heads, kv_heads, cells, queries = 32, 8, 1024, 512
    result, copy = heads * 128 * queries * 4, kv_heads * 128 * cells * 2
    shared = kv_heads * 576 * cells * 2
    narrow = heads * 40 * 1 * 4  # 5120 bytes: a multiple of 128
    odd = heads * 65 * 3 * 4  # 24960, which is one too
    cases = {
        f"{f16},128,128,{cells},{queries}": result,
        f"{q8_0},128,128,{cells},{queries}": result + 2 * copy,
        f"{bf16},128,128,{cells},{queries}": result + 2 * copy,
        f"{q8_0},576,512,{cells},{queries}": heads * 512 * queries * 4 + shared,
        f"{bf16},40,40,{cells},1": narrow + 2 * kv_heads * 40 * cells * 2,
        f"{bf16},65,65,3,3": odd + 2 * kv_heads * 65 * 3 * 2 + 80,
    }
    script = Path(__file__).parent / "flash.py"
    said = subprocess.run([sys.executable, script, *cases], capture_output=True, check=True, text=True)
    assert json.loads(said.stdout) == list(cases.values())


async def test_closing_leaves_no_process(prober: Prober, starter_model: Path) -> None:
    await ask(prober, starter_model)
    running = prober._running
    assert running is not None
    await prober.close()
    with pytest.raises(ProcessLookupError):
        os.kill(running.process.pid, signal.SIG_DFL)
