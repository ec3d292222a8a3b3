"""What is sent with every request for a model, and how that says what we mean by a load and a draw.

Ollama loads a model anew whenever a request names other runner options than those it is loaded with, and
counts an option that is left out as another one. So they are kept together, and sent with each request.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tui_chat.chat.model import Sampling
from tui_chat.wire.plan import ALL_LAYERS, LoadOptions


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How a model is loaded.

    Attributes:
        options: The runner's: ``num_ctx``, ``num_batch``, ``num_gpu``; empty leaves them to the server.
        keep_alive_s: How long it stays when idle; None as the server likes.
        shift: Whether the server may forget the middle of a full context. It asks for that at the load, so
            it is None, and left out, where the load was not ours.
    """

    options: dict[str, int] = {}
    keep_alive_s: float | None = None
    shift: bool | None = None

    def load(self, model: str) -> dict[str, Any]:
        """The body of a request that only loads.

        Loading for 0 seconds would be a request to unload: that is said with the first question instead.
        """
        return self._with({"model": model, "stream": False}, self.options, self.keep_alive_s or None)

    def chat(self, model: str, messages: list[dict[str, Any]], drawing: dict[str, Any]) -> dict[str, Any]:
        """The body of a question. That the server must not cut it is always said."""
        body = {"model": model, "messages": messages, "stream": True, "truncate": False}
        return self._with(body, self.options | drawing, self.keep_alive_s)

    def _with(
        self, body: dict[str, Any], options: dict[str, Any], keep_alive_s: float | None
    ) -> dict[str, Any]:
        if options:
            body["options"] = options
        if keep_alive_s is not None:  # a number: Ollama takes the text "300" for a mistake
            body["keep_alive"] = keep_alive_s
        if self.shift is not None:
            body["shift"] = self.shift
        return body


def profile_of(options: LoadOptions | None, keep_alive_s: float | None) -> Profile:
    """How a model is loaded that we have loaded."""
    if options is None:
        return Profile(keep_alive_s=keep_alive_s)
    runner = {"num_ctx": options.context, "num_batch": options.ubatch}
    if options.gpu_layers != ALL_LAYERS:  # else the server puts as much on GPUs as it can
        runner["num_gpu"] = options.gpu_layers
    return Profile(options=runner, keep_alive_s=keep_alive_s, shift=False)


def profile_as_found(context: int) -> Profile:
    """How a model is loaded that somebody else has loaded, as far as the server tells: its context."""
    return Profile(options={"num_ctx": context} if context else {})


def drawing_of(sampling: Sampling, own_stops: tuple[str, ...] = ()) -> dict[str, Any]:
    """The options that say how an answer is drawn.

    Each is sent, so that a model's own defaults never stand behind what is shown. Only the stop strings are
    left to the model where we have none; else its `own_stops` are sent too, as ours would replace them.
    """
    drawing: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repeat_penalty,
        "repeat_last_n": sampling.penalty_last_n,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "seed": -1 if sampling.seed is None else sampling.seed,
        "num_predict": -1 if sampling.max_tokens is None else sampling.max_tokens,
    }
    if sampling.stop:
        drawing["stop"] = list(dict.fromkeys((*sampling.stop, *own_stops)))
    return drawing
