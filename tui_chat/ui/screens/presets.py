"""The list of presets: narrowed by typing, with the prompt of the highlighted one, to use, edit and copy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from tui_chat.chat.model import Sampling
from tui_chat.config.presets import FoundPresets, Listed, Preset, Source, find_presets, own_presets_folder
from tui_chat.store.errors import StoreError
from tui_chat.store.presets import keep_preset
from tui_chat.ui import gauge, words
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.screens.dialogs import AskScreen, PickScreen
from tui_chat.ui.screens.editor import EditorScreen
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.widgets.filtered import FilteredList, Row, Sought, columns
from tui_chat.ui.widgets.lines import HintLine

NONE = "no preset"
_NAME_CELLS = 14


class Choice(msgspec.Struct, frozen=True):
    """What to use from now on: a preset, or none."""

    preset: Preset | None = None


class PresetsScreen(PassingScreen[Choice | None]):
    """Choose a preset; gives it, or None for leaving all as it is."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.PRESETS,)

    def __init__(self, current: str, usual: Sampling, sought: Sought | None = None) -> None:
        """Make the screen.

        Args:
            current: The name of the preset in use.
            usual: How answers are drawn without one.
            sought: The preset looked for from the beginning.
        """
        super().__init__()
        self._sought = sought
        self._current = current
        self._usual = usual
        self._found = FoundPresets()

    def compose(self) -> ComposeResult:
        """Lay out title, filtered list, prompt, note and keys."""
        with Vertical(classes="list"):
            yield Static("presets", classes="list-head", markup=False)
            yield FilteredList[Listed | None]("type to filter", sought=self._sought)
            yield Static("", classes="preset-facts", markup=False)
            with VerticalScroll(classes="preset-prompt", can_focus=False):
                yield Static("", classes="preset-text", markup=False)
            yield Static("", classes="list-note", markup=False)
            yield HintLine()

    def on_mount(self) -> None:
        """Read the folders; the screen is already painted."""
        self.query_one(HintLine).show(list(commands(Place.PRESETS)))
        self._read()

    @work(exclusive=True, group="presets")
    async def _read(self) -> None:
        self._found = await asyncio.to_thread(find_presets)
        rows: list[Row[Listed | None]] = [Row(NONE, None, NONE, _draw(None, self._current))]
        for each in self._found.listed:
            preset = each.preset
            rows.append(Row(preset.name, each, f"{preset.name} {preset.about}", _draw(each, self._current)))
        empty = "No preset is called that. Any of them can be kept under a name of your own, and changed."
        self.query_one(FilteredList).show(rows, empty)
        if problems := self._found.problems:
            more = f" So it is with {len(problems) - 1} more." if len(problems) > 1 else ""
            self._note(f"{problems[0].what}{more} {problems[0].kept}")
        self._describe()

    @property
    def _highlighted(self) -> Listed | None:
        row = self.query_one(FilteredList).current
        return row.thing if row is not None else None

    @on(OptionList.OptionHighlighted)
    def _describe(self) -> None:
        """Show what the highlighted preset says."""
        listed = self._highlighted
        preset = listed.preset if listed is not None else None
        prompt = preset.system.strip() if preset is not None else ""
        shown = Content(prompt) if prompt else Content.styled("no system prompt", "$muted")
        self.query_one(".preset-text", Static).update(shown)
        self.query_one(".preset-facts", Static).update(self._facts(listed) if listed is not None else "")

    def _facts(self, listed: Listed) -> str:
        """Say what else of a preset differs from what is usual, and which file it is in."""
        preset = listed.preset
        told = [words.drawn(preset.sampling.over(self._usual), self._usual)]
        told.append(f"answered by {preset.model}" if preset.model is not None else "")
        told.append(gauge.in_words(preset.policy.whole) if preset.policy is not None else "")
        told.append(words.place(str(listed.file)) if listed.source is Source.OWN else "")
        told.append("in place of the built-in one" if listed.hides else "")
        return " · ".join(part for part in told if part)

    # Actions

    @on(FilteredList.Chosen)
    def action_choose(self) -> None:
        """Use the highlighted preset."""
        row = self.query_one(FilteredList).current
        if row is not None:
            self.dismiss(Choice(row.thing.preset if row.thing is not None else None))

    def action_leave(self) -> None:
        """Leave all as it is."""
        self.dismiss(None)

    @work
    async def action_edit(self) -> None:
        """Edit the prompt of the highlighted preset, or write a new one, and keep it among one's own."""
        listed = self._highlighted
        preset = listed.preset if listed is not None else Preset()
        title = f"The prompt of {preset.name}" if listed is not None else "The prompt of a new preset"
        while (
            text := await self.app.push_screen_wait(EditorScreen(title, preset.system.strip()))
        ) is not None:
            preset = msgspec.structs.replace(preset, system=f"{text.strip()}\n")
            if await self._keep(preset):
                return

    @work
    async def action_copy(self) -> None:
        """Copy the highlighted preset to one's own."""
        listed = self._highlighted
        if listed is not None:
            await self._keep(listed.preset)

    async def _keep(self, preset: Preset) -> bool:
        """Ask for a name and keep `preset` among one's own; says whether that is done."""
        ask = AskScreen("Keep it among your own presets, called", preset.name)
        if (name := await self.app.push_screen_wait(ask)) is None:
            return False
        there = self._found.own(name)
        if there is not None:
            place = words.place(str(there.file))
            question = PickScreen(
                f"“{name}” is a preset of yours already: {place}", ("Replace it", "Leave it")
            )
            if await self.app.push_screen_wait(question) != 0:
                return False
        kept = msgspec.structs.replace(preset, name=name)
        try:
            file = await asyncio.to_thread(
                keep_preset, own_presets_folder(), kept, there.file if there else None
            )
        except StoreError as error:
            self._note(f"{error.problem.what} {error.problem.kept} {error.problem.remedy}")
            return False
        use = self.with_keys("{presets.choose} uses it from here on")
        self._note(f"kept in {words.place(str(file))} · {use}")
        self._read()
        return True

    def _note(self, text: str) -> None:
        self.query_one(".list-note", Static).update(text)


def _draw(listed: Listed | None, current: str) -> Callable[[int], Content]:
    """How a row is drawn; None is the one for no preset."""

    def draw(width: int) -> Content:
        name = listed.preset.name if listed is not None else NONE
        used = name.casefold() == (current or NONE).casefold()
        mark = ("● ", "$accent") if used else ("○ ", "$muted")
        about = listed.preset.about if listed is not None else "Say nothing to the model beforehand"
        left = Content.assemble(mark, (f"{name:<{_NAME_CELLS}}", "$foreground"), (f" {about}", "$muted"))
        return columns(
            width, left, Content.styled(listed.source.value if listed is not None else "", "$muted")
        )

    return draw
