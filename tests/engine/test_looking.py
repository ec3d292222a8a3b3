"""What the engine knows of servers is as new as whoever asks for it."""

from __future__ import annotations

import asyncio

import msgspec

from tui_chat.config.servers import DetectSettings, ServerSettings
from tui_chat.config.settings import Settings
from tui_chat.engine.servers.registry import Servers
from tui_chat.wire.servers import Control, ServerInfo, ServerKind, ServerState

URL = "http://127.0.0.1:9"


class Box:
    """A server that takes its time to answer, and then says how things were when it was asked."""

    def __init__(self) -> None:
        self.version = "before"
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.info = ServerInfo(
            name="box", kind=ServerKind.VLLM, control=Control.MEDIUM, url=URL, here=True, state=ServerState.UP
        )

    async def look(self) -> None:
        version = self.version
        self.asked.set()
        await self.may_answer.wait()
        self.info = msgspec.structs.replace(self.info, version=version)


async def test_whoever_asks_is_told_how_things_are_and_not_how_they_were() -> None:
    box = Box()
    named = {"box": ServerSettings(url=URL, kind=ServerKind.VLLM)}
    servers = Servers(
        Settings(servers=named, detect=DetectSettings(enabled=False)),
        make=lambda link, kind, pid: box,  # type: ignore[arg-type, return-value]
        identify=lambda link: asyncio.sleep(0, ServerKind.VLLM),
        find=lambda known: asyncio.sleep(0, ()),
    )
    early = servers.begin_look()
    await box.asked.wait()
    box.version = "after"
    asking = asyncio.create_task(servers.look())
    await asyncio.sleep(0)
    box.may_answer.set()
    (info,) = await asking
    assert info.version == "after"
    assert early.done()
