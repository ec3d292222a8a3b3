"""Small questions over the chat: a line of text, or one of a few things."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.ui.command import Place
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.widgets.rows import Rows


class AskScreen(PassingScreen[str | None]):
    """Ask for one line of text. Enter gives it, if there is any or none is allowed; escape gives None."""

    CSS_PATH = "dialogs.tcss"
    own_places = (Place.DIALOG,)

    def __init__(self, question: str, value: str = "", *, may_be_empty: bool = False, note: str = "") -> None:
        """Ask `question`, with `value` to begin with; `note` says what was wrong with that."""
        super().__init__()
        self._told = note
        self._question = question
        self._value = value
        self._may_be_empty = may_be_empty

    def compose(self) -> ComposeResult:
        """Lay out question, input and keys."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield Input(self._value, compact=True)
            yield Static(self._told, classes="dialog-note", markup=False)
            yield self.key_line("enter ok   {dialog.close:leave it}")

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if text or self._may_be_empty:
            self.dismiss(text)


class PickScreen(PassingScreen[int | None]):
    """Choose one of a few things with its number, or arrows and enter. Escape gives None."""

    CSS_PATH = "dialogs.tcss"
    own_places = (Place.DIALOG,)

    def __init__(self, question: str, choices: Sequence[str]) -> None:
        super().__init__()
        self._question = question
        self._choices = choices

    def compose(self) -> ComposeResult:
        """Lay out the numbered choices."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="dialog-title", markup=False)
            yield Rows(
                *(Option(f"{number}  {choice}") for number, choice in enumerate(self._choices, 1)),
                markup=False,
                compact=True,
            )
            yield self.key_line("1-9 or enter choose   {dialog.close:back}")

    def on_key(self, event: events.Key) -> None:
        """Take a digit as the choice."""
        if event.key.isdigit() and 1 <= int(event.key) <= len(self._choices):
            event.stop()
            self.dismiss(int(event.key) - 1)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option_index)
