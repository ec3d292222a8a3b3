"""One question to several models at once: all answer, one after the other, whoever still listens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.engine.support import GREEDY, engine_in
from tests.homes import Home
from tests.worker.support import eventually
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import FinishReason, Role
from tui_chat.store.journal import EmptyJournalError, read_journal
from tui_chat.wire.api import GenerateRequest, Turn
from tui_chat.wire.events import Queued

ORDER = ("b", "a", "c")
ASKER = """
import asyncio, sys
from pathlib import Path
import msgspec
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.wire.api import GenerateRequest

async def ask(socket, requests):
    client = EngineClient(Path(socket))
    await ensure_engine(client)
    for request in msgspec.json.decode(requests, type=list[GenerateRequest]):
        await client.generate(request)
    print("asked", flush=True)
    await asyncio.Event().wait()

asyncio.run(ask(*sys.argv[1:]))
"""
"""A terminal that asks and then stays, until it is killed."""


def _requests(home: Home) -> list[GenerateRequest]:
    question = (Turn(Role.USER, "Name three colours."),)
    return [
        GenerateRequest(
            id=new_id(),
            model=model,
            turns=question,
            sampling=GREEDY,
            journal=str(home.root / f"{model}.journal"),
            session="colours",
        )
        for model in ORDER
    ]


@pytest.mark.parametrize("room", ["ram_limit_mib = 270", ""], ids=["one model", "all models"])
async def test_all_models_answer_in_order_also_when_the_terminal_dies(models: Home, room: str) -> None:
    models.configure("", room)
    requests = _requests(models)
    command = [sys.executable, "-c", ASKER, str(models.paths.socket), msgspec.json.encode(requests).decode()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as terminal:
        assert terminal.stdout is not None
        assert terminal.stdout.readline() == "asked\n"
        terminal.kill()
    journals = [models.root / f"{model}.journal" for model in ORDER]
    await eventually(lambda: all(_is_settled(journal) for journal in journals))
    states = [read_journal(journal) for journal in journals]
    assert [state.header.answer.model for state in states] == list(ORDER)
    assert {state.text for state in states} == {states[0].text}, "the same model, by three names"
    for state in states:
        assert state.text
        assert state.settled is not None
        assert state.settled.finish in (FinishReason.STOP, FinishReason.LENGTH)
    async with engine_in(models) as client:
        for request in requests:
            events = [numbered.event async for numbered in client.follow(request.id)]
            queued = any(isinstance(event, Queued) for event in events)
            assert queued or request is requests[0]
    log = (models.paths.logs / "engine.log").read_text()
    assert ("evicting" in log) is bool(room)
    ended = re.findall(r"scheduler: (\S+): ", log)
    assert ended == [request.id for request in requests]


def _is_settled(journal: Path) -> bool:
    try:
        return read_journal(journal).settled is not None
    except (OSError, EmptyJournalError):  # not begun, or just about to be
        return False
