"""`tui-chat stats`: how fast the models were, and what that took of the machine, from the log of answers."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_chat.chat.statistics import ModelUse
    from tui_chat.store.answerlog import AnswerLine

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_AGO = re.compile(r"(\d{1,5})([hdw])")
_PLOT_WIDTH, _PLOT_HEIGHT = 60, 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", metavar="M", help="only models whose name contains M")
    parser.add_argument(
        "--since", metavar="D", type=moment, help="only since then: 12h, 7d, 4w, or a date such as 2026-11-01"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print every answer as a line of CSV")
    form.add_argument("--json", action="store_true", help="print one JSON object: models, and every answer")
    form.add_argument("--plot", action="store_true", help="draw how fast each model wrote, answer by answer")


def moment(text: str) -> datetime:
    """Read how long ago, or a date in local time.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    if found := _AGO.fullmatch(text.strip()):
        return datetime.now(UTC) - int(found[1]) * _UNITS[found[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        told = f"{text!r} is no time; write 12h, 7d, 4w, or a date such as 2026-11-01"
        raise argparse.ArgumentTypeError(told) from None


def run(args: argparse.Namespace) -> int:
    """Print them."""
    from tui_chat.cli.settings import load
    from tui_chat.store.answerlog import read_answers

    paths, settings = load()
    folder = paths.metrics
    try:
        found = read_answers(folder)
    except OSError as error:
        sys.stderr.write(f"tui-chat: The log of answers cannot be read: {error}.\n")
        return 1
    lines = [line for line in found.lines if _is_wanted(line, args.model, args.since)]
    if found.unreadable:
        count = f"{found.unreadable} line{'s' * (found.unreadable != 1)}"
        sys.stderr.write(f"tui-chat: left out, as nobody can read it: {count} of the log.\n")
    if args.csv:
        from tui_chat.cli.answers import write_csv

        write_csv(sys.stdout, lines)
    elif args.json:
        _print_json(lines)
    elif not lines:
        print(_nothing(bool(found.lines), settings.metrics.log))
    else:
        print(_plots(lines) if args.plot else _summary(lines))
    return 0


def _is_wanted(line: AnswerLine, model: str | None, since: datetime | None) -> bool:
    if since is not None and line.at < since:
        return False
    return model is None or model.casefold() in line.answer.model.casefold()


def _nothing(others: bool, logging: bool) -> str:
    if others:
        return "No such answer is logged. `tui-chat stats` shows all there are."
    if not logging:
        return "No answers are logged: `metrics.log` is off in the settings."
    return "No answers are logged yet. Ask something first."


def _print_json(lines: Sequence[AnswerLine]) -> None:
    import msgspec

    from tui_chat.chat.statistics import uses_of

    models = uses_of(line.answer for line in lines)
    print(msgspec.json.encode({"models": models, "answers": lines}).decode())


def _summary(lines: Sequence[AnswerLine]) -> str:
    from tui_chat.chat.statistics import uses_of
    from tui_chat.cli.table import table

    uses = uses_of(line.answer for line in lines)
    heads = ("MODEL", "ANSWERS", "TOKENS", "TOK/S", "PREFILL", "FIRST TOKEN", "RAM", "VRAM", "HEAT", "ENERGY")
    rows = [heads, *map(_row, uses)]
    shown = [column for column in zip(*rows, strict=True) if any(cell != "" for cell in column[1:])]
    text = table(list(zip(*shown, strict=True)), right=range(1, len(shown)))
    first, last = lines[0].at.astimezone(), lines[-1].at.astimezone()
    cut = sum(use.answers - use.complete for use in uses)
    told = f"{len(lines):,} answer{'s' * (len(lines) != 1)}, {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    told += f", {cut:,} of them cut short" if cut else ""
    return f"{text}\n\n{told}. Speeds and times are the middle ones, memory and heat the most."


def _row(use: ModelUse) -> tuple[str, ...]:
    from tui_chat.wire.readings import heat
    from tui_chat.wire.words import size

    return (
        use.model,
        f"{use.answers:,}",
        f"{use.tokens_written:,}",
        "" if use.decode_tps is None else f"{use.decode_tps:.1f}",
        "" if use.prefill_tps is None else f"{use.prefill_tps:.0f}",
        "" if use.ttft_ms is None else f"{use.ttft_ms / 1000:.2f} s",
        "" if use.peak_ram_bytes is None else size(use.peak_ram_bytes),
        "" if use.peak_vram_bytes is None else size(use.peak_vram_bytes),
        "" if use.hottest_c is None else heat(use.hottest_c),
        "" if use.token_j is None else f"{use.token_j:.2f} J/token",
    )


def _plots(lines: Sequence[AnswerLine]) -> str:
    """Draw each model's speed over its answers."""
    from tui_chat.chat.statistics import uses_of
    from tui_chat.ui.plot import plot
    from tui_chat.wire.words import rate

    drawn = []
    for use in uses_of(line.answer for line in lines):
        mine = [line.answer.timings.decode_tps for line in lines if line.answer.model == use.model]
        speeds = [speed for speed in mine if speed is not None]
        if speeds:
            top, *below = plot(speeds, _PLOT_WIDTH, _PLOT_HEIGHT)
            told = f"{use.model}: {len(speeds):,} answers, {rate(max(speeds))} at most, 0 at the bottom"
            drawn.append("\n".join((told, top, *below)))
    return "\n\n".join(drawn) or "No answer was long enough to tell a speed."
