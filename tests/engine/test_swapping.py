"""Several models in one memory: who stays, who goes, and what a conversation keeps of it all."""

from __future__ import annotations

import asyncio
import itertools
import resource
from contextlib import suppress

import msgspec
import psutil
import pytest

from tests.engine.support import LONG, ONE_AT_8K, ask, engine_in, loads, residents
from tests.homes import Home
from tests.walks import steps
from tests.worker.support import PATIENCE_S, eventually
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.wire.api import GenerateRequest, LoadRequest, ModelInfo, ModelState, PlanRequest, Turn
from tui_chat.wire.events import Delta, Settled
from tui_chat.wire.plan import KvType


async def test_models_that_fit_stay_side_by_side(models: Home) -> None:
    async with engine_in(models) as client:
        await ask(client, "a", "Hello.")
        await ask(client, "b", "Hello.")
        again = await ask(client, "a", "Hello.")
        found = await residents(client)
    assert set(found) == {"a", "b"}
    assert loads(models, "a") == 1
    assert again.usage.reused_tokens > 0
    assert all(info.real_bytes > 100 << 20 for info in found.values())
    assert [use.name for use in found["a"].devices] == ["ram"]


async def test_an_idle_neighbour_shrinks_before_anybody_is_evicted(models: Home) -> None:
    models.configure("", models="ram_limit_mib = 700")
    async with engine_in(models) as client:
        await ask(client, "a", "Hello.")
        before = (await residents(client))["a"]
        assert before.context == 8192
        (plan,) = (await client.plan(PlanRequest(("b",)))).plans.values()
        assert plan.verdict == "fits after shrinking a"
        await ask(client, "b", "Hello.")
        found = await residents(client)
    assert found["a"].context == 2048
    assert set(found) == {"a", "b"}
    assert found["a"].devices[0].kv_bytes * 4 == before.devices[0].kv_bytes, "told as it is now"
    assert found["a"].real_bytes < before.real_bytes


async def test_what_a_neighbour_gave_back_is_not_counted_on_again(models: Home) -> None:
    models.configure("", models="ram_limit_mib = 700")
    async with engine_in(models) as client:
        await ask(client, "a", "Hello.")
        await ask(client, "b", "Hello.")
        await client.pin("b", True)
        shrunk = (await residents(client))["a"]
        (plan,) = (await client.plan(PlanRequest(("c",), context=8192))).plans.values()
        left = plan.devices[-1].free_bytes
        taken = sum(use.total_bytes for model in (await residents(client)).values() for use in model.devices)
    assert plan.evicts == ("a",)
    assert left == (700 << 20) - taken + sum(use.total_bytes for use in shrunk.devices)


async def test_a_model_on_its_way_out_is_not_asked_and_one_in_use_does_not_go(models: Home) -> None:
    models.configure("", models=ONE_AT_8K)
    sea, lighthouse = ("Tell me of the sea. " + LONG,), ("Tell me of a lighthouse. " + LONG,)
    async with engine_in(models) as client:
        for _ in range(2):
            await ask(client, "a", *sea, session="s1")
            asking = asyncio.create_task(ask(client, "a", *lighthouse, session="s2"))
            loading = asyncio.create_task(client.load(LoadRequest("b", context=8192)))
            answer, other = await asyncio.gather(asking, loading, return_exceptions=True)
            assert isinstance(answer, Settled), answer
            assert answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
            assert other is None or isinstance(other, ModelInfo | EngineError), other
            with suppress(EngineError):
                await client.unload("b")


