"""Everything a front end opens: conversations, the list of sessions, models, and the link to the engine."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.chat.acts import SetUp
from tui_chat.chat.branches import forked
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Problem, Session, Setup
from tui_chat.chat.policy import Policy
from tui_chat.client.changes import Change, EngineNews, LinkState, Raised, SampleRead, ServersChanged
from tui_chat.client.collection import Collection
from tui_chat.client.conversation import Conversation
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.client.launch import ensure_engine
from tui_chat.client.tokens import Tokens
from tui_chat.config.paths import Paths
from tui_chat.config.settings import Settings
from tui_chat.store.drafts import Drafts
from tui_chat.store.history import PromptHistory
from tui_chat.store.sessions import SessionStore, SessionSummary
from tui_chat.wire.api import EngineChanged, Kept, LoadRequest, ModelInfo, ModelState, PlanReply, PlanRequest

log = logging.getLogger(__name__)

RELINK_S = 2.0
"""How long to leave a lost engine alone before looking whether somebody started one."""


class Workspace:
    """What one terminal works with. Touches neither disk nor engine until asked."""

    def __init__(self, paths: Paths, settings: Settings, sessions: Path | None = None) -> None:
        self.paths = paths
        self.settings = settings
        self.store = SessionStore(
            sessions or paths.sessions, trash_days=settings.sessions.trash_days, drafts=paths.drafts
        )
        self.collection = Collection(self.store, paths.cache)
        self.drafts = Drafts(paths.drafts)
        self.history = PromptHistory(paths.state / "history.jsonl")
        self.engine_client = EngineClient(paths.socket)
        self.tokens = Tokens(self.engine_client)
        self.link = LinkState.CONNECTING
        self.engine: EngineChanged | None = None
        self._listeners: list[Callable[[Change], None]] = []
        self._found: list[ModelInfo] = []  # when the disk was last looked at
        self._served: list[ModelInfo] = []  # by servers, as the engine knows them
        self._asking: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._linked = False

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with news of the engine; returns how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def use(self, settings: Settings) -> None:
        """Go by other settings in what begins from now on; folders stay where they are."""
        self.settings = settings
        self._tell_or_not()

    async def start(self) -> None:
        """Connect to the engine in the background, starting it if there is none."""
        self._watching = asyncio.create_task(self._keep_link())

    async def stop(self) -> None:
        """Let go of the engine, which stays as long as it has work."""
        going = [task for task in (self._watching, self._asking) if task is not None]
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
        await self.engine_client.close()

    async def new_chat(self, told: SetUp | None = None, *, ephemeral: bool = False) -> Conversation:
        """Return an empty conversation; nothing of it is on disk until the first message is sent.

        The model is `told` that from the beginning. Of an `ephemeral` one nothing ever is on disk.
        """
        now = datetime.now(UTC)
        told = told or SetUp(Setup(sampling=self.settings.sampling))
        session = Session(
            id=new_id(now),
            created=now,
            updated=now,
            model=told.model or await self._usual_model(),
            routed=bool(self.settings.routes) and told.model is None,
            system=told.setup.system,
            sampling=told.setup.sampling,
            preset=told.setup.preset,
            policy=told.policy or Policy(),
        )
        return Conversation(self, session, None, ephemeral=ephemeral)

    async def open(self, session_id: str) -> Conversation:
        """Open a session, taking up an answer that is still being written.

        Raises:
            StoreError: It is not there, or damaged beyond use.
        """
        file = await asyncio.to_thread(self.store.open, session_id)
        conversation = Conversation(self, file.session, file)
        if file.session.model is None:
            conversation.tree.update(model=await self.default_model())
        conversation.resume()
        return conversation

    async def fork(self, session: Session, leaf: str | None = None) -> Conversation:
        """Copy what leads to `leaf` into a new session of our own; all of `session` if that is None.

        Raises:
            StoreError: The copy cannot be saved.
        """
        copy = forked(session, leaf, datetime.now(UTC))
        file = await asyncio.to_thread(self.store.create, copy)
        return Conversation(self, copy, file)

    async def sessions(self, *, archived: bool | None = False) -> list[SessionSummary]:
        """List the sessions, newest first: those in use, the archived ones, or (None) both."""
        return await asyncio.to_thread(self.store.list, archived)

    async def is_new(self) -> bool:
        """Whether no session is kept here, readable or not."""
        return await asyncio.to_thread(self.store.is_empty)

    async def last_session(self) -> str | None:
        """The session last written to that can be opened."""
        return next((s.id for s in await self.sessions() if s.problem is None), None)

    async def models(self) -> list[ModelInfo]:
        """Every model on this machine and of servers, with the state that the engine last told."""
        from tui_chat.library.scan import list_models, with_residents

        on_disk = await asyncio.to_thread(list_models, self.paths, self.settings)
        self._found = [*on_disk, *self._served]
        engine = self.engine or EngineChanged((), ())
        return with_residents(self._found, engine.residents, engine.parked)

    async def _ask_for_served(self) -> None:
        """Take note of the models that servers have, as the engine knows them."""
        with suppress(EngineError):
            self._served = [model for model in await self.engine_client.models() if model.server]
            self._publish(ServersChanged())

    def resident(self, id: str | None) -> ModelInfo | None:
        """The model of this name, if the engine has it in memory."""
        residents = self.engine.residents if self.engine and id else ()
        return next((m for m in residents if m.state.in_memory and m.is_called(id or "")), None)

    async def model(self, id: str | None) -> ModelInfo | None:
        """What is known of the model of this name; the disk is looked at only for one never seen."""

        def called(models: Iterable[ModelInfo]) -> ModelInfo | None:
            return next((m for m in models if id is not None and m.is_called(id)), None)

        return self.resident(id) or called(self._found) or called(await self.models())

    async def find_model(self, wanted: str) -> str | Problem:
        """Complete what a person calls a model to its id, or to an absolute path if it has none.

        A problem says that the name means no model, or several.
        """
        from tui_chat.library.scan import find_model

        known = await self.models()
        found = await asyncio.to_thread(find_model, known, wanted)
        if not isinstance(found, ModelInfo) and "/" in wanted and not self._served:
            with suppress(EngineError):  # it may be a server's, whose models only an engine knows
                await ensure_engine(self.engine_client)
                await self._ask_for_served()
                known = await self.models()
                found = await asyncio.to_thread(find_model, known, wanted)
        if not isinstance(found, ModelInfo):
            return found
        return found.id if found in known else found.path

    async def resolve_model(self, wanted: str) -> str:
        """As `find_model`; a name that means none is returned as it is: the engine says what is wrong."""
        found = await self.find_model(wanted)
        return found if isinstance(found, str) else wanted

    async def default_model(self) -> str | None:
        """The configured model, else the one in memory, else the first usable one; None without any.

        Those of servers come after our own, and what would leave this machine comes last.
        """
        if self.settings.models.default:
            return await self.resolve_model(self.settings.models.default)
        gone = (ModelState.BROKEN, ModelState.FAILED)
        usable = [m for m in await self.models() if m.state not in (gone if m.server else gone[:1])]

        def preferred(model: ModelInfo) -> tuple[bool, bool, bool]:
            there = model.state.in_memory or model.state.on_its_way
            return bool(model.host), bool(model.server), not there

        return min(usable, key=preferred).id if usable else None

    async def _usual_model(self) -> str | None:
        usual = self.settings.routes.usual
        return await self.resolve_model(usual) if usual else await self.default_model()

    async def get_starter(
        self, on_progress: Callable[[int, int, str], None], cancel: threading.Event
    ) -> Path:
        """Fetch the starter model, reporting (bytes done, bytes in all, stage) from another thread.

        Raises:
            DownloadError: It could not be had; what was fetched is kept for the next try.
        """
        from tui_chat.library.starter import STARTER, fetch_starter

        return await asyncio.to_thread(fetch_starter, STARTER, self.paths.models, on_progress, cancel)

    async def load(self, request: LoadRequest) -> ModelInfo:
        """Have a model brought into memory, before it is needed or in another way. Raises `EngineError`."""
        await ensure_engine(self.engine_client)
        return await self.engine_client.load(request)

    async def unload(self, model: str) -> None:
        """Have a model's memory given back, or its loading stopped. Raises `EngineError`."""
        await self.engine_client.unload(model)

    async def pin(self, model: str, pinned: bool) -> None:
        """Have a model in memory stay there, or let it go again. Raises `EngineError`."""
        await self.engine_client.pin(model, pinned)

    async def plan(self, request: PlanRequest) -> PlanReply:
        """Ask what loading some models would take now. Raises `EngineError`."""
        await ensure_engine(self.engine_client)
        return await self.engine_client.plan(request)

    async def kept(self, session: str, model: str) -> Kept | None:
        """What `model` holds of a session, in memory or parked; None where nobody can tell."""
        try:
            reply = await self.engine_client.kept(session)
        except EngineError:
            return None
        return next((kept for kept in reply.models if kept.model == model), None)

    async def go_on(self) -> None:
        """Have answers go on although something is hot."""
        with suppress(EngineError):  # an engine that is gone holds nobody
            await self.engine_client.go_on()

    async def _keep_link(self) -> None:
        """Stay connected: the engine stays as long as somebody watches, and tells what it does."""
        while True:
            self._set_link(LinkState.CONNECTING)
            try:
                await ensure_engine(self.engine_client)
                async with self._sampling():
                    async for change in self.engine_client.watch():
                        before, self.engine = self.engine, change
                        self._set_link(LinkState.CONNECTED)
                        if change.servers != (before.servers if before else 0):
                            self._asking = asyncio.create_task(self._ask_for_served())
            except EngineError as error:
                self._publish(Raised(error.problem))
            self.engine = None
            self._set_link(LinkState.LOST)
            await asyncio.sleep(RELINK_S)

    @asynccontextmanager
    async def _sampling(self) -> AsyncIterator[None]:
        """Meanwhile tell what the instruments read, as long as that is wanted."""
        self._linked = True
        self._tell_or_not()
        try:
            yield
        finally:
            self._linked = False
            telling, self._telling = self._telling, None
            if telling is not None:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    def _tell_or_not(self) -> None:
        """Begin to tell what the instruments read, or leave it, as the settings say."""
        wanted = self._linked and self.settings.ui.instruments
        if wanted and self._telling is None:
            self._telling = asyncio.create_task(self._tell())
        elif not wanted and self._telling is not None:
            self._telling.cancel()
            self._telling = None
            self._publish(SampleRead(None))

    async def _tell(self) -> None:
        """Tell what the instruments read; an engine that has none is no trouble."""
        with suppress(EngineError):
            async for sample in self.engine_client.instruments():
                self._publish(SampleRead(sample))

    def _set_link(self, link: LinkState) -> None:
        self.link = link
        self._publish(EngineNews(link, self.engine))

    def _publish(self, change: Change) -> None:
        for listener in list(self._listeners):
            try:
                listener(change)
            except Exception:  # a fault of one screen's must not cut all others off from the engine
                log.exception("a listener failed at %s", type(change).__name__)
