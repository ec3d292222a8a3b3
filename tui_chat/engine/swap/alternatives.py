"""What would fit where a plan does not, for the residents as they are."""

from __future__ import annotations

from collections.abc import Sequence

from tui_chat.backends.llamacpp.alternatives import Model, Relief, alternatives
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.engine.catalogue import Catalogue
from tui_chat.engine.swap.choice import Chooser, files_of_model, without
from tui_chat.engine.swap.resident import Resident
from tui_chat.library.siblings import smaller_quants
from tui_chat.memory.gguf import GgufError
from tui_chat.memory.machine import Machine
from tui_chat.memory.placement import Wish
from tui_chat.wire.api import ModelInfo
from tui_chat.wire.plan import Plan


class Alternatives:
    """Names ways out, each found by the search that found none for what was asked."""

    def __init__(self, chooser: Chooser, catalogue: Catalogue) -> None:
        self._chooser = chooser
        self._catalogue = catalogue

    async def to(self, found: ModelInfo, wish: Wish, machine: Machine) -> tuple[str, ...]:
        """Say what would fit instead of `wish`, which does not even with everybody evicted who may be.

        Raises:
            BackendError: The file is missing or no model.
        """
        others = [e for e in self._chooser.table if e.model and e.plan and e.info.path != found.path]
        going = [each for each in others if each.may_go]
        staying = sorted((e for e in others if not e.may_go), key=self._chooser.restore_s)
        room = without(self._chooser.room_for(found, machine), going)
        groups = [[each] for each in staying] + ([staying] if len(staying) > 1 else [])
        listed = [model for model in await self._catalogue.list() if model.server == found.server]
        smaller = [model for model in smaller_quants(found, listed) if model.weights]
        try:
            return await alternatives(
                self._chooser.planner,
                Model(found.id, await files_of_model(found)),
                wish,
                room,
                reliefs=[Relief(_words(group), without(room, group)) for group in groups],
                smaller=[Model(other.id, await files_of_model(other)) for other in smaller],
                correction=self._chooser.learned.correction(found.path),
            )
        except GgufError as error:
            raise BackendError(error.problem) from error

    async def no_room(self, found: ModelInfo, wish: Wish, plan: Plan) -> Problem:
        """Say that the best `plan` for `wish` does not fit, and what would."""
        others = await self.to(found, wish, await self._chooser.machine(found))
        return Problem(
            ProblemCode.OUT_OF_MEMORY,
            f"There is no room for {found.id} with {plan.options.context:,} tokens of context. {plan.reason}",
            kept="Nothing was loaded or unloaded.",
            remedy=others[0] if others else "Choose a smaller model, or close other programs.",
        )


def _words(group: Sequence[Resident]) -> str:
    """When there would be room: ``after unpinning a and once b has answered``."""
    return " and ".join(_when(each) for each in group)


def _when(resident: Resident) -> str:
    if not resident.busy:
        return f"after unpinning {resident.id}"
    answered = f"once {resident.id} has answered"
    return f"{answered} and is unpinned" if resident.pinned else answered
