"""A context that fills up: what will go is said before, what went is told after, and all of it comes back."""

from __future__ import annotations

import re

import msgspec

from tests.homes import sessions_of
from tests.ui.snapshot import SIZES, check, named
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.chat.acts import SetPolicy
from tui_chat.chat.compose import compose
from tui_chat.chat.model import Sampling
from tui_chat.chat.policy import Policy, PolicyKind

WORDS = "one two three four five six seven eight nine ten " * 5
"""Some 50 tokens: with an answer of 8, three turns fill a window of 256."""


async def asked(chat: Chat, text: str) -> None:
    before = len(chat.conversation.session.messages)
    await chat.say(text)
    await chat.until(lambda: len(chat.conversation.session.messages) > before, "for the message to be sent")
    await chat.answered()


async def hold_to(chat: Chat, **policy: object) -> None:
    await chat.conversation.do(SetPolicy(msgspec.convert({"window": 256, **policy}, Policy)))


def sent(chat: Chat) -> list[str]:
    """What the last answer was made from, each line by its beginning."""
    tree = chat.conversation.tree
    return [line.text.split(":")[0][:12] for line in compose(tree, tree.path()[-2].id).lines]


@SIZES
async def test_the_policy_is_chosen_and_set_by_keys(chats: Chats, size: tuple[int, int]) -> None:
    """Chosen, given a window, told a fact, refused a wrong number, undone."""
    async with chats.open(size) as chat:
        await asked(chat, "Say red.")
        await chat.press("f5", "down", "enter")
        await chat.sees("● sliding")
        await chat.press("w")
        await chat.sees("Most tokens to use")
        await chat.press(*"12", "enter")
        await chat.sees("“12” is no number from 256 or more. Nothing was changed.")
        await chat.press("w", *"300", "enter")
        await chat.sees("of 300 tokens")
        await chat.press("f")
        await chat.sees("What the model is always told")
        await chat.press(*"Bo is a robot", "ctrl+s")
        await chat.sees("fact: Bo is a robot")
        await check(named("context", size), chat, chat.conversation.tree.path()[-1].text)
        policy = chat.conversation.session.policy
        assert (policy.kind, policy.window) == (PolicyKind.SLIDING, 300)
        await chat.press("u", "u")
        await chat.until(lambda: chat.conversation.session.policy.window is None, "for the undo")
        await chat.press("f5")
        await chat.until(lambda: chat.app.screen is chat.screen, "for the chat")


@SIZES
async def test_what_a_question_drops_is_told_before_and_after_and_comes_back(
    chats: Chats, size: tuple[int, int]
) -> None:
    async with chats.open(size) as chat:
        await hold_to(chat, kind="sliding", target=0.8)
        await asked(chat, f"First: {WORDS}")
        await asked(chat, f"Second: {WORDS}")
        chat.prompt.put(f"Third: {WORDS}")
        await chat.sees("sending drops 2 messages (", "with the next message, 2 messages (")
        assert re.search(r"drops 2 messages \(\d+ tokens\)", chat.text()), "counted by the model itself"
        said = "\n".join(m.text for m in chat.conversation.tree.path() if m.answer)
        await check(named("dropping", size), chat, said)
        await chat.press("enter")
        await chat.until(lambda: len(chat.conversation.tree.path()) == 7, "for question, cut and answer")
        await chat.answered()
        assert sent(chat) == ["Second", sent(chat)[1], "Third"]
        answer = chat.conversation.tree.path()[-1].answer
        assert answer.expected.exact
        assert answer.expected.tokens == answer.usage.prompt_tokens

        await chat.press("shift+tab", *"kkkk")
        await chat.until(lambda: "▎──" in chat.text(), "for the cut to have the keyboard")
        await check(named("cut", size), chat, chat.conversation.tree.path()[-1].text)
        await chat.press("u")
        await chat.until(lambda: sent(chat)[0] == "First", "for what was cut to be sent again")
        assert "no longer sent" not in chat.text()


