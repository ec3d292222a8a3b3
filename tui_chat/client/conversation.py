"""One open conversation: what a person does to it. Every way to an answer goes through `do`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from tui_chat.chat.acts import (
    ActError,
    Asking,
    Compare,
    CutHere,
    Doing,
    Edit,
    Effect,
    Regenerate,
    Send,
)
from tui_chat.chat.attachments import pictures_of
from tui_chat.chat.branches import question_of
from tui_chat.chat.compose import write_branch
from tui_chat.chat.context import SUMMARY_SHARE, Spent, by_hand, spend
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Message, Problem, ProblemCode, Role, Session
from tui_chat.chat.perform import perform
from tui_chat.chat.routing import Route
from tui_chat.chat.tags import tidy_tags
from tui_chat.chat.title import title_for
from tui_chat.client.answering import Answering
from tui_chat.client.changes import (
    Access,
    Change,
    Condensing,
    EngineNews,
    MessageAdded,
    Raised,
    Reloaded,
    Sent,
    SessionChanged,
)
from tui_chat.client.errors import EngineError
from tui_chat.client.foresight import Outlook, foresee, room_of
from tui_chat.client.problems import kept_nowhere, no_model, read_only
from tui_chat.client.routing import find_route
from tui_chat.client.summary import Condenser, SummaryError
from tui_chat.client.turns import blindness, can_see, seen_by
from tui_chat.store.errors import StoreError
from tui_chat.wire.api import LoadRequest, ModelInfo

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment
    from tui_chat.client.workspace import Workspace
    from tui_chat.store.sessions import OpenSession


class Conversation(Answering):
    """A session with its live answers and its queue. All methods run on one event loop."""

    def __init__(
        self, workspace: Workspace, session: Session, file: OpenSession | None, *, ephemeral: bool = False
    ) -> None:
        super().__init__(workspace, session, file, ephemeral=ephemeral)
        self._giving = asyncio.Lock()
        self._condenser: Condenser | None = None
        self._counted: Session | None = None  # as it was when it was last asked about
        self._unsubscribe = workspace.subscribe(self._hear_engine)

    @property
    def condensing(self) -> bool:
        """Whether a summary is being written."""
        return self._condenser is not None

    async def close(self) -> None:
        """Let go of the session. An answer in flight runs on in the engine, journalled."""
        self._unsubscribe()
        await super().close()

    def _hear_engine(self, change: Change) -> None:
        if isinstance(change, EngineNews):
            self._count_what_is_shown()

    def _count_what_is_shown(self) -> None:
        """Have it counted as soon as the model is there to do it, once for each change."""
        session = self.session
        if session is self._counted or self.tree.leaf is None or self.lives:
            return
        if session.model is not None and self._workspace.resident(session.model) is not None:
            self._counted = session
            self._spawn(self._count(session.model))

    async def _count(self, model: str) -> None:
        sees = can_see(self._workspace.resident(model), model)
        lines = write_branch(self.session, seen_by(self.tree.path(), sees=sees)).lines
        if lines and await self._workspace.tokens.learn(model, lines):
            self.publish(SessionChanged())

    async def send(self, text: str, attachments: tuple[Attachment, ...] = ()) -> bool:
        """Send a message, or queue it behind the answer in flight.

        Returns:
            False when it was refused; a `Raised` with the text as draft says why. Nothing is lost.
        """
        if self._refused(text):
            return False
        if shown := pictures_of(attachments):
            await asyncio.to_thread(self.pictures.renew, shown)
        if self.live or self.queued:
            if not self.session.routed and await self._is_blind(self.session.model, attachments, text):
                return False
            return await self._queue(text, attachments)
        return await self._ask(Send(text, attachments=attachments), self.tree.leaf)

    async def edit(self, id: str, text: str, attachments: tuple[Attachment, ...] = ()) -> bool:
        """Say something else in the place of a message of the user; returns as `send`."""
        doing = Edit(id, text, attachments=attachments)
        return not self._refused(text) and await self._ask(doing, self.tree.get(id).parent)

    async def do(self, doing: Doing, draft: str = "") -> Effect | None:
        """Do it to the tree, on disk first, and have the answers written that it asks for.

        Returns:
            What came of it; None when it was refused, which a `Raised` says, with `draft`.
        """
        if self._refused(draft, answer=isinstance(doing, Asking)):
            return None

        try:
            fitted = await self._fitted(doing) if isinstance(doing, Regenerate) else doing
            if fitted is None:
                return None
            effect = await self._perform(lambda: self._change(fitted), draft)
        except ActError as error:
            self.publish(Raised(Problem(ProblemCode.BAD_REQUEST, f"That cannot be done: {error}."), draft))
            return None
        if effect is None:
            return None
        self._show(fitted, effect)
        await self._stop([each for each in self.lives if self.tree.is_removed(each)])
        self._count_what_is_shown()
        return effect

    def _change(self, doing: Doing) -> Effect:
        """Change the tree; what is sent gives the session its title, and waits no longer if it did."""
        if isinstance(doing, Send):
            self._prepare(doing)
        return perform(self.tree, doing, datetime.now(UTC))

    def _prepare(self, doing: Send) -> None:
        if not self.session.title:
            named = (
                doing.text if doing.text.strip() else doing.attachments[0].label if doing.attachments else ""
            )
            self.tree.update(title=title_for(named))
        if doing.queued is not None:
            left = tuple(m for m in self.queued if m.id != doing.queued.id)
            self.tree.update(queued=left, leaf=self._place_of(doing.queued))

    def _show(self, doing: Doing, effect: Effect) -> None:
        """Tell the views; a message at the end does not need everything drawn afresh."""
        if isinstance(doing, Send) and doing.queued is not None:
            self.publish(Sent(doing.queued.id))
        elif isinstance(doing, Send) and doing.cut is None:
            (answer,) = effect.answers
            assert answer.parent is not None
            self.publish(MessageAdded(self.tree.get(answer.parent)))
            self.publish(MessageAdded(answer))
        else:
            self.publish(Reloaded())
        self.publish(SessionChanged())

    async def _ask(self, doing: Send | Edit, parent: str | None) -> bool:
        """Send what is to stand below `parent`, with what the policy drops for it dropped."""
        queued = isinstance(doing, Send) and doing.queued is not None
        draft = "" if queued else doing.text
        if (
            doing.route is None
            and (route := await self._route(doing.text, parent, doing.attachments)) is not None
        ):
            doing = msgspec.structs.replace(doing, text=route.text, route=route)
        model = doing.route.model if doing.route else self.session.model
        if await self._is_blind(model, doing.attachments, draft, waits=queued):
            return False
        outlook = await self._foresee(doing.text, parent, doing.route, doing.attachments)
        if outlook is not None and (refusal := outlook.refusal):
            self.publish(Raised(refusal, draft))
            return False
        if outlook is not None and outlook.outcome.dropped is not None:
            if outlook.outcome.summarise and isinstance(doing, Send) and not queued:
                waits = await self._queue(
                    draft, doing.attachments
                )  # on disk, before anything that takes a while
                self._spawn(self._give_turn())
                return waits
            summary = await self._told_instead(outlook, draft)
            if summary is None:
                return False
            cut = outlook.outcome.dropped.cut
            doing = msgspec.structs.replace(doing, cut=cut, summary=summary)
        return await self.do(doing, draft) is not None

    async def _is_blind(
        self, id: str | None, attachments: Sequence[Attachment], draft: str, *, waits: bool = False
    ) -> bool:
        """Whether pictures are attached that a model cannot see, which is said with `draft`."""
        problem = await blindness(self._workspace, id, attachments, waits=waits)
        if problem is not None:
            self.publish(Raised(problem, draft))
        return problem is not None

    async def _fitted(self, doing: Regenerate) -> Doing | None:
        """Have a question that has become too long for its model asked anew, with earlier ones dropped.

        None when it cannot be answered, which is said.

        Raises:
            ActError: There is no such question.
        """
        if doing.id not in self.tree or doing.exactly or doing.model not in (None, self.session.model):
            return doing  # not to be changed, or of another model, which says itself what it cannot read
        asked = question_of(self.tree, self.tree.get(doing.id))
        outlook = await foresee(self._workspace, self.session, self.tree.path(asked.id), self.wanted)
        if outlook is not None and (refusal := outlook.refusal):
            self.publish(Raised(msgspec.structs.replace(refusal, kept="Nothing was sent, and all is kept.")))
            return None
        if outlook is None or outlook.outcome.dropped is None or outlook.outcome.now.fits:
            return doing
        summary = await self._told_instead(outlook, "")
        if summary is None:
            return None
        cut = outlook.outcome.dropped.cut
        return Edit(asked.id, asked.text, cut, summary, attachments=asked.attachments)

    async def _told_instead(self, outlook: Outlook, draft: str) -> str | None:
        """What the model is told of what is dropped; None when it could not be condensed, which is said."""
        dropped, room = outlook.outcome.dropped, outlook.outcome.then.room
        assert dropped is not None
        if not outlook.outcome.summarise:
            return dropped.begin.summary
        limit = max(32, int(SUMMARY_SHARE * room.prompt))

        def tell(tokens: int, done: int, pieces: int) -> None:
            self.publish(Condensing(dropped.cut.messages, tokens, done, pieces))

        model, window = outlook.model.id, room.window
        if (other := self._workspace.settings.routes.summarise) is not None:
            model, window = await self._condensing_model(other, model, window)
        self._condenser = Condenser(self._workspace.engine_client, model, window, limit, tell)
        summary: str | None = None
        problem: Problem | None = None
        try:
            summary = await self._condenser.condense(dropped.messages, dropped.begin.summary)
        except (SummaryError, EngineError) as error:
            problem = error.problem
        self._condenser = None
        self.publish(Condensing(0))
        if problem is not None:
            self.publish(Raised(problem, draft))
        return summary

    async def _condensing_model(self, wanted: str, otherwise: str, window: int) -> tuple[str, int]:
        """The model that condenses by its route, and what it can read; `otherwise` if it is not there."""
        found = await self._workspace.model(await self._workspace.resolve_model(wanted))
        if found is None:
            return otherwise, window
        return found.id, min(window, found.trained_context or window)

    async def _give_turn(self) -> None:
        """Send the oldest queued message, unless something is before it."""
        if self._giving.locked():
            return
        async with self._giving:
            if not self.queued or self.live is not None or self.access is Access.FOLLOWER:
                return
            first = self.queued[0]
            doing = Send(first.text, queued=first, attachments=first.attachments)
            await self._ask(doing, self._place_of(first))

    def _place_of(self, queued: Message) -> str | None:
        """Below what a message that has waited belongs: at the end of the branch on which it was written."""
        written = queued.parent
        if written is None or written not in self.tree or self.tree.is_removed(written):
            return self.tree.leaf
        return self.tree.deepest(written)

    async def foresee(
        self, text: str, replaced: str | None = None, attachments: tuple[Attachment, ...] = ()
    ) -> Outlook | None:
        """Find out what sending `text` now would take, in the place of message `replaced` if that is given.

        None where nobody can tell.
        """
        if not (text.strip() or attachments) or self.live or self.queued:
            return None  # by the time of its turn, all is different
        parent = self.tree.get(replaced).parent if replaced else self.tree.leaf
        route = await self._route(text, parent, attachments)
        return await self._foresee(route.text if route else text, parent, route, attachments)

    async def _foresee(
        self, text: str, parent: str | None, route: Route | None, attachments: tuple[Attachment, ...]
    ) -> Outlook | None:
        branch = self.tree.path(parent) if parent else []
        now = datetime.now(UTC)
        asked = Message(new_id(), Role.USER, text, now, parent=parent, attachments=attachments)
        model = route.model if route else self.session.model
        session = msgspec.structs.replace(self.session, model=model)
        wanted = self.wanted if model == self.session.model else None
        outlook = await foresee(self._workspace, session, [*branch, asked], wanted)
        return None if outlook is None else msgspec.structs.replace(outlook, route=route)

    async def _route(self, text: str, parent: str | None, attachments: Sequence[Attachment]) -> Route | None:
        branch, shows = self.tree.path(parent) if parent else [], bool(pictures_of(attachments))
        attached = "\n".join(each.text for each in attachments)
        return await find_route(self._workspace, self.session, branch, text, attached=attached, shows=shows)

    async def cancel(self) -> None:
        """Stop the answer in flight, or the summary that is written before one; what was said stays."""
        if self._condenser is not None:
            try:
                await self._condenser.stop()
            except EngineError as error:
                self.publish(Raised(error.problem))
        await super().cancel()

    async def retry(self) -> None:
        """Send what waits; or else answer the last user message again, beside the answers it has."""
        if self.live or self._refused():
            return
        if self.queued:
            await self._give_turn()
        elif asked := next((m for m in reversed(self.tree.path()) if m.role is Role.USER), None):
            await self.do(Regenerate(asked.id))

    async def rename(self, title: str) -> None:
        """Give the session a title that stays."""
        await self._update(title=title.strip(), titled_by_user=True)

    async def tag(self, tags: Iterable[str]) -> None:
        """Give the session these tags instead of those it has."""
        await self._update(tags=tidy_tags(tags))

    async def choose_model(self, id: str, wanted: LoadRequest | None = None) -> None:
        """Answer with another model from the next message on, loaded as `wanted` if that is given."""
        self._wanted = wanted
        await self._update(model=id, routed=False)

    async def choose_routes(self) -> None:
        """Have each message go to the model that the routes in the settings name for it."""
        await self._update(routed=True)

    async def send_thinking(self, wanted: bool) -> None:
        """Have models read what was thought before earlier answers, or no longer."""
        await self._update(send_thinking=wanted)

    async def reset(self) -> None:
        """Send nothing of what stands above any longer; a key brings it back."""
        ruler = self._workspace.tokens.ruler(self.session.model or "")
        await self.do(CutHere(by_hand(self.session, self.tree.path(), ruler)))

    async def compare(self, id: str, models: Sequence[str]) -> None:
        """Have several models answer, in the order that swaps least: first those that are in memory."""
        residents = self._workspace.engine.residents if self._workspace.engine else ()
        there = [m.id for m in residents if m.state.in_memory]
        order = sorted(dict.fromkeys(models), key=lambda m: there.index(m) if m in there else len(there))
        await self.do(Compare(id, tuple(order)))

    async def fork(self, id: str | None = None) -> Conversation:
        """Copy what leads to a message, or to the end of the branch, into a new session of our own.

        Raises:
            StoreError: The copy cannot be saved, or must not be.
        """
        if self.ephemeral:
            raise StoreError(kept_nowhere())
        return await self._workspace.fork(self.session, id or self.tree.leaf)

    def spent(self, model: ModelInfo) -> Spent:
        """How the window is spent by what would be sent now, without a further question."""
        ruler = self._workspace.tokens.ruler(model.id)
        composed = write_branch(self.session, seen_by(self.tree.path(), sees=model.sees))
        return spend(composed, ruler, room_of(self.session, model, self.wanted))

    def _refused(self, draft: str = "", *, answer: bool = True) -> bool:
        """Say why nothing can be done here, or no `answer` be had; whether there is such a reason."""
        refusal = None
        if self.access is Access.FOLLOWER:
            refusal = read_only(self.holder)
        elif answer and self.session.model is None:
            refusal = no_model()
        if refusal is not None:
            self.publish(Raised(refusal, draft))
        return refusal is not None
