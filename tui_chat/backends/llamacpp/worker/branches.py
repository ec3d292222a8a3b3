"""The branches that one KV cache holds beside each other, and which cells they share.

llama.cpp marks each cell with the sequences it belongs to. The branch that is being answered is always
sequence 0; one that was left keeps its cells under another number, and what two branches begin with in
common lies in the same cells. Only a cache that can be cut off anywhere can do this.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.states import SEQUENCE
from tui_chat.chat.model import Sampling
from tui_chat.memory.pictured import cells
from tui_chat.memory.sequences import common_length

WORTHWHILE = 32
"""Tokens that have to be lost for a branch to be kept: fewer are read again sooner than kept."""


_LEAST = 3
"""Sequences: to go from the active branch to a kept one takes the two and one to keep the first."""


class Stretch(NamedTuple):
    """Cells that were filled one after the other, the first with the token at position `start`."""

    start: int
    number: int


class Draw(NamedTuple):
    """How an answer to the first `prompt` tokens was drawn: the same draw gives the same answer."""

    prompt: int
    sampling: Sampling
    seed: int | None


@dataclass(slots=True)
class Branch:
    """Tokens in their order, and the cells they lie in.

    Attributes:
        stretches: From first to last; each goes on to where the next one starts.
        sequence: Its number in llama.cpp.
        tag: Whose it is: the id of the answer that it was last read or written for, if it still ends there.
        draw: How that answer was drawn.
        seam: Where tokens that were moved begin, None if none was. From there on its cells are not what a
            fresh evaluation gives: what was dropped still shows in them.
    """

    tokens: list[int]
    stretches: list[Stretch]
    sequence: int = SEQUENCE
    tag: str = ""
    draw: Draw | None = None
    seam: int | None = None

    def usable(self, prompt: list[int], *, shift: bool) -> int:
        """How many of its first tokens a request for `prompt` may go on from.

        What lies beyond a seam is lent only to requests that let tokens be moved themselves. The tokens
        have to be equal all the same, so these are requests of the same trimmed conversation.
        """
        common = common_length(self.tokens, prompt)
        return common if shift or self.seam is None else min(common, self.seam)

    def spans(self) -> Iterator[tuple[Stretch, int]]:
        """Yield each stretch and the position after its last token."""
        ends = [*(stretch.start for stretch in self.stretches[1:]), len(self.tokens)]
        return zip(self.stretches, ends, strict=True)

    def shared(self, other: Branch) -> int:
        """How many of the first tokens lie in the same cells as the other's."""
        length = 0
        for (mine, end), (theirs, its_end) in zip(self.spans(), other.spans(), strict=False):
            if mine != theirs:
                break
            length = min(end, its_end)
        return length