async def test_nobody_takes_a_model_away_while_it_answers(models: Home) -> None:
    request = GenerateRequest(
        id=new_id(),
        model="a",
        turns=(Turn(Role.USER, "Count to a thousand."),),
        sampling=Sampling(temperature=0.0, max_tokens=150),
    )
    async with engine_in(models) as client:
        await client.load(LoadRequest("a", context=1024))
        await client.generate(request)
        async for numbered in client.follow(request.id):
            if isinstance(numbered.event, Delta):
                break
        with pytest.raises(EngineError, match="a is answering"):
            await client.unload("a")
        with pytest.raises(EngineError, match="a is answering"):
            await client.load(LoadRequest("a", context=4096))
        async for numbered in client.follow(request.id):
            last = numbered.event
        assert isinstance(last, Settled)
        assert last.usage.completion_tokens > 100
        await client.load(LoadRequest("a", context=4096))
        assert (await residents(client))["a"].context == 4096


async def test_the_least_used_model_goes_and_its_conversation_waits(models: Home) -> None:
    models.configure("", models=ONE_AT_8K)
    async with engine_in(models) as client:
        story = ("Tell me of a lighthouse. " + LONG, "It stood by the sea.", "Go on.")
        await ask(client, "a", *story, session="s1")
        (plan,) = (await client.plan(PlanRequest(("b",), context=8192))).plans.values()
        assert (plan.verdict, plan.evicts) == ("fits after evicting a", ("a",))
        await client.load(LoadRequest("b", context=8192))
        assert set(await residents(client)) == {"b"}
        back = await ask(client, "a", *story, session="s1")
    assert back.usage.reused_tokens >= back.usage.prompt_tokens - 1 > 150
    assert back.timings.load_ms > 10


async def test_a_pinned_model_stays_and_the_refusal_says_why(models: Home) -> None:
    models.configure("", models=ONE_AT_8K)
    async with engine_in(models) as client:
        await client.load(LoadRequest("a", context=8192))
        await client.pin("a", True)
        with pytest.raises(EngineError) as refused:
            await client.load(LoadRequest("b", context=8192, kv_type=KvType.F16))
        assert refused.value.problem.code is ProblemCode.OUT_OF_MEMORY
        assert refused.value.problem.remedy == "It fits after unpinning a."
        found = await residents(client)
        assert found["a"].pinned
        assert set(found) == {"a"}
        await client.load(LoadRequest("b", context=8192, force=True))
        assert set(await residents(client)) == {"b"}


async def test_a_refusal_names_what_would_fit_and_it_does(models: Home) -> None:
    models.configure("", models="ram_limit_mib = 420")
    async with engine_in(models) as client:
        large = LoadRequest("a", context=8192, kv_type=KvType.F32)
        with pytest.raises(EngineError) as refused:
            await client.load(large)
        asked = PlanRequest(("a",), context=8192, kv_type=KvType.F32)
        (listed,) = (await client.plan(asked)).plans.values()
        (plan,) = (await client.plan(msgspec.structs.replace(asked, exact=True))).plans.values()
        assert (listed.fits, listed.alternatives) == (False, ()), "lists are not made wait for it"
        thriftier, shorter = plan.alternatives
        assert thriftier.startswith("With a q8_0 KV cache it fits")
        assert shorter.startswith("With 4k of context it fits")
        assert refused.value.problem.remedy == thriftier
        await client.load(msgspec.structs.replace(large, kv_type=KvType.Q8_0))
        await client.load(msgspec.structs.replace(large, context=4096))
        assert (await residents(client))["a"].context == 4096


async def test_a_model_is_kept_alive_as_long_as_asked(models: Home) -> None:
    async with engine_in(models) as client:
        await client.load(LoadRequest("a", keep_alive_s=-1))
        await client.load(LoadRequest("b", keep_alive_s=0))
        async with asyncio.timeout(PATIENCE_S):
            while set(await residents(client)) != {"a"}:
                await asyncio.sleep(0.02)
        await client.load(LoadRequest("a", keep_alive_s=0.2))
        async with asyncio.timeout(PATIENCE_S):
            while await residents(client):
                await asyncio.sleep(0.02)
    assert models.worker() is None


