"""Answers as rows for a spreadsheet: one column for each number of their records, always the same ones."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Any, TextIO

import msgspec

from tui_chat.chat.flight import Flight, Slow
from tui_chat.chat.model import Answer, Sampling, Timings, Usage
from tui_chat.store.answerlog import AnswerLine

_PARTS: tuple[type[msgspec.Struct], ...] = (Usage, Timings, Sampling, Flight, Slow)
_OF_ANSWER = ("model", "fingerprint", "finish", "seed", "prefill_tps")
_ASKED = {"seed": "seed_asked"}
"""Fields of a part that would be called as another one."""


def write_csv(out: TextIO, lines: Iterable[AnswerLine]) -> None:
    """Write heads, and a row for each answer; what is unknown is left empty."""
    parts = [_columns(part) for part in _PARTS]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("at", "id", "session", *_OF_ANSWER, "problem", *(name for part in parts for name in part))
    )
    for line in lines:
        writer.writerow(_row(line))


def _columns(part: type[msgspec.Struct]) -> list[str]:
    return [_ASKED.get(name, name) for name in part.__struct_fields__ if name != "slow"]


def _row(line: AnswerLine) -> list[object]:
    answer = line.answer
    slow = answer.flight.slow if answer.flight is not None else None
    row: list[object] = [line.at.isoformat(), line.id, line.session or ""]
    row += [_cell(getattr(answer, name)) for name in _OF_ANSWER]
    row.append(answer.problem.code.value if answer.problem is not None else "")
    for kind, part in zip(_PARTS, _parts(answer, slow), strict=True):
        row += [_cell(getattr(part, name, None)) for name in kind.__struct_fields__ if name != "slow"]
    return row


def _parts(answer: Answer, slow: Slow | None) -> tuple[Any, ...]:
    return (answer.usage, answer.timings, answer.sampling, answer.flight, slow)


def _cell(value: object) -> object:
    if value is None:
        return ""
    return "; ".join(map(str, value)) if isinstance(value, tuple) else value
