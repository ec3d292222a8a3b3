"""What the engine does with parked conversations: keeps them over switches, deaths and its own end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from tests.walks import steps
from tests.worker.support import BRIEF, hear, load, long_text, user, workers
from tui_chat.backends.llamacpp.planning import Planner
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.resident import LlamaCppModel
from tui_chat.chat.model import Role
from tui_chat.engine.parking import Parking
from tui_chat.engine.swap.choice import Chooser
from tui_chat.engine.swap.learned import Learned
from tui_chat.engine.swap.ledger import Ledger
from tui_chat.engine.swap.resident import Table
from tui_chat.engine.swap.room import Room
from tui_chat.engine.tally import Tally
from tui_chat.memory.machine import Machine
from tui_chat.memory.parkfile import ParkLabel
from tui_chat.memory.placement import Wish
from tui_chat.store.parks.entries import ParkEntry
from tui_chat.store.parks.shelf import Shelf
from tui_chat.wire.api import Turn

FIRST, SECOND = ParkLabel("SmolLM2", "first"), ParkLabel("SmolLM2", "second")
MUCH = 1 << 30
PARIS, ROME = user("Paris. " + long_text(150)), user("Rome. " + long_text(150))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kv"


def _parking(folder: Path, ram: int = MUCH) -> Parking:
    return Parking(Shelf(folder, ram, MUCH, lambda: MUCH), Learned(folder.with_name("learned")))


def _memory_files() -> list[str]:
    """What is open of parks in RAM, of other tests' too."""
    links = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # the one by which the folder itself is read
            links.append(str(handle.readlink()))
    return [link for link in links if "tui-chat-park" in link]


def _follow_up(turns: tuple[Turn, ...], text: str) -> tuple[Turn, ...]:
    return (*turns, Turn(Role.ASSISTANT, text), *user("Go on."))


async def _answer(parking: Parking, model: LlamaCppModel, turns: tuple[Turn, ...], label: ParkLabel) -> int:
    """Answer as the scheduler does, and return how many tokens of the prompt were reused."""
    await parking.bring_back(model, turns, label, "smollm2")
    return (await hear(model, turns, BRIEF)).settled.usage.reused_tokens


@pytest.mark.parametrize("ram", [MUCH, 0])
async def test_two_conversations_share_a_model_without_reading_each_other_away(
    ram: int, folder: Path, starter_model: Path, tmp_path: Path
) -> None:
    parking = _parking(folder, ram)
    model = await load(starter_model, tmp_path, 2048)
    try:
        assert await _answer(parking, model, PARIS, FIRST) == 0
        rome = await _answer(parking, model, ROME, SECOND)
        assert rome < 60, "only what the template writes before both"
        assert await _answer(parking, model, PARIS, FIRST) > 100
        assert await _answer(parking, model, ROME, SECOND) > 100
        info = await parking.info()
        assert {(entry.model, entry.session) for entry in info.entries} >= {("SmolLM2", "first")}
        assert (info.ram_bytes > 0, info.disk_bytes > 0) == (bool(ram), not ram)
    finally:
        await model.close()


async def test_a_kept_conversation_survives_its_worker_and_the_engine(
    folder: Path, starter_model: Path, tmp_path: Path
) -> None:
    parking = _parking(folder)
    model = await load(starter_model, tmp_path, 2048)
    await parking.bring_back(model, PARIS, FIRST, "smollm2")
    first = await hear(model, PARIS, BRIEF)
    entry = await parking.keep(model)
    assert entry is not None
    assert await parking.keep(model) == entry, "what is parked already is not written again"
    await model.close()
    await parking.close()

    later = _parking(folder)
    model = await load(starter_model, tmp_path, 2048)
    try:
        assert await _answer(later, model, _follow_up(PARIS, first.text), FIRST) > 100
    finally:
        await model.close()


async def test_what_is_read_is_parked_in_quiet_times_once_and_given_up_when_somebody_waits(
    folder: Path, starter_model: Path, tmp_path: Path
) -> None:
    parking = _parking(folder)
    model = await load(starter_model, tmp_path, 2048)
    try:
        await _answer(parking, model, PARIS, FIRST)
        for turns in range(8):
            resting = asyncio.create_task(parking.rest([(model, 10.0)]))
            for _ in range(turns):
                await asyncio.sleep(0)
            parking.hurry()
            await resting
        await parking.rest([(model, 10.0)])
        (parked,) = (await parking.info()).entries
        assert parked.tokens == len((await model.held()).tokens)
        await parking.rest([(model, 10.0)])
        entry = await parking.keep(model)
        assert entry is not None
        assert entry.id == parked.id, "there is nothing left to do when somebody waits"
        assert await _answer(parking, model, ROME, SECOND) < 60
        assert [each.id for each in (await parking.info()).entries] == [parked.id]
    finally:
        await model.close()


async def test_a_disk_is_not_worn_by_short_turns(folder: Path, starter_model: Path, tmp_path: Path) -> None:
    parking = _parking(folder, ram=0)
    model = await load(starter_model, tmp_path, 2048)
    try:
        await parking.bring_back(model, PARIS, FIRST, "smollm2")
        first = await hear(model, PARIS, BRIEF)
        await parking.rest([(model, 10.0)])
        (parked,) = (await parking.info()).entries
        await _answer(parking, model, _follow_up(PARIS, first.text), FIRST)
        await parking.rest([(model, 10.0)])
        assert [each.id for each in (await parking.info()).entries] == [parked.id]
        await parking.rest([(model, 400.0)])
        (longer,) = (await parking.info()).entries
        assert longer.tokens == len((await model.held()).tokens) > parked.tokens, "nobody came back"
    finally:
        await model.close()


