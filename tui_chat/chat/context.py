"""What of a conversation fits its window: how it is spent, when something is dropped, and what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui_chat.chat.compose import Begin, Composed, Line, Omission, Part, begin_of, compose_branch, sent_from
from tui_chat.chat.measure import Ruler, Size
from tui_chat.chat.model import Message, Role, Session
from tui_chat.chat.policy import Cut, CutReason, Policy, PolicyKind

SUMMARY_SHARE = 0.15
"""What of the window a summary may take."""


@dataclass(frozen=True, slots=True)
class Room:
    """The window in tokens, and how many of them are kept for the answer."""

    window: int
    reserve: int

    @property
    def prompt(self) -> int:
        """The most tokens that a prompt may have."""
        return max(0, self.window - self.reserve)


@dataclass(frozen=True, slots=True)
class Spent:
    """How a window is spent, in tokens by part; `size` is the whole prompt."""

    size: Size
    parts: dict[Part, int]
    room: Room

    @property
    def fill(self) -> float:
        """The share of what a prompt may have; above 1 it does not fit."""
        return self.size.tokens / max(1, self.room.prompt)

    @property
    def fits(self) -> bool:
        """Whether it can be sent."""
        return self.size.tokens <= self.room.prompt


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is no longer sent from the next message on.

    Attributes:
        cut: The cut to be made.
        messages: What it drops, oldest first.
        begin: Where sending begins after it.
    """

    cut: Cut
    messages: tuple[Message, ...]
    begin: Begin


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a branch takes of its window as it stands, and what is to be dropped before it is sent.

    Attributes:
        now: With all that is sent now.
        dropped: What the policy drops; None when nothing.
        then: With that dropped.
        summarise: Whether what is dropped is to be condensed first.
    """

    now: Spent
    then: Spent
    dropped: Dropped | None = None
    summarise: bool = False

    @property
    def fits(self) -> bool:
        """Whether it can be sent."""
        return self.then.fits


def spend(composed: Composed, ruler: Ruler, room: Room) -> Spent:
    """Say how the window is spent: each line's tokens, shared out among what it is made of."""
    parts = dict.fromkeys(Part, 0)
    for tokens, shares in zip(ruler.each(composed.lines), composed.shares, strict=True):
        if len(shares) == 1:
            parts[next(iter(shares))] += tokens
            continue
        whole = sum(shares.values()) or 1
        left = tokens
        for part, size in sorted(shares.items(), key=lambda each: each[1]):
            taken = min(left, round(tokens * size / whole))
            parts[part] += taken
            left -= taken
        parts[max(shares, key=lambda part: shares[part])] += left
    return Spent(ruler.size(composed.lines), parts, room)


def decide(session: Session, branch: Sequence[Message], ruler: Ruler, room: Room) -> Outcome:
    """Find out what `branch`, which ends in a question, takes of `room`, and what its policy drops for that.

    Much is dropped at once, so that the beginning of what is sent, and with it the KV cache, then stays as
    it is for many turns. What a person has restored is dropped again only when nothing else helps.

    Raises:
        NothingToAnswerError: As `compose_branch`.
    """
    now = spend(compose_branch(session, branch), ruler, room)
    why = _due(session.policy, branch, now)
    if why is None:
        return Outcome(now, now)
    begin = _best(session, branch, ruler, room)
    if begin is None:
        return Outcome(now, now)
    composed = compose_branch(session, branch, begin)
    then = spend(composed, ruler, room)
    before = {each.id for each in compose_branch(session, branch).left_out if each.why is Omission.CUT}
    gone = {each.id for each in composed.left_out if each.why is Omission.CUT} - before
    if not gone:
        return Outcome(now, now)
    cut = Cut(
        begin.first if begin.first != branch[-1].id else None,
        why,
        session.policy.kind,
        messages=len(gone),
        tokens=max(0, now.size.tokens - then.size.tokens),
        exact=now.size.exact and then.size.exact,
    )
    dropped = Dropped(cut, tuple(message for message in branch if message.id in gone), begin)
    return Outcome(now, then, dropped, session.policy.kind is PolicyKind.SUMMARISE)


def by_hand(session: Session, branch: Sequence[Message], ruler: Ruler) -> Cut:
    """Return the cut that drops all of `branch` so far, because somebody said so."""
    sent = [message for message in branch[sent_from(branch, begin_of(branch)) :] if message.said]
    lines = [Line(message.role, message.sent, pictures=message.pictures) for message in sent]
    tokens = sum(ruler.each([line for line in lines if line.text.strip() or line.pictures]))
    return Cut(None, CutReason.HAND, session.policy.kind, messages=len(sent), tokens=tokens)


def _due(policy: Policy, branch: Sequence[Message], now: Spent) -> CutReason | None:
    if policy.kind is PolicyKind.FULL:
        return None
    restored = any(message.cut is not None and message.cut.restored for message in branch)
    if now.fill > (1.0 if restored else policy.fill):
        return CutReason.FILL
    if policy.kind is PolicyKind.RESET and policy.turns and not restored:
        since = branch[sent_from(branch, begin_of(branch)) : -1]
        if sum(message.role is Role.USER for message in since) >= policy.turns:
            return CutReason.TURNS
    return None


def _best(session: Session, branch: Sequence[Message], ruler: Ruler, room: Room) -> Begin | None:
    """Where sending is to begin: as far up as the policy allows. None where nothing can be dropped."""
    policy, summary = session.policy, begin_of(branch).summary
    hard = policy.kind is PolicyKind.RESET
    told, pins = "" if hard else summary, policy.kind is PolicyKind.SELECTIVE
    start = sent_from(branch, begin_of(branch))
    places = [index for index in range(start + 1, len(branch)) if branch[index].role is Role.USER]
    if hard:
        places = _kept_by_reset(branch, places, policy.keep)
        target = float(room.prompt)
    else:
        target = policy.target * room.prompt
        if policy.kind is PolicyKind.SUMMARISE:
            target -= SUMMARY_SHARE * room.prompt
    if not places:
        return None
    low, high = 0, len(places) - 1
    while low < high:
        middle = (low + high) // 2
        begin = Begin(branch[places[middle]].id, None, told, pins)
        if ruler.size(compose_branch(session, branch, begin).lines).tokens <= target:
            high = middle
        else:
            low = middle + 1
    return Begin(branch[places[low]].id, None, told, pins)


def _kept_by_reset(branch: Sequence[Message], places: list[int], keep: int) -> list[int]:
    """The places at which a reset that keeps the last `keep` messages before the question may begin."""
    said = [index for index, message in enumerate(branch) if message.said]
    if keep <= 0:
        return places[-1:]
    first = said[max(0, len(said) - 1 - keep)]
    earlier = [place for place in places if place <= first]
    return [*earlier[-1:], *(place for place in places if place > first)]
