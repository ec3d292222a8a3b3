"""The servers: every one that runs models beside us, how it is, and how much of it is ours to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from tui_chat.client.changes import Change, ServersChanged
from tui_chat.config.paths import config_file
from tui_chat.ui.commands import Command, Place, commands
from tui_chat.ui.screens.noting import NotingScreen
from tui_chat.ui.servers.known import KnownServers
from tui_chat.ui.servers.rows import about, entry, none_at_all
from tui_chat.ui.servers.words import summary
from tui_chat.ui.widgets.entries import show_entries
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.ui.widgets.rows import Rows
from tui_chat.wire.servers import ServerInfo

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.loader import Loader
    from tui_chat.ui.servers.fetches import Fetches


class ServersScreen(NotingScreen[str | None]):
    """A live list of servers; gives the id of a model that was chosen from one, or None."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.SERVERS,)

    def __init__(self, workspace: Workspace, loader: Loader, fetches: Fetches, current: str | None) -> None:
        """Make the screen; `current` is the id of the model that this chat uses."""
        super().__init__()
        self._workspace = workspace
        self._loader = loader
        self._fetches = fetches
        self._current = current
        self._known = KnownServers(workspace)

    def compose(self) -> ComposeResult:
        """Lay out head, one entry for each server, what is to be said of one, note and keys."""
        with Vertical(classes="list"):
            with Horizontal(classes="list-top"):
                yield Static(Content.styled("servers", "bold"), classes="list-head", markup=False)
                yield Static("", classes="list-free", markup=False)
            yield Rows(markup=False, compact=True)
            yield Static("", classes="list-empty", markup=False)
            yield Static("", classes="list-plan", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Show what is known, and go on asking."""
        self._unsubscribe = self._workspace.subscribe(self._hear)
        self._known.subscribe(self._draw)
        self.call_after_refresh(self._draw)
        self._keep_asking()

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    def on_resize(self) -> None:
        """Entries are drawn for a width."""
        self.call_after_refresh(self._draw)

    @work(exclusive=True, group="asking")
    async def _keep_asking(self) -> None:
        await self._known.keep()

    def _hear(self, change: Change) -> None:
        if isinstance(change, ServersChanged) and self.there:
            self._refresh()

    @work(exclusive=True, group="refreshing")
    async def _refresh(self) -> None:
        await self._known.refresh()

    # What is shown

    def _draw(self) -> None:
        if not self.there:
            return
        servers, problem = self._known.infos, self._known.problem
        if problem is not None:
            self.tell(problem)
        options, empty = self.query_one(OptionList), self.query_one(".list-empty", Static)
        told = "looking for servers …" if self._known.looking else summary(servers) if servers else ""
        self.query_one(".list-free", Static).update(told)
        if servers is None:
            empty.update("" if problem else "asking the engine …")
        else:
            empty.update(none_at_all(str(config_file()), self.keys_in_force))
        empty.set_class(not servers, "-on")
        width = max(20, options.scrollable_content_region.width or self.query_one(".list").content_size.width)
        show_entries(options, {each.name: entry(each, width) for each in servers or ()})
        if options.display != bool(servers):
            options.display = bool(servers)
            self.call_after_refresh(self._draw)  # a bar to scroll by may have taken of its width
        if servers and not options.has_focus and self.app.screen is self:
            self.set_focus(options)
        self._describe()

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        """Say what is to be said of the highlighted server, and which keys help."""
        server = self._highlighted
        told = about(server, self.keys_in_force) if server is not None else ""
        self.query_one(".list-plan", Static).update(told)
        self.query_one(HintLine).show([c for c in commands(Place.SERVERS) if self._helps(c, server)])

    def _helps(self, command: Command, server: ServerInfo | None) -> bool:
        return command.id != "servers.models" or bool(server is not None and server.url)

    @property
    def _highlighted(self) -> ServerInfo | None:
        option = self.query_one(OptionList).highlighted_option
        return self._known.find(option.id) if option is not None and option.id is not None else None

    # What is done

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_choose()

    @work(exclusive=True, group="models")
    async def action_choose(self) -> None:
        """Show the models of the highlighted server; one that is chosen there is what this gives."""
        from tui_chat.ui.screens.served import ServedScreen

        server = self._highlighted
        if server is None:
            return
        if not server.url:
            self.note(f"{server.name} is only watched: it has no models that can be asked.")
            return
        self.note("")
        screen = ServedScreen(
            server.name, self._known, self._workspace, self._loader, self._fetches, self._current
        )
        chosen = await self.app.push_screen_wait(screen)
        if chosen is not None:
            self.dismiss(chosen)

    @work(exclusive=True, group="looking")
    async def action_look(self) -> None:
        """Look anew, and ask those again that were left alone."""
        self.note("")
        await self._known.look()

    def action_leave(self) -> None:
        """Back to where one was."""
        self.dismiss(None)
