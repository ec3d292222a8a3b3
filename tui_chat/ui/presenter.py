"""Turns what happens to a conversation into what the screen shows. Decides nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from textual.content import Content

from tui_chat.chat.averages import averages_of
from tui_chat.chat.model import Message, Problem, Role
from tui_chat.client.changes import (
    Access,
    Change,
    Condensing,
    EngineNews,
    MessageAdded,
    MessageSettled,
    Progressed,
    Raised,
    Reloaded,
    SampleRead,
    Sent,
    SessionChanged,
    Streamed,
)
from tui_chat.ui import words
from tui_chat.ui.alarms import alarms
from tui_chat.ui.facts import Facts
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.panels import SPEED, Panel, Trends, panels
from tui_chat.ui.sentences import with_keys
from tui_chat.ui.speed import Speed
from tui_chat.ui.telling import QUEUED, ended_early, notice_item, user_item
from tui_chat.ui.thread import Thread
from tui_chat.ui.widgets.lines import Status, Title
from tui_chat.wire.events import Loading, Waiting

if TYPE_CHECKING:
    from tui_chat.client.conversation import Conversation
    from tui_chat.client.foresight import Outlook
    from tui_chat.ui.transcript.items import NoticeItem
    from tui_chat.ui.transcript.view import Transcript
    from tui_chat.wire.api import ModelInfo

log = logging.getLogger("tui_chat.ui")

CATCH_UP_S = 0.5
"""After opening, what was streamed before arrives at once; it says nothing about speed."""


class Screen(Protocol):
    """What the presenter needs of the screen it presents on."""

    @property
    def there(self) -> bool:
        """Whether there is still something to show news on: when the app is left, its parts go first."""
        ...

    @property
    def transcript(self) -> Transcript:
        """The conversation."""
        ...

    def show_title(self, title: Title) -> None:
        """Show the title line."""

    def show_status(self, status: Status) -> None:
        """Show the status line."""

    def show_banner(self, text: str) -> None:
        """Show a line that stays, or none."""

    @property
    def has_room_beside(self) -> bool:
        """Whether there is room for panels beside the conversation."""
        ...

    def show_panels(self, panels: Mapping[str, Panel | None]) -> None:
        """Show the panels beside the conversation."""

    def alarm(self, text: str) -> None:
        """Say something that must be read now."""

    def show_empty(self, text: Content | None) -> None:
        """Show what stands in place of a conversation without messages."""

    def show_hints(self) -> None:
        """Bring the key hints up to date."""

    def give_back(self, draft: str) -> None:
        """Put text that could not be sent back into the input."""

    def weigh_draft(self) -> None:
        """Find out anew what sending what is typed would take, as nobody could tell before."""


class Presenter:
    """Follows one conversation at a time."""

    def __init__(self, screen: Screen, keymap: Keymap) -> None:
        self._screen = screen
        self._conversation: Conversation | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._facts = Facts(keymap=keymap)
        self._speed = Speed()
        self._trends = Trends()
        self._count_from = 0.0
        self._notices: list[tuple[str | None, Problem]] = []
        self._raised: Problem | None = None

    # What is shown

    def attach(self, conversation: Conversation) -> None:
        """Show `conversation` from now on."""
        self._conversation = conversation
        self._notices.clear()
        self._raised = None
        self._unsubscribe = conversation.subscribe(self.hear)
        self._count_from = monotonic() + CATCH_UP_S
        self._reload()
        for problem in conversation.notices:
            self.notice(problem)

    def detach(self) -> None:
        """Stop following the conversation."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._conversation = self._unsubscribe = None

    def hear(self, change: Change) -> None:
        """Render one change; one that cannot be is logged, and the conversation goes on."""
        if not self._screen.there:
            return
        try:
            self._render(change)
        except Exception:
            log.exception("cannot render %s", type(change).__name__)  # what was said is nothing for a log

    @property
    def facts(self) -> Facts:
        """What is known of the conversation."""
        return self._facts

    @property
    def has_models(self) -> bool:
        """Whether there is a model on this machine, or it is not known yet."""
        return self._facts.models is None or bool(self._facts.models)

    def name_of(self, model: str) -> str:
        """Write a model's name as people know it."""
        return self._facts.name_of(model)

    def resident(self, model: str) -> bool:
        """Whether a model is in memory or on its way there, as far as the engine has told."""
        residents = self._facts.engine.residents if self._facts.engine else ()
        return any(m.is_called(model) and (m.state.in_memory or m.state.on_its_way) for m in residents)

    @property
    def loading(self) -> str | None:
        """The id of this chat's model while it is on its way into memory."""
        return self._facts.loading.id if self._facts.loading else None

    @property
    def tokens(self) -> int:
        """How many tokens the conversation has, as its newest answer was counted; 0 while unknown."""
        return self._facts.tokens

    @property
    def answering(self) -> bool:
        """Whether an answer is on its way."""
        return self._conversation is not None and self._conversation.live is not None

    @property
    def failed(self) -> bool:
        """Whether trying again makes sense: the newest answer is incomplete, missing, or a message waits."""
        held = self._conversation is not None and bool(self._conversation.queued)
        path = self._facts.path
        return held or (bool(path) and (path[-1].role is Role.USER or ended_early(path[-1])))

    @property
    def held(self) -> bool:
        """Whether answers wait, or are slowed down, because something is too hot."""
        hot = self._facts.engine.hot if self._facts.engine else ()
        return any(each.held or each.slowed for each in hot)

    @property
    def last_answer(self) -> Message | None:
        """The newest answer that has said something."""
        return next((m for m in reversed(self._facts.path) if m.role is Role.ASSISTANT and m.text), None)

    def notice(self, problem: Problem) -> None:
        """Write a problem that belongs to no answer into the transcript, once."""
        if problem == self._raised or not self._screen.there:
            return
        self._raised = problem
        path = self._facts.path
        self._notices.append((path[-1].id if path else None, problem))
        self._screen.transcript.append(self._notice_items()[-1][1])
        self.refresh()

    def _notice_items(self) -> list[tuple[str | None, NoticeItem]]:
        keymap, numbered = self._facts.keymap, enumerate(self._notices)
        return [(after, notice_item(f"notice-{at}", problem, keymap)) for at, (after, problem) in numbered]

    def use_keymap(self, keymap: Keymap) -> None:
        """Name the keys of `keymap` from now on, in what is on the screen already, too."""
        self._facts.keymap = keymap
        if self._conversation is not None:
            self._reload()

    def know_models(self, models: Sequence[ModelInfo]) -> None:
        """Take note of the models of this machine."""
        before, self._facts.models = self._facts.models, models
        if self._conversation is not None and models != before:
            self._reload()

    def greet(self) -> None:
        """Say what was found on this machine, until something is said: no chat is kept yet."""
        self._facts.first = True
        self.refresh()

    def expect(self, outlook: Outlook | None) -> None:
        """Say what sending what stands in the input would take."""
        before, self._facts.outlook = self._facts.outlook, outlook
        if _dropped(before) != _dropped(outlook):
            self._reload()
        elif outlook != before:
            self.refresh()

    def edit(self, message: Message | None) -> None:
        """Say that a message is being written anew, or no longer."""
        self._facts.editing = message is not None
        self.refresh()

    def busy(self, text: str) -> None:
        """Say what else is going on, such as a download; empty when it is over."""
        self._facts.busy_with = text
        self.refresh()

    def fetching(self, text: str) -> None:
        """Say how far a server is with fetching a model; empty when none does."""
        self._facts.fetching = text
        self.refresh()

    def refresh(self) -> None:
        """Bring everything around the transcript up to date."""
        if not self._screen.there:
            return
        facts, conversation = self._facts, self._conversation
        if conversation is not None:
            live = conversation.live
            facts.session = conversation.session
            facts.ephemeral = conversation.ephemeral
            facts.queued = len(conversation.queued)
            facts.live = live
            facts.following = self._screen.transcript.following
            facts.speed = self._speed.per_second() if live else None
            self._trends.note(SPEED, facts.speed)
            following = conversation.access is Access.FOLLOWER
            self._screen.show_banner(_following(conversation.holder, facts.keymap) if following else "")
        facts.first = facts.first and not facts.path
        self._tell_stage()
        facts.beside = self._screen.has_room_beside
        self._screen.show_title(facts.title())
        self._screen.show_status(facts.status())
        self._screen.show_panels(panels(facts, self._trends))
        self._screen.show_empty(None if facts.path or self._notices else facts.invitation())
        self._screen.show_hints()

    # What happens

    def _render(self, change: Change) -> None:
        match change:
            case Streamed(id, text, channel, tokens):
                if self._screen.transcript.shows(id):  # or else it is written on another branch
                    if monotonic() >= self._count_from:
                        self._speed.count(tokens)
                    self._screen.transcript.stream(id, text, channel)
                return
            case Progressed() | MessageSettled() | Condensing():
                self._render_progress(change)
            case MessageAdded(message, queued):
                self._add(message, queued=queued)
            case Sent() | Reloaded():
                self._reload()
            case Raised(problem, draft):
                self.notice(problem)
                if draft:
                    self._screen.give_back(draft)
            case EngineNews() | SampleRead():
                self._hear_engine(change)
            case SessionChanged():
                self._weigh()
        self.refresh()

    def _hear_engine(self, change: EngineNews | SampleRead) -> None:
        match change:
            case EngineNews(link, state):
                for alarm in alarms(self._facts.engine, state, self._facts.keymap):
                    self._screen.alarm(alarm)
                self._facts.link, self._facts.engine = link, state
                if state is None:
                    self._facts.sample = None
            case SampleRead(sample):
                self._facts.sample = sample
                if sample is not None:
                    self._trends.read(sample)

    def _render_progress(self, change: Progressed | MessageSettled | Condensing) -> None:
        transcript = self._screen.transcript
        match change:
            case Progressed(id, phase):
                if transcript.shows(id):
                    transcript.phase(id, self._facts.phase(phase))
            case MessageSettled(message):
                thread = self._thread()
                if transcript.shows(message.id):
                    transcript.settle(thread.answer(message))
                self._screen.weigh_draft()
            case Condensing(messages):
                waited, self._facts.busy_with = self._facts.busy_with, words.condensing(change)
                if not waited or not messages:
                    self._reload()  # what is queued waits for something else now

    def _tell_stage(self) -> None:
        """Say anew what the answer in flight waits for: the engine tells more of a load than its progress."""
        live, transcript = self._facts.live, self._screen.transcript
        if live is not None and isinstance(live.phase, Loading | Waiting) and transcript.shows(live.id):
            transcript.phase(live.id, self._facts.phase(live.phase))

    def _add(self, message: Message, *, queued: bool) -> None:
        self._raised = None
        transcript = self._screen.transcript
        before = self._facts.path[-1] if self._facts.path else None
        thread = self._thread()
        if before is not None and ended_early(before) and transcript.shows(before.id):
            transcript.update(thread.answer(before))
        if message.in_flight:
            self._speed.reset()
            self._trends.forget(SPEED)
            transcript.append(thread.answer(message))
        else:
            transcript.append(user_item(message, QUEUED) if queued else thread.question(message))

    def _reload(self) -> None:
        """Draw everything afresh, the answer in flight with what it has said so far."""
        assert self._conversation is not None
        if not self._screen.there:
            return
        self._facts.branches = max(1, len(self._conversation.tree.leaves()))
        self._screen.transcript.set_items(self._thread().items(self._notice_items()))
        self.refresh()

    def _thread(self) -> Thread:
        """The branch as it is now."""
        assert self._conversation is not None
        thread = Thread(self._conversation, self._facts)
        self._facts.path = thread.path
        self._weigh()
        return thread

    def _weigh(self) -> None:
        """Find out anew how the context is spent."""
        facts, conversation = self._facts, self._conversation
        if conversation is not None:
            facts.session = conversation.session
            facts.averages = averages_of(facts.session)
            facts.spent = conversation.spent(facts.model) if facts.model and facts.path else None


def _following(holder: str, keymap: Keymap) -> str:
    keys = with_keys("{session.take_over:take over} · {session.fork:fork}", keymap)
    return f"open elsewhere ({holder}), read-only here · {keys}"


def _dropped(outlook: Outlook | None) -> object:
    return outlook.outcome.dropped if outlook is not None else None