async def test_a_model_that_cannot_be_loaded_is_listed_so_until_it_can(models: Home) -> None:
    file = models.paths.models / "b.gguf"
    good = file.read_bytes()
    file.write_bytes(good.replace(b"blk.7.attn_q.weight", b"blk.7.attn_z.weight"))
    async with engine_in(models) as client:
        with pytest.raises(EngineError):
            await client.load(LoadRequest("b"))
        failed = (await residents(client))["b"]
        await ask(client, "a", "Hello.")
        file.write_bytes(good)
        await client.load(LoadRequest("b"))
        mended = (await residents(client))["b"]
    assert failed.state is ModelState.FAILED
    assert "blk.7.attn_q.weight" in failed.problem.what
    assert (mended.state, mended.problem) == (ModelState.READY, None)


async def test_unloading_gives_one_models_memory_back(models: Home) -> None:
    async with engine_in(models) as client:
        await client.load(LoadRequest("a"))
        await client.load(LoadRequest("b"))
        await client.unload("a")
        assert set(await residents(client)) == {"b"}
        with pytest.raises(EngineError, match="not in memory"):
            await client.unload("a")


async def test_a_load_can_be_stopped(models: Home) -> None:
    async with engine_in(models) as client:
        loading = asyncio.create_task(client.load(LoadRequest("a")))
        async with asyncio.timeout(PATIENCE_S):
            while not any(info.state.on_its_way for info in (await residents(client)).values()):
                await asyncio.sleep(0)
        await client.unload("a")
        with pytest.raises(EngineError, match="was stopped"):
            await loading
        assert await residents(client) == {}
        assert (await client.load(LoadRequest("a"))).state is ModelState.READY


async def test_memory_that_is_not_there_leads_to_a_smaller_plan(models: Home) -> None:
    """A real limit on address space, which no forecast can see: the load fails, and the next try fits.

    What is learned is how much less there is than looked free; the setting keeps that from changing meanwhile
    with what others on this machine take.
    """
    models.configure("", models="ram_limit_mib = 2048")
    async with engine_in(models) as client:
        loaded = await load_in_a_cramped_engine(models, client)
        said = await ask(client, "a", "Hello.")
    assert 2048 <= loaded.context < 8192
    assert said.finish in (FinishReason.STOP, FinishReason.LENGTH)


async def test_what_was_missing_once_is_believed_for_a_while_and_not_for_ever(models: Home) -> None:
    models.configure("", models="ram_limit_mib = 700")
    async with engine_in(models) as client:
        loaded = await load_in_a_cramped_engine(models, client)
        await client.stop(force=True)
    assert loaded.context < 8192
    counted_on = []
    for hours in (0, 1, 24):
        await eventually(lambda: not models.processes())
        _let_pass(models, hours)
        async with engine_in(models) as client:  # one whose address space has no limit
            (plan,) = (await client.plan(PlanRequest(("a",), kv_type=KvType.F32))).plans.values()
            counted_on.append(plan.devices[-1].free_bytes)
            loaded = await client.load(LoadRequest("a", kv_type=KvType.F32))
            await client.stop(force=True)
    at_once, soon, next_day = counted_on
    assert at_once < soon < next_day == 700 << 20
    assert loaded.context == 8192


async def load_in_a_cramped_engine(models: Home, client: EngineClient) -> ModelInfo:
    """Load a with a large context where the address space has room for a small one only."""
    await client.load(LoadRequest("a", context=2048))
    worker, engine = models.worker(), models.engine()
    assert worker is not None
    assert engine is not None
    room = worker.memory_info().vms + (100 << 20)
    await client.unload("a")
    engine.rlimit(resource.RLIMIT_AS, (max(room, engine.memory_info().vms + (64 << 20)), -1))
    return await client.load(LoadRequest("a", kv_type=KvType.F32))


