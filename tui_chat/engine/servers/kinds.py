"""Which code speaks to which kind of server, and how a kind is found out. Imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.protocol import BackendError
from tui_chat.backends.servers.failures import cannot, garbled
from tui_chat.backends.servers.link import ASK_S, Link
from tui_chat.backends.servers.server import Server
from tui_chat.config.servers import DetectSettings
from tui_chat.library.sources.ollama import weights_of
from tui_chat.wire.api import Turn
from tui_chat.wire.servers import ServedModel, ServerKind
from tui_chat.wire.telemetry import GpuSample

if TYPE_CHECKING:
    from tui_chat.backends.detect.found import Found

_AROUND_A_TURN = 16
"""Tokens that one template may put around a turn more than another."""


class Kinds:
    """Makes servers, with what they need to know of this machine.

    Args:
        prober: Counts tokens by the vocabulary of a file.
    """

    def __init__(self, prober: Prober) -> None:
        self._prober = prober

    def make(self, link: Link, kind: ServerKind, pid: Callable[[], int]) -> Server:
        """Speak to a server of that kind over `link`; `pid` tells its process, 0 while that is not known."""
        if kind is ServerKind.OLLAMA:
            from tui_chat.backends.ollama.server import OllamaServer

            return OllamaServer(link, pid=pid, find_blob=weights_of, count_at_least=self._count_at_least)
        if kind is ServerKind.PYTORCH:
            raise cannot(link.name, "be talked to")
        from tui_chat.backends.openai.server import OpenAIServer

        return OpenAIServer(link, kind, pid=pid)

    async def _count_at_least(self, model: ServedModel, turns: tuple[Turn, ...]) -> int | None:
        """How many tokens a model reads of `turns` at least, whatever its server puts around them."""
        if model.blob is None:
            return None
        try:
            counted = await self._prober.count(model.blob, turns)
        except BackendError:
            return None
        return max(0, sum(counted.turns) - _AROUND_A_TURN * len(turns))


async def find_servers(
    settings: DetectSettings, known: Sequence[str], gpus: Sequence[GpuSample], ours: Collection[int]
) -> Sequence[Found]:
    """What runs on this machine; see `backends.detect.look.detect`."""
    from tui_chat.backends.detect.look import detect

    return await detect(settings, known, gpus, ours)


async def identify(link: Link) -> ServerKind:
    """Find out what answers at `link`.

    Raises:
        ServerError: Nothing does, it does not let us in, or it is no model server.
    """
    from tui_chat.backends.detect.identify import identify as ask
    from tui_chat.backends.detect.probe import Asking

    link.breaker.check(link.name)
    answer = await ask(Asking(await link.open(), link.url, ASK_S))
    if answer is not None:
        link.breaker.succeeded()
        return answer.kind or ServerKind.OPENAI
    await link.ask("GET", "/v1/models")  # says what is wrong, if it is the server that is
    raise link.clean(garbled(link.name, "It answers, but not as a model server does."))
