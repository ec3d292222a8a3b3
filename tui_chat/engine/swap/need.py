"""How many tokens a conversation and its next answer need of a context."""

from __future__ import annotations

from tui_chat.backends.protocol import NEW, BackendError, Begun, ParkableModel
from tui_chat.chat.measure import (
    MOST_PICTURE_TOKENS,
    PICTURE_TOKENS,
    about_tokens,
    kept_for_answer,
    most_tokens,
)
from tui_chat.engine.swap.resident import Resident
from tui_chat.memory.pictured import cells
from tui_chat.wire.api import Need, Turn


async def need_of(
    turns: tuple[Turn, ...], max_tokens: int | None, resident: Resident | None, begun: Begun = NEW
) -> Need:
    """Estimate the need; where a `resident` might have to grow for that, let it count.

    What an answer had `begun` with is read like the turns before it.
    """
    answer = kept_for_answer(max_tokens)
    texts = [turn.thinking + turn.text for turn in turns] + [begun.thinking + begun.text]
    pictures = sum(len(turn.pictures) for turn in turns)
    estimate = Need(about_tokens(texts) + PICTURE_TOKENS * pictures, answer)
    most = most_tokens(texts) + MOST_PICTURE_TOKENS * pictures + answer
    options = resident.options if resident else None
    if resident is None or options is None or most <= options.context:
        return estimate
    if not isinstance(resident.model, ParkableModel):
        return estimate
    try:
        return Need(cells((await resident.model.fit(turns, begun)).tokens), answer, counted=True)
    except BackendError:
        return estimate
