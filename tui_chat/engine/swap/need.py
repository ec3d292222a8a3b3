"""How many tokens a conversation and its next answer need of a context."""

from __future__ import annotations

from tui_chat.backends.protocol import BackendError, ParkableModel
from tui_chat.engine.swap.resident import Resident
from tui_chat.wire.api import Need, Turn

ANSWER = 512
"""Tokens kept for an answer whose length nobody has limited."""
_BYTES_PER_TOKEN, _PER_TURN = 3, 8
"""On the safe side: English takes 4 bytes a token, code and other scripts 3."""


async def need_of(turns: tuple[Turn, ...], max_tokens: int | None, resident: Resident | None) -> Need:
    """Estimate the need; where a `resident` would have to grow for that, let it count."""
    answer = min(max_tokens or ANSWER, ANSWER)
    estimate = Need(sum(len(turn.text.encode()) // _BYTES_PER_TOKEN + _PER_TURN for turn in turns), answer)
    options = resident.options if resident else None
    if resident is None or options is None or estimate.total <= options.context:
        return estimate
    if not isinstance(resident.model, ParkableModel):
        return estimate
    try:
        return Need(len((await resident.model.fit(turns)).tokens), answer, counted=True)
    except BackendError:
        return estimate
