"""What a program has asked of its terminal and not taken back, read from the bytes that it wrote."""

from __future__ import annotations

import re

_PRIVATE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_KITTY = re.compile(rb"\x1b\[([<>])\d*u")
_KEYS = re.compile(rb"\x1b\[>4;(\d)m")
_TITLE = re.compile(rb"\x1b\[(2[23]);2t")
_PEN = re.compile(rb"\x1b\[([\d;]*)m")
_SHAPE = re.compile(rb"\x1b\[(\d+) q|\x1b\]22;(\w*)")
USUAL = {7: True, 25: True}
"""Modes that are on unless a program switches them off: wrapping, and the cursor."""


def left_behind(written: bytes) -> list[str]:
    """Name every mode that is not as it was before the first byte."""
    modes = dict(USUAL)
    for numbers, how in _PRIVATE.findall(written):
        for number in numbers.split(b";"):
            modes[int(number)] = how == b"h"
    changed = {number: on for number, on in modes.items() if on != USUAL.get(number, False)}
    found = [f"?{number}{'h' if on else 'l'}" for number, on in changed.items()]
    kitty = sum(1 if how == b">" else -1 for how in _KITTY.findall(written))
    titles = sum(1 if how == b"22" else -1 for how in _TITLE.findall(written))
    found += [f"kitty {kitty}"] * bool(kitty) + [f"title {titles}"] * bool(titles)
    if (_KEYS.findall(written) or [b"0"])[-1] != b"0":
        found.append("modified keys")
    if (_PEN.findall(written) or [b""])[-1] not in (b"", b"0"):
        found.append("colours")
    if _SHAPE.search(written):
        found.append("a shape of cursor or pointer")
    return found
