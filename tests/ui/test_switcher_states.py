"""What the switcher, the residents view and the chat show of an engine that is busy with models."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.homes import Home
from tests.ui.stand_in import GIB, MODEL, StandIn, neighbour, on_its_way, plan_for, ready, use
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.ui.screens import switcher
from tui_chat.wire.api import LoadRequest, ModelRequest, ModelState, PinRequest, PlanRequest
from tui_chat.wire.plan import KvType, Plan


@pytest.fixture
async def engine(home: Home) -> AsyncIterator[StandIn]:
    """An engine that does what the test says, in the home of the test's chats."""
    async with StandIn().serve(home) as stand_in:
        yield stand_in


async def test_a_late_reply_to_an_older_choice_changes_nothing(chats: Chats, engine: StandIn) -> None:
    slow = asyncio.Event()
    engine.before_plan = lambda request: slow if request.context == 4096 else None
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("with 8192 of context")
        await chat.press("left")
        await chat.until(lambda: asked(engine, 4096), "for the first question")
        assert "…" in row_of(chat), "nothing is said that is not known"
        await chat.press("left")
        await chat.sees("with 2048 of context", "2k ▸")
        slow.set()
        await chat.until(lambda: asked(engine, 2048, exact=True), "for the exact question")
        await chat.pilot.pause()
        assert "with 2048 of context" in chat.text()
        await chat.press("right")
        await chat.sees("with 4096 of context")


async def test_a_price_that_comes_late_is_asked_exactly_all_the_same(
    chats: Chats, engine: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switcher, "EXACT_AFTER_S", 0)
    slow = asyncio.Event()
    engine.before_plan = lambda request: slow if request.context == 4096 and not request.exact else None
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("with 8192 of context")
        await chat.press("left")
        await chat.until(lambda: asked(engine, 4096), "for the question")
        await chat.pilot.pause()
        slow.set()
        await chat.until(lambda: asked(engine, 4096, exact=True), "for the exact one")


async def test_an_exact_answer_to_an_older_choice_changes_nothing(chats: Chats, engine: StandIn) -> None:
    slow = asyncio.Event()
    engine.before_plan = lambda request: slow if request.exact and request.context is None else None
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.until(lambda: asked(engine, None, exact=True), "for the exact question")
        await chat.press("left_square_bracket")
        await chat.sees("◂   8k   q8_0")
        slow.set()
        await chat.until(lambda: asked(engine, None, exact=True, kv_type=KvType.Q8_0), "for the next one")
        await chat.pilot.pause()
        assert "q8_0" in row_of(chat)


async def test_the_price_of_a_switch_is_read_before_enter(chats: Chats, engine: StandIn, home: Home) -> None:
    await engine.tell(neighbour(pinned=False, state=ModelState.READY))

    def costly(model: str, request: PlanRequest) -> Plan:
        return plan_for(
            model, request, evicts=("Gemma-27B.Q4_K_M",), verdict="fits after evicting Gemma-27B",
            load_s=9.2, read_s=1.4,
        )  # fmt: skip

    engine.make_plan = costly
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees(
            "○ SmolLM2", "fits after evictin", "about 9 s", "free: GPU 0 8.0 GiB · RAM 41.0 GiB",
            "evicts Gemma-27B Q4_K_M · loads in about 9 s", "weights 4.5 + KV 1.0 + compute 0.1 GiB on GPU 0",
        )  # fmt: skip
        assert engine.requests(LoadRequest) == []
        await chat.press("enter")
        await chat.until(lambda: engine.requests(LoadRequest), "for the load")
        assert engine.requests(LoadRequest) == [LoadRequest(MODEL, 8192, KvType.F16)]


async def test_what_does_not_fit_is_not_loaded(chats: Chats, engine: StandIn) -> None:
    engine.make_plan = lambda model, request: plan_for(
        model, request, fits=False, shortfall_bytes=14 * GIB, verdict="needs 14.0 GiB more",
        reason="Needs 14.0 GiB more.", alternatives=("With 4k of context it fits.",),
    )  # fmt: skip
    async with chats.open(SMALL) as chat:
        await chat.press("f2")
        await chat.sees("✗ Smol", "needs 14.0 GiB more", "or: With 4k of context it fits.")
        await chat.press("ctrl+o", "end")
        await chat.sees("or              With 4k of context it fits.")
        await chat.press("escape")
        await chat.press("enter")
        await chat.sees("It does not fit as planned", "models")
        assert engine.requests(LoadRequest) == []


