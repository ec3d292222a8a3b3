"""Which models Ollama has, which it has loaded, and what is known of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from tui_chat.backends.ollama.listing import (
    Facts,
    Runner,
    Runners,
    Shown,
    Tag,
    Tags,
    capabilities_of,
    decoded,
    full_name,
    served,
)
from tui_chat.backends.servers.failures import ServerError
from tui_chat.backends.servers.link import Link
from tui_chat.wire.servers import ServedModel

FindBlob = Callable[[str, str, Path | None], Path | None]
"""Finds the file with the weights of a model, by its name and digest and by where Ollama keeps its models."""
_AT_ONCE = 4
"""Models that are asked about at once; Ollama reads the header of each."""


def no_blob(_name: str, _digest: str, _models: Path | None) -> Path | None:
    """Find none."""
    return None


class Collection:
    """Asks, and remembers of each model what does not change."""

    def __init__(self, link: Link, find_blob: FindBlob) -> None:
        self.remote = 0
        """How many of its models run elsewhere: they are not listed."""
        self._link = link
        self._find_blob = find_blob
        self._shown: dict[tuple[str, str], Shown] = {}
        self._blobs: dict[tuple[str, str], str] = {}

    async def look(self, models: Path | None) -> tuple[ServedModel, ...]:
        """List all models. Raises `ServerError`.

        Args:
            models: Where Ollama keeps them, if not in the usual place.
        """
        tags = decoded(self._link.name, await self._link.ask("GET", "/api/tags"), Tags).models or ()
        here = [tag for tag in tags if not (tag.remote_host or tag.remote_model)]
        self.remote = len(tags) - len(here)
        runners = await self.runners()
        await self._ask_about([tag for tag in here if _says_too_little(tag)])
        if self._link.here:
            await asyncio.to_thread(self._look_for_blobs, here, models)
        return tuple(served(tag, self._facts(tag), runners.get(tag.name)) for tag in here)

    async def runners(self) -> dict[str, Runner]:
        """What is loaded now, by name. Raises `ServerError`."""
        content = await self._link.ask("GET", "/api/ps")
        listed = decoded(self._link.name, content, Runners).models or ()
        return {full_name(runner.name): runner for runner in listed}

    async def show(self, model: str) -> Shown:
        """All that Ollama tells of one model. Raises `ServerError`."""
        content = await self._link.ask("POST", "/api/show", {"model": model}, model=model)
        return decoded(self._link.name, content, Shown)

    async def _ask_about(self, tags: list[Tag]) -> None:
        some = asyncio.Semaphore(_AT_ONCE)

        async def ask(tag: Tag) -> None:
            async with some:
                try:
                    self._shown[_key(tag)] = await self.show(tag.name)
                except ServerError as error:
                    if not error.status:  # else it is this model that is no good, and would be again
                        raise
                    self._shown[_key(tag)] = Shown()

        await asyncio.gather(*(ask(tag) for tag in tags if _key(tag) not in self._shown))

    def _look_for_blobs(self, tags: list[Tag], models: Path | None) -> None:
        for tag in tags:
            if _key(tag) not in self._blobs and (found := self._find_blob(tag.name, tag.digest, models)):
                self._blobs[_key(tag)] = str(found)

    def _facts(self, tag: Tag) -> Facts:
        facts = Facts(blob=self._blobs.get(_key(tag)))
        if shown := self._shown.get(_key(tag)):
            facts = msgspec.structs.replace(
                facts, capabilities=shown.can, trained_context=shown.trained_context
            )
        if tag.capabilities is not None:
            facts = msgspec.structs.replace(facts, capabilities=capabilities_of(tag.capabilities))
        return facts


def _says_too_little(tag: Tag) -> bool:
    """Whether the list leaves out what a model can do, or read, as it does before release 0.30."""
    return tag.capabilities is None or not (tag.details and tag.details.context_length)


def _key(tag: Tag) -> tuple[str, str]:
    return tag.name, tag.digest
