"""What is done to a tree: nothing is lost by it, and all of it can be undone and done again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acts import KINDS, NOW, do, some_act
from tui_chat.chat.acts import (
    ActError,
    Compare,
    Continue,
    CutHere,
    Doing,
    Edit,
    EditAnswer,
    EditSummary,
    Name,
    Redo,
    Regenerate,
    Remove,
    Restore,
    Rewind,
    Send,
    SetUp,
    Show,
    Undo,
)
from tui_chat.chat.branches import forked, name_of
from tui_chat.chat.compose import compose
from tui_chat.chat.model import Act, Answer, Message, Role, Sampling, Session, Setup
from tui_chat.chat.perform import perform
from tui_chat.chat.policy import Cut, CutReason, PolicyKind
from tui_chat.chat.setups import setup_of
from tui_chat.chat.tree import ChatTree, check_tree


def new_tree() -> ChatTree:
    return ChatTree(Session(id="talk", created=NOW, updated=NOW, model="smol"))


def shown(tree: ChatTree) -> list[str]:
    return [message.text for message in tree.path()]


def view(tree: ChatTree) -> object:
    """All that a person sees of a tree: what is there, how it is marked, and where they are."""
    session = tree.session
    there = tuple(message for message in session.messages if not tree.is_removed(message.id))
    rest = {
        f: getattr(session, f) for f in ("leaf", "model", "system", "sampling", "policy", "facts", "preset")
    }
    return there, rest


def test_an_edited_message_is_a_sibling_and_the_old_one_stays() -> None:
    tree = new_tree()
    do(tree, Send("a story about a robot"), "once")
    first = tree.path()[0]
    do(tree, Edit(first.id, "a poem about a robot"), "roses")
    assert shown(tree) == ["a poem about a robot", "roses"]
    assert [m.text for m in tree.siblings(tree.path()[0].id)] == [
        "a story about a robot", "a poem about a robot",
    ]  # fmt: skip
    do(tree, Show(first.id))
    assert shown(tree) == ["a story about a robot", "once"]


def test_an_answer_is_made_again_by_the_same_or_another_model() -> None:
    tree = new_tree()
    (first,) = do(tree, Send("hi"), "one")
    (second,) = do(tree, Regenerate(first.id), "two")
    (third,) = do(tree, Regenerate(second.id, model="other"), "three")
    assert [m.text for m in tree.siblings(third.id)] == ["one", "two", "three"]
    assert [m.answer.model for m in tree.siblings(third.id) if m.answer] == ["smol", "smol", "other"]
    assert tree.session.model == "smol", "only this answer was another model's"


def test_exactly_again_means_the_same_model_sampling_and_seed() -> None:
    tree = new_tree()
    (first,) = do(tree, Send("hi"))
    perform(tree, SetUp(Setup(sampling=Sampling(temperature=0.1)), model="other"), NOW)
    again = perform(tree, Regenerate(first.id, exactly=True), NOW).answers[0].answer
    assert again == Answer(model="smol", sampling=Sampling(seed=7))


def test_several_models_answer_beside_each_other() -> None:
    tree = new_tree()
    (first,) = do(tree, Send("hi"))
    answers = do(tree, Compare(first.id, ("a", "b", "c")))
    assert tree.leaf == answers[0].id
    assert len(tree.siblings(first.id)) == 4


def test_an_answer_goes_on_where_it_ended() -> None:
    tree = new_tree()
    (partial,) = do(tree, Send("count"), "one, two")
    (whole,) = do(tree, Continue(partial.id), ", three")
    assert whole.text == "one, two, three"
    assert whole.answer is not None
    assert whole.answer.continues == partial.id
    assert shown(tree) == ["count", "one, two, three"]
    assert len(tree.siblings(whole.id)) == 1, "the shorter one is out of the way"
    do(tree, Undo())
    assert shown(tree) == ["count", "one, two"]
    do(tree, Redo())
    assert shown(tree) == ["count", "one, two, three"]


def test_an_answer_that_something_follows_stays_when_it_goes_on() -> None:
    tree = new_tree()
    (partial,) = do(tree, Send("count"), "one")
    do(tree, Send("thanks"))
    do(tree, Continue(partial.id), ", two")
    assert [m.text for m in tree.siblings(partial.id)] == ["one", "one, two"]


def test_an_edited_answer_is_what_the_model_reads_from_then_on() -> None:
    tree = new_tree()
    (answer,) = do(tree, Send("hi"), "Good day.")
    do(tree, EditAnswer(answer.id, "Ahoy!"))
    edited = tree.path()[-1]
    assert edited.answer is not None
    assert edited.answer.edited
    do(tree, Send("more"))
    assert "Ahoy!" in [line.text for line in compose(tree, tree.path()[-2].id).lines]


def test_a_removed_branch_leaves_the_one_beside_it_and_comes_back_whole() -> None:
    tree = new_tree()
    (first,) = do(tree, Send("hi"), "one")
    (second,) = do(tree, Regenerate(first.id), "two")
    do(tree, Send("more"), "three")
    do(tree, Remove(second.id))
    assert shown(tree) == ["hi", "one"]
    assert len(tree.leaves()) == 1
    do(tree, Undo())
    assert shown(tree) == ["hi", "two", "more", "three"]
    do(tree, Redo())
    assert shown(tree) == ["hi", "one"]


def test_undoing_a_send_gives_the_text_back() -> None:
    tree = new_tree()
    do(tree, Send("first"))
    do(tree, Send("secnd"))
    effect = perform(tree, Undo(), NOW)
    assert (effect.act, effect.draft) == (Act.SEND, "secnd")
    assert shown(tree) == ["first", "an answer"]
    assert perform(tree, Rewind(tree.path()[0].id), NOW).draft == "first"
    assert shown(tree) == []


def test_walking_about_is_one_step_and_none_when_it_leads_back() -> None:
    tree = new_tree()
    (first,) = do(tree, Send("hi"), "one")
    (second,) = do(tree, Regenerate(first.id), "two")
    steps = len(tree.session.steps)
    for each in (first.id, second.id, first.id):
        do(tree, Show(each))
    assert len(tree.session.steps) == steps + 1
    do(tree, Show(second.id))
    assert len(tree.session.steps) == steps
    do(tree, Show(first.id))
    do(tree, Undo())
    assert tree.leaf == second.id


def test_a_branch_has_a_name_from_where_it_begins() -> None:
    tree = new_tree()
    (first,) = do(tree, Send("hi"), "one")
    (second,) = do(tree, Regenerate(first.id), "two")
    (end,) = do(tree, Send("more"), "three")
    do(tree, Name(end.id, " haiku "))
    assert tree.get(second.id).name == "haiku"
    assert name_of(tree, end.id) == "haiku"
    assert name_of(tree, first.id) == ""


def test_a_setup_holds_from_where_it_was_made() -> None:
    tree = new_tree()
    perform(tree, SetUp(Setup("Be kind.", preset="assistant")), NOW)
    assert tree.session.system == "Be kind.", "nothing was said yet"
    (first,) = do(tree, Send("hi"))
    perform(tree, SetUp(Setup("Be terse.", Sampling(temperature=0))), NOW)
    (later,) = do(tree, Send("more"))
    assert later.answer is not None
    assert later.answer.sampling == Sampling(temperature=0)
    assert compose(tree, later.parent).lines[0].text == "Be terse."
    assert setup_of(tree, first.id).preset == "assistant"
    assert compose(tree, first.parent).lines[0].text == "Be kind."


def test_a_cut_can_be_restored_and_its_summary_edited() -> None:
    tree = new_tree()
    do(tree, Send("a"), "b")
    perform(tree, CutHere(Cut(None, CutReason.HAND, PolicyKind.SUMMARISE, 2), "They spoke."), NOW)
    node = tree.path()[-1]
    do(tree, Send("c"), "d")
    asked = tree.path()[-2].id
    assert [line.text for line in compose(tree, asked).lines] == [
        "Summary of the conversation so far:\nThey spoke.", "c",
    ]  # fmt: skip
    do(tree, EditSummary(node.id, "They spoke of a and b."))
    assert compose(tree, asked).lines[0].text.endswith("a and b.")
    do(tree, Restore(node.id))
    assert [line.text for line in compose(tree, asked).lines] == ["a", "b", "c"]
    do(tree, Undo())
    do(tree, Undo())
    assert compose(tree, asked).lines[0].text.endswith("They spoke.")


def test_a_fork_is_a_session_of_its_own_that_knows_where_it_comes_from() -> None:
    tree = new_tree()
    tree.update(title="Robots", queued=(Message("q", Role.USER, "later", NOW),))
    (first,) = do(tree, Send("hi"), "one")
    do(tree, Send("more"))
    fork = forked(tree.session, first.id, NOW)
    assert [m.text for m in ChatTree(fork).path()] == ["hi", "one"]
    assert fork.id != "talk"
    assert (fork.title, fork.queued, fork.steps) == ("Robots", (), ())
    assert fork.origin is not None
    assert (fork.origin.session, fork.origin.message) == ("talk", first.id)


@pytest.mark.parametrize(
    "doing",
    [
        lambda q, a: Edit(a, "x"),
        lambda q, a: Continue(q),
        lambda q, a: EditAnswer(q, "x"),
        lambda q, a: Restore(a),
        lambda q, a: Show("nobody"),
        lambda q, a: Compare(q, ()),
        lambda q, a: Regenerate(q, exactly=True),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(doing: Callable[[str, str], Doing]) -> None:
    tree = new_tree()
    (answer,) = do(tree, Send("hi"))
    before = tree.session
    with pytest.raises(ActError):
        perform(tree, doing(answer.parent or "", answer.id), NOW)
    assert tree.session == before


def test_without_a_model_nothing_is_changed() -> None:
    tree = new_tree()
    tree.update(model=None)
    before = tree.session
    with pytest.raises(ActError):
        perform(tree, Send("hi", Cut(None, CutReason.HAND, PolicyKind.FULL)), NOW)
    assert tree.session == before


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 50)), max_size=40))
def test_whatever_is_done_nothing_is_lost_and_all_of_it_can_be_undone(acts: list[tuple[str, int]]) -> None:
    tree = new_tree()
    ever: dict[str, Message] = {}
    for kind, number in acts:
        doing = some_act(tree, kind, number)
        if doing is None:
            continue
        do(tree, doing, f"answer {number}")
        session = tree.session
        check_tree(session.messages)
        now = {m.id: m for m in session.messages}
        assert all(now[each].text == m.text for each, m in ever.items() if m.said), (
            "every word is still there"
        )
        ever |= now
        assert tree.leaf is None or not tree.is_removed(tree.leaf)
        assert all(not m.in_flight for m in session.messages)
    seen = [view(tree)]
    while tree.session.steps:
        perform(tree, Undo(), NOW)
        seen.append(view(tree))
    assert not [m for m in tree.session.messages if not tree.is_removed(m.id)], "back at the beginning"
    for expected in reversed(seen):
        assert view(tree) == expected
        perform(tree, Redo(), NOW)
