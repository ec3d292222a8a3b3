"""What a cache has of a prompt, over all its branches, and going on from there."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from tui_chat.backends.llamacpp.worker.branches import WORTHWHILE, Branch, Draw
from tui_chat.backends.llamacpp.worker.cache import KvCache
from tui_chat.memory.pictured import is_picture
from tui_chat.memory.sequences import LEAST_MOVED, Run, common_length, find_moved


@dataclass(frozen=True, slots=True)
class Reused:
    """What a cache had of a prompt.

    Attributes:
        tokens: How many it begins with that need not be evaluated.
        moved: How many of those lay at another place.
        logits: Those after the prompt's last token, if all of it was there.
    """

    tokens: int
    moved: int = 0
    logits: array[float] | None = None


@dataclass(frozen=True, slots=True)
class _Move:
    """Of `branch`, the first `begin` tokens and the `run` further on, which is to follow them."""

    branch: Branch
    begin: int
    run: Run

    @property
    def held(self) -> int:
        """How many tokens of the prompt that gives."""
        return self.begin + self.run.length


def reuse(cache: KvCache, prompt: list[int], *, shift: bool = False, draw: Draw | None = None) -> Reused:
    """Have the cache hold the longest valid beginning of `prompt` that any branch has, and nothing else.

    The branch that was active is kept if more than a few tokens of it would be lost, unless they are an
    answer to the same prompt by the same `draw`: that comes again, to the last bit if in the same cells.
    One token at least is left to evaluate, unless the logits after the prompt are known.

    Args:
        cache: Goes to another branch for it, if need be.
        prompt: Never empty.
        shift: Whether tokens that follow dropped ones may be moved up; if any are, the first token after
            them is evaluated too.
        draw: How the answer will be drawn.

    Raises:
        DecodeError: llama.cpp failed after tokens had been moved.
    """
    logits = cache.endings.find(prompt, shift=shift)
    wanted = prompt if logits else prompt[:-1]
    if cache.takes_checkpoints:
        held = _return(cache, wanted, draw)
    else:
        branch, held = cache.branches.best(wanted, shift=shift)
        move = _best_move(cache, prompt, held) if shift else None
        if move is not None:
            _go_to(cache, move.branch, len(move.branch.tokens), None)
            cache.rewind(move.run.start + move.run.length)
            cache.move(move.begin, move.run.start, prompt[move.held])
            return Reused(move.held, moved=move.run.length)
        _go_to(cache, branch, held, draw)
    return Reused(held, logits=logits if held == len(prompt) else None)


def reusable(cache: KvCache, prompt: list[int], *, shift: bool = False) -> int:
    """How many tokens of `prompt` `reuse` would find, without doing it."""
    wanted = prompt if cache.endings.find(prompt, shift=shift) else prompt[:-1]
    if cache.takes_checkpoints:
        here = cache.reusable(common_length(cache.tokens, wanted))
        _, there = cache.checkpoints.best(wanted)
        return there if there > here + WORTHWHILE else here
    held = cache.branches.best(wanted, shift=shift)[1]
    move = _best_move(cache, prompt, held) if shift else None
    return move.held if move else held


def _best_move(cache: KvCache, prompt: list[int], held: int) -> _Move | None:
    """The branch that gives most of `prompt` by moving tokens up, if that is far more than `held`.

    What is evaluated after them is a word, and no picture.
    """
    if not cache.shifts:
        return None
    wanted = prompt[:-1]
    best: _Move | None = None
    for branch in (cache.branches.active, *cache.branches.kept):
        begin = common_length(branch.tokens, wanted)
        run = find_moved(branch.tokens, wanted, begin)
        if run is None:
            continue
        length = run.length
        while is_picture(prompt[begin + length]):
            length -= 1
        if begin + length >= held + LEAST_MOVED:
            held, best = begin + length, _Move(branch, begin, Run(run.start, length))
    return best


def _go_to(cache: KvCache, branch: Branch, length: int, draw: Draw | None) -> None:
    """Make `branch` the active one, cut off after `length` tokens."""
    branches, active = cache.branches, cache.branches.active
    again = _comes_again(branch, length, draw)
    if branch is active:
        if len(active.tokens) - length > WORTHWHILE and not again:
            branches.leave()
        cache.rewind(length)
        return
    branches.touch(branch)
    if len(active.tokens) - min(length, branch.shared(active)) > WORTHWHILE:
        branches.leave()
        branches.touch(branch)
    branches.go_to(branch, length, stays=not again)


def _return(cache: KvCache, wanted: list[int], draw: Draw | None) -> int:
    """Go back as far as it takes, or to a snapshot of a branch that was left; return how many are left."""
    common = common_length(cache.tokens, wanted)
    here = cache.reusable(common)
    snapshot, there = cache.checkpoints.best(wanted)
    if snapshot is not None and there > here + WORTHWHILE:
        if cache.load(snapshot.tokens, snapshot.state, snapshot.checkpoints):
            if there == len(snapshot.tokens):
                cache.checkpoints.take(snapshot)
                cache.branches.active.tag = snapshot.tag
            return cache.rewind(there)
        return 0
    if len(cache.tokens) - here > WORTHWHILE and not _comes_again(cache.branches.active, common, draw):
        cache.leave()
    return cache.rewind(common)


def _comes_again(branch: Branch, common: int, draw: Draw | None) -> bool:
    """Whether what `branch` has after the `common` tokens is what will be drawn now."""
    return draw is not None and branch.draw == draw and common >= draw.prompt - 1
