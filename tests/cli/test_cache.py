"""`tui-chat cache`: what is parked, seen and cleared with and without an engine."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import msgspec
import pytest

from tests.homes import Home
from tests.worker.support import hear, load, user
from tui_chat.chat.model import Session
from tui_chat.config.settings import CacheSettings
from tui_chat.engine.parking import make_parking
from tui_chat.engine.swap.learned import Learned
from tui_chat.memory.parkfile import ParkLabel

QUESTION = "Tell me about lighthouses and the people who kept them burning through the long nights of winter."


def _park(home: Home, *models: str) -> None:
    """Park a real conversation for each of `models`, as an engine does that leaves."""

    async def park() -> None:
        learned = Learned(home.paths.state / "learned.msgpack")
        parking = make_parking(home.paths, CacheSettings(ram_mib=64), learned, lambda: None)
        (file,) = home.paths.models.glob("*.gguf")
        for number, name in enumerate(models):
            model = await load(file, home.root / "logs", 512)
            turns = user(f"{number}. {QUESTION}")
            await parking.bring_back(model, turns, ParkLabel(name, f"session-{number}"), name)
            await hear(model, turns)
            assert await parking.keep(model)
            await model.close()
        await parking.close()

    asyncio.run(park())


def _listed(home: Home) -> list[dict[str, object]]:
    return json.loads(home.run("cache", "list", "--json").stdout)["entries"]


def test_nothing_is_parked_in_a_new_home(empty_home: Home) -> None:
    shown = empty_home.run("cache", "list")
    assert shown.returncode == 0
    assert "Nothing is parked." in shown.stdout
    assert "disk 0 B of " in shown.stdout
    empty_home.configure("[cache]\ndisk_mib = 3072")
    assert "disk 0 B of 3.0 GiB" in empty_home.run("cache", "list").stdout
    assert empty_home.run("cache", "clear").stdout == "Cleared 0 parked conversations, 0 B.\n"
    assert not empty_home.paths.parks.exists()


@pytest.mark.parametrize("engine", [False, True])
def test_parked_conversations_are_listed_and_cleared(engine: bool, home: Home) -> None:
    _park(home, "SmolLM2-135M", "another-model")
    if engine:
        assert home.run("engine", "start").returncode == 0
    listed = _listed(home)
    assert [entry["model"] for entry in listed] == ["another-model", "SmolLM2-135M"]
    assert [entry["session"] for entry in listed] == ["session-1", "session-0"]
    assert all(entry["tokens"] > 30 and entry["place"] == "disk" for entry in listed)
    assert sum(entry["size_bytes"] for entry in listed) == sum(
        path.stat().st_size for path in home.paths.parks.iterdir()
    )
    table = home.run("cache", "list").stdout.splitlines()
    assert table[0].split() == ["MODEL", "SESSION", "TOKENS", "SIZE", "WHERE", "AGE"]
    assert "MiB" in table[1]

    assert home.run("cache", "clear", "--model", "smollm2").stdout.startswith(
        "Cleared 1 parked conversation,"
    )
    assert [entry["model"] for entry in _listed(home)] == ["another-model"]
    assert home.run("cache", "clear").stdout.startswith("Cleared 1 ")
    assert list(home.paths.parks.iterdir()) == []


def test_a_session_is_listed_by_its_title(home: Home) -> None:
    now = datetime.now(UTC)
    session = Session(id="session-0", title="Lighthouses", created=now, updated=now)
    home.paths.sessions.mkdir(parents=True)
    (home.paths.sessions / "session-0.json").write_bytes(msgspec.json.encode(session))
    _park(home, "SmolLM2-135M", "another-model")
    table = home.run("cache", "list").stdout
    assert "Lighthouses" in table
    assert "session-0" not in table
    assert "session-1" in table, "a session that is gone is called by its id"
