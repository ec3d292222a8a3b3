"""Where copied text ends up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui_chat.cli.doctor.finding import Finding, Verdict
from tui_chat.ui.reach.clipboard import diagnose
from tui_chat.ui.reach.kinds import inside
from tui_chat.ui.reach.tmux import ask_tmux
from tui_chat.ui.reach.tools import native_commands

SUBJECT = "clipboard"


async def check(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Say which way copying would take. Nothing is copied: what lies on the clipboard stays there."""
    around = inside(environ)
    tmux = await ask_tmux(environ) if around.tmux else None
    tools = tuple(command[0] for command in native_commands(environ))
    verdict = diagnose(around, tmux, tools)
    if verdict.reaches:
        grade = Verdict.NOTE if verdict.remedy else Verdict.OK
        found = Finding(SUBJECT, grade, f"Copied text goes {verdict.way}.", _sentence(verdict.remedy))
    else:
        what = f"Copied text does not arrive: {verdict.way}."
        found = Finding(SUBJECT, Verdict.WRONG, what, _sentence(verdict.remedy))
    return iter((found,))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
