"""A host of its own process: loads a model; says its worker's pid and waits, or answers once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.protocol import LoadPlan
from tui_chat.chat.model import Role, Sampling
from tui_chat.wire.api import Turn
from tui_chat.wire.plan import LoadOptions


async def main(path: Path, logs: Path, answer: bool) -> None:
    plan = LoadPlan(path=path, options=LoadOptions(context=16384), threads=1)
    model = await LlamaCppBackend(logs).load(plan, lambda _: None)
    sampling = Sampling(max_tokens=16 if answer else None)
    if not answer:
        print(model.pid, flush=True)
    async for event in model.generate("a", (Turn(Role.USER, "Hello"),), sampling):
        assert event
    if not answer:
        await asyncio.Event().wait()
    await model.close()
    print("answered")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), "--answer" in sys.argv))
