"""A session that one terminal has open: its tree, its file, the right to write it, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tui_chat.chat.model import Problem, Session
from tui_chat.chat.tree import ChatTree
from tui_chat.client.changes import Access, Change, Raised, Reloaded, SessionChanged
from tui_chat.client.problems import held_on
from tui_chat.store.errors import StoreError
from tui_chat.store.pictures import HeldPictures, Pictures

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.client.workspace import Workspace
    from tui_chat.store.sessions import OpenSession

T = TypeVar("T")

FOLLOW_S = 0.5
"""How often a follower looks whether the writer has saved."""

HANDOVER_S = 8.0
"""How long a terminal that was asked to leave may take; one whose line is dead needs four seconds."""

Listener = Callable[[Change], None]


class HeldSession:
    """The session's tree as it is on disk and on the screen. All methods run on one event loop.

    Attributes:
        tree: The conversation.
        ephemeral: Whether nothing of it is ever written to disk.
        pictures: Where the pictures are that go with its messages.
    """

    def __init__(
        self, workspace: Workspace, session: Session, file: OpenSession | None, *, ephemeral: bool = False
    ) -> None:
        self._workspace = workspace
        self._file = file
        self._listeners: list[Listener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving = asyncio.Lock()
        self._let_go = asyncio.Event()  # by the terminal that held the session when we opened it
        self.tree = ChatTree(session)
        self.ephemeral = ephemeral
        self.pictures: Pictures = HeldPictures() if ephemeral else workspace.store.pictures

    @property
    def session(self) -> Session:
        """The session as it is now."""
        return self.tree.session

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

    def publish(self, change: Change) -> None:
        """Tell everybody who listens."""
        for listener in list(self._listeners):
            listener(change)

    def resume(self) -> None:
        """After opening: watch the writer if we are not it."""
        if self.access is Access.FOLLOWER:
            self._spawn(self._watch_writer())

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
            self.publish(Raised(held_on(holder)))

    async def close(self) -> None:
        """Let go of the session. An answer in flight runs on in the engine, journalled."""
        async with self._saving:
            for task in list(self._tasks):
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._file is not None:
            await asyncio.to_thread(self._file.close)

    async def attachable(self, path: Path, name: str) -> Attachment:
        """Read a file that is to go with a message, to be known as `name`; a picture is kept from now on.

        Raises:
            AttachError: It is nothing that can go with a message.
            StoreError: The picture cannot be kept.
        """
        from tui_chat.store.attaching import read_attachment

        def read() -> Attachment:
            found = read_attachment(path, name)
            if found.attachment.picture is not None:
                self.pictures.put(found.attachment.picture, found.data)
            return found.attachment

        return await asyncio.to_thread(read)

    async def _commit(self, change: Callable[[], T], draft: str = "", *, keep: bool = False) -> T | None:
        """Change the tree and bring that to disk, one change at a time; return what `change` did.

        When it cannot be saved, that is said with `draft`, and None is returned; the tree is as it was
        then, unless memory must `keep` what the disk would not take. What `change` raises is raised, and
        the tree is as it was then, too.
        """
        async with self._saving:
            before = self.session
            try:
                done = change()
            except BaseException:
                self.tree = ChatTree(before)
                raise
            session = msgspec.structs.replace(self.session, updated=datetime.now(UTC))
            try:
                await self._save(session)
            except StoreError as error:
                if not keep:
                    self.tree = ChatTree(before)
                self.publish(Raised(error.problem, draft))
                return None
            self.tree.update(updated=session.updated)
            return done

    async def _save(self, session: Session) -> None:
        """Write the session, unless nothing was said in it yet or nothing of it is to be written."""
        if self.ephemeral or (self._file is None and not any(m.said for m in session.messages)):
            return
        if self._file is None:
            self._file = await asyncio.to_thread(self._workspace.store.create, session)
        else:
            await asyncio.to_thread(self._file.save, session)

    async def _update(self, draft: str = "", **fields: Any) -> bool:
        """Change fields of the session that no undo is for; says whether that is saved."""

        def change() -> bool:
            self.tree.update(**fields)
            return True

        saved = await self._commit(change, draft)
        self.publish(SessionChanged())
        return saved is True

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
            self.publish(Reloaded())
            if ours:
                self._let_go.set()
                self.publish(SessionChanged())
            if ours or not self._following_answers:
                for task in self._tasks - {asyncio.current_task()}:
                    task.cancel()
                self.resume()
                return

    @property
    def _following_answers(self) -> bool:
        """Whether an answer is being followed that another terminal asked for."""
        return False

    def _journal(self, answer_id: str) -> Path | None:
        return self._file.journal_path(answer_id) if self._file is not None else None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