@dataclass(slots=True)
class Branches:
    """The active branch and those that were left, of the `size` cells of one context.

    Attributes:
        memory: llama.cpp's.
        most: Sequences that the context has; 1 where nothing can be kept.
        tokens: The active branch's, always the same list.
        kept: Those that were left, least lately used first.
        room: Tokens that the active branch can grow to by words before a kept one has to go.
    """

    memory: Any
    size: int
    most: int
    tokens: list[int]
    active: Branch = field(init=False)
    kept: list[Branch] = field(default_factory=list)
    room: int = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.active = Branch(self.tokens, [self._stretch(0)])
        self.room = self.size

    def best(self, prompt: list[int], *, shift: bool) -> tuple[Branch, int]:
        """The branch that most of `prompt` can be had from, and how much; if equal, the active one."""
        every = [(branch, branch.usable(prompt, shift=shift)) for branch in (self.active, *self.kept)]
        return max(every, key=lambda found: found[1])

    def leave(self, length: int | None = None) -> None:
        """Keep the active branch, or its first `length` tokens, beside what it becomes."""
        length = len(self.tokens) if length is None else length
        if self.most < _LEAST or length <= WORTHWHILE:
            return
        if len(self.kept) == self.most - 1:
            self.drop(self.kept[0])
        active, taken = self.active, {branch.sequence for branch in self.kept}
        sequence = next(number for number in range(1, self.most) if number not in taken)
        lib.llama_memory_seq_cp(self.memory, SEQUENCE, sequence, 0, length)
        stretches = [stretch for stretch in active.stretches if stretch.start < length]
        seam = active.seam if active.seam is not None and active.seam < length else None
        whole = length == len(self.tokens)
        self.kept.append(
            Branch(
                tokens=self.tokens[:length],
                stretches=stretches,
                sequence=sequence,
                tag=active.tag if whole else "",
                draw=active.draw if whole else None,
                seam=seam,
            )
        )
        self.recount()

    def go_to(self, branch: Branch, length: int, *, stays: bool) -> None:
        """Go on from the first `length` tokens of a kept `branch`, giving up the active one's cells.

        What the branch has beyond them is given up as well, unless it `stays` and is worth that.
        """
        lib.llama_memory_seq_rm(self.memory, SEQUENCE, -1, -1)
        lib.llama_memory_seq_cp(self.memory, branch.sequence, SEQUENCE, 0, length)
        active = self.active
        self.tokens[:] = branch.tokens
        active.stretches = list(branch.stretches)
        active.tag, active.draw, active.seam = branch.tag, branch.draw, branch.seam
        if not stays or len(branch.tokens) - length <= WORTHWHILE:
            self.drop(branch)
        self.cut(length)

    def touch(self, branch: Branch) -> None:
        """Count a kept branch as the one used last."""
        self.kept.remove(branch)
        self.kept.append(branch)

    def cut(self, length: int) -> bool:
        """Cut the active branch off after `length` tokens; False if llama.cpp would not."""
        if not lib.llama_memory_seq_rm(self.memory, SEQUENCE, length, -1):
            return False
        active = self.active
        if length < len(self.tokens):
            active.tag, active.draw = "", None
            del self.tokens[length:]
        if active.seam is not None and active.seam >= length:
            active.seam = None
        active.stretches = [stretch for stretch in active.stretches if stretch.start < length]
        active.stretches.append(self._stretch(length))
        self.recount()
        return True

    def move(self, start: int, end: int) -> None:
        """Drop the active branch's tokens from `start` to `end`, and move those that follow up to there.

        A cell has one position, so no other branch can go on sharing those that are moved. What ends before
        them is kept as a branch. llama.cpp turns the keys at the next evaluation.
        """
        active = self.active
        for branch in [kept for kept in self.kept if kept.shared(active) > end]:
            self.drop(branch)
        if end - start > WORTHWHILE:
            self.leave(end)
        lib.llama_memory_seq_rm(self.memory, SEQUENCE, start, end)
        lib.llama_memory_seq_add(self.memory, SEQUENCE, end, -1, start - end)
        del self.tokens[start:end]
        active.seam = start if active.seam is None else min(active.seam, start)
        active.tag, active.draw = "", None
        active.stretches = [stretch for stretch in active.stretches if stretch.start < start]
        active.stretches.append(self._stretch(start))
        self.recount()

    def make_room(self, length: int) -> None:
        """Let kept branches go until the active one can grow to `length` tokens."""
        while self.room < length and self.kept:
            self.drop(self.kept[0])

    def drop_kept(self) -> None:
        """Give up all but the active branch."""
        while self.kept:
            self.drop(self.kept[0])

    def drop(self, branch: Branch) -> None:
        """Give a kept branch up, with the cells that are its own."""
        lib.llama_memory_seq_rm(self.memory, branch.sequence, -1, -1)
        self.kept.remove(branch)
        self.recount()

    def adopt(self, active: Branch, kept: Iterable[Branch]) -> None:
        """Take over what another context's cache said of cells that this one has been given."""
        self.tokens[:] = active.tokens
        self.active = Branch(self.tokens, active.stretches, SEQUENCE, active.tag, active.draw, active.seam)
        self.kept = list(kept)
        latest = max(stretch.number for branch in (active, *self.kept) for stretch in branch.stretches)
        self._numbers = itertools.count(latest + 1)
        self.recount()

    def clear(self) -> None:
        """Forget all of them."""
        lib.llama_memory_clear(self.memory, False)
        self.tokens.clear()
        self.kept.clear()
        self.active = Branch(self.tokens, [self._stretch(0)])
        self.recount()

    def _stretch(self, start: int) -> Stretch:
        return Stretch(start, next(self._numbers))

    def recount(self) -> None:
        """Find out how far the active branch can grow: to where it meets cells that only others hold."""
        ends: dict[Stretch, tuple[int, Branch]] = {}
        for branch in (self.active, *self.kept):
            for stretch, end in branch.spans():
                if end >= ends.get(stretch, (0, branch))[0]:
                    ends[stretch] = (end, branch)
        used = sum(cells(branch.tokens[stretch.start : end]) for stretch, (end, branch) in ends.items())
        self.room = self.size - (used - len(self.tokens))