async def test_what_is_not_worth_it_is_not_parked(folder: Path, starter_model: Path, tmp_path: Path) -> None:
    learned = Learned(folder.with_name("learned"))
    parking = Parking(Shelf(folder, MUCH, MUCH, lambda: MUCH), learned)
    model = await load(starter_model, tmp_path, 2048)
    try:
        await _answer(parking, model, PARIS, ParkLabel("SmolLM2"))
        await parking.rest([(model, 10.0)])
        assert await parking.keep(model) is None, "nobody can go on with it"
        unread, rome = (msgspec.structs.replace(FIRST, answer=each) for each in ("unread", "answer"))
        await parking.bring_back(model, ROME, unread, "smollm2")
        await parking.rest([(model, 10.0)])
        assert await parking.keep(model) is None, "it has not been read: what is there is the one before"
        assert await _answer(parking, model, ROME, rome) < 60
        assert (await parking.info()).entries == ()
        learned.answered("smollm2", 0.0, None, 1e6)
        learned.restored(1 << 30, 1e3)
        assert await parking.keep(model) is None, "reading it anew is quicker"
        learned.restored(1 << 30, 1e-3)
        assert await parking.keep(model) is not None
    finally:
        await model.close()


async def test_parks_in_ram_leave_it_to_models(folder: Path, starter_model: Path, tmp_path: Path) -> None:
    parking = _parking(folder)
    model = await load(starter_model, tmp_path, 2048)
    prober = Prober()
    try:
        await _answer(parking, model, PARIS, FIRST)
        await parking.keep(model)
        assert parking.ram_bytes > 2 << 20
        table, ledger, learned = Table(lambda: None), Ledger(), Learned(tmp_path / "learned")
        planner = Planner(prober, tmp_path)
        chooser = Chooser(planner, table, ledger, learned, tmp_path, None, lambda: 1 << 40)
        machine = await chooser.machine()
        assert machine.ram.free_bytes == machine.ram.total_bytes, "plans count on what parks give back"

        made = await planner.sketch("SmolLM2", [starter_model], Wish(), machine)
        ram = made.plan.devices[-1]
        room = Room(table, ledger, parking, Tally())
        enough = ram.total_bytes + ram.margin_bytes
        await room.take_from_parks(made.plan, _with_free(machine, enough))
        assert parking.ram_bytes, "nothing stood in the way"
        await room.take_from_parks(made.plan, _with_free(machine, enough - 1))
        assert parking.ram_bytes == 0
        assert (await parking.info()).disk_bytes > 2 << 20
    finally:
        await prober.close()
        await model.close()


def _with_free(machine: Machine, free: int) -> Machine:
    return Machine(machine.gpus, msgspec.structs.replace(machine.ram, free_bytes=free))


async def test_trouble_costs_time_only(folder: Path, starter_model: Path, tmp_path: Path) -> None:
    parking = _parking(folder, ram=0)
    model = await load(starter_model, tmp_path, 2048)
    await parking.bring_back(model, PARIS, FIRST, "smollm2")
    await hear(model, PARIS, BRIEF)
    entry = await parking.keep(model)
    assert entry is not None
    os.kill(model.pid, signal.SIGKILL)
    await hear(model, PARIS, BRIEF)
    assert model.death is not None
    assert await parking.keep(model) is None
    assert await parking.bring_back(model, ROME, SECOND, "smollm2") == 0
    await model.close()

    with Path(entry.path).open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(b"damage")
    model = await load(starter_model, tmp_path, 2048)
    try:
        assert await _answer(parking, model, PARIS, FIRST) == 0
        assert (await parking.info()).entries == (), "a park that failed once is not tried again"
        assert not Path(entry.path).exists()
    finally:
        await model.close()


@pytest.mark.walk
async def test_random_parking_with_kills_leaves_nothing_behind(
    folder: Path, starter_model: Path, tmp_path: Path
) -> None:
    draw = random.Random(11)  # whose first steps end in every way
    kept, before = 0, _memory_files()
    for number in range(steps(4)):
        parking = _parking(folder, draw.choice([0, MUCH]))
        model = await load(starter_model, tmp_path, 1024)
        await parking.bring_back(model, draw.choice([PARIS, ROME]), FIRST, "smollm2")
        await hear(model, draw.choice([PARIS, ROME]), BRIEF)
        keeping = asyncio.create_task(parking.keep(model))
        for _ in range(draw.randrange(6)):
            await asyncio.sleep(0)
        if draw.random() < 0.5:
            os.kill(model.pid, signal.SIGKILL)
        if draw.random() < 0.3:
            keeping.cancel()  # the engine gives up, and what was begun is finished all the same
        done = await asyncio.gather(keeping, return_exceptions=True)
        kept += isinstance(done[0], ParkEntry)
        await model.close()
        await parking.info()
        if number % 2:
            await parking.close()
        await parking.clear(None)
        assert workers() == []
        assert [path.name for path in folder.glob("*")] == []
        assert _memory_files() == before
    assert kept
