"""The settings: all of them, found by a few letters, changed in the file one by one, and undone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from tui_chat.config.paths import config_file
from tui_chat.config.reading import read_settings
from tui_chat.config.showing import shown
from tui_chat.store.errors import StoreError
from tui_chat.store.settings import Changed, SettingsFile
from tui_chat.ui.commands import Place
from tui_chat.ui.screens.listing import ListScreen
from tui_chat.ui.settings.asking import UNSET, ask
from tui_chat.ui.settings.rows import about, matching, rows, summary, wrong
from tui_chat.ui.widgets.filtered import FilteredList, Row, Sought
from tui_chat.ui.widgets.lines import HintLine

if TYPE_CHECKING:
    from tui_chat.config.reading import Reading
    from tui_chat.config.schema import Setting
    from tui_chat.config.settings import Settings


class SettingsScreen(ListScreen[None]):
    """Shows and changes the settings; those that can take effect at once do."""

    own_places = (Place.SETTINGS,)
    heading = "settings"
    placeholder = "type to find a setting, by its name or what it does"

    def __init__(
        self,
        use: Callable[[Settings], str],
        suggested: Callable[[Setting], Sequence[str]],
        sought: Sought | None = None,
    ) -> None:
        """Make the screen.

        Args:
            use: Has settings take effect, as far as that is possible at once; says what stands against it.
            suggested: Gives the values there are, of a setting whose declaration does not know them.
            sought: The setting looked for from the beginning.
        """
        super().__init__(sought)
        self._use = use
        self._suggested = suggested
        self._reading: Reading | None = None
        self._undo: list[tuple[Changed, str]] = []

    def compose(self) -> ComposeResult:
        """Lay out title, filter, list, what is said of the highlighted one, note and keys."""
        with Vertical(classes="list"):
            yield Static(self.heading, classes="list-head", markup=False)
            yield FilteredList[Any](self.placeholder, self.matching, sought=self._sought)
            yield Static("", classes="list-plan", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def matching(self, typed: str, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Return the settings that match what was typed."""
        return matching(self._reading, typed, rows) if self._reading is not None else []

    @work(exclusive=True, group="reading")
    async def read(self) -> None:
        """Read the file, and say what is wrong with it."""
        if await self._read() and self._reading is not None:
            self.note(wrong(self._reading))

    async def _read(self, at: str | None = None) -> bool:
        reading = await asyncio.to_thread(read_settings, config_file(), os.environ)
        if not self.there:
            return False
        self._reading = reading
        self.head(summary(reading))
        self.rows.show(rows(reading), "No setting is called that, or does that.", at)
        self._describe()
        return True

    @on(OptionList.OptionHighlighted)
    @on(FilteredList.Typed)
    def _describe(self) -> None:
        """Say what the highlighted setting does."""
        row, reading = self.rows.current, self._reading
        told = about(reading, row.thing) if row is not None and reading is not None else Content("")
        self.query_one(".list-plan", Static).update(told)

    # Changing

    @on(FilteredList.Chosen)
    @work(exclusive=True, group="changing")
    async def action_choose(self) -> None:
        """Change the highlighted setting."""
        found = self._changeable()
        if found is None:
            return
        setting, reading = found
        value = await ask(self.app, setting, reading.value(setting), self._suggested(setting))
        if value is UNSET:
            await self._reset(setting, reading)
        elif value is not None:
            told = f"{setting.key} = {shown(setting, value)}"
            await self._change(setting, told, lambda file: file.set(setting.path, value, _as_seen(reading)))

    @work(exclusive=True, group="changing")
    async def action_reset(self) -> None:
        """Leave the highlighted setting to its default."""
        found = self._changeable()
        if found is not None:
            await self._reset(*found)

    async def _reset(self, setting: Setting, reading: Reading) -> None:
        if setting.path not in reading.values:
            self.note(f"{setting.key} has its default already")
            return
        told = f"{setting.key} is as by default: {shown(setting, setting.default)}"
        await self._change(setting, told, lambda file: file.reset(setting.path, _as_seen(reading)))

    @work(exclusive=True, group="changing")
    async def action_undo(self) -> None:
        """Take the last change back."""
        if not self._undo:
            self.note("nothing was changed here yet")
            return
        done, key = self._undo.pop()
        if await self._attempt(lambda file: file.undo(done)):
            await self._settle(f"{key} is as it was before", key)

    def _changeable(self) -> tuple[Setting, Reading] | None:
        """The highlighted setting, unless the environment has the last word on it."""
        row, reading = self.rows.current, self._reading
        if row is None or reading is None:
            return None
        if variable := reading.origin(row.thing).variable:
            self.note(f"{row.thing.key} is set by {variable} where tui-chat was started; change it there")
            return None
        return row.thing, reading

    async def _change(self, setting: Setting, told: str, change: Callable[[SettingsFile], Changed]) -> None:
        done = await self._attempt(change)
        if isinstance(done, Changed):
            self._undo.append((done, setting.key))
            await self._settle(f"{told} · {setting.when}", setting.key, " · {settings.undo} takes it back")

    async def _attempt(self, change: Callable[[SettingsFile], object]) -> object:
        """Change the file; what stood against it is told, and what the file says now is shown."""
        try:
            return await asyncio.to_thread(lambda: change(SettingsFile(config_file())) or True)
        except StoreError as error:
            problem = error.problem
            await self._read()
            if self.there:
                self.note(f"{problem.what} {problem.kept} {problem.remedy}")
            return None

    async def _settle(self, told: str, at: str, keys: str = "") -> None:
        """Show what holds now, and have it take effect; `keys` are named as they are then."""
        if await self._read(at) and self._reading is not None:
            against = self._use(self._reading.settings)
            self.note(f"{told}{self.with_keys(keys)}{f' · {against}' if against else ''}")

    def action_leave(self) -> None:
        """Back to where one was."""
        self.dismiss(None)


def _as_seen(reading: Reading) -> Changed:
    """The file as it is shown."""
    return Changed(reading.data, reading.data)
