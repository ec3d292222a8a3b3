"""The context of a loaded model grows and shrinks in place, with what it held, or stays as it was."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.worker.conftest import Loader
from tests.worker.support import BRIEF, COUNT, ENDLESS, hear, long_text
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import FinishReason, ProblemCode
from tui_chat.wire.events import Delta, Event
from tui_chat.wire.plan import KvType, LoadOptions

CRAMPED = Path(__file__).parent / "cramped_host.py"


def _options(model: LlamaCppModel, **changes: object) -> LoadOptions:
    assert model.description.options is not None
    return msgspec.structs.replace(model.description.options, **changes)


async def test_a_grown_context_goes_on_where_the_small_one_was(loaded: Loader) -> None:
    model = await loaded(context=256)
    prompt = long_text(200)
    first = await hear(model, prompt)

    kept = await model.resize(_options(model, context=1024))
    used = first.settled.usage
    assert kept == used.prompt_tokens + used.completion_tokens
    assert model.description.context == 1024
    assert model.description.load_ms > 0
    again = await hear(model, prompt)
    assert again.settled.usage.reused_tokens == again.settled.usage.prompt_tokens
    assert again.text == first.text

    assert (await hear(model, long_text(350), BRIEF)).settled.finish is not FinishReason.CONTEXT_OVERFLOW


async def test_a_shrunk_context_keeps_what_still_fits(loaded: Loader) -> None:
    model = await loaded(context=1024)
    await hear(model, long_text(350), BRIEF)
    assert await model.resize(_options(model, context=256)) == 255
    assert (await hear(model, long_text(350))).settled.finish is FinishReason.CONTEXT_OVERFLOW
    numbers = re.findall(r"\d+", (await hear(model, COUNT)).text)
    # What is reused was read in other batches, which round differently: not each letter need be the same.
    assert list(dict.fromkeys(numbers))[:3] == ["1", "2", "3"]


async def test_another_kv_type_starts_with_an_empty_cache(loaded: Loader) -> None:
    model = await loaded()
    await hear(model, COUNT)
    assert await model.resize(_options(model, kv_type=KvType.Q8_0)) == 0
    identity = model.description.identity
    assert identity is not None
    assert identity.kv_type is KvType.Q8_0
    heard = await hear(model, COUNT)
    assert heard.settled.usage.reused_tokens == 0
    assert heard.text


async def test_what_cannot_be_resized_is_refused_and_nothing_changes(loaded: Loader) -> None:
    model = await loaded()
    before = await hear(model, COUNT)
    for changes in ({"gpu_layers": 7}, {"context": 0}, {"ubatch": -1}):
        with pytest.raises(BackendError) as caught:
            await model.resize(_options(model, **changes))
        assert caught.value.problem.code is ProblemCode.BAD_REQUEST
    assert model.description.context == 2048
    again = await hear(model, COUNT)
    assert again.text == before.text
    assert again.settled.usage.reused_tokens == again.settled.usage.prompt_tokens


async def test_without_the_memory_the_old_context_and_its_cache_come_back(loaded: Loader) -> None:
    model = await loaded()
    before = await hear(model, COUNT)
    with pytest.raises(BackendError) as caught:
        await model.resize(_options(model, context=20_000_000))
    problem = caught.value.problem
    assert problem.code is ProblemCode.OUT_OF_MEMORY
    assert "20,000,000" in problem.what
    assert problem.kept
    assert model.description.context == 2048
    assert model.death is None
    again = await hear(model, COUNT)
    assert again.text == before.text
    assert again.settled.usage.reused_tokens == again.settled.usage.prompt_tokens


async def test_resizing_waits_for_the_answer_and_a_death_does_not_leave_it_hanging(loaded: Loader) -> None:
    model = await loaded()
    resizing: list[asyncio.Task[int]] = []

    def resize(event: Event) -> None:
        if isinstance(event, Delta) and not resizing:
            resizing.append(asyncio.create_task(model.resize(_options(model, context=1024))))

    heard = await hear(model, COUNT, on_event=resize)
    assert heard.settled.finish is FinishReason.LENGTH
    assert await resizing[0] > 0
    assert model.description.context == 1024

    def kill(event: Event) -> None:
        if isinstance(event, Delta) and len(resizing) == 1:
            resizing.append(asyncio.create_task(model.resize(_options(model, context=2048))))
        elif isinstance(event, Delta):
            os.kill(model.pid, signal.SIGKILL)

    await hear(model, COUNT, ENDLESS, kill)
    with pytest.raises(BackendError) as caught:
        await resizing[1]
    assert caught.value.problem == model.death


def test_memory_that_is_really_short_leaves_the_model_usable(starter_model: Path, tmp_path: Path) -> None:
    """Under a limit on the process's memory that the new context exceeds and the old one does not."""
    done = subprocess.run(
        [sys.executable, CRAMPED, starter_model, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["out_of_memory", "1024", "same"]
