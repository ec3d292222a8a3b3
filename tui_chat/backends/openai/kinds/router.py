"""llama-server without a model of its own: it loads and unloads those of a folder when it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from tui_chat.backends.openai.dialect import LOOK_EVERY_S, Dialect, entries, until, words
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.servers.failures import ServerError, unknown_model
from tui_chat.chat.model import Problem, ProblemCode

LISTED = "/models"
_GOES_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Status:
    """How the router says one of its models is.

    Attributes:
        value: ``unloaded``, ``loading``, ``loaded``, ``sleeping`` or ``downloading``.
        progress: Of loading, 0..1; None where it does not tell.
        failure: Why it could not be loaded; empty if it could, or nobody tried.
        file: The model's file, as its server is started with it.
    """

    value: str
    progress: float | None = None
    failure: str = ""
    file: str = ""

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""
        return self.value == "loaded"


def status_of(entry: Body) -> Status | None:
    """The status in an entry of the list; None where no router says one."""
    status = entry.get("status")
    if not isinstance(status, dict):
        return None
    progress = status.get("progress")
    if isinstance(progress, dict):
        progress = progress.get("value")
    failed = status.get("failed") is True
    return Status(
        words(status, "value"),
        float(progress) if isinstance(progress, int | float) else None,
        f"its server ended with status {status.get('exit_code', 'unknown')}" if failed else "",
        _after(status.get("args"), ("-m", "--model")),
    )


async def load(dialect: Dialect, model: str, on_progress: Callable[[float], None]) -> None:
    """Have `model` loaded, and wait for it; cancelling unloads it again.

    Raises:
        ServerError: It is unknown, or cannot be loaded.
    """
    name = dialect.link.name
    before = await _status(dialect, model)
    if before is None:
        raise ServerError(unknown_model(name, model))
    if before.loaded:
        return
    try:
        if before.value != "loading":
            await dialect.post("/models/load", {"model": model}, model=model)
        await _loading(dialect, model, on_progress)
    except asyncio.CancelledError:
        with suppress(ServerError):
            await dialect.link.ask("POST", "/models/unload", {"model": model}, within_s=_GOES_WITHIN_S)
        raise


async def _loading(dialect: Dialect, model: str, on_progress: Callable[[float], None]) -> None:
    began = False
    while (status := await _status(dialect, model)) is None or not status.loaded:
        if status is None or status.failure or (began and status.value == "unloaded"):
            why = status.failure if status else "it is no longer listed"
            raise ServerError(
                Problem(
                    ProblemCode.LOAD_FAILED,
                    f"{dialect.link.name} could not load {model}: {why or 'it gave up'}.",
                    kept="Your message is kept.",
                    remedy="Its own log says more. Unload another model, or choose a smaller one.",
                )
            )
        began = began or status.value == "loading"
        if status.progress is not None:
            on_progress(status.progress)
        await asyncio.sleep(LOOK_EVERY_S)


async def unload(dialect: Dialect, model: str) -> None:
    """Have `model` unloaded, and wait until it is. Raises `ServerError`."""
    status = await _status(dialect, model)
    if status is None or status.value == "unloaded":
        return
    await dialect.post("/models/unload", {"model": model}, model=model)

    async def is_gone() -> bool:
        now = await _status(dialect, model)
        return now is None or now.value == "unloaded"

    await until(is_gone)


async def _status(dialect: Dialect, model: str) -> Status | None:
    for entry in entries(await dialect.get(LISTED), "data"):
        if words(entry, "id") == model:
            return status_of(entry)
    return None


def _after(args: object, names: tuple[str, ...]) -> str:
    """The argument that follows one of `names`; empty if none does."""
    listed = [each for each in args if isinstance(each, str)] if isinstance(args, list) else []
    return next((value for name, value in pairwise(listed) if name in names), "")
