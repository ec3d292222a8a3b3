"""Whatever breaks on the way: no letter is lost, nothing hangs, and nothing broken is called complete."""

from __future__ import annotations

from tests.servers.faults import Fault, play, scripts

COUNT = 156
"""A dozen of each fault; `make bench GROUP=servers` plays a thousand."""


async def test_nothing_is_lost_hangs_or_is_wrongly_complete() -> None:
    played = scripts(COUNT, seed=5)
    assert {script.fault for script in played} == set(Fault)
    outcome = await play(played)
    assert (outcome.lost, outcome.hung, outcome.wrong) == ([], [], [])