async def test_full_says_that_it_is_full_and_sends_nothing_it_cannot(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await hold_to(chat)
        await asked(chat, f"First: {WORDS}")
        await asked(chat, f"Second: {WORDS}")
        chat.prompt.put(f"Third: {WORDS * 2}")
        await chat.sees("too long to send:")
        await chat.press("enter")
        await chat.sees(
            "reads no more than 256", "are kept for the answer", "dropped or summarised. · F5 context"
        )
        assert chat.prompt.text.startswith("Third")
        assert len(chat.conversation.tree.path()) == 4


async def test_what_has_become_too_long_to_be_answered_again_is_asked_anew_below_a_cut(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await asked(chat, f"First: {WORDS * 2}")
        await asked(chat, f"Second: {WORDS * 3}")
        first_time = chat.conversation.tree.leaf
        await hold_to(chat, window=256)
        await chat.press("shift+tab", "r")
        await chat.sees("reads no more than 256", "dropped or summarised. · F5 context")
        assert chat.conversation.tree.leaf == first_time, "nothing was asked"

        await hold_to(chat, kind="sliding", window=256)
        await chat.press("r")
        await chat.sees("no longer sent")
        await chat.answered()
        answer = chat.conversation.tree.path()[-1].answer
        assert sent(chat) == ["Second"]
        assert answer.expected.tokens == answer.usage.prompt_tokens <= 256
        await chat.press("u")
        await chat.until(lambda: chat.conversation.tree.leaf == first_time, "for the first time's answer")


async def test_a_reset_by_hand_starts_afresh_and_is_undone(chats: Chats) -> None:
    async with chats.open(SMALL) as chat:
        await asked(chat, "First: red.")
        await chat.press("f5", "x", "escape")
        await chat.sees("context reset here")
        await asked(chat, "Second: blue.")
        assert sent(chat) == ["Second"]
        await chat.press("shift+tab", "u", "u")
        await chat.until(lambda: len(chat.conversation.tree.path()) == 2, "for both to be undone")
        await chat.until(lambda: chat.prompt.text == "Second: blue.", "for what was sent, to be sent again")


async def test_what_is_dropped_is_condensed_first_and_the_summary_can_be_edited(chats: Chats) -> None:
    chats.sampling = Sampling(temperature=0.0, max_tokens=12)
    async with chats.open(LARGE) as chat:
        await hold_to(chat, kind="summarise", window=256)
        for name in ("First", "Second", "Third"):
            await asked(chat, f"{name}: {WORDS}")
        node = next(m for m in chat.conversation.tree.path() if m.cut)
        assert node.text, "the model wrote a summary"
        assert node.cut.messages >= 2
        assert (
            compose(chat.conversation.tree, chat.conversation.tree.path()[-2].id)
            .lines[0]
            .text.startswith("Summary of the conversation so far:")
        )
        await chat.until(lambda: "condensing" not in chat.text(), "for the summary to be over")
        chat.screen.transcript.focus_message(node.id)
        await chat.press("shift+tab", "e")
        await chat.sees("Edit the summary")
        chat.app.screen.query_one("TextArea").text = "They counted to ten."
        await chat.press("ctrl+s")
        await chat.sees("They counted to ten.", "are condensed into this summary")
        assert chat.conversation.tree.get(node.id).text == "They counted to ten."


async def test_a_message_that_waits_for_a_summary_is_on_disk_and_can_be_stopped(chats: Chats) -> None:
    async with chats.open(LARGE) as chat:
        await hold_to(chat, kind="summarise", window=256)
        for name in ("First", "Second"):
            await asked(chat, f"{name}: {WORDS}")
        await chat.say(f"Third: {WORDS}")
        await chat.until(lambda: chat.conversation.condensing, "for the summary to begin")
        (kept,) = sessions_of(chats.home)
        assert [m.text[:6] for m in kept.queued] == ["Third:"]
        await chat.press("escape")
        await chat.until(lambda: not chat.conversation.condensing, "for the summary to stop")
        await chat.sees("not sent yet · F9 sends it")
        assert not any(m.cut for m in chat.conversation.session.messages)
        await chat.press("f9")
        await chat.until(lambda: not chat.conversation.queued, "for its turn")
        await chat.answered()
        assert any(m.cut and m.text for m in chat.conversation.tree.path())
