"""Counting a conversation turn by turn with a server's own tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from tui_chat.wire.api import CountReply


def by_pieces(text: str, pieces: Sequence[bytes], ends: Sequence[int]) -> CountReply:
    """Count `pieces`, the tokens of `text`, up to the `ends` of its turns, in characters.

    Pieces may be more than the text in front of it, such as a token that begins every prompt; that counts
    as the first turn's. A turn that shares a token with the next leaves it to that one.
    """
    before = max(0, sum(map(len, pieces)) - len(text.encode()))
    spans = [len(text[start:end].encode()) for start, end in pairwise((0, *ends))]
    bounds = list(accumulate(spans, initial=before))[1:]
    counts, tokens, at = [0], 0, 0
    for bound in bounds:
        while tokens < len(pieces) and at + len(pieces[tokens]) <= bound:
            at += len(pieces[tokens])
            tokens += 1
        counts.append(tokens)
    return CountReply(tuple(end - start for start, end in pairwise(counts)), len(pieces))


def by_shares(said: Sequence[int], written: int, total: int) -> CountReply:
    """Share out what a template adds evenly, where only sums are known.

    Args:
        said: Tokens of each turn's own text.
        written: Of all turns as the template writes them.
        total: Of the whole prompt, with what it adds for the answer to begin.
    """
    added = max(0, written - sum(said))
    share, odd = divmod(added, len(said)) if said else (0, 0)
    return CountReply(
        tuple(tokens + share + (place < odd) for place, tokens in enumerate(said)), max(total, written)
    )
