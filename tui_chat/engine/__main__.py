"""Run the engine: `python -m tui_chat.engine [--detach]`. Clients start it by themselves, detached."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
import os
import signal
import sys
from collections.abc import Iterator

import uvicorn

from tui_chat import __version__
from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.config.paths import Paths, config_file, resolve_paths
from tui_chat.config.settings import Settings, load_settings
from tui_chat.engine.app import build_app
from tui_chat.engine.core import Engine
from tui_chat.engine.instance import Instance, InstanceError
from tui_chat.engine.peers import OwnUserProtocol

LOG_BYTES, LOGS_KEPT = 1 << 20, 3

log = logging.getLogger("tui_chat.engine")


def main() -> int:
    """Serve until idle or told to stop. Exit status 0 also when another engine is already there."""
    loaded = load_settings(config_file())
    settings = loaded.settings
    paths = resolve_paths(settings.paths)
    try:
        instance = Instance.claim(paths.socket)
    except InstanceError as error:
        sys.stderr.write(error.problem.what + " " + error.problem.remedy + "\n")
        return 1
    if instance is None:
        return 0
    if "--detach" in sys.argv[1:] and not detach(paths):
        return 0
    try:
        instance.sign()
        start_logging(paths)
        log.info("engine %s, pid %d, at %s", __version__, os.getpid(), paths.socket)
        if loaded.problem is not None:
            log.warning("%s", loaded.problem.what)
        asyncio.run(serve(instance, paths, settings))
    finally:
        instance.release()
        log.info("engine %d left", os.getpid())
    return 0


def detach(paths: Paths) -> bool:
    """Go on in a child of a session of its own. Returns False in the parent, which has done its duty.

    The socket listens already, so when the parent exits a client may connect: its request waits in
    the backlog until the child serves. The lock lives on in the child's copy of the descriptor.
    """
    paths.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.fork():
        return False
    os.setsid()
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDONLY)
    output = os.open(paths.logs / "engine.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    return True


def start_logging(paths: Paths) -> None:
    """Log to a rotating file in the logs folder; stderr goes to the file that the client gave us."""
    paths.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        paths.logs / "engine.log", maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each request, and servers are asked often


class _Server(uvicorn.Server):
    """Uvicorn, but signals are ours: leaving means settling first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers alone."""
        yield


async def serve(instance: Instance, paths: Paths, settings: Settings) -> None:
    """Run the engine's tasks until it is time to leave."""
    engine = Engine(LlamaCppBackend(paths.logs), paths, settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.leave.set)
    config = uvicorn.Config(
        build_app(engine),
        http=OwnUserProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[instance.listener]))
    work = (
        engine.leave_when_idle(),
        engine.keep_house(),
        engine.watch_servers(),
        engine.quiet.run(),
        engine.instruments.run(),
        engine.governor.run(),
    )
    tasks = [asyncio.create_task(each) for each in work]
    await engine.leave.wait()
    await engine.close()
    server.should_exit = True
    await serving
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    sys.exit(main())
