"""How pictures stand among the tokens of a conversation, so that whatever compares tokens compares them too.

A picture takes as many negative numbers as it takes positions. They are made of what was seen, so that equal
runs are equal pictures; the first one tells where a picture begins, the second how many more cells of the
KV cache it takes than positions (where places in it have two dimensions, as Qwen-VL's have, it is one place
long on one side only, but takes a cell for each of its tokens).
"""

from __future__ import annotations

from collections.abc import Sequence

_BEGIN = -(1 << 30)
"""Numbers below begin a picture; those from here up to -1 go on with it. All are 32-bit numbers."""
_BITS = 30


def spell(digest: bytes, positions: int, cells: int) -> list[int]:
    """Write a picture as numbers.

    Args:
        digest: What was seen, and by what, as a hash of at least 32 bytes.
        positions: How many it takes, at least one.
        cells: How many of the KV cache it takes, no fewer.

    Raises:
        ValueError: It takes one position and several cells, which no model we know of does.
    """
    if positions == 1 < cells:
        raise ValueError(f"a picture of {cells} cells in one position")
    number = int.from_bytes(digest, "big")
    pieces = [number >> shift & (1 << _BITS) - 1 for shift in range(0, 8 * len(digest), _BITS)]
    begin, *rest = pieces
    following = [cells - positions, *rest, *[0] * positions][: positions - 1]
    return [_BEGIN - 1 - begin, *(-1 - piece for piece in following)]


def is_picture(token: int) -> bool:
    """Whether this is of a picture."""
    return token < 0


def end_of_picture(tokens: Sequence[int], start: int) -> int:
    """Where the picture ends that begins at `start`."""
    end = start + 1
    while end < len(tokens) and _BEGIN <= tokens[end] < 0:
        end += 1
    return end


def next_picture(tokens: Sequence[int], start: int) -> int:
    """Where the next picture begins at or after `start`; the end of the tokens if there is none."""
    return next((at for at in range(start, len(tokens)) if tokens[at] < 0), len(tokens))


def whole(tokens: Sequence[int], length: int) -> int:
    """The most of the first `length` tokens that leaves no picture cut through."""
    if length < len(tokens):
        while length > 0 and _BEGIN <= tokens[length] < 0:
            length -= 1
    return length


def cells(tokens: Sequence[int]) -> int:
    """How many cells of a KV cache these tokens take."""
    count = len(tokens)
    if not count or min(tokens) >= 0:
        return count
    begins = [at for at, token in enumerate(tokens) if token < _BEGIN]
    wide = (tokens[at + 1] for at in begins if at + 1 < count and _BEGIN <= tokens[at + 1] < 0)
    return count + sum(-1 - more for more in wide)


def within(tokens: Sequence[int], most: int) -> int:
    """How many of the first tokens take at most `most` cells, with no picture cut through."""
    length = whole(tokens, min(len(tokens), most))
    while cells(tokens[:length]) > most:
        length = whole(tokens, length - 1)
    return length
