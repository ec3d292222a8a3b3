"""A host whose worker may not grow: resizes its context to more than there is room for, then asks again.

Run as a process of its own: ``python cramped_host.py MODEL LOGS``.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path

import msgspec
import psutil

from tests.worker.support import COUNT, hear, load
from tui_chat.backends.protocol import BackendError


async def main(path: Path, logs: Path) -> None:
    model = await load(path, logs, 1024)
    before = await hear(model, COUNT)
    used = psutil.Process(model.pid).memory_info().vms
    psutil.Process(model.pid).rlimit(resource.RLIMIT_AS, (used + (96 << 20), used + (96 << 20)))
    try:
        await model.resize(msgspec.structs.replace(model.description.options, context=16384))
    except BackendError as error:
        print(error.problem.code.value)
    print(model.description.context)
    print("same" if (await hear(model, COUNT)).text == before.text else "another")
    await model.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
