"""The models of one server: what it has, what it is getting, and what can be done to its collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from tui_chat.ui import words
from tui_chat.ui.commands import Command, Place, commands
from tui_chat.ui.screens.collecting import CollectingActions
from tui_chat.ui.servers import collection
from tui_chat.ui.servers.words import collection as counted
from tui_chat.ui.servers.words import kind, state, unwell, where
from tui_chat.ui.transcript.text import clean_line
from tui_chat.ui.widgets.filtered import FilteredList, Row, fuzzy
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.wire.api import LoadRequest
from tui_chat.wire.servers import Capability, Control, Pull, PullState, ServedModel, ServerInfo, model_id

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.loader import Loader
    from tui_chat.ui.servers.fetches import Fetches
    from tui_chat.ui.servers.known import KnownServers

_OF_MODELS = ("served.card", "served.copy", "served.delete")
_OF_PULLS = {"served.choose": "go on", "served.stop": "stop"}
"""What keys are called where they mean a model that the server is still getting."""
_OF_KEEPERS = ("served.get", "served.copy", "served.make", "served.delete")
"""Keys that help only where a collection can be changed."""


class ServedScreen(CollectingActions):
    """Gives the id of the model that was chosen for this chat, or None."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.SERVED,)

    def __init__(
        self,
        server: str,
        known: KnownServers,
        workspace: Workspace,
        loader: Loader,
        fetches: Fetches,
        current: str | None,
    ) -> None:
        """Make the screen for the models of `server`; `current` is the id of this chat's model."""
        super().__init__()
        self._server = server
        self._known = known
        self._workspace = workspace
        self._loader = loader
        self._fetches = fetches
        self._current = current

    def compose(self) -> ComposeResult:
        """Lay out head, filtered list, what is to be said of one, note and keys."""
        with Vertical(classes="list"):
            with Horizontal(classes="list-top"):
                yield Static("", classes="list-head", markup=False)
                yield Static("", classes="list-free", markup=False)
            yield FilteredList[ServedModel | Pull]("type to filter", narrow=fuzzy)
            yield Static("", classes="list-plan", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Show what is known, and follow what changes."""
        self._unsubscribe = self._known.subscribe(self._fill)
        self._unwatch = self._fetches.watch(self._fill, self.tell)
        self.call_after_refresh(self._fill)

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unsubscribe()
        self._unwatch()

    # What is shown

    @property
    def server(self) -> ServerInfo | None:
        """The server as it is known now; None if it is gone."""
        return self._known.find(self._server)

    def _fill(self) -> None:
        if not self.there:
            return
        server = self.server
        self.query_one(".list-head", Static).update(self._head(server))
        self.query_one(".list-free", Static).update(counted(server) if server is not None else "")
        models = server.models if server is not None else ()
        longest = max((len(model.name) for model in models), default=0)
        rows: list[Row[ServedModel | Pull]] = [
            Row(f"pull {pull.model}", pull, pull.model, collection.pull_row(pull, self._progress(pull)))
            for pull in self._fetches.unfinished(self._server)
        ]
        for model in models:
            here = model_id(self._server, model.name) == self._current
            told = f"{model.name} {model.quant} {model.architecture} {collection.abilities(model)}"
            rows.append(Row(model.name, model, told, collection.model_row(model, longest, here=here)))
        self._rows(rows)
        self._describe()

    def _rows(self, rows: list[Row[ServedModel | Pull]]) -> None:
        """Draw anew what has changed; lay the list out afresh only when it has other rows."""
        listed = self.query_one(FilteredList)
        if listed.ids == [row.id for row in rows]:
            for row in rows:
                listed.redraw(row.id, row.draw, row.thing)
        else:
            new = {row.id for row in rows} - set(listed.ids)
            asked = (f"pull {self._wanted}", self._wanted, f"{self._wanted}:latest")
            listed.show(rows, self._empty(), next((each for each in asked if each in new), None))

    def _progress(self, pull: Pull) -> collection.Progress:
        return lambda cells: self._fetches.progress(pull, cells)

    def _head(self, server: ServerInfo | None) -> Content:
        if server is None:
            return Content.assemble((clean_line(self._server), "bold"), ("   is gone", "$warning"))
        style = "$warning" if unwell(server) else "$muted"
        said = f"   {kind(server)} · {where(server)} · {state(server)}"
        return Content.assemble((clean_line(server.name), "bold"), (said, style))

    def _empty(self) -> Content:
        server = self.server
        if server is None or server.models:
            return Content("No model is called that.")
        if unwell(server) and server.problem is not None:
            return Content(f"{server.problem.what}\n{server.problem.remedy}")
        if server.control is Control.DEEP:
            keys = "{served.get} gets one by its name\n{served.make} makes one of a GGUF file"
            none = ("It has no models yet.\n\n", "$foreground")
            return Content.assemble(none, self.styled_keys(keys, "bold $accent"))
        return Content("It has no models.")

    @property
    def current(self) -> ServedModel | Pull | None:
        """What is highlighted."""
        row = self.query_one(FilteredList).current
        return row.thing if row is not None else None

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        """Say what is to be said of the highlighted model, and which keys help."""
        thing = self.current
        told = collection.about(thing) if isinstance(thing, ServedModel) else Content("")
        self.query_one(".list-plan", Static).update(told)
        helping = [c for c in commands(Place.SERVED) if self._helps(c, thing)]
        hints = _OF_PULLS if isinstance(thing, Pull) else {}
        self.query_one(HintLine).show(
            [msgspec.structs.replace(c, hint=hints.get(c.id, c.hint)) for c in helping]
        )

    def _helps(self, command: Command, thing: ServedModel | Pull | None) -> bool:
        """Whether the hints should name `command` for what is highlighted."""
        if command.id in _OF_KEEPERS and not self.keeps:
            return False
        match command.id:
            case "served.choose":
                return thing is not None and not _is_running(thing)
            case "served.warm":
                return isinstance(thing, ServedModel) and thing.loaded is False
            case "served.stop":
                return _is_running(thing) or (isinstance(thing, ServedModel) and bool(thing.loaded))
        return command.id not in _OF_MODELS or isinstance(thing, ServedModel)

    # What is done to it

    @on(FilteredList.Chosen)
    async def action_choose(self) -> None:
        """Have this chat answered by the highlighted model; or go on getting one that was stopped."""
        thing = self.current
        if isinstance(thing, Pull):
            if _is_running(thing):
                stop = self.with_keys("{served.stop} stops that; what came is kept.")
                self.note(f"{self._server} is still getting it. {stop}")
            else:
                self.go_on(thing)
        elif thing is not None and Capability.CHAT not in thing.capabilities:
            self.note(f"{thing.name} cannot chat: it is for {words.listed(thing.capabilities)}.")
        elif thing is not None:
            self.dismiss(model_id(self._server, thing.name))

    def action_card(self) -> None:
        """Show all that the server tells of the highlighted model."""
        from tui_chat.ui.screens.card import CardScreen

        if isinstance(thing := self.current, ServedModel):
            client, name = self._workspace.engine_client, thing.name
            title = clean_line(model_id(self._server, name))
            self.app.push_screen(
                CardScreen(title, self._server, lambda: client.model_card(self._server, name))
            )

    def action_warm(self) -> None:
        """Have the highlighted model loaded."""
        if isinstance(thing := self.current, ServedModel) and not thing.loaded:
            self.note(f"{self._server} is loading {thing.name}.")
            self._loader.load(LoadRequest(model_id(self._server, thing.name)), self.tell)

    @work(group="stopping")
    async def action_stop(self) -> None:
        """Stop getting the highlighted one, or give its memory back."""
        thing = self.current
        if isinstance(thing, Pull):
            await self.attempt(self._fetches.stop(thing))
        elif thing is not None:
            await self.attempt(self._loader.unload(model_id(self._server, thing.name)))

    def action_leave(self) -> None:
        """Back to the servers; what is being fetched goes on."""
        self.dismiss(None)


def _is_running(thing: ServedModel | Pull | None) -> bool:
    return isinstance(thing, Pull) and thing.state is PullState.RUNNING
