"""What a session has cost, which models answered in it, and how quick they were over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_chat.chat.model import Session
from tui_chat.chat.statistics import Statistics, statistics_of
from tui_chat.ui import words
from tui_chat.ui.commands import Place, commands
from tui_chat.ui.plot import bar, plot
from tui_chat.ui.screens.passing import PassingScreen
from tui_chat.ui.widgets.filtered import columns
from tui_chat.ui.widgets.lines import HintLine
from tui_chat.wire.words import rate

_PLOT_LINES = 6
_SCALE_CELLS = 7


class StatisticsScreen(PassingScreen[None]):
    """Shows the statistics of one session as it is now."""

    CSS_PATH = "lists.tcss"
    own_places = (Place.STATISTICS,)

    def __init__(self, session: Session, name_model: Callable[[str], str] = str) -> None:
        super().__init__()
        self._session = session
        self._statistics = statistics_of(session)
        self._name_model = name_model

    def compose(self) -> ComposeResult:
        """Lay out title, statistics and keys."""
        title = self._session.title or "new chat"
        with Vertical(classes="list"):
            yield Static(Content.assemble((title, "bold"), ("   statistics", "$muted")), classes="list-head")
            with VerticalScroll(classes="statistics"):
                yield Static("", classes="statistics-text")
            yield HintLine()

    def on_mount(self) -> None:
        """Draw it, once its width is known."""
        self.query_one(HintLine).show(list(commands(Place.STATISTICS)))
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        """Bars and plot are drawn for a width."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self.query_one(VerticalScroll).scrollable_content_region.width
        lines = [*_told(self._statistics), *_models(self._statistics, self._name_model, width)]
        lines += _speeds(self._statistics, width)
        text = self.query_one(".statistics-text", Static)
        text.update(Content("\n").join(lines))
        text.styles.height = len(lines)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)


def _told(found: Statistics) -> Iterator[Content]:
    """What was said, read and waited for."""
    branches = f"{found.branches:,} branch" if found.branches == 1 else f"{found.branches:,} branches"
    counts = (words.count(found.messages, "message"), words.count(found.answers, "answer"), branches)
    yield Content.styled(" · ".join(counts), "$foreground")
    if found.first and found.last:
        first, last = (f"{each.astimezone():%Y-%m-%d %H:%M}" for each in (found.first, found.last))
        yield Content.styled(f"from {first} to {last}", "$muted")
    if not found.answers:
        return
    yield Content("")
    tokens = (f"read {found.tokens_evaluated:,}", f"reused {found.tokens_reused:,}")
    yield _fact("tokens", *tokens, f"wrote {found.tokens_written:,}")
    thinking = (f"{words.seconds(found.thinking_s)} of it thinking",) if found.thinking_s else ()
    waited = f"waited {words.seconds(found.waiting_s)} for first tokens"
    yield _fact("time", waited, f"wrote for {words.seconds(found.decoding_s)}", *thinking)


def _fact(name: str, *values: str) -> Content:
    return Content.assemble((f"{name:<8}", "$muted"), (" · ".join(values), "$foreground"))


def _models(found: Statistics, name_model: Callable[[str], str], width: int) -> Iterator[Content]:
    """A bar for each model's answers, and how quick it was."""
    if not found.models:
        return
    yield Content("")
    yield Content.styled("answers, and the middle one of their speeds", "$muted")
    most, room = found.models[0].answers, max(8, width // 4)
    for use in found.models:
        speed = rate(use.decode_tps) if use.decode_tps is not None else ""
        first = words.seconds(use.ttft_ms / 1e3) if use.ttft_ms is not None else ""
        told = f"{words.count(use.answers, 'answer'):>12}{speed:>12}{first:>9}"
        name = words.shorten(name_model(use.model), max(8, width - room - len(told) - 2))
        left = Content.assemble(
            (f"{bar(use.answers / most, room):<{room}} ", "$accent"), (name, "$foreground")
        )
        yield columns(width, left, Content.styled(told, "$muted"))


def _speeds(found: Statistics, width: int) -> Iterator[Content]:
    """The speed of every answer, from the oldest on the left to the newest."""
    values = [each.decode_tps for each in found.speeds]
    if len(values) < 2:
        return
    yield Content("")
    yield Content.styled(f"speed over time, tok/s: {len(values):,} answers, the oldest on the left", "$muted")
    drawn = plot(values, max(8, width - _SCALE_CELLS), _PLOT_LINES)
    for number, line in enumerate(drawn):
        scale = f"{max(values):.0f}" if number == 0 else "0" if number == len(drawn) - 1 else ""
        yield Content.assemble((f"{scale:>{_SCALE_CELLS - 2}} ", "$muted"), (line, "$accent"))