async def test_a_load_is_followed_and_cancelled(chats: Chats, engine: StandIn, home: Home) -> None:
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("fits on GPU 0")
        await engine.tell(
            on_its_way(home, ModelState.EVICTING), neighbour(state=ModelState.PARKING, pinned=False)
        )
        await chat.sees("◐ SmolLM2", "evicting", "parking")
        await engine.tell(on_its_way(home, ModelState.LOADING, progress=0.63, eta_s=4.2))
        await chat.sees("loading", "63 %, 4 s left", "ctrl+x unload")
        assert "ctrl+l warm up" not in chat.text()
        await chat.press("ctrl+x")
        await chat.until(lambda: engine.requests(ModelRequest) == [ModelRequest(MODEL)], "for the end of it")
        await engine.tell()
        await chat.sees("on disk", "fits on GPU 0", "ctrl+l warm up")


@pytest.mark.parametrize("size", [LARGE, SMALL])
async def test_a_model_whose_conversation_waits_for_it_is_called_parked(
    chats: Chats, engine: StandIn, home: Home, size: tuple[int, int]
) -> None:
    async with chats.open(size) as chat:
        await chat.press("f2")
        await chat.sees("fits on GPU 0")
        await engine.tell(ready(home), parked=(MODEL,))
        await chat.sees("switch now")
        assert "parked" not in chat.text(), "it is in memory"
        await engine.tell(parked=(MODEL,))
        await chat.sees("◐ SmolLM2", "parked", "fits on GPU 0")
        await engine.tell()
        await chat.until(lambda: "parked" not in chat.text(), "for it to be on disk only")


async def test_the_chat_names_every_stage_of_a_load_and_esc_stops_it(
    chats: Chats, engine: StandIn, home: Home
) -> None:
    async with chats.open(LARGE) as chat:
        for state, more, said in (
            (ModelState.PLANNED, {}, "SmolLM2-135M-Instruct Q4_1 waits to be loaded"),
            (
                ModelState.EVICTING,
                {},
                "making room for SmolLM2-135M-Instruct Q4_1: unloading Gemma-27B Q4_K_M",
            ),
            (ModelState.SPAWNING, {}, "starting a process for SmolLM2"),
            (ModelState.LOADING, {"progress": 0.63, "eta_s": 4.2}, "Q4_1 63 %, 4 s left"),
            (ModelState.WARMING, {}, "warming up SmolLM2"),
        ):
            await engine.tell(on_its_way(home, state, **more), neighbour(state=ModelState.PARKING))
            await chat.sees(said, "esc stop")
        await chat.press("escape")
        await chat.until(lambda: engine.requests(ModelRequest) == [ModelRequest(MODEL)], "for the end of it")
        await engine.tell(ready(home), neighbour(state=ModelState.READY))
        await chat.sees("SmolLM2-135M-Instruct Q4_1 · ctx 8k · all on GPU 0 · 2 resident")
        assert "esc stop" not in chat.text()


async def test_the_title_says_where_the_layers_are(chats: Chats, engine: StandIn, home: Home) -> None:
    async with chats.open(LARGE) as chat:
        await engine.tell(ready(home, devices=(use("gpu0", 24, 70, 150), use("ram", 8, 22, 30))))
        await chat.sees("ctx 8k · 24 of 32 layers on GPU · 1 resident")
        await engine.tell(ready(home, devices=(use("gpu0", 0, 0, 0, 0), use("ram", 30, 92, 180))))
        await chat.sees("ctx 8k · all on CPU · 1 resident")


async def test_a_failed_load_is_told_where_it_was_asked_for(
    chats: Chats, engine: StandIn, home: Home
) -> None:
    engine.load_problem = Problem(
        ProblemCode.OUT_OF_MEMORY,
        "The model needs 3.2 GiB and 1.1 GiB are free.",
        kept="Nothing was unloaded.",
        remedy="Take less context.",
    )
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("fits on GPU 0")
        await chat.press("ctrl+l")
        await chat.sees("models", "The model needs 3.2 GiB and 1.1 GiB are free. Nothing was unloaded.")
        await chat.press("enter")
        await chat.until(lambda: "type to filter" not in chat.text(), "for the chat")
        screen = await chat.sees("The model needs 3.2 GiB", "Take less context.", "F2 another model")
        assert "Traceback" not in screen


