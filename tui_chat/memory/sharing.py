"""What a context keeps beside the conversation that is being answered."""

from __future__ import annotations

from tui_chat.wire.plan import LoadOptions

BRANCHES = 8
"""Sequences of a context whose cache can be cut off anywhere: the active branch, and those that were left.

They share the cells, so that each costs one row of logits: 0.5 MiB for a vocabulary of 128k."""
ENDINGS = 4
"""Prompts whose last logits are kept, one row each."""


def sequences(options: LoadOptions, *, branches: bool) -> int:
    """How many sequences a context is made with, `branches` telling whether they cost next to nothing."""
    return max(options.sequences, BRANCHES) if branches else options.sequences
