"""A tree of messages under the fingers: every change by a key, each of them undone by another."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.homes import answers_of
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.chat.acts import Compare, Name, Regenerate, Remove, Send, Show
from tui_chat.chat.model import Answer, FinishReason, Message, Sampling, Session, Timings, Usage
from tui_chat.chat.perform import perform
from tui_chat.chat.tree import ChatTree
from tui_chat.store.sessions import SessionStore
from tui_chat.ui.opening import Opening
from tui_chat.ui.transcript.items import UserItem

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = "SmolLM2-135M-Instruct.Q4_1"


def shown(chat: Chat) -> list[str]:
    return [message.text for message in chat.conversation.tree.path() if message.said]


def focused(chat: Chat) -> str | None:
    return chat.screen.transcript.focused_id


async def asked(chat: Chat, text: str) -> None:
    before = len(answers_of(chat.conversation.session))
    await chat.say(text)
    await chat.until(lambda: len(answers_of(chat.conversation.session)) > before, "for the answer to begin")
    await chat.answered()


async def test_edit_walk_delete_and_undo_by_keys_on_the_focused_message(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        await asked(chat, "Say red.")
        await chat.press("shift+tab", "k")
        chat.prompt.put("half a thought")
        await chat.press("e")
        await chat.sees("editing: enter sends it as a branch of its own")
        assert chat.prompt.text == "Say red."
        await chat.say("Say blue.")
        await chat.until(lambda: shown(chat)[:1] == ["Say blue."], "for the edited message")
        await chat.answered()
        assert chat.prompt.text == "half a thought", "what was being written waits"
        await chat.sees("‹ 2 of 2 ›", "⎇ 2 branches")

        await chat.press("shift+tab", "k", "left")
        await chat.until(lambda: shown(chat)[0] == "Say red.", "for the first version")
        await chat.sees("‹ 1 of 2 ›")
        await chat.press("d")
        await chat.until(lambda: shown(chat)[0] == "Say blue.", "for the branch beside it")
        await chat.sees("deleted, with all below it")
        assert "⎇" not in chat.text()
        await chat.press("u")
        await chat.until(lambda: shown(chat)[0] == "Say red.", "for the deleted branch")
        await chat.press("ctrl+y")
        await chat.until(lambda: shown(chat)[0] == "Say blue.", "for the deletion")
        await chat.press("u")
        await chat.until(lambda: shown(chat)[0] == "Say red.", "for the deleted branch")
        session = chat.conversation.session.id
    with SessionStore(chats.home.paths.sessions).open(session) as reopened:
        assert ChatTree(reopened.session).path()[0].text == "Say red."
        assert reopened.session.undone, "what was undone can be done again after a restart"


async def test_rewinding_leaves_what_came_after_as_a_branch(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        await asked(chat, "Say red.")
        await asked(chat, "Say blue.")
        await chat.press("shift+tab", "k", "w")
        await chat.until(lambda: len(shown(chat)) == 2, "for what was before")
        await chat.until(lambda: chat.prompt.text == "Say blue.", "for its text in the input")
        await asked(chat, "Say green.")
        assert shown(chat)[2] == "Say green."
        await chat.sees("‹ 2 of 2 ›")


async def test_leaving_an_edit_changes_nothing(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        await asked(chat, "Say red.")
        await chat.press("shift+tab", "k", "e")
        await chat.sees("editing:")
        chat.prompt.put("something else")
        await chat.press("escape")
        await chat.until(lambda: "editing:" not in chat.text(), "for the edit to be left")
        assert chat.prompt.text == ""
        assert shown(chat)[0] == "Say red."
        assert len(chat.conversation.tree.leaves()) == 1


async def test_again_exactly_again_and_going_on(chats: Chats) -> None:
    chats.sampling = Sampling(temperature=0.9, seed=4, max_tokens=6)
    async with chats.open(SMALL) as chat:
        await asked(chat, "Tell me about the sea.")
        first = chat.conversation.tree.path()[-1]
        await chat.press("shift+tab", "x")
        await chat.until(lambda: chat.conversation.tree.leaf != first.id, "for the second answer")
        await chat.answered()
        second = chat.conversation.tree.path()[-1]
        assert second.text == first.text
        assert second.answer.seed == first.answer.seed
        assert focused(chat) == second.id, "the keyboard goes to what is written"

        await chat.press("o")
        await chat.until(lambda: chat.conversation.tree.leaf != second.id, "for the answer to go on")
        await chat.answered()
        whole = chat.conversation.tree.path()[-1]
        assert whole.text.startswith(second.text)
        assert len(whole.text) > len(second.text)
        await chat.sees("‹ 2 of 2 ›")
        await chat.press("u")
        await chat.until(lambda: shown(chat)[-1] == second.text, "for the shorter answer")


async def test_an_answer_is_edited_to_steer_the_model(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await asked(chat, "What is your name?")
        await chat.press("shift+tab", "e")
        await chat.sees("Edit the answer")
        editor = chat.app.screen.query_one("TextArea")
        editor.text = "My name is Bo"
        await chat.press("ctrl+s")
        await chat.until(lambda: shown(chat)[-1] == "My name is Bo", "for the edited answer")
        await chat.sees("· edited")
        await chat.press("o")
        await chat.until(lambda: chat.conversation.live or shown(chat)[-1] != "My name is Bo", "to go on")
        await chat.answered()
        assert shown(chat)[-1].startswith("My name is Bo")


async def test_a_fork_is_a_session_of_its_own(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await asked(chat, "Say red.")
        await asked(chat, "Say blue.")
        original = chat.conversation.session
        await chat.press("shift+tab", "k", "k", "f")
        await chat.until(lambda: chat.conversation.session.id != original.id, "for the fork")
        assert shown(chat) == [m.text for m in original.messages[:2]]
        fork = chat.conversation.session
        assert (fork.title, fork.origin.session) == (original.title, original.id)
        await asked(chat, "Say green.")
    kept = {s.id: s.messages for s in SessionStore(chats.home.paths.sessions).list()}
    assert kept == {original.id: 4, fork.id: 4}


async def test_several_models_answer_and_are_seen_side_by_side(chats: Chats, starter_model: Path) -> None:
    shutil.copyfile(starter_model, chats.home.paths.models / "spare.gguf")
    async with chats.open(LARGE) as chat:
        await asked(chat, "Name a colour.")
        await chat.press("shift+tab", "m")
        await chat.sees("Who else is to answer?", "spare", "in memory")
        await chat.press("space", "down", "space")
        await chat.sees("2 models marked")
        await chat.press("enter")
        await chat.until(lambda: len(answers_of(chat.conversation.session)) == 3, "for all places")
        await chat.until(lambda: not chat.conversation.lives, "for all answers")
        answers = answers_of(chat.conversation.session)
        assert len({m.parent for m in answers}) == 1
        assert {m.answer.model for m in answers} == {MODEL, "spare"}
        assert all(m.answer.finish in (FinishReason.STOP, FinishReason.LENGTH) for m in answers)
        await chat.sees("‹ 2 of 3 ›")
        await chat.press("f4")
        await chat.sees("3 branches")
        await chat.press("v")
        await chat.sees("Name a colour.", "2 of 3", "3 of 3", "other side")
        await chat.press("right", "tab", "right")
        await chat.press("enter")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")


def tall_tree() -> Session:
    """A conversation with forks at two places, a named branch and a long stretch without forks."""
    tree = ChatTree(Session(id="forked", created=NOW, updated=NOW, title="Paint bot", model=MODEL))

    def settle(places: tuple[Message, ...], text: str) -> str:
        for place in places:
            source = msgspec.structs.replace(
                place.answer or Answer(MODEL),
                finish=FinishReason.STOP,
                usage=Usage(300 + 20 * len(tree.session.messages), 120),
                timings=Timings(decode_tps=204.0, prefill_ms=800, ttft_ms=90),
            )
            tree.replace(msgspec.structs.replace(place, text=text, answer=source))
        return places[-1].id

    story = settle(
        perform(tree, Send("Write a story about a robot who learns to paint."), NOW).answers, "Once."
    )
    second = settle(perform(tree, Regenerate(story), NOW).answers, "There was a robot.")
    settle(perform(tree, Compare(story, ("gemma-3-270m",)), NOW).answers, "A robot dreamt of blue.")
    perform(tree, Show(second), NOW)
    for number in range(4):
        end = settle(perform(tree, Send(f"And then, part {number}?"), NOW).answers, f"Part {number}.")
    perform(tree, Name(end, "the long one"), NOW)
    gone = settle(perform(tree, Regenerate(story), NOW).answers, "Gone.")
    perform(tree, Remove(gone), NOW)
    perform(tree, Show(end), NOW)
    return tree.session


@SIZES
async def test_the_branch_map(chats: Chats, size: tuple[int, int]) -> None:
    """Opened, walked to another branch, named there, gone to, and looked at again."""
    SessionStore(chats.home.paths.sessions).create(tall_tree()).close()
    async with chats.open(size, Opening(name="Paint bot")) as chat:
        await chat.sees("Part 3.")
        await chat.press("f4")
        await chat.sees("3 branches · going on with", "[the long one]", "← here", "⋮")
        await check(named("branches", size), chat)
        await chat.press("home", "down", "n")
        await chat.sees("Name this branch")
        await chat.press(*"first", "enter")
        await chat.sees("[first]")
        await chat.press("enter")
        await chat.until(lambda: shown(chat)[-1] == "Once.", "for the other branch")
        await chat.sees("first · ‹ 1 of 3 ›")
        await chat.press("f4")
        await chat.until(lambda: "← here" in chat.text(), "for the map")
        await check(named("branches-walked", size), chat)


async def test_a_queued_message_goes_where_it_was_written(chats: Chats) -> None:
    chats.sampling = Sampling(temperature=0.0, max_tokens=100)
    async with chats.open(SMALL) as chat:
        await asked(chat, "Say red.")
        first = chat.conversation.tree.leaf
        await chat.press("shift+tab", "r")
        await chat.until(lambda: chat.conversation.live and chat.conversation.live.tokens, "for tokens")
        await chat.press("tab")
        await chat.say("Thanks for the second.")
        await chat.until(lambda: chat.conversation.queued, "for it to wait")
        second = chat.conversation.tree.leaf
        await chat.press("shift+tab", "k", "left")
        await chat.until(lambda: chat.conversation.tree.leaf == first, "for the first answer")
        await chat.until(lambda: not chat.conversation.queued, "for its turn")
        await chat.until(lambda: not chat.conversation.lives, "for its answer")
        tree = chat.conversation.tree
        sent = next(m for m in tree.session.messages if m.text == "Thanks for the second.")
        assert sent.parent == second
        assert any(isinstance(i, UserItem) and i.id == sent.id for i in chat.screen.transcript.items)
