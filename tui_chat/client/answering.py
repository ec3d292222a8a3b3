"""How answers come into a conversation: asked for, followed to their end, settled on disk; and the queue.

The order is fixed: on disk first, then to the engine, then to the screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tui_chat.chat.acts import ActError, Effect, Regenerate
from tui_chat.chat.compose import Line, NothingToAnswerError, begin_of, compose_branch
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Expected, FinishReason, Message, ProblemCode, Role, Session
from tui_chat.chat.perform import perform
from tui_chat.client.changes import Access, MessageAdded, MessageSettled, Raised, Reloaded
from tui_chat.client.errors import EngineError
from tui_chat.client.held import HeldSession
from tui_chat.client.launch import ensure_engine
from tui_chat.client.live import Errand, LiveAnswer, follow_answer
from tui_chat.client.problems import fell_back, gone, unseen
from tui_chat.client.turns import can_see, lay_out, lines_of
from tui_chat.store.journal import JournalState, fold
from tui_chat.wire.api import GenerateRequest, LoadRequest
from tui_chat.wire.events import Event

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.client.workspace import Workspace
    from tui_chat.store.sessions import OpenSession

ASKED_SOON_S = 0.05
"""How soon to try again to stop what the engine has not been asked for yet."""
COUNTED_WITHIN_S = 1.0
"""How long the end of an answer may wait for its tokens to be counted."""
_GIVEN_OUT = frozenset(
    {
        ProblemCode.OUT_OF_MEMORY,
        ProblemCode.SERVER_UNREACHABLE,
        ProblemCode.SERVER_BUSY,
        ProblemCode.SERVER_FAILED,
        ProblemCode.SERVER_STALLED,
        ProblemCode.STREAM_BROKEN,
    }
)
"""What another model may make up for. What is wrong with the request or the settings it would hide."""


class _Wanted(NamedTuple):
    """An answer to be asked for: its place, the request that lacks its turns, and what it is to answer."""

    place: Message
    request: GenerateRequest
    session: Session
    branch: Sequence[Message]


class Answering(HeldSession):
    """A session whose answers are followed, however many are on their way.

    Attributes:
        lives: Answers in flight by their ids.
    """

    def __init__(
        self, workspace: Workspace, session: Session, file: OpenSession | None, *, ephemeral: bool = False
    ) -> None:
        super().__init__(workspace, session, file, ephemeral=ephemeral)
        self.lives: dict[str, LiveAnswer] = {}
        self._wanted: LoadRequest | None = None
        self._told: set[tuple[ProblemCode, str]] = set()

    @property
    def live(self) -> LiveAnswer | None:
        """The answer in flight at the end of the branch that is shown."""
        at = self.tree.leaf
        while at is not None and not self.tree.get(at).said:
            at = self.tree.get(at).parent
        return self.lives.get(at) if at is not None else None

    @property
    def queued(self) -> tuple[Message, ...]:
        """Messages waiting for their turn, oldest first."""
        return self.session.queued

    @property
    def wanted(self) -> LoadRequest | None:
        """How the model is to be loaded, if that was chosen here."""
        wanted = self._wanted
        return wanted if wanted is not None and wanted.model == self.session.model else None

    def resume(self) -> None:
        """After opening: take up the answers still being written; watch the writer if we are not it."""
        shown = {m.id for m in self.tree.path()}
        for answer in [m for m in self.session.messages if m.in_flight]:
            if answer.id in shown or self.access is Access.WRITER:
                self.lives[answer.id] = _begun(answer)
                self._spawn(self._receive(answer, None))
        super().resume()

    async def cancel(self) -> None:
        """Stop the answer in flight, and those asked for together with it; what they said so far stays."""
        live = self.live
        if live is not None:
            together = self.tree.siblings(live.id)
            await self._stop([each.id for each in together if each.id in self.lives])

    async def unqueue(self, id: str) -> Message | None:
        """Take a queued message back and return it, or None if it stays because its turn has come."""
        taken = next((m for m in self.queued if m.id == id), None)
        if taken is None:
            return None
        left = tuple(m for m in self.queued if m.id != id)
        saved = await self._update(queued=left)
        self.publish(Reloaded())
        return taken if saved else None

    async def _queue(self, text: str, attachments: tuple[Attachment, ...] = ()) -> bool:
        """Have a message wait for its turn, on disk; says whether it does."""
        now, parent = datetime.now(UTC), self.tree.leaf
        message = Message(new_id(), Role.USER, text, now, parent=parent, attachments=attachments)
        if not await self._update(text, queued=(*self.queued, message)):
            return False
        self.publish(MessageAdded(message, queued=True))
        return True

    async def _give_turn(self) -> None:
        """Give the oldest queued message its turn, if nothing keeps it from that."""
        raise NotImplementedError

    async def _perform(self, change: Callable[[], Effect], draft: str = "") -> Effect | None:
        """Do something to the tree, on disk first, and have the answers written that it asks for.

        Its answers are on their way from the moment they are in the tree: a message that is sent while they
        are being saved waits for them. None when it could not be saved, which is said.

        Raises:
            ActError: It cannot be done.
        """

        def changed() -> Effect:
            effect = change()
            for place in effect.answers:
                self._check(place)
            self.lives.update((place.id, _begun(place)) for place in effect.answers)
            return effect

        effect = await self._commit(changed, draft)
        if effect is None:
            self.lives = {each: live for each, live in self.lives.items() if each in self.tree}
        else:
            self._begin(effect.answers)
        return effect

    def _check(self, place: Message) -> None:
        """Raise `ActError` where there is nothing to answer: other programs keep questions without a word."""
        try:
            compose_branch(self.session, self._asked(place))
        except NothingToAnswerError as error:
            raise ActError("there is no question to answer") from error

    def _begin(self, places: Sequence[Message]) -> None:
        """Have answers written into `places`, which are on disk already, one after the other."""
        wanted = [_Wanted(place, self._request(place), self.session, self._asked(place)) for place in places]
        if wanted:
            self._spawn(self._begin_all(wanted))

    async def _begin_all(self, wanted: Sequence[_Wanted]) -> None:
        """Ask for answers in this order, then follow them all; asking for one twice does no harm."""
        asked = [(each.place, await self._filled(each)) for each in wanted]
        if len(asked) == 1:
            await self._receive(*asked[0])
            return
        with suppress(EngineError):  # whoever follows them finds out what is wrong, and says it
            await ensure_engine(self._workspace.engine_client)
            for _, request in asked:
                await self._workspace.engine_client.generate(request)
        for place, request in asked:
            self._spawn(self._receive(place, request))

    async def _filled(self, wanted: _Wanted) -> GenerateRequest:
        """Return the request with what is sent; says which pictures are not, once for each model."""
        model = wanted.request.model
        info = await self._workspace.model(model) if any(m.pictures for m in wanted.branch) else None
        laid = await lay_out(wanted.session, wanted.branch, self.pictures, sees=can_see(info, model))
        for problem in (unseen(laid.unseen, model), *(gone(*each) for each in laid.gone)):
            if problem is not None and (problem.code, problem.what) not in self._told:
                self._told.add((problem.code, problem.what))
                self.publish(Raised(problem))
        return msgspec.structs.replace(wanted.request, turns=laid.turns)

    async def _receive(self, answer: Message, request: GenerateRequest | None) -> None:
        """Follow one answer to its end, settle it on disk, and give the queue its turn."""

        def hear(event: Event) -> LiveAnswer:
            live = self.lives[answer.id] = self.lives[answer.id].after(event)
            return live

        errand = Errand(answer, self.session.id, request, self._journal(answer.id))
        state = await follow_answer(self._workspace.engine_client, errand, hear, self.publish)
        if request is not None and state.text:
            await self._learn(request, state.text)
        await self._settle(answer, state, request)
        self.lives.pop(answer.id, None)
        settled = self.tree.get(answer.id)
        self.publish(MessageSettled(settled))
        if self._may_fall_back(settled) and await self._fall_back(settled):
            return
        await self._give_turn()

    async def _settle(self, answer: Message, state: JournalState, request: GenerateRequest | None) -> None:
        """Fold a finished answer into tree and file; only then is its journal superfluous."""

        def change() -> bool:
            alone = msgspec.structs.replace(self.session, messages=(self.tree.get(answer.id),))
            settled = fold(alone, state, FinishReason.ENGINE_DIED).messages[0]
            self.tree.replace(self._compared(settled, request))
            return True

        if self.access is Access.FOLLOWER:
            change()
        elif await self._commit(change, keep=True) and self._file is not None:
            await asyncio.to_thread(self._file.settle, answer.id)

    async def _stop(self, ids: Sequence[str]) -> None:
        """Stop answers; one that the engine has not been asked for yet, as soon as it has been."""
        for each in ids:
            while each in self.lives:
                try:
                    await self._workspace.engine_client.cancel(each)
                    break
                except EngineError as error:
                    live = self.lives.get(each)
                    if live is not None and live.heard:
                        self.publish(Raised(error.problem))
                        break
                await asyncio.sleep(ASKED_SOON_S)

    def _may_fall_back(self, failed: Message) -> bool:
        """Whether another model is to answer, because memory, process or server of this one gave out."""
        answer, fallback = failed.answer, self._workspace.settings.models.fallback
        if answer is None or fallback is None or self.live is not None or self.access is Access.FOLLOWER:
            return False
        code = answer.problem.code if answer.problem is not None else None
        gone = answer.finish is FinishReason.WORKER_DIED or code in _GIVEN_OUT
        return self.tree.leaf == failed.id and gone and answer.finish is not FinishReason.STOP

    async def _fall_back(self, failed: Message) -> bool:
        """Have the fallback model answer beside what `failed`; says whether it does."""
        answer = failed.answer
        assert answer is not None
        fallback = await self._workspace.resolve_model(self._workspace.settings.models.fallback or "")
        if fallback == answer.model or self.live is not None or self.tree.leaf != failed.id:
            return False

        def change() -> Effect:
            self.tree.update(model=fallback)
            return perform(self.tree, Regenerate(failed.id), datetime.now(UTC))

        if await self._perform(change) is None:
            return False
        self.publish(Reloaded())
        what = answer.problem.what if answer.problem else f"{answer.model} is gone."
        self.publish(Raised(fell_back(what, fallback, partial=bool(failed.text))))
        return True

    def _request(self, answer: Message) -> GenerateRequest:
        """What the engine is asked for an answer, whatever brought its place into the tree; without turns."""
        assert answer.answer is not None
        begin = begin_of(self._asked(answer))
        journal = self._journal(answer.id)
        return GenerateRequest(
            id=answer.id,
            model=answer.answer.model,
            turns=(),
            prefix=answer.text,
            thought=answer.thinking,
            shift=begin.first is not None,
            sampling=answer.answer.sampling,
            context=self.wanted.context if self.wanted else None,
            journal=str(journal) if journal else None,
            session=None if self.ephemeral else self.session.id,
            only_while_heard=self.ephemeral,
        )

    def _asked(self, answer: Message) -> Sequence[Message]:
        """The branch that `answer` is an answer to."""
        assert answer.parent is not None
        return self.tree.path(answer.parent)

    async def _learn(self, request: GenerateRequest, said: str) -> None:
        """Have the model count what it was sent and has said; it is in memory, and so that is quick."""
        lines = (*lines_of(request.turns), Line(Role.ASSISTANT, said))
        with suppress(TimeoutError):
            async with asyncio.timeout(COUNTED_WITHIN_S):
                await self._workspace.tokens.learn(request.model, lines)

    def _compared(self, settled: Message, request: GenerateRequest | None) -> Message:
        """Note with an answer how many tokens we believed to send, and learn from what was evaluated."""
        answer = settled.answer
        if request is None or answer is None or request.prefix or request.thought:
            return settled
        lines, ruler = lines_of(request.turns), self._workspace.tokens.ruler(request.model)
        size, seen = ruler.size(lines), any(turn.pictures for turn in request.turns)
        if answer.usage.prompt_tokens and not seen:
            ruler.calibrate(lines, answer.usage.prompt_tokens)
        expected = Expected(size.tokens, size.exact and not seen)
        return msgspec.structs.replace(settled, answer=msgspec.structs.replace(answer, expected=expected))

    @property
    def _following_answers(self) -> bool:
        return bool(self.lives)


def _begun(answer: Message) -> LiveAnswer:
    """An answer of which nothing new has been heard; one that goes on has said something already."""
    return LiveAnswer.starting(answer.id, answer.text, answer.thinking)
