"""The servers on the screen: an Ollama's collection looked at and changed, through the real engine."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.servers.ollama_stand_in import OllamaStandIn, ollama_in_thread
from tests.servers.small_ollama import Model
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import SMALL, Chat, Chats

LICENCE = "\n".join(f"Clause {number}: be kind to small robots." for number in range(1, 100))
LAYERS = (("sha256:" + "a1" * 32, 3 << 20), ("sha256:" + "b2" * 32, 1 << 20))
HALFWAY = 2 << 20


@pytest.fixture
def ollama() -> Iterator[OllamaStandIn]:
    """One that has two models, and can fetch a third."""
    tiny = Model("tiny:1b", licence=LICENCE, parameters="temperature 0.7", system="You are tiny.")
    wise = Model("wise:1b", thinking="Let me see.", capabilities=("completion", "thinking", "tools"))
    with ollama_in_thread(tiny, wise) as stand_in:
        stand_in.world.registry["new:1b"] = Model("new:1b", layers=LAYERS)
        yield stand_in


def table(name: str, url: str, kind: str = "ollama") -> str:
    return f'[servers.{name}]\nurl = "{url}"\nkind = "{kind}"\n'


@asynccontextmanager
async def opened(
    chats: Chats, ollama: OllamaStandIn, size: tuple[int, int] = SMALL, more: str = ""
) -> AsyncIterator[Chat]:
    """A chat beside that Ollama, once it has answered."""
    chats.home.configure(table("ollama", ollama.url) + more)
    async with chats.open(size) as chat:
        yield chat


async def at_the_models(chat: Chat) -> None:
    """Go to the models of the first server."""
    await chat.press("f11")
    await chat.sees("answers", "2 models")
    await chat.press("enter")
    await chat.sees("type to filter", "tiny:1b")


@SIZES
async def test_how_servers_and_their_models_look(
    chats: Chats, ollama: OllamaStandIn, locked: OllamaStandIn, size: tuple[int, int]
) -> None:
    """The list, with one that lets nobody in; the models; a card; one being fetched, here and in the chat."""
    ollama.world.hold_pull_at = HALFWAY
    async with opened(chats, ollama, size, table("locked", locked.url)) as chat:
        await chat.press("f11")
        await chat.sees("2 servers, 1 away", "0 of 2 models loaded")
        await check(named("servers", size), chat)
        await chat.press("down")
        await chat.sees("Check its key")
        await check(named("servers-refused", size), chat)
        await chat.press("up", "enter")
        await chat.sees("type to filter", "tiny:1b")
        await check(named("served", size), chat)
        await chat.press("ctrl+o")
        await chat.sees("You are tiny.", "temperature 0.7", "licence" if size != SMALL else "template")
        await check(named("card", size), chat)
        await chat.press("end")
        await chat.sees("Clause 99:")
        await chat.press("escape", "ctrl+g", *"new:1b", "enter")
        await chat.sees("of 3 MiB", "ctrl+x stop")
        assert re.search(r"↓ new:1b +━+─+ 2 of 3 MiB", chat.text())
        await chat.press("escape", "escape")
        await chat.sees("getting new:1b ━", "answers here")


async def test_a_model_is_fetched_left_stopped_gone_on_with_and_talked_to(
    chats: Chats, ollama: OllamaStandIn
) -> None:
    ollama.world.hold_pull_at = HALFWAY
    async with opened(chats, ollama) as chat:
        await at_the_models(chat)
        await chat.press("ctrl+g", *"new:1b", "enter")
        await chat.sees("2 of 3 MiB", "ctrl+x stop")
        await chat.press("enter")
        await chat.sees("ollama is still getting it")
        await chat.press("escape", "escape")
        await chat.sees("── getting new:1b ━")
        assert ollama.world.cancelled == [], "leaving the screen stops nothing"
    async with chats.open() as chat:
        await chat.sees("── getting new:1b ━")
        await chat.press("f11")
        await chat.sees("answers", "2 models")
        await chat.press("enter")
        await chat.sees("2 of 3 MiB", "ctrl+x stop")
        await chat.press("ctrl+x")
        await chat.sees("stopped at 2 of 3 MiB", "enter go on")
        assert ollama.world.cancelled == ["pull"]
        ollama.world.hold_pull_at = None
        await chat.press("enter")
        await chat.until(lambda: "ollama has new:1b now" in chat.alarms(), "for the end")
        await chat.sees("○ new:1b", "0 of 3 models loaded")
        assert len([body for body in ollama.asked("/api/pull") if body["model"] == "new:1b"]) == 2
        await chat.press("enter")
        await chat.sees("ollama/new:1b Q4_1 answers here")
        await chat.say("Why is the sky blue?")
        await chat.answered()
        assert chat.conversation.tree.path()[-1].text.startswith("The sky is blue")


async def test_what_cannot_be_fetched_is_said_as_the_engine_words_it(
    chats: Chats, ollama: OllamaStandIn
) -> None:
    async with opened(chats, ollama) as chat:
        await at_the_models(chat)
        await chat.press("ctrl+g", *"nobody", "enter")
        await chat.sees("There is no model called nobody to be fetched.", "how it is written")
        assert "↓" not in chat.text(), "there is nothing to go on with"


async def test_a_model_gets_a_second_name_and_is_deleted_once_that_is_meant(
    chats: Chats, ollama: OllamaStandIn
) -> None:
    async with opened(chats, ollama) as chat:
        await at_the_models(chat)
        await chat.press("ctrl+y", "enter")
        await chat.sees("ollama has a model called tiny:1b already")
        await chat.press("end", "x", "enter")
        await chat.sees("ollama has it as tiny:1bx too", "0 of 3 models loaded")
        await chat.press("up", "up")
        await chat.press("ctrl+d")
        await chat.sees("Delete tiny:1b (86 MiB) from the disk of ollama?", "stay as tiny:1bx")
        await chat.press("2")
        assert "tiny:1b" in ollama.world.models
        await chat.press("down", "ctrl+d")
        await chat.sees("Delete wise:1b", "it is gone for good")
        await chat.press("1")
        await chat.sees("ollama has deleted wise:1b", "0 of 2 models loaded")
        assert set(ollama.world.models) == {"tiny:1b", "tiny:1bx"}


async def test_a_model_is_made_of_a_file_and_of_a_bad_one_it_is_not(
    chats: Chats, ollama: OllamaStandIn, tmp_path: Path
) -> None:
    (tmp_path / "Good_One.gguf").write_bytes(b"GGUF" + bytes(1 << 20))
    (tmp_path / "bad.gguf").write_bytes(b"no weights")
    async with opened(chats, ollama) as chat:
        await at_the_models(chat)
        await chat.press("ctrl+b")
        await chat.sees("Make a model of which file?", "1  SmolLM2-135M-Instruct.Q4_1", "2  Another file")
        await chat.press("2", *"/nowhere.gguf", "enter")
        await chat.sees("There is no file /nowhere.gguf.")
        await chat.press("ctrl+u", *str(tmp_path / "Good_One.gguf"), "enter")
        await chat.sees("What should ollama call it?", "good-one")
        await chat.press("enter")
        await chat.until(lambda: "ollama has good-one now" in chat.alarms(), "for the end")
        await chat.sees("○ good-one:latest")
        await chat.press("ctrl+b", "2", *str(tmp_path / "bad.gguf"), "enter", "enter")
        await chat.sees("bad.gguf is not a GGUF file", "Nothing was")
        assert "bad:latest" not in ollama.world.models


async def test_models_are_loaded_and_unloaded_there(chats: Chats, ollama: OllamaStandIn) -> None:
    async with opened(chats, ollama) as chat:
        await at_the_models(chat)
        await chat.press("ctrl+l")
        await chat.sees("● tiny:1b", "1 of 2 models loaded", "loaded, ")
        await chat.press("ctrl+x")
        await chat.sees("○ tiny:1b", "0 of 2 models loaded")
        assert ollama.world.running() == []


async def test_one_that_is_away_says_so_and_is_there_when_it_is_looked_for(
    chats: Chats, ollama: OllamaStandIn
) -> None:
    port = free_port()
    async with opened(chats, ollama, more=table("other", f"http://127.0.0.1:{port}")) as chat:
        await chat.press("f11")
        await chat.sees("does not answer", "other cannot be reached. Nothing answers there.")
        await chat.press("down")
        await chat.sees("Start it, or correct its address", "r asks at once")
        with ollama_in_thread(Model("other:1b"), port=port):
            await chat.press("r")
            await chat.sees("0 of 1 model loaded")
            assert "does not answer" not in chat.text()


async def test_one_that_keeps_no_collection_offers_no_changes(chats: Chats, ollama: OllamaStandIn) -> None:
    async with opened(chats, ollama, more=table("gpu", "http://127.0.0.1:9", "vllm")) as chat:
        await chat.press("f11")
        await chat.sees("vLLM", "loads its models itself")
        await chat.press("down", "enter")
        await chat.sees("gpu   vLLM · this machine")
        assert "ctrl+g" not in chat.text()
        await chat.press("ctrl+g")
        await chat.sees("gpu does not let others change which models it has")


async def test_without_any_server_it_says_how_to_get_one(chats: Chats) -> None:
    async with chats.open() as chat:
        await chat.press("f11")
        await chat.sees("No model server is known", "Ollama", "[servers.gpu-box]", "config.toml")
        await chat.press("f11")
        await chat.sees("answers here")


async def test_from_the_list_of_models_to_the_servers_and_back_with_a_model(
    chats: Chats, ollama: OllamaStandIn
) -> None:
    async with opened(chats, ollama) as chat:
        await chat.press("f2")
        await chat.sees("ollama/tiny:1b", "ctrl+s servers")
        await chat.press(*"tiny", "ctrl+o")
        await chat.sees("You are tiny.", "system prompt")
        await chat.press("escape", "ctrl+s")
        await chat.sees("answers", "2 models")
        await chat.press("enter")
        await chat.sees("type to filter", "wise:1b")
        await chat.press("down", "enter")
        await chat.sees("ollama/wise:1b Q4_1 answers here")


async def test_waiting_for_a_server_shows_how_long(chats: Chats, ollama: OllamaStandIn) -> None:
    ollama.world.hold_after = 0
    async with opened(chats, ollama) as chat:
        await at_the_models(chat)
        await chat.press("enter")
        await chat.sees("ollama/tiny:1b Q4_1 answers here")
        await chat.say("Why?")
        waited = re.compile(r"waiting for ollama, (\d+) s")
        await chat.until(lambda: waited.search(chat.text()), "for seconds")
        first = waited.findall(chat.text())
        await chat.until(lambda: waited.findall(chat.text()) > first, "for more of them")
        ollama.world.hold_after = None
        await chat.answered()
        assert chat.conversation.tree.path()[-1].text.startswith("The sky is blue")
