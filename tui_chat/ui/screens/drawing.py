"""How answers are drawn, number by number, each checked before anything is changed."""

from __future__ import annotations

import msgspec
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui_chat.chat.limits import SAMPLING
from tui_chat.chat.model import Sampling
from tui_chat.ui.command import Place
from tui_chat.ui.screens.passing import PassingScreen


class Number(msgspec.Struct, frozen=True):
    """One number that can be set. An `optional` one may be left empty; others are then as usual."""

    label: str
    about: str
    whole: bool = False
    optional: bool = False


NUMBERS = {
    "temperature": Number("temperature", "0 always takes the likeliest token"),
    "top_k": Number("top-k", "the likeliest so many; 0 for all", whole=True),
    "top_p": Number("top-p", "the likeliest up to this share"),
    "min_p": Number("min-p", "at least this share of the top one"),
    "repeat_penalty": Number("repeat penalty", "1 is off"),
    "frequency_penalty": Number("frequency penalty", "0 is off"),
    "presence_penalty": Number("presence penalty", "0 is off"),
    "penalty_last_n": Number("look-back", "tokens penalties see; -1 for all", whole=True),
    "seed": Number("seed", "empty for another each time", whole=True, optional=True),
    "max_tokens": Number("limit", "tokens of an answer; empty for none", whole=True, optional=True),
}


class InputError(ValueError):
    """What was written is no number that makes sense; the message says why, `field` where."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{NUMBERS[field].label}: {why}")
        self.field = field


class DrawingScreen(PassingScreen[Sampling | None]):
    """Change how answers are drawn; gives that, or None for leaving it as it is."""

    CSS_PATH = "dialogs.tcss"
    own_places = (Place.DIALOG,)

    def __init__(self, sampling: Sampling, usual: Sampling) -> None:
        """Make the screen, with `sampling` in it; `usual` is what the settings say."""
        super().__init__()
        self._sampling = sampling
        self._usual = usual

    def compose(self) -> ComposeResult:
        """Lay out one row for each number, and the keys."""
        with Vertical(classes="dialog -wide"):
            yield Static("How answers are drawn from here on", classes="dialog-title", markup=False)
            for field, number in NUMBERS.items():
                with Horizontal(classes="drawing-row"):
                    yield Static(number.label, classes="drawing-label", markup=False)
                    yield Input(_written(self._sampling, field), compact=True, id=f"drawing-{field}")
                    yield Static(number.about, classes="drawing-about", markup=False)
            yield Static("", classes="drawing-wrong", markup=False)
            yield self.key_line(
                "enter use   ↑↓ move   {dialog.usual:as in the settings}   {dialog.close:leave it}"
            )

    def on_key(self, event: events.Key) -> None:
        """Move between the numbers as in a list."""
        if event.key in ("up", "down"):
            event.stop()
            event.prevent_default()
            (self.focus_previous if event.key == "up" else self.focus_next)()

    @on(Input.Submitted)
    def _use(self, event: Input.Submitted) -> None:
        event.stop()
        try:
            said = {field: self._read(field) for field in NUMBERS}
        except InputError as error:
            self.query_one(".drawing-wrong", Static).update(f"{error}. Nothing was changed.")
            self._input(error.field).focus()
        else:
            self.dismiss(msgspec.structs.replace(self._sampling, **said))

    def action_usual(self) -> None:
        """Write what the settings say into all rows."""
        for field in NUMBERS:
            self._input(field).value = _written(self._usual, field)

    def _input(self, field: str) -> Input:
        return self.query_one(f"#drawing-{field}", Input)

    def _read(self, field: str) -> float | None:
        """The number in a row; raises `InputError`."""
        number, text = NUMBERS[field], self._input(field).value.strip()
        if not text:
            return None if number.optional else getattr(self._usual, field)
        try:
            value = int(text) if number.whole else float(text)
        except ValueError:
            raise InputError(field, f"“{text}” is no {'whole ' * number.whole}number") from None
        if not SAMPLING[field].hold(value):
            raise InputError(field, f"{text} is not {SAMPLING[field]}")
        return value


def _written(sampling: Sampling, field: str) -> str:
    value = getattr(sampling, field)
    if value is None:
        return ""
    return str(value) if NUMBERS[field].whole else f"{value:g}"
