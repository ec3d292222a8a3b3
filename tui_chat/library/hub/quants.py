"""The quants of the field: how they are written, how many bits they take, and how far they can be trusted."""

from __future__ import annotations

import enum
import re

_LABEL = re.compile(
    r"(?:^|[-_.])"
    r"(?P<label>(?:UD[-_])?"
    r"(?:I?Q\d(?:_[K01](?=[-_.]|$))?(?:_(?:XXS|XS|NL|XL|[SML]|\d))*|TQ\d_0|MXFP4(?:_MOE)?|NVFP4"
    r"|BF16|F(?:P)?16|F(?:P)?32))"
    r"(?=[-_.]|$)",
    re.IGNORECASE,
)

BITS = {
    "F32": 32.0,
    "BF16": 16.0,
    "F16": 16.0,
    "Q8_0": 8.5,
    "Q6_K": 6.56,
    "Q5_K_M": 5.67,
    "Q5_K_S": 5.52,
    "Q4_K_M": 4.83,
    "Q4_K_S": 4.57,
    "IQ4_XS": 4.3,
    "Q3_K_M": 3.89,
    "Q2_K": 2.96,
}
"""Bits per weight over a whole model, as quantised Llama-likes of 7 to 8 billion parameters come out."""


class Grade(enum.IntEnum):
    """How good a quant is to have, the best first: what is lost is small, bearable, or much."""

    GOOD = 0
    FAIR = 1
    POOR = 2
    FULL = 3


def label_in(stem: str) -> str:
    """The quant that a file's name names, such as ``Q4_K_M`` or ``UD-Q4_K_XL``; empty if none."""
    labels = [found["label"] for found in _LABEL.finditer(stem)]
    return normal(labels[-1]) if labels else ""


def normal(label: str) -> str:
    """Write a quant as most people do, however it was written."""
    return re.sub(r"^FP(?=16|32)", "F", label.upper().replace("UD_", "UD-"))


def without_label(stem: str) -> str:
    """The name without its quant: the same for all quants of one model."""
    found = list(_LABEL.finditer(stem))
    return (stem[: found[-1].start()] + stem[found[-1].end() :]).strip("-_.") if found else stem


def grade(label: str) -> Grade:
    """Grade a quant: Q4_K_M to Q8_0 are good, other four-bit ones fair, all below poor.

    Above Q8_0 nobody has measured a gain that is worth its memory. What has no known name may be anything.
    """
    bare = label.removeprefix("UD-")
    if bare.startswith(("MXFP4", "NVFP4")):  # trained so; there is no better one
        return Grade.GOOD
    named = re.match(r"(I?Q|TQ)(\d)", bare)
    if named is None or bare.startswith("Q8_K"):
        return Grade.FULL
    bits = int(named[2])
    if named[1] == "Q" and (bits > 4 or re.fullmatch(r"Q4_K(_M|_L|_XL)", bare)):
        return Grade.GOOD
    return Grade.FAIR if bits >= 4 else Grade.POOR
