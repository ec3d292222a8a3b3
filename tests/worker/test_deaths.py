"""A worker may die at any moment, of anything, and hurt nobody else."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.worker.conftest import Loader
from tests.worker.support import (
    COUNT,
    ENDLESS,
    hear,
    is_gone,
    load,
    wait_until,
    workers,
)
from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.protocol import BackendError, LoadPlan
from tui_chat.chat.model import FinishReason, ProblemCode
from tui_chat.wire.events import Delta, Event
from tui_chat.wire.plan import LoadOptions

HOST = Path(__file__).parent / "lonely_host.py"


async def test_sigkill_in_mid_answer_keeps_the_partial(loaded: Loader) -> None:
    model = await loaded()

    def kill(event: Event) -> None:
        if isinstance(event, Delta):
            os.kill(model.pid, signal.SIGKILL)

    heard = await hear(model, COUNT, ENDLESS, kill)
    settled = heard.settled
    assert heard.text
    assert settled.finish is FinishReason.WORKER_DIED
    assert settled.usage.completion_tokens == sum(delta.tokens for delta in heard.deltas)
    assert settled.usage.prompt_tokens > 0
    assert settled.problem is not None
    assert settled.problem.code is ProblemCode.WORKER_DIED
    assert "SIGKILL" in settled.problem.what
    assert settled.problem.kept
    assert settled.problem.remedy
    assert model.death == settled.problem

    assert (await hear(model, COUNT)).settled.finish is FinishReason.WORKER_DIED
    with pytest.raises(BackendError):
        await model.tokenize("anyone there?")
    await model.close()


async def test_an_abort_says_what_the_log_says(loaded: Loader, tmp_path: Path) -> None:
    model = await loaded()
    heard = await hear(
        model,
        COUNT,
        ENDLESS,
        lambda event: os.kill(model.pid, signal.SIGABRT) if isinstance(event, Delta) else None,
    )
    problem = heard.settled.problem
    assert problem is not None
    assert "SIGABRT" in problem.what
    assert "llama" in problem.detail


async def test_tokenize_fails_when_the_worker_dies_under_it(loaded: Loader) -> None:
    model = await loaded()
    os.kill(model.pid, signal.SIGSTOP)
    counting = asyncio.create_task(model.tokenize("Never answered."))
    await asyncio.sleep(0)
    os.kill(model.pid, signal.SIGKILL)
    with pytest.raises(BackendError) as caught:
        await counting
    assert caught.value.problem.code is ProblemCode.WORKER_DIED


async def test_sigkill_while_loading_is_told(starter_model: Path, tmp_path: Path) -> None:
    def kill(_: float) -> None:
        for worker in workers():
            worker.kill()

    plan = LoadPlan(path=starter_model, options=LoadOptions(context=2048))
    with pytest.raises(BackendError) as caught:
        await LlamaCppBackend(tmp_path).load(plan, kill)
    assert caught.value.problem.code is ProblemCode.WORKER_DIED
    assert "SIGKILL" in caught.value.problem.what


async def test_a_cancelled_load_leaves_no_process(starter_model: Path, tmp_path: Path) -> None:
    loading = asyncio.Event()
    backend = LlamaCppBackend(tmp_path)
    plan = LoadPlan(path=starter_model, options=LoadOptions(context=2048))
    task = asyncio.create_task(backend.load(plan, lambda _: loading.set()))
    await loading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not workers()


async def test_progress_rises_to_the_end(starter_model: Path, tmp_path: Path) -> None:
    fractions: list[float] = []
    plan = LoadPlan(path=starter_model, options=LoadOptions(context=2048))
    model = await LlamaCppBackend(tmp_path).load(plan, fractions.append)
    await model.close()
    assert fractions == sorted(fractions)
    assert len(fractions) > 10
    assert fractions[-1] == 1.0
    assert model.description.threads >= 1


async def test_close_gives_the_memory_back_even_in_mid_answer(starter_model: Path, tmp_path: Path) -> None:
    model = await load(starter_model, tmp_path)
    started = asyncio.Event()
    answering = asyncio.create_task(hear(model, COUNT, ENDLESS, lambda _: started.set()))
    await started.wait()
    await model.close()
    assert is_gone(model.pid)
    assert (await answering).settled.finish is FinishReason.WORKER_DIED
    assert model.death is not None
    await model.close()


async def test_a_worker_that_does_not_leave_is_made_to(starter_model: Path, tmp_path: Path) -> None:
    model = await load(starter_model, tmp_path)
    os.kill(model.pid, signal.SIGSTOP)
    await model.close()
    assert is_gone(model.pid)


async def test_files_that_are_no_models_are_refused(weights: bytes, tmp_path: Path) -> None:
    cases = {
        "missing": (None, ProblemCode.MODEL_MISSING),
        "text": (b"hello, I am a text file" * 100, ProblemCode.MODEL_INVALID),
        "truncated": (weights[: len(weights) // 2], ProblemCode.MODEL_INVALID),
        "empty": (b"", ProblemCode.MODEL_INVALID),
    }
    for name, (content, code) in cases.items():
        path = tmp_path / f"{name}.gguf"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(BackendError) as caught:
            await load(path, tmp_path / "logs")
        assert caught.value.problem.code is code, name
        assert caught.value.problem.remedy


async def test_a_file_that_only_llama_cpp_can_see_is_wrong_is_refused(weights: bytes, tmp_path: Path) -> None:
    path = tmp_path / "renamed-layers.gguf"
    path.write_bytes(weights.replace(b"blk.7.attn_q.weight", b"blk.7.attn_z.weight"))
    with pytest.raises(BackendError) as caught:
        await load(path, tmp_path / "logs")
    problem = caught.value.problem
    assert problem.code is ProblemCode.LOAD_FAILED
    assert "blk.7.attn_q.weight" in problem.what


async def test_a_context_too_large_for_memory_is_told_in_numbers(starter_model: Path, tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        await load(starter_model, tmp_path, context=20_000_000)
    problem = caught.value.problem
    assert problem.code is ProblemCode.OUT_OF_MEMORY
    assert "GiB" in problem.what
    assert "20,000,000" in problem.what


async def test_a_path_that_vanishes_does_not_hurt_the_loaded_model(weights: bytes, tmp_path: Path) -> None:
    path = tmp_path / "vanishing.gguf"
    path.write_bytes(weights)
    model = await load(path, tmp_path / "logs")
    path.unlink()
    assert (await hear(model, COUNT)).text
    await model.close()
    with pytest.raises(BackendError) as caught:
        await load(path, tmp_path / "logs")
    assert caught.value.problem.code is ProblemCode.MODEL_MISSING


def test_a_worker_dies_with_its_host(starter_model: Path, tmp_path: Path) -> None:
    host = subprocess.Popen(
        [sys.executable, HOST, starter_model, tmp_path], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    assert host.stdout is not None
    pid = int(host.stdout.readline())
    assert psutil.Process(pid).ppid() == host.pid
    assert os.getsid(pid) == pid, "a terminal's signals would reach it"
    host.kill()
    host.wait()
    host.communicate()
    wait_until(lambda: is_gone(pid))


def test_nothing_native_reaches_the_terminal(starter_model: Path, tmp_path: Path) -> None:
    """With more context than the model was trained for, which llama.cpp warns about."""
    terminal, side = pty.openpty()
    done = subprocess.run(
        [sys.executable, HOST, starter_model, tmp_path, "--answer"],
        stdin=side,
        stdout=side,
        stderr=side,
        check=False,
    )
    os.close(side)
    shown = b""
    try:
        while more := os.read(terminal, 4096):
            shown += more
    except OSError:  # the last side of the terminal is closed
        pass
    os.close(terminal)
    assert done.returncode == 0
    assert shown.split() == [b"answered"]
    log = next(tmp_path.glob("worker-*.log")).read_text()
    assert "llama" in log
    assert len(log) < 1 << 20
