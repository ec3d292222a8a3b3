"""A conversation outlives its worker: parked, it is worth in a new process what it was in the old one."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from tests.worker.conftest import Loader
from tests.worker.support import COUNT, ENDLESS, GREEDY, hear, long_text, user
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.backends.protocol import BackendError, ParkableModel
from tui_chat.chat.model import ProblemCode, Role
from tui_chat.memory.parkfile import ParkHeader, ParkLabel
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Delta, Event
from tui_chat.wire.plan import KvType

LABEL = ParkLabel("a model", "a-session")


@pytest.fixture
def park(tmp_path: Path) -> Path:
    path = tmp_path / "a.park"
    path.touch()
    return path


async def test_a_parked_conversation_goes_on_in_another_process_as_if_nothing_had_happened(
    loaded: Loader, park: Path
) -> None:
    model = await loaded(context=512, ubatch=128)
    assert isinstance(model, ParkableModel)
    question = user(long_text(350))
    first = await hear(model, question)
    used = first.settled.usage
    assert used.prompt_tokens > 256, "more than two batches"
    held = await model.held()
    header = await model.park(str(park), LABEL)
    assert header.count == len(held.tokens) == used.prompt_tokens + used.completion_tokens
    assert header.label == LABEL
    assert held.size <= park.stat().st_size < held.size + 1024, "but for the label, which nobody knew then"
    follow_up = (*question, Turn(Role.ASSISTANT, first.text), *user("Go on."))
    unparked = await hear(model, follow_up)
    os.kill(model.pid, signal.SIGKILL)

    again = await loaded(context=512, ubatch=128)
    assert await again.restore(str(park)) == header.count
    fit = await again.fit(follow_up)
    heard = await hear(again, follow_up)
    usage = heard.settled.usage
    assert usage.reused_tokens == fit.reusable >= 256
    assert usage.reused_tokens == unparked.settled.usage.reused_tokens
    assert len(fit.tokens) == usage.prompt_tokens
    assert heard.text == unparked.text


async def test_a_park_that_is_damaged_or_anothers_never_reaches_the_cache(loaded: Loader, park: Path) -> None:
    model = await loaded()
    reference = await hear(model, COUNT)
    await model.park(str(park), LABEL)
    whole = park.read_bytes()
    middle = len(whole) // 2

    async def refuses(target: LlamaCppModel) -> None:
        with pytest.raises(BackendError) as caught:
            await target.restore(str(park))
        assert caught.value.problem.code is ProblemCode.PARK_INVALID
        assert target.death is None

    for damaged in (whole[:middle], whole[:middle] + b"?" + whole[middle + 1 :], b"", b"nothing of ours"):
        park.write_bytes(damaged)
        await refuses(model)
    assert (await hear(model, COUNT)).text == reference.text
    assert (await model.held()).tokens, "what the cache held is still there"

    park.write_bytes(whole)
    short = await loaded(context=256)
    await hear(short, long_text(150))
    long = await loaded(context=1024)
    assert long.description.options is not None
    await long.resize(msgspec.structs.replace(long.description.options, kv_type=KvType.Q8_0))
    await refuses(long)
    assert await short.restore(str(park)) == len((await model.held()).tokens)


async def test_a_park_longer_than_the_context_is_refused(loaded: Loader, park: Path) -> None:
    model, short = await loaded(), await loaded(context=256)
    await hear(model, long_text(350))
    await model.park(str(park), LABEL)
    with pytest.raises(BackendError) as caught:
        await short.restore(str(park))
    assert "256" in caught.value.problem.what
    assert (await hear(short, COUNT)).text


async def test_parking_without_room_or_without_anything_to_park_is_an_error(
    loaded: Loader, park: Path, tmp_path: Path
) -> None:
    model = await loaded()
    assert (await model.held()).size == 0
    with pytest.raises(BackendError) as caught:
        await model.park(str(park), LABEL)
    assert caught.value.problem.code is ProblemCode.BAD_REQUEST
    reference = await hear(model, COUNT)
    for path in ("/dev/full", str(tmp_path / "missing"), str(tmp_path)):
        with pytest.raises(BackendError):
            await model.park(path, LABEL)
    assert (await hear(model, COUNT)).text == reference.text


async def test_parking_waits_for_the_answer_and_ends_with_the_worker(loaded: Loader, park: Path) -> None:
    model = await loaded()

    parking: list[asyncio.Task[ParkHeader]] = []

    def park_then_kill(event: Event) -> None:
        if isinstance(event, Delta) and not parking:
            parking.append(asyncio.create_task(model.park(str(park), LABEL)))
        elif isinstance(event, Delta):
            os.kill(model.pid, signal.SIGKILL)

    await hear(model, COUNT, ENDLESS, park_then_kill)
    with pytest.raises(BackendError) as caught:
        await parking[0]
    assert caught.value.problem.code is ProblemCode.WORKER_DIED
    assert park.stat().st_size == 0


async def test_regenerating_after_a_restore_gives_the_same_answer(loaded: Loader, park: Path) -> None:
    model = await loaded()
    first = await hear(model, COUNT, GREEDY)
    await model.park(str(park), LABEL)
    other = await loaded()
    await other.restore(str(park))
    again = await hear(other, COUNT, GREEDY)
    assert again.text == first.text
    assert again.settled.usage.reused_tokens == again.settled.usage.prompt_tokens - 1


async def test_parking_that_is_given_up_leaves_the_model_as_it_was(loaded: Loader, park: Path) -> None:
    model = await loaded()
    reference = await hear(model, COUNT)
    held = await model.held()
    for turns in range(4):
        park.write_bytes(b"")
        parking = asyncio.create_task(model.park(str(park), LABEL))
        for _ in range(turns):
            await asyncio.sleep(0)
        parking.cancel()
        with suppress(asyncio.CancelledError):
            await parking
        assert await model.held() == held
    park.write_bytes(b"")
    assert (await model.park(str(park), LABEL)).count == len(held.tokens), "a flag stops only what it was for"
    assert (await hear(model, COUNT)).text == reference.text
