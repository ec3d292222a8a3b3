"""Pictures in the chat: attached, shown to models that see, kept, refused and told of where they are not."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.homes import answers_of, sessions_of
from tests.pictures import png
from tests.servers.ollama_stand_in import OllamaStandIn, ollama_in_thread
from tests.servers.small_ollama import Model
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tests.worker.projector import write_llava
from tui_chat.chat.export.document import Form
from tui_chat.chat.model import FinishReason
from tui_chat.chat.pictures import look_at
from tui_chat.ui.opening import Opening

EYES, TINY, OWN = "ollama/eyes:1b", "ollama/tiny:1b", "SmolLM2-135M-Instruct.Q4_1"
SEA, HILL = png(800, 600), png(32, 20, colour=9)


@pytest.fixture
def ollama() -> Iterator[OllamaStandIn]:
    sees = Model("eyes:1b", capabilities=("completion", "vision"), answer="A grey sea.")
    with ollama_in_thread(sees, Model("tiny:1b", answer="I see nothing.")) as stand_in:
        yield stand_in


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chats: Chats, ollama: OllamaStandIn) -> Path:
    """A working directory with pictures; the home knows the server."""
    (tmp_path / "sea.png").write_bytes(SEA)
    (tmp_path / "hill.png").write_bytes(HILL)
    monkeypatch.chdir(tmp_path)
    chats.home.configure(f'[servers.ollama]\nurl = "{ollama.url}"\n')
    return tmp_path


async def answered_by(chat: Chat, model: str) -> None:
    """Have a model of a server answer from now on; the engine must have told of it."""
    await chat.until(lambda: chat.workspace._served, "for the server's models")
    await chat.conversation.choose_model(model)


def shown(ollama: OllamaStandIn) -> list[list[tuple[str, list[bytes]]]]:
    """Of each question to the server, what its messages of the user said and showed."""

    def seen(message: dict[str, Any]) -> tuple[str, list[bytes]]:
        return message["content"], [base64.b64decode(each) for each in message.get("images", ())]

    asked = ollama.asked("/api/chat")
    return [[seen(each) for each in body["messages"] if each["role"] == "user"] for body in asked]


def kept(chats: Chats) -> set[str]:
    return {path.name for path in (chats.home.paths.sessions / "pictures").glob("*.png")}


async def test_a_picture_is_attached_shown_answered_again_edited_and_left_out_for_the_blind(
    chats: Chats, photos: Path, ollama: OllamaStandIn
) -> None:
    async with chats.open(LARGE) as chat:
        await answered_by(chat, EYES)
        await chat.press(*"See @sea", "tab")
        await chat.sees("sea.png · 800×600 · ", "B picture")
        await chat.press("ctrl+o", "v", "ctrl+e")
        await chat.sees("a picture cannot be put into the input")
        await chat.press("enter")
        await chat.sees("Kind      PNG", "800×600", "SHA-256", "A terminal cannot draw it")
        await chat.press("escape", "escape", "enter")
        await chat.until(lambda: chat.conversation.session.messages, "for it to be sent")
        await chat.answered()
        await chat.sees("+ sea.png · 800×600", "A grey sea.")
        assert shown(ollama) == [[("See sea.png", [SEA])]]

        await chat.press("shift+tab", "r")
        await chat.until(lambda: len(answers_of(chat.conversation.session)) == 2, "for another answer")
        await chat.answered()
        assert shown(ollama)[-1] == [("See sea.png", [SEA])], "answered again, it is shown again"
        await chat.press("escape")
        await chat.say("And now?")
        await chat.answered()
        assert shown(ollama)[-1] == [("See sea.png", [SEA]), ("And now?", [])], "later turns have it too"

        await answered_by(chat, TINY)
        await chat.say("And you?")
        await chat.answered()
        told = "[picture sea.png, not shown to this model]\n\nSee sea.png"
        assert shown(ollama)[-1][0] == (told, [])
        await chat.sees("sea.png is not shown to ollama/tiny:1b: it cannot see pictures.")
        await chat.say("Again?")
        await chat.answered()
        assert chat.text().count("is not shown to") == 1, "that is said once"
        (session,) = sessions_of(chats.home)
        assert kept(chats) == {f"{look_at(SEA).sha256}.png"}
        assert base64.b64encode(SEA)[:40] not in next(chats.home.paths.sessions.glob("*.json")).read_bytes()

        await answered_by(chat, EYES)
        first = session.messages[0]
        await chat.conversation.edit(
            first.id, "This one?", (*first.attachments, *await attach(chat, "hill.png"))
        )
        await chat.answered()
        assert shown(ollama)[-1] == [("This one?", [SEA, HILL])], "in order"
    page = chats.home.run("sessions", "export", session.id, "--format", "html").stdout
    assert [f"base64,{base64.b64encode(each).decode()}" in page for each in (SEA, HILL)] == [True, True]


async def attach(chat: Chat, name: str) -> tuple[Any, ...]:
    """Attach a file to the input and take it out again; what was attached."""
    assert await chat.screen.attach_file(name)
    attached = chat.prompt.attachments
    chat.prompt.attach(())
    return attached


async def test_who_cannot_see_is_not_asked_and_nothing_of_the_message_is_lost(
    chats: Chats, photos: Path, ollama: OllamaStandIn
) -> None:
    async with chats.open(SMALL) as chat:
        await chat.until(lambda: chat.workspace._served, "for the server's models")
        await chat.until(lambda: chat.screen._presenter.facts.model, "for the model's facts")
        await chat.press(*"What is it? @hill", "tab")
        await chat.sees("hill.png · 32×20", "this model sees no pictures")
        await chat.press("enter")
        await chat.sees(
            "cannot be shown hill.png",
            "no projector (mmproj)",
            "for it lies beside its file",
            EYES,
            "F2 choose a model that can see",
        )
        await chat.sees("ctrl+o v take the picture out")
        await chat.until(lambda: chat.prompt.text == "What is it? hill.png", "for the text to be back")
        await chat.sees("+ hill.png · 32×20")
        assert not chat.conversation.session.messages
        await chat.screen._drafts.flush()
    async with chats.open(SMALL) as chat:
        await chat.sees("+ hill.png · 32×20", "What is it? hill.png")
        await answered_by(chat, EYES)
        ollama.world.hold_after = 1
        await chat.press("enter")
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens, "for the answer")
        assert shown(ollama) == [[("What is it? hill.png", [HILL])]], "as it was before the restart"
        await chat.press(*"@sea", "tab", "enter")
        await chat.sees("queued")
        ollama.world.hold_after = None
        await chat.until(lambda: len(answers_of(chat.conversation.session)) == 2, "for the queue")
        await chat.answered()
        assert shown(ollama)[-1][-1] == ("sea.png", [SEA]), "what has waited is shown as well"
        sea, hill = (
            chats.home.paths.sessions / "pictures" / f"{look_at(each).sha256}.png" for each in (SEA, HILL)
        )
        sea.unlink()
        hill.write_bytes(HILL[:-1])
        await chat.say("And these?")
        await chat.answered()
        assert shown(ollama)[-1] == [
            ("[picture hill.png, which is gone]\n\nWhat is it? hill.png", []),
            ("[picture sea.png, which is gone]\n\nsea.png", []),
            ("And these?", []),
        ]
        notices = [each.what for _, each in chat.screen._presenter._notices]
        assert any(
            "sea.png is not shown to the model" in each and "not there any more" in each for each in notices
        )
        assert any("hill.png is not shown" in each and "is damaged" in each for each in notices)
        assert all(a.answer.finish is FinishReason.STOP for a in answers_of(chat.conversation.session))
        title = chat.conversation.session.title
    async with chats.open(SMALL, Opening(name=title)) as chat:
        await chat.sees("+ sea.png · 800×600")


async def test_comparisons_show_it_to_who_sees_and_chats_kept_nowhere_write_nothing(
    chats: Chats, photos: Path, ollama: OllamaStandIn
) -> None:
    async with chats.open(SMALL, Opening(ephemeral=True)) as chat:
        await answered_by(chat, EYES)
        assert await chat.screen.attach_file("sea.png")
        await chat.press("enter")
        await chat.until(lambda: chat.conversation.session.messages, "for a picture without a word")
        await chat.answered()
        assert shown(ollama) == [[("", [SEA])]]
        asked = chat.conversation.session.messages[0]
        await chat.conversation.compare(asked.id, [EYES, TINY])
        await chat.answered()
        await chat.until(lambda: not chat.conversation.lives, "for all of them")
        compared = {(text, *images) for ((text, images),) in shown(ollama)[1:]}
        assert compared == {("", SEA), ("[picture sea.png, not shown to this model]",)}
        assert chat.conversation.session.title == "sea.png"
        await chat.workspace.collection.export(
            chat.conversation.session,
            photos / "a.html",
            Form.HTML,
            whole=True,
            pictures=chat.conversation.pictures,
        )
        assert base64.b64encode(SEA).decode() in (photos / "a.html").read_text(), "what is wished is written"
        files = (path for path in chats.home.root.rglob("*") if path.is_file() and not path.is_symlink())
        holding = [path for path in files if SEA[:60] in path.read_bytes()]
        assert holding == [], "not one file has it"
        assert kept(chats) == set()


async def test_a_model_of_our_own_sees_with_the_projector_beside_it(chats: Chats, tmp_path: Path) -> None:
    write_llava(chats.home.paths.models / f"mmproj-{OWN}.gguf")
    (tmp_path / "hill.png").write_bytes(HILL)
    async with chats.open(LARGE) as chat:
        await chat.until(lambda: chat.screen._presenter.facts.model, "for the model's facts")
        assert await chat.screen.attach_file(str(tmp_path / "hill.png"))
        await chat.say("What is it?")
        await chat.sees("hill.png · 32×20")
        await chat.until(lambda: len(answers_of(chat.conversation.session)) == 1, "for an answer")
        await chat.answered()
        await chat.say("And now?")
        await chat.until(lambda: len(answers_of(chat.conversation.session)) == 2, "for another answer")
        await chat.answered()
        first, second = (answer.answer for answer in answers_of(chat.conversation.session))
        assert first is not None
        assert first.finish in (FinishReason.STOP, FinishReason.LENGTH)
        assert second is not None
        assert second.usage.reused_tokens >= first.usage.prompt_tokens, "it is not looked at again"
        await chat.press("f2")
        await chat.sees("switch now", "+ projector 6")
        await chat.press("ctrl+o")
        await chat.sees("projector  ", "pictures, takes 6")
