"""How many tokens a conversation has, as far as that can be told without a tokenizer."""

from __future__ import annotations

from collections.abc import Iterable

_ANSWER = 512
"""Tokens kept for an answer whose length nobody has limited."""
_PER_TURN = 8
"""Tokens that a template puts around each turn."""
_BYTES_PER_TOKEN = 3
"""English takes 4 bytes a token, code and most other scripts 3."""
_FEWEST_ASCII = 2
"""Bytes per token of the oddest ASCII text; of a script that a vocabulary lacks, each byte is a token."""


def about_tokens(texts: Iterable[str]) -> int:
    """Estimate the tokens of turns with these `texts`, on the safe side for what people usually write."""
    return sum(len(text.encode()) // _BYTES_PER_TOKEN + _PER_TURN for text in texts)


def most_tokens(texts: Iterable[str]) -> int:
    """The most tokens that turns with these `texts` are likely to be in any vocabulary."""
    return sum(map(_most, texts))


def _most(text: str) -> int:
    size, plain = len(text.encode()), len(text.encode("ascii", "ignore"))
    return plain // _FEWEST_ASCII + size - plain + _PER_TURN


def kept_for_answer(max_tokens: int | None) -> int:
    """Tokens of the context that are kept for an answer of at most `max_tokens`."""
    return min(max_tokens or _ANSWER, _ANSWER)
