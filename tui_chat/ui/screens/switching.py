"""What a person does about models in a chat: switch, get one, look who is in memory, stop a load."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from textual import work

from tui_chat.chat.measure import kept_for_answer
from tui_chat.ui.loader import Loader
from tui_chat.ui.screens.reading import ReadingActions
from tui_chat.ui.servers.fetches import Fetches
from tui_chat.ui.starter import Starter
from tui_chat.wire.api import LoadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui_chat.chat.model import Problem
    from tui_chat.client.conversation import Conversation
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.presenter import Presenter
    from tui_chat.ui.widgets.filtered import Sought


NEWS_S = 5.0
"""How long it stands over the screen that a model has been fetched."""


class SwitchingActions(ReadingActions):
    """The actions of a screen that has a conversation and models to answer in it."""

    _conversation: Conversation | None
    _presenter: Presenter
    _make_workspace: Callable[[], Workspace]
    _warmed: str | None = None

    @cached_property
    def _workspace(self) -> Workspace:
        return self._make_workspace()

    @cached_property
    def _starter(self) -> Starter:
        return Starter(self._workspace)

    @cached_property
    def _loader(self) -> Loader:
        return Loader(self._workspace, self._tell_problem)

    @cached_property
    def _fetches(self) -> Fetches:
        return Fetches(self._workspace, self._presenter.fetching, self._say, self._tell_problem)

    def _say(self, text: str) -> None:
        """Say something in passing, on whichever screen is shown."""
        self.app.notify(text, markup=False, timeout=NEWS_S)

    def _tell_problem(self, problem: Problem) -> None:
        """Say in the chat what went wrong while a model was being loaded."""
        self._presenter.notice(problem)

    @work(group="models", exclusive=True)
    async def choose_model(self, sought: Sought | None = None) -> None:
        """Let the person pick the model that answers from now on, and have it loaded as planned."""
        from tui_chat.ui.screens.switcher import Situation, SwitcherScreen

        conversation = self._conversation
        if conversation is None:
            return
        tokens = self._presenter.tokens
        reserve = kept_for_answer(conversation.session.sampling.max_tokens)
        situation = Situation(conversation.session.model, tokens, tokens + reserve if tokens else 0)
        chosen = await self.app.push_screen_wait(
            SwitcherScreen(self._workspace, self._starter, self._loader, self._fetches, situation, sought)
        )
        if chosen is None:
            return
        if chosen.routed:
            await conversation.choose_routes()
            return
        await conversation.choose_model(chosen.model, chosen.wanted)
        self._warmed = chosen.model
        if chosen.load is not None:
            self._loader.load(chosen.load)

    def show_models(self, sought: Sought | None = None) -> None:
        """Show the models to choose from, in place of a view of memory; once more, and they go."""
        from tui_chat.ui.screens.residents import ResidentsScreen
        from tui_chat.ui.screens.switcher import SwitcherScreen

        screen = self.app.screen
        if isinstance(screen, SwitcherScreen | ResidentsScreen):
            screen.dismiss(None)
        if self.app.screen is self and not isinstance(screen, SwitcherScreen):
            self.choose_model(sought)

    @work(group="servers", exclusive=True)
    async def show_servers(self) -> None:
        """Show the servers; once more, and they go. A model that is chosen there answers from now on."""
        from tui_chat.ui.screens.served import ServedScreen
        from tui_chat.ui.screens.servers import ServersScreen
        from tui_chat.ui.screens.switcher import SwitcherScreen

        screen, conversation = self.app.screen, self._conversation
        if isinstance(screen, ServersScreen | ServedScreen):
            screen.action_leave()
        elif isinstance(screen, SwitcherScreen):
            screen.action_servers()
        elif conversation is not None:
            shown = ServersScreen(self._workspace, self._loader, self._fetches, conversation.session.model)
            if (chosen := await self.app.push_screen_wait(shown)) is not None:
                await conversation.choose_model(chosen)

    def show_residents(self) -> None:
        """Show who holds what memory; once more, and it goes."""
        from tui_chat.ui.screens.residents import ResidentsScreen

        if isinstance(self.app.screen, ResidentsScreen):
            self.app.screen.dismiss(None)
        else:
            self.app.push_screen(ResidentsScreen(self._workspace, self._loader))

    def warm(self) -> None:
        """Load the model while the person is still typing; if that fails, sending will say so."""
        conversation = self._conversation
        model = conversation.session.model if conversation else None
        if conversation is None or conversation.session.routed or model == self._warmed:
            return  # of a routed chat nobody knows which model is asked next
        self._warmed = model
        if model is not None and not self._presenter.resident(model):
            self._loader.load(conversation.wanted or LoadRequest(model), lambda problem: True)

    @work(group="stopping")
    async def stop_loading(self) -> None:
        """Stop loading this chat's model; sending a message loads it again."""
        from tui_chat.client.errors import EngineError

        if (loading := self._presenter.loading) is not None:
            try:
                await self._loader.unload(loading)
            except EngineError as error:
                self._tell_problem(error.problem)

    @work(group="starter", exclusive=True)
    async def action_get_starter(self) -> None:
        """Fetch the starter model and answer with it."""
        problem = await self._starter.fetch(self._presenter.busy)
        self._presenter.know_models(await self._workspace.models())
        if problem is not None:
            self._presenter.notice(problem)
        elif self._conversation is not None and self._conversation.session.model is None:
            model = await self._workspace.default_model()
            if model is not None:
                await self._conversation.choose_model(model)
