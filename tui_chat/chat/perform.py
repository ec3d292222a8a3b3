"""Carries out what a person does to a conversation tree. Nothing is ever lost by it.

Each act notes a step for its undo. Acts that want an answer put its place into the tree, so that one path
writes all answers, whatever they are answers to.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tui_chat.chat import steps
from tui_chat.chat.acts import (
    ActError,
    Asking,
    Compare,
    Continue,
    CutHere,
    Doing,
    Edit,
    EditAnswer,
    EditSummary,
    Effect,
    Marking,
    Name,
    Pin,
    Redo,
    Regenerate,
    Remove,
    Restore,
    Rewind,
    Send,
    SetFacts,
    SetPolicy,
    SetUp,
    Show,
    Telling,
    Undo,
)
from tui_chat.chat.branches import branch_start, question_of
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Act, Answer, FinishReason, Message, Role, Step
from tui_chat.chat.policy import Cut
from tui_chat.chat.routing import Route
from tui_chat.chat.setups import setup_of
from tui_chat.chat.tree import ChatTree


def perform(tree: ChatTree, doing: Doing, now: datetime) -> Effect:
    """Do it to `tree`, and note the step that undoes it.

    Raises:
        ActError: It is about a message that is not there, or of the wrong kind.
    """
    match doing:
        case Undo():
            return _undone(tree, steps.undo(tree, now))
        case Redo():
            step = steps.redo(tree)
            return Effect(step.act if step else None)
    before = tree.session
    effect = _do(tree, doing, now)
    assert effect.act is not None, "only undo and redo may find nothing to do"
    steps.note(tree, before, effect.act)
    return effect


def _do(tree: ChatTree, doing: Asking | Marking | Telling, now: datetime) -> Effect:
    if isinstance(doing, Asking):
        return _seek(tree, doing, now)
    if isinstance(doing, Marking):
        return _mark(tree, doing, now)
    return _tell(tree, doing, now)


def _seek(tree: ChatTree, doing: Asking, now: datetime) -> Effect:
    match doing:
        case Send(queued=queued):
            said = queued or Message(new_id(now), Role.USER, "", now)
            return _ask(tree, Act.SEND, msgspec.structs.replace(said, parent=tree.leaf), doing, now)
        case Edit(id):
            parent = _of(tree, id, Role.USER).parent
            return _ask(tree, Act.EDIT, Message(new_id(now), Role.USER, "", now, parent=parent), doing, now)
        case Regenerate(id, model, exactly):
            return _regenerate(tree, _message(tree, id), model, exactly, now)
        case Compare(id, models):
            return _compare(tree, question_of(tree, _message(tree, id)), models, now)
        case Continue(id):
            return _continue(tree, _of(tree, id, Role.ASSISTANT), now)


def _mark(tree: ChatTree, doing: Marking, now: datetime) -> Effect:
    match doing:
        case EditAnswer(id, text):
            return _edit_answer(tree, _of(tree, id, Role.ASSISTANT), text, now)
        case Show(id):
            tree.update(leaf=tree.deepest(_message(tree, id).id))
            return Effect(Act.SHOW)
        case Rewind(id):
            message = _of(tree, id, Role.USER)
            tree.update(leaf=message.parent)
            return Effect(Act.SHOW, draft=message.text, attachments=message.attachments)
        case Remove(id):
            _change(tree, _message(tree, id), removed=now)
            tree.mend_leaf()
            return Effect(Act.REMOVE)
        case Name(id, name):
            _change(tree, branch_start(tree, _message(tree, id).id), name=name.strip())
            return Effect(Act.NAME)
        case Pin(id):
            message = _message(tree, id)
            _change(tree, message, pinned=not message.pinned)
            return Effect(Act.PIN)


def _tell(tree: ChatTree, doing: Telling, now: datetime) -> Effect:
    match doing:
        case SetUp():
            return _set_up(tree, doing, now)
        case SetPolicy(policy):
            tree.update(policy=policy)
            return Effect(Act.POLICY)
        case SetFacts(facts):
            tree.update(facts=tuple(fact.strip() for fact in facts if fact.strip()))
            return Effect(Act.FACTS)
        case CutHere(cut, summary):
            tree.add(_cut_node(tree.leaf, cut, summary, now))
            return Effect(Act.CUT)
        case Restore(id):
            cut = _cut(_message(tree, id))
            _change(tree, tree.get(id), cut=msgspec.structs.replace(cut, restored=True))
            return Effect(Act.RESTORE)
        case EditSummary(id, text):
            _cut(_message(tree, id))
            _change(tree, tree.get(id), text=text.strip())
            return Effect(Act.SUMMARY)


def _message(tree: ChatTree, id: str) -> Message:
    if id not in tree:
        raise ActError(f"there is no message {id}")
    return tree.get(id)


def _of(tree: ChatTree, id: str, role: Role) -> Message:
    message = _message(tree, id)
    if message.role is not role:
        raise ActError(f"message {id} is no {role} message")
    return message


def _cut(message: Message) -> Cut:
    if message.cut is None:
        raise ActError(f"nothing was cut at {message.id}")
    return message.cut


def _change(tree: ChatTree, message: Message, **fields: object) -> None:
    tree.replace(msgspec.structs.replace(message, **fields))


def _ask(tree: ChatTree, act: Act, asked: Message, doing: Send | Edit, now: datetime) -> Effect:
    _answering(tree, doing.route.model if doing.route else None)
    asked = msgspec.structs.replace(asked, text=doing.text, attachments=doing.attachments)
    if doing.route is not None and doing.route.model != tree.session.model:
        tree.update(model=doing.route.model)
    if doing.cut is not None:
        node = _put(tree, _cut_node(asked.parent, doing.cut, doing.summary, now))
        asked = msgspec.structs.replace(asked, parent=node.id)
    tree.add(asked)
    return Effect(act, (_place(tree, asked, now, route=doing.route),))


def _compare(tree: ChatTree, asked: Message, models: tuple[str, ...], now: datetime) -> Effect:
    if not models:
        raise ActError("there is no model to compare")
    answers = tuple(_place(tree, asked, now, model) for model in models)
    tree.update(leaf=answers[0].id)
    return Effect(Act.COMPARE, answers)


def _answering(tree: ChatTree, model: str | None = None) -> str:
    """The model that is to answer; nothing may have been changed before it is known."""
    chosen = model or tree.session.model
    if chosen is None:
        raise ActError("there is no model to answer")
    return chosen


def _place(
    tree: ChatTree, asked: Message, now: datetime, model: str | None = None, route: Route | None = None
) -> Message:
    """Make the place of an answer to `asked`, as the branch says it is to be made."""
    sampling = setup_of(tree, asked.id).sampling
    source = Answer(model=_answering(tree, model), sampling=sampling, route=route.words if route else "")
    return _put(tree, Message(new_id(now), Role.ASSISTANT, "", now, parent=asked.id, answer=source))


def _put(tree: ChatTree, message: Message) -> Message:
    tree.add(message)
    return message


def _regenerate(tree: ChatTree, message: Message, model: str | None, exactly: bool, now: datetime) -> Effect:
    asked = question_of(tree, message)
    if not exactly:
        return Effect(Act.REGENERATE, (_place(tree, asked, now, model),))
    old = message.answer
    if old is None or old.edited:
        raise ActError(f"message {message.id} is no answer that can be made again")
    seed = old.sampling.seed if old.seed is None else old.seed
    source = Answer(model=old.model, sampling=msgspec.structs.replace(old.sampling, seed=seed))
    again = Message(new_id(now), Role.ASSISTANT, "", now, parent=asked.id, answer=source)
    return Effect(Act.REGENERATE, (_put(tree, again),))


def _edit_answer(tree: ChatTree, old: Message, text: str, now: datetime) -> Effect:
    assert old.answer is not None, "every assistant's message has one"
    source = Answer(
        model=old.answer.model, sampling=old.answer.sampling, finish=FinishReason.STOP, edited=True
    )
    tree.add(Message(new_id(now), Role.ASSISTANT, text, now, parent=old.parent, answer=source))
    return Effect(Act.EDIT_ANSWER)


def _continue(tree: ChatTree, old: Message, now: datetime) -> Effect:
    """Put a longer answer in the place of `old`, or beside it if something follows that."""
    if old.in_flight:
        raise ActError(f"answer {old.id} is still being written")
    asked = question_of(tree, old)
    source = Answer(model=_answering(tree), sampling=setup_of(tree, asked.id).sampling, continues=old.id)
    begun = msgspec.structs.replace(old, id=new_id(now), created=now, answer=source, removed=None)
    if not tree.children(old.id):
        _change(tree, old, removed=now)
    return Effect(Act.CONTINUE, (_put(tree, begun),))


def _set_up(tree: ChatTree, doing: SetUp, now: datetime) -> Effect:
    """Change the session itself while nothing has been said; afterwards put a node into the tree."""
    setup = doing.setup
    if doing.model is not None:
        tree.update(model=doing.model)
    if doing.policy is not None:
        tree.update(policy=doing.policy)
    if any(message.said for message in tree.path()):
        tree.add(Message(new_id(now), Role.SYSTEM, "", now, parent=tree.leaf, setup=setup))
    else:
        tree.update(system=setup.system, sampling=setup.sampling, preset=setup.preset)
    return Effect(Act.SETUP)


def _cut_node(parent: str | None, cut: Cut, summary: str, now: datetime) -> Message:
    return Message(new_id(now), Role.SYSTEM, summary.strip(), now, parent=parent, cut=cut)


def _undone(tree: ChatTree, step: Step | None) -> Effect:
    """Tell what was undone; what had been sent is given back, to be written anew."""
    if step is None:
        return Effect()
    added = (tree.get(each) for each in step.added if each in tree)
    asked = next((message for message in added if message.role is Role.USER), None)
    if asked is None:
        return Effect(step.act)
    return Effect(step.act, draft=asked.text, attachments=asked.attachments)
