"""What a plan is asked for: what somebody wants of a model now, wanted of it before, or configured."""

from __future__ import annotations

from collections.abc import Iterator

from tui_chat.config.settings import ModelSettings
from tui_chat.engine.swap.resident import Want
from tui_chat.library.projectors import projector_of
from tui_chat.memory.placement import Wish
from tui_chat.wire.api import ModelInfo
from tui_chat.wire.plan import LoadOptions

_MARGIN = 1.25
"""A context that has to grow grows by this much more than it must, so that it need not grow at each turn."""


class Wishes:
    """Turns wants into wishes, and remembers what was last fixed of each model."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._chosen: dict[str, Want] = {}

    @property
    def context(self) -> int:
        """The context to wish for, in tokens, where nothing else is known."""
        return self._settings.context

    def note(self, found: ModelInfo, want: Want) -> None:
        """Remember what `want` fixes, for when the model is evicted and comes back."""
        if want.context or want.kv_type:
            self._chosen[found.path] = want

    def keep_alive_s(self, found: ModelInfo) -> float:
        """How long a model stays that nobody said anything else of."""
        names = (found.id, *found.aliases)
        said = self._settings.keep_alive_for
        return next((said[name] for name in names if name in said), self._settings.keep_alive_s)

    def load(self, found: ModelInfo, want: Want) -> Wish:
        """The wish for loading a model anew."""
        before = self._chosen.get(found.path, want)
        wished = max(before.context or self._settings.context, want.need)
        return Wish(
            strategy=want.strategy or self._settings.strategy,
            need=_most(found, want.need),
            desired=_most(found, wished),
            context=_fixed(found, want),
            kv_type=found.kv_type or want.kv_type or before.kv_type,
            keep_free=self._settings.leave_free_mib << 20,
            projector=projector_of(found),
        )

    def resize(self, found: ModelInfo, want: Want, options: LoadOptions) -> Iterator[Wish]:
        """Yield wishes for another context over weights that stay as `options` put them, the best first."""
        for kv_type in dict.fromkeys((want.kv_type or options.kv_type, want.kv_type)):
            yield Wish(
                strategy=want.strategy or self._settings.strategy,
                context=_fixed(found, want) or _most(found, grown(want.need, options.context)),
                kv_type=kv_type,
                ubatch=options.ubatch,
                gpu_layers=options.gpu_layers,
                split=options.split or None,
                cpu_experts=options.cpu_experts,
                sequences=options.sequences,
                projector=projector_of(found),
            )


def _fixed(found: ModelInfo, want: Want) -> int | None:
    return None if want.context is None else _most(found, want.context)


def grown(need: int, context: int) -> int:
    """The context, in tokens, to make of one of `context` tokens for a conversation that needs `need`."""
    return max(1 << max(0, int(need * _MARGIN) - 1).bit_length(), context)


def _most(found: ModelInfo, context: int) -> int:
    """No more than the model was trained for."""
    return min(context, found.trained_context) if found.trained_context else context
