"""An answer through the real engine and the real worker, as a client gets it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from tests.homes import Home
from tests.worker.support import PATIENCE_S
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import FinishReason, ProblemCode, Role, Sampling
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineGoneError
from tui_chat.client.launch import ensure_engine
from tui_chat.store.journal import read_journal
from tui_chat.wire.api import GenerateRequest, GenerationState, Turn
from tui_chat.wire.events import Delta, Numbered, Prefill, Queued, Settled

GREEDY = Sampling(temperature=0.0, max_tokens=48)
STORY = "Write a long story about a lighthouse keeper and the sea."


@pytest.fixture
async def engine(home: Home) -> AsyncIterator[EngineClient]:
    client = EngineClient(home.paths.socket)
    await ensure_engine(client)
    yield client
    await client.close()


def ask(text: str, sampling: Sampling = GREEDY, **more: object) -> GenerateRequest:
    return GenerateRequest(
        id=new_id(), model="SmolLM2", turns=(Turn(Role.USER, text),), sampling=sampling, **more
    )


async def collect(client: EngineClient, id: str, after: int = 0) -> list[Numbered]:
    return [numbered async for numbered in client.follow(id, after)]


def text_of(events: list[Numbered]) -> str:
    return "".join(n.event.text for n in events if isinstance(n.event, Delta))


async def test_an_answer_streams_and_settles_with_its_cost(engine: EngineClient, home: Home) -> None:
    journal = home.root / "answer.journal"
    request = ask("What is the capital of France?", journal=str(journal))
    await engine.generate(request)
    events = await collect(engine, request.id)

    end = events[-1].event
    assert isinstance(end, Settled)
    assert text_of(events).strip()
    assert end.finish in (FinishReason.STOP, FinishReason.LENGTH)
    assert end.usage.prompt_tokens > 10
    assert end.usage.completion_tokens == sum(n.event.tokens for n in events if isinstance(n.event, Delta))
    assert end.timings.ttft_ms is not None
    assert end.timings.load_ms > 0
    assert [n.seq for n in events] == sorted({n.seq for n in events})

    written = read_journal(journal)
    assert written.text == text_of(events)
    assert written.settled == end


async def test_the_second_answer_reuses_the_prompt_of_the_first(engine: EngineClient) -> None:
    for expected in (False, True):
        request = ask("Name three colours.")
        await engine.generate(request)
        end = (await collect(engine, request.id))[-1].event
        assert isinstance(end, Settled)
        assert (end.usage.reused_tokens > 0) is expected


async def test_a_second_request_waits_its_turn_and_says_so(engine: EngineClient) -> None:
    first, second = ask(STORY), ask("Say hello.")
    await engine.generate(first)
    await engine.generate(second)
    one, two = await asyncio.gather(collect(engine, first.id), collect(engine, second.id))
    assert any(isinstance(n.event, Queued) for n in two)
    assert not any(isinstance(n.event, Queued) for n in one)
    assert text_of(two)


async def test_the_same_id_twice_is_one_generation(engine: EngineClient) -> None:
    request = ask("Say hello.")
    await engine.generate(request)
    await engine.generate(request)
    first = await collect(engine, request.id)
    assert text_of(await collect(engine, request.id)) == text_of(first)


async def test_a_late_listener_misses_and_doubles_nothing(engine: EngineClient) -> None:
    request = ask(STORY, Sampling(temperature=0, max_tokens=160))
    await engine.generate(request)
    early: list[Numbered] = []
    async for numbered in engine.follow(request.id):
        early.append(numbered)
        if len(text_of(early)) > 60:
            break
    rest = await collect(engine, request.id, after=early[-1].seq)
    whole = await collect(engine, request.id)
    assert text_of(early) + text_of(rest) == text_of(whole)


async def test_cancel_in_the_queue_in_prefill_and_in_decode(engine: EngineClient) -> None:
    first = ask(STORY, Sampling(max_tokens=400))
    queued = ask("Say hello.")
    await engine.generate(first)
    await engine.generate(queued)
    await engine.cancel(queued.id)
    assert settled(await collect(engine, queued.id)).finish is FinishReason.CANCELLED

    heard: list[Numbered] = []
    async for numbered in engine.follow(first.id):
        heard.append(numbered)
        if isinstance(numbered.event, Delta):
            await engine.cancel(first.id)
    assert settled(heard).finish is FinishReason.CANCELLED
    assert text_of(heard)

    long = ask("word " * 1500)
    await engine.generate(long)
    async for numbered in engine.follow(long.id):
        if isinstance(numbered.event, Prefill):
            await engine.cancel(long.id)
        last = numbered.event
    assert isinstance(last, Settled)
    assert last.finish is FinishReason.CANCELLED

    again = ask("Say hello.")
    await engine.generate(again)
    assert settled(await collect(engine, again.id)).finish in (FinishReason.STOP, FinishReason.LENGTH)


async def test_a_killed_worker_leaves_the_partial_answer_and_the_next_one_works(
    engine: EngineClient, home: Home
) -> None:
    request = ask(STORY, Sampling(max_tokens=600), journal=str(home.root / "j"))
    await engine.generate(request)
    heard: list[Numbered] = []
    async for numbered in engine.follow(request.id):
        heard.append(numbered)
        if isinstance(numbered.event, Delta) and (worker := home.worker()):
            os.kill(worker.pid, signal.SIGKILL)
    end = settled(heard)
    assert end.finish is FinishReason.WORKER_DIED
    assert end.problem is not None
    assert end.problem.code is ProblemCode.WORKER_DIED
    assert "SIGKILL" in end.problem.what
    assert text_of(heard)
    assert read_journal(home.root / "j").text == text_of(heard)

    again = ask("Say hello.")
    await engine.generate(again)
    assert text_of(await collect(engine, again.id))


async def test_a_killed_engine_is_told_as_gone_and_its_worker_leaves_too(
    engine: EngineClient, home: Home
) -> None:
    request = ask(STORY, Sampling(max_tokens=600))
    await engine.generate(request)
    with pytest.raises(EngineGoneError):
        await follow_and_kill(engine, request.id, home)
    async with asyncio.timeout(PATIENCE_S):
        while home.worker():
            await asyncio.sleep(0.02)
    info = await ensure_engine(engine)
    assert info.generations == ()


async def follow_and_kill(engine: EngineClient, id: str, home: Home) -> None:
    """Follow an answer, and kill the engine at its first text."""
    async for numbered in engine.follow(id):
        if isinstance(numbered.event, Delta) and (process := home.engine()):
            process.kill()


@pytest.mark.parametrize("asker", ["stops listening", "never listens"])
async def test_an_answer_nobody_hears_is_stopped(engine: EngineClient, asker: str) -> None:
    request = ask(STORY, Sampling(max_tokens=1500), only_while_heard=True)
    await engine.generate(request)
    if asker == "stops listening":
        async for numbered in engine.follow(request.id):
            if isinstance(numbered.event, Delta):
                break
    async with asyncio.timeout(PATIENCE_S):
        while (await engine.info()).generations:
            await asyncio.sleep(0.02)
    assert settled(await collect(engine, request.id)).finish is FinishReason.CANCELLED


async def test_too_long_a_prompt_is_refused_with_numbers(engine: EngineClient) -> None:
    request = ask("word " * 12000)
    await engine.generate(request)
    end = settled(await collect(engine, request.id))
    assert end.finish is FinishReason.CONTEXT_OVERFLOW
    assert end.problem is not None
    assert end.problem.code is ProblemCode.CONTEXT_OVERFLOW


async def test_unknown_vanished_and_broken_models_are_told_apart(engine: EngineClient, home: Home) -> None:
    (home.paths.models / "notes.gguf").write_bytes(b"these are only my notes, not a model")
    codes = {}
    for name in ("no-such-model", "notes", str(home.root / "gone.gguf")):
        request = GenerateRequest(id=new_id(), model=name, turns=(Turn(Role.USER, "hi"),))
        await engine.generate(request)
        end = settled(await collect(engine, request.id))
        assert end.finish is FinishReason.LOAD_FAILED
        assert end.problem is not None
        codes[name] = end.problem.code
    assert list(codes.values()) == [
        ProblemCode.MODEL_UNKNOWN,
        ProblemCode.MODEL_INVALID,
        ProblemCode.MODEL_MISSING,
    ]


async def test_stopping_a_busy_engine_keeps_what_was_said(engine: EngineClient, home: Home) -> None:
    journal = home.root / "answer.journal"
    request = ask(STORY, Sampling(max_tokens=1500), journal=str(journal))
    await engine.generate(request)
    events: list[Numbered] = []
    try:
        async for numbered in engine.follow(request.id):
            events.append(numbered)
            if isinstance(numbered.event, Delta) and (await engine.info()).generations:
                assert home.run("engine", "stop").returncode == 1
                assert home.run("engine", "stop", "--force").returncode == 0
    except EngineGoneError:
        pass
    state = read_journal(journal)
    assert state.settled is not None
    assert state.settled.finish is FinishReason.ENGINE_DIED
    assert state.text.startswith(text_of(events))
    assert home.processes() == []


async def test_the_engine_tells_what_it_does(engine: EngineClient) -> None:
    seen: set[GenerationState] = set()
    request, listening = ask("Say hello."), asyncio.Event()

    async def watch() -> None:
        async for change in engine.watch():
            listening.set()
            seen.update(g.state for g in change.generations)
            if change.residents and not change.generations and GenerationState.DECODING in seen:
                return

    async with asyncio.timeout(PATIENCE_S):
        watching = asyncio.create_task(watch())
        await listening.wait()
        await engine.generate(request)
        await watching
    assert GenerationState.LOADING in seen or GenerationState.PREFILL in seen


def settled(events: list[Numbered]) -> Settled:
    end = events[-1].event
    assert isinstance(end, Settled)
    return end
