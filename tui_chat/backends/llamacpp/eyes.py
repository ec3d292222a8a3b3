"""What the projector beside a model takes, and whether it works; a process is asked that may die of it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from tui_chat.backends.llamacpp.build import backend_name
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.llamacpp.probing import Looked
from tui_chat.config.cachefile import read_cache, write_cache
from tui_chat.memory.available import available_ram

PROJECTORS = "projectors.msgpack"
"""File of the cache folder: what projectors answered."""
_BUFFERS = 256 << 20
"""Bytes that a projector's buffers are taken for until it has been asked; most take less."""
_LOOKING = 64 << 20
"""Bytes for a scaled picture, and for matrices that are turned to another type: beside 893 MiB of a SigLIP
with 27 layers and its buffers, a worker took 69 MiB more (llama-cpp-python 0.3.36, two threads)."""
_KEPT = 256
_SOURCE = re.compile(r"^\S*/")
"""Where llama.cpp was built, in the words that it ends with."""

_Answers = dict[str, Looked]


@dataclass(frozen=True, slots=True)
class Sees:
    """What is loaded so that a model can see: `size` bytes with all buffers; `why` not, if nothing is."""

    projector: str = ""
    size: int = 0
    why: str = ""


BLIND = Sees()
"""Of a model that is not to see."""


class Eyes:
    """Remembers what projectors answered, in the folder `cache`."""

    def __init__(self, prober: Prober, cache: Path) -> None:
        self._prober = prober
        self._file = cache / PROJECTORS
        self._answers: _Answers | None = None

    async def guess(self, projector: str) -> Sees:
        """What is known of a projector, or likely; nobody is asked."""
        if not projector:
            return BLIND
        known = (await self._known()).get(await asyncio.to_thread(_key, projector))
        return await asyncio.to_thread(_sees, projector, known or Looked(_BUFFERS))

    async def knows(self, projector: str) -> bool:
        """Whether a projector has been asked; of none there is nothing to know."""
        return not projector or await asyncio.to_thread(_key, projector) in await self._known()

    async def look(self, model: Path, projector: str) -> Sees:
        """Have the projector of the file `model` say what it takes, unless it did before.

        It is read whole for that. One that would take more than half the memory there is stays unasked.
        """
        if not projector or await self.knows(projector):
            return await self.guess(projector)
        if await asyncio.to_thread(_is_too_large, projector):
            return await self.guess(projector)
        answers = await self._known()
        answers[await asyncio.to_thread(_key, projector)] = await self._prober.look(str(model), projector)
        lasting = {key: answer for key, answer in answers.items() if not answer.died}
        await asyncio.to_thread(write_cache, self._file, dict(list(lasting.items())[-_KEPT:]))
        return await self.guess(projector)

    async def _known(self) -> _Answers:
        if self._answers is None:
            self._answers = await asyncio.to_thread(read_cache, self._file, _Answers) or {}
        return self._answers


def _sees(projector: str, answer: Looked) -> Sees:
    if answer.why:
        why = f"llama.cpp ended over it ({_SOURCE.sub('', answer.why)})" if answer.died else answer.why
        return Sees(why=f"{Path(projector).name} cannot be used: {why}")
    try:
        return Sees(projector, Path(projector).stat().st_size + answer.compute + _LOOKING)
    except OSError as error:
        return Sees(why=f"{Path(projector).name} cannot be read: {error.strerror or error}")


def _is_too_large(projector: str) -> bool:
    try:
        return Path(projector).stat().st_size > available_ram() // 2
    except OSError:
        return True


def _key(projector: str) -> str:
    """The file as it is now, for the llama.cpp that there is now."""
    try:
        status = Path(projector).stat()
    except OSError:
        return f"{backend_name()}|{projector}|gone"
    return f"{backend_name()}|{projector}|{status.st_size}|{status.st_mtime_ns}"