def _let_pass(models: Home, hours: float) -> None:
    """Have so much time passed since the engine last learned something."""
    file = models.paths.state / "learned.msgpack"
    book = msgspec.msgpack.decode(file.read_bytes())
    for lessons in book["content"]["lessons"].values():
        for lesson in lessons.values():
            lesson["at"] -= hours * 3600
    file.write_bytes(msgspec.msgpack.encode(book))


async def test_what_can_never_fit_is_refused_without_harm(models: Home) -> None:
    models.configure("", models="ram_limit_mib = 150")
    async with engine_in(models) as client:
        with pytest.raises(EngineError) as refused:
            await client.load(LoadRequest("a"))
        assert refused.value.problem.code is ProblemCode.OUT_OF_MEMORY
        assert "There is no room for a with " in refused.value.problem.what
        assert await residents(client) == {}


async def test_a_model_whose_process_dies_while_idle_is_no_longer_shown(models: Home) -> None:
    async with engine_in(models) as client:
        await client.load(LoadRequest("a"))
        worker = models.worker()
        assert worker is not None
        worker.kill()
        async with asyncio.timeout(PATIENCE_S):
            while await residents(client):
                await asyncio.sleep(0.02)
        (plan,) = (await client.plan(PlanRequest(("a",)))).plans.values()
    assert plan.verdict != "switch now"


async def test_another_model_takes_the_place_of_one_that_has_just_died(models: Home) -> None:
    """One that is dead but still listed was chosen to go again and again, and nobody got an answer."""
    models.configure("", models=ONE_AT_8K)
    async with engine_in(models) as client:
        for name in "ab":
            await ask(client, name, "Hello.")
            worker = models.worker()
            assert worker is not None
            worker.kill()
            async with asyncio.timeout(PATIENCE_S):
                while worker.is_running():
                    await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            last = await ask(client, "c", "Hello.")
    assert last.finish is not FinishReason.LOAD_FAILED


async def test_switching_to_a_resident_model_loads_nothing(models: Home) -> None:
    async with engine_in(models) as client:
        for name in "abcabc":
            await ask(client, name, "Hello.")
        workers = [p for p in models.processes() if "tui_chat.backends.llamacpp.worker" in p.cmdline()]
        assert len(workers) == 3
        reply = await client.plan(PlanRequest(("a", "b", "c")))
        assert {plan.verdict for plan in reply.plans.values()} == {"switch now"}


@pytest.mark.walk
async def test_random_swaps_with_kills_leave_nothing_behind(models: Home) -> None:
    models.configure("", models=ONE_AT_8K)
    order = itertools.islice(itertools.cycle("abacbcabcbaacb"), steps(7))
    async with engine_in(models) as client:
        for place, name in enumerate(order):
            asking = asyncio.create_task(ask(client, name, f"Hello {place}.", session=name))
            if place % 3 == 2 and (worker := models.worker()) is not None:
                worker.kill()
            await asking
        await client.stop(force=True)
    async with asyncio.timeout(PATIENCE_S):
        while models.processes():
            await asyncio.sleep(0.05)
    assert not list(models.paths.cache.rglob("*.tmp"))
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(models.root) in str(p.info["cmdline"])]


async def test_a_conversation_too_long_for_the_memory_is_refused_before_it_is_read(models: Home) -> None:
    """The model stays as it is, and so does what it has read."""
    models.configure("", models="ram_limit_mib = 220")
    async with engine_in(models) as client:
        short = ("Tell me of a lighthouse.", "It stood by the sea.", "Go on.")
        await client.load(LoadRequest("a", context=1024))
        await ask(client, "a", *short)
        refused = await ask(client, "a", *short, "Yes.", LONG * 36)
        assert refused.finish is FinishReason.LOAD_FAILED
        assert refused.problem is not None
        assert refused.problem.code is ProblemCode.OUT_OF_MEMORY
        assert "tokens of context" in refused.problem.what
        again = await ask(client, "a", *short)
    assert again.usage.reused_tokens >= again.usage.prompt_tokens - 1