async def test_a_resident_is_pinned_and_let_go_again(chats: Chats, engine: StandIn, home: Home) -> None:
    await engine.tell(ready(home))
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("ctrl+t pin", "switch now")
        await chat.press("ctrl+t")
        await chat.until(lambda: engine.requests(PinRequest) == [PinRequest(MODEL, True)], "for the pin")
        await engine.tell(ready(home, pinned=True))
        await chat.sees("pinned")
        await chat.press("ctrl+t")
        await chat.until(lambda: engine.requests(PinRequest)[1:] == [PinRequest(MODEL, False)], "for the end")


async def test_a_model_that_failed_says_why_and_can_be_tried_again(
    chats: Chats, engine: StandIn, home: Home
) -> None:
    why = Problem(ProblemCode.LOAD_FAILED, "llama.cpp cannot load it.", remedy="Choose another.")
    await engine.tell(on_its_way(home, ModelState.FAILED, problem=why))
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("failed", "llama.cpp cannot load it. Choose another.", "plan: All layers")
        await chat.press("enter")
        await chat.until(lambda: engine.requests(LoadRequest), "for another try")


async def test_the_smallest_screens_show_the_models_before_anything_else(
    chats: Chats, engine: StandIn, home: Home
) -> None:
    def costly(model: str, request: PlanRequest) -> Plan:
        return plan_for(
            model, request, evicts=("Gemma-27B",), verdict="fits after evicting Gemma-27B", load_s=40.0
        )  # fmt: skip

    engine.make_plan = costly
    await engine.tell(neighbour(pinned=False, state=ModelState.READY))
    async with chats.open((40, 10)) as chat:
        await chat.press("f2")
        await chat.sees("type to filter", "◂   8k", "plan: All layers", "enter switch")
        await chat.pilot.resize_terminal(*SMALL)
        await chat.sees("evicts Gemma-27B")


async def test_residents_say_who_holds_what_and_can_be_let_go(
    chats: Chats, engine: StandIn, home: Home
) -> None:
    await engine.tell(ready(home), neighbour())
    async with chats.open(LARGE) as chat:
        await chat.press("f7")
        await chat.sees(
            "GPU 0", "free 8.0 of 24.0 GiB · ours 14.0 · others 2.0",
            "ready · ctx 8k · KV f16 · idle 11 min · leaves in 4",
            "weights 92 · KV 180 · compute 22 · overhead 64 MiB · 30 layers",
            "RAM predicted 80 · really 84 MiB (+5.0 %)", "answering · ctx 32k · KV q8_0 · pinned",
        )  # fmt: skip
        await chat.press("p")
        await chat.until(lambda: engine.requests(PinRequest) == [PinRequest(MODEL, True)], "for the pin")
        await chat.press("down", "u")
        await chat.until(lambda: engine.requests(ModelRequest), "for the memory")
        assert engine.requests(ModelRequest) == [ModelRequest("Gemma-27B.Q4_K_M")]
        await engine.tell(msgspec.structs.replace(ready(home), pinned=True, keep_alive_s=-1.0))
        await chat.until(lambda: "Gemma-27B" not in chat.text(), "for it to go")
        await chat.sees("pinned · ctx 8k")
        await engine.tell()
        await chat.sees("No model is in memory.", "F2 lists those there are")
        await chat.press("f2")
        await chat.sees("plan: All layers on GPU 0 with")
        await chat.press("f7")
        await chat.sees("No model is in memory.")
        await chat.press("f2")
        await chat.sees("plan: All layers on GPU 0 with")
        await chat.press("f2")
        await chat.until(lambda: len(chat.app.screen_stack) == 1, "for the chat")


def asked(
    engine: StandIn, context: int | None, *, exact: bool = False, kv_type: KvType | None = None
) -> bool:
    """Whether the engine was asked for such a plan."""
    return any(
        (r.context, r.exact, r.kv_type) == (context, exact, kv_type) and r.models
        for r in engine.requests(PlanRequest)
    )


def row_of(chat: Chat) -> str:
    """The line of this chat's model."""
    return next(line for line in chat.text().splitlines() if "SmolLM2" in line)
