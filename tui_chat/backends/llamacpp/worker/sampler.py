"""llama.cpp's sampler chain for one generation."""

from __future__ import annotations

import ctypes
import secrets
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.chat.model import Sampling
from tui_chat.memory.pictured import is_picture

SEED_BITS = 32
_COLUMNS = 3
"""Of ``llama_token_data``, four bytes each: the token, its logit, its probability."""


def choose_seed(sampling: Sampling) -> int | None:
    """The seed that will really be used: the one asked for, a random one, or None when greedy."""
    if sampling.temperature <= 0:
        return None
    wanted = secrets.randbits(SEED_BITS - 1) if sampling.seed is None else sampling.seed
    seed: int = wanted % (2**SEED_BITS - 1)  # llama.cpp takes 2**32 - 1 for "choose one yourself"
    return seed


@contextmanager
def sampler_chain(sampling: Sampling, seed: int | None, vocabulary: int, prompt: list[int]) -> Iterator[Any]:
    """Build the chain in llama.cpp's usual order, and free it afterwards.

    Args:
        sampling: What was asked for; whatever is off is left out of the chain.
        seed: From `choose_seed`.
        vocabulary: Number of tokens the model knows.
        prompt: Token ids; the penalties look back into its words, not its pictures.
    """
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    try:
        for link in _links(sampling, seed, vocabulary, len(prompt)):
            lib.llama_sampler_chain_add(chain, link)
        if _penalises(sampling):
            words = [token for token in prompt if not is_picture(token)]
            for token in words[-_look_back(sampling, len(prompt)) :]:
                lib.llama_sampler_accept(chain, token)
        yield chain
    finally:
        lib.llama_sampler_free(chain)


def draw_from(chain: Any, logits: array[float]) -> int:
    """Draw a token as ``llama_sampler_sample`` does, from logits of our own instead of a context's."""
    count = len(logits)
    numbers = array("f")
    numbers.frombytes(array("i", range(count)).tobytes())
    rows = array("f", bytes(logits.itemsize * _COLUMNS * count))
    rows[0::_COLUMNS], rows[1::_COLUMNS] = numbers, logits
    data = (lib.llama_token_data * count).from_buffer(rows)
    candidates = lib.llama_token_data_array(data, count, -1, False)
    lib.llama_sampler_apply(chain, ctypes.byref(candidates))
    token: int = candidates.data[candidates.selected].id
    lib.llama_sampler_accept(chain, token)
    return token


def _penalises(sampling: Sampling) -> bool:
    wanted = sampling.repeat_penalty != 1 or sampling.frequency_penalty != 0 or sampling.presence_penalty != 0
    return wanted and sampling.penalty_last_n != 0


def _look_back(sampling: Sampling, prompt: int) -> int:
    """Tokens the penalties remember; a negative setting means all of the prompt."""
    return sampling.penalty_last_n if sampling.penalty_last_n > 0 else max(1, prompt)


def _links(sampling: Sampling, seed: int | None, vocabulary: int, prompt: int) -> Iterator[Any]:
    if _penalises(sampling):
        yield lib.llama_sampler_init_penalties(
            vocabulary,
            _look_back(sampling, prompt),
            sampling.repeat_penalty,
            sampling.frequency_penalty,
            sampling.presence_penalty,
        )
    if seed is None:
        yield lib.llama_sampler_init_greedy()
        return
    if sampling.top_k > 0:
        yield lib.llama_sampler_init_top_k(sampling.top_k)
    if sampling.top_p < 1:
        yield lib.llama_sampler_init_top_p(sampling.top_p, 1)
    if sampling.min_p > 0:
        yield lib.llama_sampler_init_min_p(sampling.min_p, 1)
    yield lib.llama_sampler_init_temp(sampling.temperature)
    yield lib.llama_sampler_init_dist(seed)
