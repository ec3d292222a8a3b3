"""Reads a prompt on into the cache: a chunk of its words at a time, or a part of a picture."""

from __future__ import annotations

from collections.abc import Callable

from tui_chat.backends.llamacpp.worker.model import Model
from tui_chat.backends.llamacpp.worker.prompt import Prompt
from tui_chat.memory.pictured import cells, end_of_picture, is_picture

Watch = Callable[[int], bool]
"""Told while a picture is looked at how many cells' worth of the prompt that is by now; False gives up."""


def read_on(model: Model, prompt: Prompt, watch: Watch) -> None:
    """Evaluate what comes next, of a `prompt` whose beginning is all that the cache holds.

    Words stop where a turn ends or a picture begins, so that the cache can be gone back to there.

    Raises:
        AbortedError: The armed flag was raised, or `watch` gave up.
        DecodeError: llama.cpp failed.
        BackendError: A picture cannot be read, or takes larger batches than the context has.
    """
    cache, tokens, done = model.cache, prompt.tokens, len(model.cache.tokens)
    if not is_picture(tokens[done]):
        ends = (end for end in prompt.turn_ends if end > done)
        halt = min(done + model.chunk, len(tokens), *ends, *(at for at in prompt.seen if at > done))
        cache.evaluate(tokens[done:halt], output=halt == len(tokens))
        return
    sight, glimpse = model.scribe.sight, prompt.seen[done]
    assert sight is not None, "who cannot see reads no pictures"
    part, before = tokens[done : end_of_picture(tokens, done)], cells(tokens[:done])

    def looking(fraction: float) -> bool:
        return watch(before + int(fraction * cells(part)))

    cache.show(part, lambda position: sight.show(glimpse, model.context, position, looking))
