"""How a context is spent, drawn: a bar with a part for each thing, and what each part is."""

from __future__ import annotations

from textual.content import Content

from tui_chat.chat.compose import Part
from tui_chat.chat.context import Outcome, Spent
from tui_chat.chat.policy import Policy, PolicyKind
from tui_chat.ui import words
from tui_chat.ui.plot import FILLS, shares

_FREE, _KEPT = "·", "░"
_STYLES = {
    Part.SYSTEM: "$part-system",
    Part.PINNED: "$part-pinned",
    Part.SUMMARY: "$part-summary",
    Part.HISTORY: "$part-history",
    Part.THINKING: "$part-thinking",
}
_FILLS = dict(zip((Part.HISTORY, Part.SYSTEM, Part.SUMMARY, Part.PINNED, Part.THINKING), FILLS, strict=True))
_RESERVE = "answer"


def bar(spent: Spent, width: int) -> Content:
    """Draw the window in `width` cells: what is used, by what for; what is free; what the answer is kept."""
    room = spent.room
    window = max(1, room.window, spent.size.tokens + room.reserve)
    kept = min(width, -(-room.reserve * width // window))
    taken, left = shares(spent.parts.values(), window, width, width - kept)
    parts = [(_FILLS[part] * cells, _STYLES[part]) for part, cells in zip(spent.parts, taken, strict=True)]
    return Content.assemble(*parts, (_FREE * left, "$gauge-free"), (_KEPT * kept, "$gauge-free"))


def legend(spent: Spent) -> list[tuple[str, str, int]]:
    """What the parts of the bar are: fill and name, style and tokens, of those that there are."""
    there = ((part, tokens) for part, tokens in spent.parts.items() if tokens)
    parts = [(f"{_FILLS[part]} {part.value}", _STYLES[part], tokens) for part, tokens in there]
    return [*parts, (f"{_KEPT} {_RESERVE}", "$muted", spent.room.reserve)]


def filled(spent: Spent) -> str:
    """Write how many tokens are used of how many, with ~ where nobody has counted them."""
    about = "" if spent.size.exact else "~"
    return f"{about}{spent.size.tokens:,} of {spent.room.window:,}"


def share(spent: Spent) -> str:
    """Write how much of the window is used: ``72 %``."""
    return f"{spent.size.tokens / max(1, spent.room.window) * 100:.0f} %"


def panel(spent: Spent, policy: Policy, dropping: str, width: int) -> Content:
    """Draw the gauge for a narrow column."""
    head = _ends("context", policy.kind.value, width)
    lines = [head, Content(f" {filled(spent)} tokens"), Content.assemble(" ", bar(spent, max(4, width - 2)))]
    for name, style, tokens in legend(spent):
        lines.append(_ends(f" {name}", f"{tokens:,}", width, left=style, right="$muted"))
    if dropping:
        lines.append(Content.styled(f" {dropping}", "$warning"))
    return Content("\n").join(lines)


def in_words(policy: Policy) -> str:
    """Say what a policy does, with its numbers."""
    at = f"{policy.fill * 100:.0f} %"
    match policy.kind:
        case PolicyKind.FULL:
            return "nothing is dropped; what does not fit is not sent"
        case PolicyKind.SLIDING:
            return f"at {at} the oldest turns are dropped, down to {policy.target * 100:.0f} %"
        case PolicyKind.RESET:
            when = f"at {at}" + (f" or after {words.count(policy.turns, 'question')}" if policy.turns else "")
            kept = f"the last {words.count(policy.keep, 'message')}" if policy.keep else "the system prompt"
            return f"{when} it starts again from {kept}"
        case PolicyKind.SUMMARISE:
            return f"at {at} the model condenses the oldest turns into a summary you can edit"
        case PolicyKind.SELECTIVE:
            return f"at {at} the oldest turns are dropped, but pinned messages and facts stay"


def dropping(outcome: Outcome | None) -> str:
    """Say what the next message will no longer send; "" for nothing."""
    dropped = outcome.dropped if outcome is not None else None
    if dropped is None:
        return ""
    verb = "condenses" if outcome is not None and outcome.summarise else "drops"
    return f"next send {verb} {words.count(dropped.cut.messages, 'message')}"


def _ends(left_text: str, right_text: str, width: int, left: str = "bold", right: str = "$muted") -> Content:
    gap = max(1, width - len(left_text) - len(right_text) - 1)
    return Content.assemble((left_text, left), " " * gap, (right_text, right))
