"""What a check found: how bad it is, what is so, and what to do."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

import msgspec

_WIDTH = 100
_SUBJECT, _VERDICT = 11, 7
_INDENT = " " * (_SUBJECT + _VERDICT)


class Verdict(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, and nothing that keeps anything from working."""
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        what: What is so, in a sentence.
        remedy: What to do about it; empty where there is nothing to be done.
    """

    subject: str
    verdict: Verdict
    what: str
    remedy: str = ""


def ok(subject: str, what: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(subject, Verdict.OK, what)


def note(subject: str, what: str, remedy: str = "") -> Finding:
    """Say something that is worth knowing."""
    return Finding(subject, Verdict.NOTE, what, remedy)


def wrong(subject: str, what: str, remedy: str) -> Finding:
    """Say that something does not work."""
    return Finding(subject, Verdict.WRONG, what, remedy)


def written(findings: Sequence[Finding]) -> str:
    """Lay findings out for a person: by subject, and at the end how many there are to look at."""
    lines: list[str] = []
    for subject, found in groupby(findings, key=lambda each: each.subject):
        head = subject
        for each in found:
            lines += _written(head, each)
            head = ""
    return "\n".join([*lines, "", summary(findings)])


def _written(head: str, finding: Finding) -> list[str]:
    body = [*_fold(finding.what), *(f"  {line}" for line in _fold(finding.remedy))]
    first = f"{head:<{_SUBJECT}}{finding.verdict.value:<{_VERDICT}}{body[0]}"
    return [first, *(_INDENT + line for line in body[1:])]


def _fold(text: str) -> list[str]:
    room = _WIDTH - len(_INDENT) - 2
    return [
        piece
        for line in text.splitlines()
        for piece in wrap(line, room, break_long_words=False, break_on_hyphens=False)
    ]


def summary(findings: Sequence[Finding]) -> str:
    """Count what is wrong, and what is worth knowing."""
    count = Counter(each.verdict for each in findings)
    bad, known = count[Verdict.WRONG], count[Verdict.NOTE]
    first = "Nothing is wrong" if not bad else "1 thing is wrong" if bad == 1 else f"{bad} things are wrong"
    rest = "" if not known else f", {known} worth knowing"
    return f"{first}{rest}."
