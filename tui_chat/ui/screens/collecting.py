"""What a person does to a server's collection of models: get, copy, delete one, or have it made of a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work

from tui_chat.ui import words
from tui_chat.ui.screens.dialogs import AskScreen, PickScreen
from tui_chat.ui.screens.noting import NotingScreen
from tui_chat.wire.api import ModelState
from tui_chat.wire.servers import Control, Pull, ServedModel, ServerInfo
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.client.workspace import Workspace
    from tui_chat.ui.servers.fetches import Fetches

_ANOTHER = "Another file …"


class CollectingActions(NotingScreen[str | None]):
    """The actions of a screen that shows the models of one server."""

    _server: str
    _workspace: Workspace
    _fetches: Fetches
    _wanted: str = ""
    """The model that was asked for last: it is highlighted when it is there."""

    @property
    def server(self) -> ServerInfo | None:
        """The server as it is known now."""
        raise NotImplementedError

    @property
    def current(self) -> ServedModel | Pull | None:
        """What is highlighted."""
        raise NotImplementedError

    @property
    def keeps(self) -> bool:
        """Whether the server lets its collection be changed."""
        return self.server is not None and self.server.control is Control.DEEP

    def _may_change(self) -> bool:
        """As `keeps`; says so where it does not."""
        if not self.keeps:
            self.note(f"{self._server} does not let others change which models it has.")
        return self.keeps

    @work(exclusive=True, group="asking")
    async def action_get(self) -> None:
        """Ask for a name, and have the server fetch the model."""
        if self._may_change():
            ask = AskScreen(f"Have {self._server} get which model? A name such as llama3.2:3b")
            if name := await self.app.push_screen_wait(ask):
                self._wanted = name
                await self.attempt(self._fetches.pull(self._server, name))

    @work(exclusive=True, group="going on")
    async def go_on(self, pull: Pull) -> None:
        """Go on with what was stopped or broke off."""
        self._wanted = pull.model
        if pull.file:
            await self.attempt(self._fetches.create(pull.server, pull.model, pull.file))
        else:
            await self.attempt(self._fetches.pull(pull.server, pull.model))

    @work(exclusive=True, group="asking")
    async def action_copy(self) -> None:
        """Ask for a second name for the highlighted model."""
        model = self.current
        if not isinstance(model, ServedModel) or not self._may_change():
            return
        if name := await self._new_name(f"A second name for {model.name}", model.name):
            client, self._wanted = self._workspace.engine_client, name
            if await self.attempt(client.copy_model(self._server, model.name, name)):
                self.note(f"{self._server} has it as {name} too.")

    @work(exclusive=True, group="asking")
    async def action_delete(self) -> None:
        """Ask whether the highlighted model is to go from the server's disk, for good."""
        model = self.current
        if not isinstance(model, ServedModel) or not self._may_change():
            return
        taken = f" ({size(model.size_bytes)})" if model.size_bytes else ""
        question = f"Delete {model.name}{taken} from the disk of {self._server}?"
        choices = (f"Delete it{self._left(model)}", "Leave it")
        if await self.app.push_screen_wait(PickScreen(question, choices)) == 0:
            client = self._workspace.engine_client
            if await self.attempt(client.delete_model(self._server, model.name)):
                self.note(f"{self._server} has deleted {model.name}.")

    def _left(self, model: ServedModel) -> str:
        """What deleting means, where another name may stand for the same weights."""
        others = self.server.models if self.server is not None else ()
        same = [m.name for m in others if m.digest and m.digest == model.digest and m.name != model.name]
        if same:
            return f"; the same weights stay as {words.listed(same)}"
        return "; it is gone for good"

    @work(exclusive=True, group="asking")
    async def action_make(self) -> None:
        """Ask for a GGUF file and a name, and have the server make a model of it."""
        if not self._may_change():
            return
        path = await self._file()
        if path is None:
            return
        beginning = path.stem.replace("_", "-").lower()
        if name := await self._new_name(f"What should {self._server} call it?", beginning):
            self._wanted = name
            await self.attempt(self._fetches.create(self._server, name, str(path.absolute())))

    async def _file(self) -> Path | None:
        """Let one of our own models be chosen, or a path be typed."""
        found = await self._workspace.models()
        ours = [m for m in found if not m.server and m.state is not ModelState.BROKEN]
        picked: int | None = len(ours)
        if ours:
            choices = [*(f"{m.id}  {size(m.size_bytes)}" for m in ours), _ANOTHER]
            picked = await self.app.push_screen_wait(PickScreen("Make a model of which file?", choices))
        if picked is None:
            return None
        if picked < len(ours):
            return Path(ours[picked].weights)
        typed, note = "", ""
        while True:
            ask = AskScreen("Make a model of which GGUF file?", typed, note=note)
            answer = await self.app.push_screen_wait(ask)
            typed = answer or ""
            path = words.typed_path(typed)
            if not typed or await asyncio.to_thread(path.is_file):
                return path if typed else None
            note = f"There is no file {typed}."

    async def _new_name(self, question: str, beginning: str) -> str:
        """Ask for a name that no model has: the server would put one in the other's place without a word."""
        name, note = beginning, ""
        while True:
            answer = await self.app.push_screen_wait(AskScreen(question, name, note=note))
            name = answer or ""
            taken = {m.name for m in self.server.models} if self.server is not None else set()
            if not name or not {name, f"{name}:latest"} & taken:
                return name
            note = f"{self._server} has a model called {name} already."
