"""One open conversation: what the user does to it, and how the answers come into it.

Every way to get an answer (send, retry, a queued message whose turn has come) goes through
`_begin`. The order is fixed: on disk first, then to the engine, then to the screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tui_chat.chat.compose import compose
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Answer, FinishReason, Message, Problem, ProblemCode, Role, Session
from tui_chat.chat.title import title_for
from tui_chat.chat.tree import ChatTree
from tui_chat.client.changes import (
    Access,
    Change,
    MessageAdded,
    MessageSettled,
    Raised,
    Reloaded,
    Sent,
    SessionChanged,
)
from tui_chat.client.errors import EngineError
from tui_chat.client.foresight import Outlook, foresee
from tui_chat.client.live import Errand, LiveAnswer, follow_answer
from tui_chat.client.problems import fell_back, held_on, no_model, read_only
from tui_chat.store.errors import StoreError
from tui_chat.store.journal import JournalState, fold
from tui_chat.wire.api import GenerateRequest, LoadRequest, Turn
from tui_chat.wire.events import Event

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.store.sessions import OpenSession

FOLLOW_S = 0.5
"""How often a follower looks whether the writer has saved."""

HANDOVER_S = 8.0
"""How long a terminal that was asked to leave may take; one whose line is dead needs four seconds."""

Listener = Callable[[Change], None]


class Conversation:
    """A session with its live answer and queue. All methods run on one event loop."""

    def __init__(self, workspace: Workspace, session: Session, file: OpenSession | None) -> None:
        self._workspace = workspace
        self._file = file
        self._listeners: list[Listener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving = asyncio.Lock()
        self._let_go = asyncio.Event()  # by the terminal that held the session when we opened it
        self.tree = ChatTree(session)
        self.live: LiveAnswer | None = None
        self._wanted: LoadRequest | None = None

    @property
    def session(self) -> Session:
        """The session as it is now."""
        return self.tree.session

    @property
    def queued(self) -> tuple[Message, ...]:
        """Messages waiting for their turn, oldest first."""
        return self.session.queued

    @property
    def wanted(self) -> LoadRequest | None:
        """How the model is to be loaded, if that was chosen here."""
        wanted = self._wanted
        return wanted if wanted is not None and wanted.model == self.session.model else None

    @property
    def access(self) -> Access:
        """Whether we may change it."""
        return Access.WRITER if self._file is None or self._file.writable else Access.FOLLOWER

    @property
    def holder(self) -> str:
        """Who else has it open, for a follower, such as "pid 4242"."""
        holder = self._file.holder if self._file is not None else None
        return f"pid {holder.pid}" if holder is not None else "another terminal"

    @property
    def notices(self) -> tuple[Problem, ...]:
        """What was found wrong and mended while opening."""
        return self._file.notices if self._file is not None else ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every change from now on; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _publish(self, change: Change) -> None:
        for listener in list(self._listeners):
            listener(change)

    async def send(self, text: str) -> bool:
        """Send a message, or queue it behind the answer in flight.

        Returns:
            False when it was refused; a `Raised` with the text as draft says why. Nothing is lost.
        """
        if refusal := self._refusal():
            self._publish(Raised(refusal, draft=text))
            return False
        message = self._message(text)
        if (outlook := await self._foresee(message)) and (refusal := outlook.refusal):
            self._publish(Raised(refusal, draft=text))
            return False
        before = self.session
        if not before.title:
            self.tree.update(title=title_for(text))
        if self.live or self.queued:
            self.tree.update(queued=(*self.queued, message))
            if await self._saved(before, draft=text):
                self._publish(MessageAdded(message, queued=True))
                return True
            return False
        self.tree.add(message)
        if await self._begin(message, before, draft=text):
            self._publish(SessionChanged())
            return True
        return False

    async def foresee(self, text: str) -> Outlook | None:
        """Find out what sending `text` now would take; None where it surely fits, or nobody can tell."""
        return await self._foresee(self._message(text)) if text.strip() else None

    async def _foresee(self, message: Message) -> Outlook | None:
        if self.live or self.queued or self.session.model is None:
            return None  # by the time of its turn, all is different
        return await foresee(self._workspace, self.tree, message)

    def _message(self, text: str) -> Message:
        return Message(new_id(), Role.USER, text, datetime.now(UTC), parent=self.tree.leaf)

    async def retry(self) -> None:
        """Send what waits; or else answer the last user message again, beside the answers it has."""
        if self.live:
            return
        if refusal := self._refusal():
            self._publish(Raised(refusal))
        elif self.queued:
            await self._send_next()
        elif asked := next((m for m in reversed(self.tree.path()) if m.role is Role.USER), None):
            before = self.session
            self.tree.update(leaf=asked.id)
            if await self._begin(asked, before, shown=True):
                self._publish(Reloaded())

    async def cancel(self) -> None:
        """Stop the answer in flight; what it said so far stays."""
        if self.live is None:
            return
        try:
            await self._workspace.engine_client.cancel(self.live.id)
        except EngineError as error:
            self._publish(Raised(error.problem))

    async def unqueue(self, id: str) -> str:
        """Take a queued message back; returns its text, or "" if it stays because its turn has come."""
        before = self.session
        taken = next((m for m in before.queued if m.id == id), None)
        if taken is None:
            return ""
        self.tree.update(queued=tuple(m for m in before.queued if m.id != id))
        saved = await self._saved(before)
        self._publish(Reloaded())
        return taken.text if saved else ""

    async def rename(self, title: str) -> None:
        """Give the session a title that stays."""
        await self._change(title=title.strip(), titled_by_user=True)

    async def choose_model(self, id: str, wanted: LoadRequest | None = None) -> None:
        """Answer with another model from the next message on, loaded as `wanted` if that is given."""
        self._wanted = wanted
        await self._change(model=id)

    async def fork(self) -> Conversation:
        """Copy the settled conversation into a new session of our own."""
        return await self._workspace.fork(self.session)

    async def take_over(self) -> None:
        """End the terminal that holds the session, and write here from then on.

        Nothing is lost by that: its draft is on disk, and the answer in flight is the engine's.
        """
        if self._file is None or self.access is Access.WRITER:
            return
        holder = self.holder
        asked = await asyncio.to_thread(self._file.ask_holder_to_leave)
        if asked:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._let_go.wait(), HANDOVER_S)
        if self.access is Access.FOLLOWER:
            self._publish(Raised(held_on(holder)))

    async def close(self) -> None:
        """Let go of the session. An answer in flight runs on in the engine, journalled."""
        async with self._saving:
            for task in list(self._tasks):
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._file is not None:
            await asyncio.to_thread(self._file.close)

    def resume(self) -> None:
        """After opening: take up the answers still being written; watch the writer if we are not it."""
        flying = [m for m in self.session.messages if m.in_flight]
        shown = {m.id for m in self.tree.path()}
        for answer in flying:
            if answer.id in shown:
                self.live = LiveAnswer.starting(answer.id)
            if answer.id in shown or self.access is Access.WRITER:
                self._spawn(self._receive(answer, None))
        if self.access is Access.FOLLOWER:
            self._spawn(self._watch_writer())

    async def _begin(self, asked: Message, before: Session, draft: str = "", *, shown: bool = False) -> bool:
        """Put the place of an answer to `asked` on disk, then have it written.

        `shown` tells that the views have `asked` already.
        """
        session = self.session
        assert session.model is not None, "refused before"
        source = Answer(model=session.model, sampling=session.sampling)
        answer = Message(new_id(), Role.ASSISTANT, "", datetime.now(UTC), parent=asked.id, answer=source)
        self.tree.add(answer)
        self.live = LiveAnswer.starting(answer.id)
        if not await self._saved(before, draft):
            self.live = None
            return False
        for message in (answer,) if shown else (asked, answer):
            self._publish(MessageAdded(message))
        self._spawn(self._receive(answer, self._request(answer)))
        return True

    async def _send_next(self) -> None:
        """Give the oldest queued message its turn."""
        before = self.session
        first, *rest = self.queued
        asked = msgspec.structs.replace(first, parent=self.tree.leaf)
        self.tree.update(queued=tuple(rest))
        self.tree.add(asked)
        if await self._begin(asked, before, shown=True):
            self._publish(Sent(asked.id))

    async def _receive(self, answer: Message, request: GenerateRequest | None) -> None:
        """Follow one answer to its end, settle it on disk, and give the queue its turn."""
        live = LiveAnswer.starting(answer.id)

        def hear(event: Event) -> LiveAnswer:
            nonlocal live
            live = live.after(event)
            if self.live is not None and self.live.id == answer.id:
                self.live = live
            return live

        errand = Errand(answer, self.session.id, request, self._journal(answer.id))
        state = await follow_answer(self._workspace.engine_client, errand, hear, self._publish)
        await self._settle(answer, state)
        if self.live is not None and self.live.id == answer.id:
            self.live = None
        settled = self.tree.get(answer.id)
        self._publish(MessageSettled(settled))
        if self._may_fall_back(settled) and await self._fall_back(settled):
            return
        if self.queued and self.live is None and self.access is Access.WRITER:
            await self._send_next()

    def _may_fall_back(self, failed: Message) -> bool:
        """Whether another model is to answer, because memory or the process of this one gave out."""
        answer, fallback = failed.answer, self._workspace.settings.models.fallback
        if answer is None or fallback is None or self.live is not None or self.access is Access.FOLLOWER:
            return False
        no_memory = answer.problem is not None and answer.problem.code is ProblemCode.OUT_OF_MEMORY
        return self.tree.leaf == failed.id and (answer.finish is FinishReason.WORKER_DIED or no_memory)

    async def _fall_back(self, failed: Message) -> bool:
        """Have the fallback model answer beside what `failed`; says whether it does."""
        answer, before = failed.answer, self.session
        assert answer is not None
        assert failed.parent is not None
        fallback = await self._workspace.resolve_model(self._workspace.settings.models.fallback or "")
        if fallback == answer.model or self.live is not None or self.tree.leaf != failed.id:
            return False
        self.tree.update(model=fallback, leaf=failed.parent)
        self._publish(Reloaded())
        what = answer.problem.what if answer.problem else f"{answer.model} is gone."
        self._publish(Raised(fell_back(what, fallback, partial=bool(failed.text))))
        return await self._begin(self.tree.get(failed.parent), before, shown=True)

    async def _settle(self, answer: Message, state: JournalState) -> None:
        """Fold a finished answer into tree and file; only then is its journal superfluous."""
        alone = msgspec.structs.replace(self.session, messages=(self.tree.get(answer.id),))
        before = self.session
        self.tree.replace(fold(alone, state, FinishReason.ENGINE_DIED).messages[0])
        if self.access is Access.FOLLOWER or self._file is None:
            return
        if await self._saved(before, keep=True):
            await asyncio.to_thread(self._file.settle, answer.id)

    def _request(self, answer: Message) -> GenerateRequest:
        assert answer.answer is not None
        assert answer.parent is not None
        composed = compose(self.tree, answer.parent)
        journal = self._journal(answer.id)
        return GenerateRequest(
            id=answer.id,
            model=answer.answer.model,
            turns=tuple(Turn(m.role, m.text) for m in composed.lines),
            sampling=answer.answer.sampling,
            context=self.wanted.context if self.wanted else None,
            journal=str(journal) if journal else None,
            session=self.session.id,
        )

    async def _saved(self, before: Session, draft: str = "", *, keep: bool = False) -> bool:
        """Write the session. On failure say so, and go back to `before` unless memory must `keep` it."""
        async with self._saving:
            session = msgspec.structs.replace(self.session, updated=datetime.now(UTC))
            try:
                if self._file is None:
                    self._file = await asyncio.to_thread(self._workspace.store.create, session)
                else:
                    await asyncio.to_thread(self._file.save, session)
            except StoreError as error:
                if not keep:
                    self.tree = ChatTree(before)
                self._publish(Raised(error.problem, draft))
                return False
            self.tree.update(updated=session.updated)
            return True

    async def _change(self, **fields: Any) -> None:
        before = self.session
        self.tree.update(**fields)
        if self._file is not None and self.access is Access.WRITER:
            await self._saved(before)
        self._publish(SessionChanged())

    async def _watch_writer(self) -> None:
        """Show what the other terminal does; take over when it leaves."""
        assert self._file is not None
        while True:
            await asyncio.sleep(FOLLOW_S)
            ours = await asyncio.to_thread(self._file.try_acquire)
            session = self._file.session if ours else await asyncio.to_thread(self._file.reload)
            if session is None:
                continue
            self.tree = ChatTree(session)
            self._publish(Reloaded())
            if ours:
                self._let_go.set()
                self._publish(SessionChanged())
            if ours or self.live is None:
                for task in self._tasks - {asyncio.current_task()}:
                    task.cancel()
                self.resume()
                return

    def _refusal(self) -> Problem | None:
        if self.access is Access.FOLLOWER:
            return read_only(self.holder)
        return no_model() if self.session.model is None else None

    def _journal(self, answer_id: str) -> Path | None:
        return self._file.journal_path(answer_id) if self._file is not None else None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
