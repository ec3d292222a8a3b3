"""The switcher on the real engine and model: prices before Enter, loading exactly what the row shows."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from tests.homes import Home
from tests.library.places import add_to_ollama
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Session
from tui_chat.store.sessions import SessionStore
from tui_chat.wire.api import ModelState

MODEL = "SmolLM2-135M-Instruct.Q4_1"


def rows(chat: Chat) -> list[str]:
    """The names in the list, as they stand on the screen."""
    lines = (line.strip("│ ") for line in chat.text().splitlines())
    return [line[2:].split("  ")[0] for line in lines if line[:1] in set("●◐○✗")]


def resident(chat: Chat) -> tuple[str, int] | None:
    """The model in memory and its context."""
    engine = chat.workspace.engine
    ready = [m for m in engine.residents if m.state is ModelState.READY] if engine else []
    return (ready[0].id, ready[0].context) if ready else None


def copies(home: Home, *names: str) -> None:
    """Put the starter model into the models folder under more names, each older than the one before."""
    starter = next(home.paths.models.glob("SmolLM2*.gguf"))
    for age, name in enumerate(names, 1):
        copy = home.paths.models / f"{name}.gguf"
        shutil.copyfile(starter, copy)
        os.utime(copy, (1_700_000_000 - age, 1_700_000_000 - age))


async def test_the_plan_is_read_priced_anew_and_loaded_as_it_stands(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees(
            "free: RAM ",
            "94 MiB",
            "135M",
            "on disk",
            "plan: All in RAM with 8k",
            "weights 92 + KV 180 + compute",
        )
        await chat.press("left")
        await chat.sees("with 4k of context", "KV 90 ", "◂   4k ▸ f16")
        await chat.press("left_square_bracket")
        await chat.sees("KV 48 ", "◂   4k ▸ q8_0")
        await chat.press("shift+right")
        await chat.sees("KV 90 ", "◂   4k ▸ f16")
        await chat.press("enter")
        await chat.until(lambda: resident(chat) == (MODEL, 4096), "for the model as planned")
        await chat.sees("Q4_1 · ctx 4k · all on CPU · 1 resident")
        await chat.say("Say hello.")
        await chat.answered()
        assert resident(chat) == (MODEL, 4096)
        await chat.press("f2")
        await chat.sees("ready", "switch now", "in memory: nothing has to be loaded", "ctrl+x unload")


async def test_the_ladder_ends_where_the_model_was_trained_and_at_2k(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("◂   8k   f16")
        await chat.press("right")
        await chat.sees("◂   8k   f16")
        await chat.press("left", "left", "left", "left")
        await chat.sees("    2k ▸ f16", "with 2k of context")
        await chat.press(*["left_square_bracket"] * 6)
        await chat.sees("2k ▸ q4_0")


async def test_details_name_every_device_and_who_says_it(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        await chat.press("f2")
        await chat.sees("plan: All in RAM")
        exact = chat.app.screen._prices
        await chat.until(lambda: exact.latest(MODEL).source == "llama.cpp", "for llama.cpp's own word")
        await chat.press("ctrl+o")
        screen = await chat.sees("architecture    llama, 30 layers", "135M (134,515,008)", "8,192 tokens")
        assert "layers  weights       KV  compute  overhead" in screen
        assert "180 MiB" in screen
        await chat.press("end")
        await chat.sees("as llama.cpp itself laid it out", "anonymous")
        await chat.press("escape")
        await chat.sees("enter switch")


async def test_a_model_is_warmed_up_without_switching_and_unloaded(chats: Chats) -> None:
    copies(chats.home, "other-model")
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("other-model", "plan: ")
        await chat.press(*"othm", "ctrl+l")
        await chat.until(lambda: resident(chat) == ("other-model", 8192), "for the warm model")
        await chat.sees("ready", "ctrl+x unload")
        assert chat.conversation.session.model == MODEL
        await chat.press("ctrl+x")
        await chat.until(lambda: not chat.workspace.engine.residents, "for the memory")
        await chat.sees("on disk", "ctrl+l warm up")
        await chat.press("escape")
        await chat.sees("SmolLM2-135M-Instruct Q4_1 answers here")


async def test_recent_models_come_first_and_letters_in_order_find_one(chats: Chats) -> None:
    copies(chats.home, "alpha-7b", "beta-8b", "gamma-9b")
    store, now = SessionStore(chats.home.paths.sessions), datetime.now(UTC)
    for ago, model in ((1, "gamma-9b"), (2, "beta-8b"), (3, "gamma-9b")):
        then = now - timedelta(days=ago)
        store.create(Session(id=new_id(then), created=then, updated=then, model=model)).close()
    (chats.home.paths.models / "torn.gguf").write_bytes(b"GGUF\3\0\0\0")
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("torn")
        assert rows(chat) == ["SmolLM2-135M-Instruct ←", "gamma-9b", "beta-8b", "alpha-7b", "torn"]
        await chat.press(*"a8")
        await chat.until(lambda: rows(chat) == ["beta-8b"], "for the filter")
        await chat.press("backspace", "backspace", *"torn")
        await chat.until(lambda: rows(chat) == ["torn"], "for the damaged one")
        await chat.sees("torn.gguf ", "unusable")
        await chat.press("enter", "left", "ctrl+l", "ctrl+x")
        await chat.sees("Download the file again", "This file cannot be used")


async def test_without_an_engine_the_list_works_and_says_what_is_missing(chats: Chats) -> None:
    copies(chats.home, "other-model")
    runtime = chats.home.paths.socket.parent
    shutil.rmtree(runtime, ignore_errors=True)
    runtime.write_text("in the way")
    try:
        async with chats.open(LARGE) as chat:
            await chat.press("f2")
            await chat.sees("other-model", "no plan: ")
            await chat.press(*"other", "enter")
            await chat.until(lambda: chat.conversation.session.model == "other-model", "for the switch")
            await chat.sees("The engine could not be started")
    finally:
        runtime.unlink()


async def test_a_load_that_fails_stands_in_the_chat_with_what_to_press(chats: Chats) -> None:
    copies(chats.home, "other-model")
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("other-model")
        await chat.press(*"other")
        await chat.sees("plan: All in RAM")
        (chats.home.paths.models / "other-model.gguf").unlink()
        await chat.press("enter")
        screen = await chat.sees("other-model", "F2 another model")
        assert "Traceback" not in screen
        await chat.press("f2", *"smol", "enter")
        await chat.until(lambda: resident(chat) is not None, "for the model that is there")
        await chat.say("Say hello.")
        await chat.answered()
        assert chat.conversation.tree.path()[-1].text


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
async def test_nothing_runs_over_the_edge(chats: Chats, size: tuple[int, int]) -> None:
    copies(chats.home, "A-model-with-a-name-that-no-list-has-room-for-Instruct-2509-v3.1")
    async with chats.open(size) as chat:
        await chat.press("f2")
        await chat.sees("plan: All in RAM")
        name = next(row for row in rows(chat) if row.startswith("A-model"))
        assert "…" in name
        assert name.endswith(("v3.1", "Q4_1"))
        assert all(len(line) <= size[0] for line in chat.text().splitlines())
        assert "esc back" in chat.text()
        for hint in ("enter switch", "←→ context", "[ ] KV", "ctrl+l warm up", "ctrl+o details"):
            assert hint in chat.text()


async def test_a_file_with_several_names_is_one_row_found_by_each(chats: Chats, home: Home) -> None:
    starter = next(home.paths.models.glob("SmolLM2*.gguf")).resolve()
    for tag in ("135m", "latest"):
        add_to_ollama(home.root / "ollama", f"registry.ollama.ai/library/tiny/{tag}", {"model": starter})
    copies(home, "other")
    async with chats.open(LARGE) as chat:
        await chat.press("f2")
        await chat.sees("other", "also called tiny:135m, tiny:latest")
        await chat.press(*"tinylat")
        await chat.until(lambda: len(rows(chat)) == 1, "for the one row")
        await chat.press("ctrl+o")
        await chat.sees("also called", "tiny:135m, tiny:latest")
