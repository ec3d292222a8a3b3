"""In which order models are listed, and how each of them stands now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from tui_chat.wire.api import EngineChanged, ModelInfo, ModelState


def recent_first(
    models: Sequence[ModelInfo], current: str | None, used: Iterable[str | None]
) -> list[ModelInfo]:
    """Order `models`: this chat's, then those `used` in chats (the latest first), the rest, broken ones.

    Args:
        models: As the library lists them, the newest file first.
        current: The model of this chat, by id or path.
        used: The models of other chats, likewise, the latest chat's first; with repetitions.
    """
    places: dict[str, int] = {}
    for name in (current, *used):
        if name is not None:
            places.setdefault(name, len(places))
    last = len(places)

    def key(model: ModelInfo) -> tuple[bool, int]:
        place = min(places.get(name, last) for name in (model.id, model.path, *model.aliases))
        return model.state is ModelState.BROKEN, place

    return sorted(models, key=key)


def as_of(models: Sequence[ModelInfo], engine: EngineChanged | None) -> list[ModelInfo]:
    """Return `models` as the engine holds them now, and after them what it holds beside them."""
    residents, parked = (engine.residents, engine.parked) if engine else ((), ())
    held = {resident.path: resident for resident in residents}
    known = {model.path for model in models}
    listed = [held.get(model.path) or _on_disk(model, model.id in parked) for model in models]
    return [*listed, *(resident for resident in residents if resident.path not in known)]


def _on_disk(model: ModelInfo, parked: bool) -> ModelInfo:
    """What is left of a model that the engine does not hold, whatever it was when the list was read.

    What a server holds it holds by itself.
    """
    if model.server:
        return model
    state = ModelState.PARKED if parked else ModelState.ON_DISK
    if model.state in (state, ModelState.BROKEN):
        return model
    return replace(
        model,
        state=state,
        context=0,
        options=None,
        devices=(),
        real_bytes=0,
        progress=None,
        eta_s=None,
        pinned=False,
    )
