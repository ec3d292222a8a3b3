"""What has been promised to models and does not show in the machine's own figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from tui_chat.memory.machine import Machine
from tui_chat.wire.plan import DeviceKind, DeviceSpec, Plan


@dataclass(frozen=True, slots=True)
class Claim:
    """Bytes by device name that are spoken for and may still look free."""

    sizes: dict[str, int]


class Ledger:
    """Claims by model. A model on its way claims all of its plan, one in memory what looks free but is not.

    Pages of a mapped file count as available RAM, because the kernel may drop them; but a model whose
    pages are dropped answers at the disk's speed. So they stay claimed as long as the model stays.
    """

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}

    def reserve(self, id: str, plan: Plan) -> None:
        """Claim everything that `plan` takes, for a model that is about to be loaded."""
        self._claims[id] = Claim({use.name: use.total_bytes for use in plan.devices})

    def settle(self, id: str, plan: Plan) -> None:
        """The model is in memory: what it took shows by now, but for the pages of its file."""
        ram = plan.devices[-1]
        self._claims[id] = Claim({ram.name: plan.page_cache_bytes})

    def release(self, id: str) -> None:
        """The model is gone."""
        self._claims.pop(id, None)

    def of(self, id: str) -> dict[str, int]:
        """What one model has claimed, in bytes by device."""
        claim = self._claims.get(id)
        return dict(claim.sizes) if claim else {}

    def left(self, machine: Machine) -> Machine:
        """The machine with all claims taken off what is free."""
        return adjusted(
            machine, [{name: -size for name, size in c.sizes.items()} for c in self._claims.values()]
        )


def adjusted(machine: Machine, changes: Iterable[dict[str, int]]) -> Machine:
    """The machine with `changes` in bytes added to what is free on its devices."""
    totals: dict[str, int] = {}
    for change in changes:
        for name, size in change.items():
            totals[name] = totals.get(name, 0) + size

    def adjust(device: DeviceSpec) -> DeviceSpec:
        free = device.free_bytes + totals.get(device.name, 0)
        return msgspec.structs.replace(device, free_bytes=max(0, min(free, device.total_bytes)))

    return Machine(tuple(map(adjust, machine.gpus)), adjust(machine.ram))


def footprint(plan: Plan) -> dict[str, int]:
    """What a model loaded by `plan` gives back of each device when it goes, claims included."""
    return {
        use.name: use.total_bytes for use in plan.devices if use.total_bytes or use.kind is DeviceKind.RAM
    }


def freed_by(before: Plan, after: Plan) -> dict[str, int]:
    """What a model gives back of each device when it goes on by `after` instead of `before`."""
    return {b.name: b.total_bytes - a.total_bytes for b, a in zip(before.devices, after.devices, strict=True)}
