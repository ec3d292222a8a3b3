"""What is dropped when a conversation outgrows its window, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acts import do
from tui_chat.chat.acts import Pin, Restore, Send, SetFacts, SetPolicy
from tui_chat.chat.compose import Line, Part, compose, compose_branch
from tui_chat.chat.context import Outcome, Room, by_hand, decide
from tui_chat.chat.measure import Ruler
from tui_chat.chat.model import Message, Role, Session
from tui_chat.chat.perform import perform
from tui_chat.chat.policy import CutReason, Policy, PolicyKind
from tui_chat.chat.tree import ChatTree

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ROOM = Room(window=1000, reserve=200)
TURN = 240
"""Bytes of a question or answer of 88 estimated tokens: four exchanges fill the room of 800."""


def talk(policy: Policy, turns: int = 0, system: str = "") -> ChatTree:
    tree = ChatTree(Session(id="talk", created=NOW, updated=NOW, model="m", system=system))
    perform(tree, SetPolicy(policy), NOW)
    for number in range(turns):
        do(tree, Send(said("q", number)), said("a", number))
    return tree


def said(who: str, number: int) -> str:
    return f"{who}{number} ".ljust(TURN, "x")


def next_turn(tree: ChatTree, room: Room = ROOM, size: int = TURN) -> Outcome:
    asked = Message("next", Role.USER, "next ".ljust(size, "x"), NOW, parent=tree.leaf)
    return decide(tree.session, [*tree.path(), asked], Ruler(), room)


def chat_on(tree: ChatTree, turns: int, first: int = 0) -> list[Outcome]:
    """Send as many questions, cutting as the policy says."""
    outcomes = []
    for number in range(first, first + turns):
        outcome = next_turn(tree)
        dropped = outcome.dropped
        told = "told" if outcome.summarise else dropped.begin.summary if dropped else ""
        do(tree, Send(said("q", number), dropped.cut if dropped else None, told), said("a", number))
        outcomes.append(outcome)
    return outcomes


def sent(tree: ChatTree) -> list[str]:
    """The first word of each line that an answer to the last question is made from."""
    return [
        line.text.split()[0]
        for line in compose(tree, tree.path()[-2].id).lines
        if line.role is not Role.SYSTEM
    ]


def test_full_drops_nothing_and_says_that_it_does_not_fit() -> None:
    tree = talk(Policy(), 4)
    outcome = next_turn(tree)
    assert outcome.dropped is None
    assert outcome.fits
    assert 0.9 < outcome.now.fill <= 1
    assert not next_turn(tree, size=4 * TURN).fits


def test_sliding_drops_much_at_once_and_then_nothing_for_many_turns() -> None:
    tree = talk(Policy(kind=PolicyKind.SLIDING))
    outcomes = chat_on(tree, 20)
    at = [index for index, outcome in enumerate(outcomes) if outcome.dropped]
    assert len(at) >= 3
    assert min(later - earlier for earlier, later in pairwise(at)) >= 2
    for outcome in outcomes:
        assert outcome.fits
    first = outcomes[at[0]].dropped
    assert first is not None
    assert first.cut.why is CutReason.FILL
    assert first.messages[0].text.startswith("q0")
    assert sent(tree)[-1] == "q19"
    starts = sent(tree)[0]
    assert starts.startswith("q"), "a conversation begins with a question"


def test_what_is_sent_between_two_cuts_only_grows_at_its_end() -> None:
    tree = talk(Policy(kind=PolicyKind.SLIDING))
    before: tuple[Line, ...] = ()
    grown = 0
    for number in range(14):
        (outcome,) = chat_on(tree, 1, number)
        lines = compose(tree, tree.path()[-2].id).lines
        if outcome.dropped is None:
            assert lines[: len(before)] == before
            grown += 1
        before = lines
    assert grown > 8


def test_a_hard_reset_starts_from_the_system_prompt() -> None:
    tree = talk(Policy(kind=PolicyKind.RESET), system="Be kind.")
    outcomes = chat_on(tree, 6)
    cut = next(outcome.dropped for outcome in outcomes if outcome.dropped)
    assert cut.cut.first is None
    assert "q0" not in sent(tree)
    assert compose(tree, tree.path()[-2].id).lines[0].text == "Be kind."


def test_a_reset_after_so_many_questions() -> None:
    tree = talk(Policy(kind=PolicyKind.RESET, turns=2))
    outcomes = chat_on(tree, 5)
    assert [bool(outcome.dropped) for outcome in outcomes] == [False, False, True, False, True]
    assert outcomes[2].dropped is not None
    assert outcomes[2].dropped.cut.why is CutReason.TURNS
    assert sent(tree) == ["q4"]


def test_a_soft_reset_keeps_the_last_messages() -> None:
    tree = talk(Policy(kind=PolicyKind.RESET, keep=2), 4)
    chat_on(tree, 1, 4)
    assert sent(tree) == ["q3", "a3", "q4"]


def test_a_soft_reset_keeps_no_more_than_fits() -> None:
    tree = talk(Policy(kind=PolicyKind.RESET, keep=50), 6)
    chat_on(tree, 1, 6)
    kept = sent(tree)
    assert kept[-1] == "q6"
    assert 1 < len(kept) < 10


def test_summarise_says_what_to_condense_and_leaves_room_for_it() -> None:
    tree = talk(Policy(kind=PolicyKind.SUMMARISE), 4)
    outcome = next_turn(tree)
    assert outcome.summarise
    assert outcome.dropped is not None
    assert [m.text.split()[0] for m in outcome.dropped.messages][:2] == ["q0", "a0"]
    chat_on(tree, 1, 4)
    assert compose(tree, tree.path()[-2].id).lines[0].text == "Summary of the conversation so far:\ntold"


def test_selective_keeps_pinned_messages_and_facts() -> None:
    tree = talk(Policy(kind=PolicyKind.SELECTIVE), 2)
    pinned = tree.path()[1]
    assert pinned.text.startswith("a0")
    do(tree, Pin(pinned.id))
    do(tree, SetFacts(("The robot is called Bo.",)))
    chat_on(tree, 8, 2)
    assert sent(tree)[:2] == ["q0", "a0"], "the answer, and the question without which it makes no sense"
    assert "q1" not in sent(tree)
    assert "called Bo" in compose(tree, tree.path()[-2].id).lines[0].text


def test_what_was_restored_is_dropped_again_only_when_nothing_else_helps() -> None:
    tree = talk(Policy(kind=PolicyKind.SLIDING), 3)
    tree.update(policy=Policy(kind=PolicyKind.SLIDING, fill=0.5))
    chat_on(tree, 1, 3)
    cut = next(m for m in tree.path() if m.cut)
    do(tree, Restore(cut.id))
    assert sent(tree)[0] == "q0"
    assert next_turn(tree).dropped is None
    assert next_turn(tree, size=4 * TURN).dropped is not None


def test_a_question_that_is_too_long_alone_does_not_fit_whatever_is_dropped() -> None:
    outcome = next_turn(talk(Policy(kind=PolicyKind.SLIDING), 3), size=4000)
    assert not outcome.fits


def test_a_cut_by_hand_counts_what_it_drops() -> None:
    tree = talk(Policy(), 2)
    cut = by_hand(tree.session, tree.path(), Ruler())
    assert (cut.messages, cut.why) == (4, CutReason.HAND)
    assert cut.tokens > 300


def test_the_gauge_accounts_for_every_token() -> None:
    tree = talk(Policy(kind=PolicyKind.SELECTIVE), 2, system="Be kind. " * 10)
    do(tree, Pin(tree.path()[0].id))
    do(tree, SetFacts(("Bo is a robot.",)))
    spent = next_turn(tree).now
    assert sum(spent.parts.values()) == spent.size.tokens
    assert spent.parts[Part.SYSTEM] > 20
    assert spent.parts[Part.PINNED] > 80
    assert spent.parts[Part.HISTORY] > spent.parts[Part.PINNED]
    assert spent.parts[Part.THINKING] == 0


def test_counted_lines_are_exact_and_estimates_learn_from_what_was_evaluated() -> None:
    lines = (Line(Role.USER, "hello there, how are you today? " * 30), Line(Role.ASSISTANT, "fine"))
    ruler = Ruler()
    assert not ruler.size(lines).exact
    ruler.calibrate(lines[1:], 40)
    assert ruler.size(lines[1:]).tokens < 20, "a short prompt teaches nothing"
    ruler.calibrate(lines, 250)
    assert ruler.size(lines).tokens == 250
    ruler.learn(lines, (9, 5), 17)
    assert ruler.size(lines) == (17, True)
    assert not ruler.size((*lines, Line(Role.USER, "new"))).exact


def test_what_is_remembered_of_lines_has_a_limit() -> None:
    ruler = Ruler()
    drafts = [(Line(Role.USER, f"{number} " + "word " * 1_000_000),) for number in range(20)]
    for lines in drafts:
        ruler.learn(lines, (7,), 9)
    assert ruler.size(drafts[-1]) == (9, True)
    assert not ruler.knows(drafts[0])


_SIZES = st.lists(st.integers(1, 900), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(_SIZES, st.sampled_from(list(PolicyKind)), st.integers(0, 6), st.data())
def test_whatever_is_said_what_is_sent_fits_and_ends_with_the_question(
    sizes: list[int], kind: PolicyKind, keep: int, data: st.DataObject
) -> None:
    tree = talk(Policy(kind=kind, keep=keep))
    for number, size in enumerate(sizes):
        asked = Message("next", Role.USER, f"q{number} ".ljust(size, "x"), NOW, parent=tree.leaf)
        branch = [*tree.path(), asked]
        outcome = decide(tree.session, branch, Ruler(), ROOM)
        alone = Ruler().size((Line(Role.USER, asked.text),)).tokens
        if kind is not PolicyKind.FULL:
            assert outcome.fits or alone > 0.6 * ROOM.prompt or any(m.pinned for m in branch)
        if not outcome.fits:
            continue
        do(tree, Send(asked.text, outcome.dropped.cut if outcome.dropped else None), said("a", number))
        lines = compose_branch(tree.session, tree.path()[:-1]).lines
        assert lines[-1].text.endswith(asked.text)
        assert Ruler().size(lines).tokens <= ROOM.prompt
        assert all(one.role is not other.role for one, other in pairwise(lines))
        if data.draw(st.integers(0, 9)) == 0:
            do(tree, Pin(tree.path()[-1].id))


@pytest.mark.parametrize("kind", PolicyKind)
def test_an_empty_conversation_drops_nothing(kind: PolicyKind) -> None:
    outcome = next_turn(talk(Policy(kind=kind)))
    assert outcome.dropped is None
    assert outcome.fits
