"""How many tokens each turn of a conversation takes, just as it would be written."""

from __future__ import annotations

from itertools import pairwise

from tui_chat.backends.llamacpp.worker.prompt import count_until, harmless, render
from tui_chat.backends.llamacpp.worker.scribe import Scribe
from tui_chat.backends.llamacpp.worker.spans import find_ends
from tui_chat.wire.api import CountReply, Turn


def count_turns(scribe: Scribe, turns: tuple[Turn, ...]) -> CountReply:
    """Count the tokens of `turns`; all of them together are those of the prompt.

    What a template writes before the first turn counts as its, and so does what it leaves of a turn that
    it writes elsewhere, such as a second system message. A turn that shares a token with the next leaves
    it to that one.

    They are words alone: whoever asks counts pictures for itself, seen or not.

    Raises:
        RenderError: The template does not accept them.
    """
    rendered = render(scribe, turns)
    ends = find_ends(rendered.template, harmless(scribe, turns), rendered.turns, rendered.text)
    counts = count_until(scribe.vocabulary, rendered, reversed(ends))
    spans = pairwise((0, *reversed(counts)))
    return CountReply(tuple(end - start for start, end in spans), len(rendered.tokens))
