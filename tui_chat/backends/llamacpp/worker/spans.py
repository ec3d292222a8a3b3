"""Which part of a rendered conversation belongs to which turn."""

from __future__ import annotations

from tui_chat.backends.llamacpp.worker.template import ChatTemplate
from tui_chat.chat.model import Role
from tui_chat.wire.api import Turn


def find_ends(
    template: ChatTemplate, turns: tuple[Turn, ...], form: tuple[Turn, ...], text: str
) -> list[int]:
    """Where in the rendered `text` each turn ends, with what the template writes after it, in characters.

    Looked for in order and not by rendering more and more of the conversation: that takes long where it is
    long, and some templates write its last turn otherwise than earlier ones.

    Args:
        template: It rendered the text.
        turns: What was to be rendered.
        form: The same in the form that the template accepted.
        text: What came of it.
    """
    after: dict[Role, str] = {}
    for number, turn in enumerate(form, 1):
        if turn.role not in after:
            after[turn.role] = template.after(form[:number])
    ends, at = [], 0
    for turn in turns:
        at = _end(text, turn.text, after.get(turn.role, ""), at)
        ends.append(at)
    return ends


def _end(text: str, said: str, after: str, start: int) -> int:
    """Where `said` and `after` end, from `start` on, or `said` alone where nothing such follows."""
    for written in (said + after, said.strip() + after, said.strip()):
        found = text.find(written, start)
        if found >= 0:
            return found + len(written)
    return start
