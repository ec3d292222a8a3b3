"""Rewinds a `KvCache` of a tiny random model and says, as JSON, what that did to its logits.

Run as a process of its own, because it loads llama.cpp: ``python rewind.py MODEL LENGTH``. The reference is
always a fresh evaluation in the same pieces, so equal means equal to the last bit.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from tui_chat.backends.llamacpp.worker.cache import KvCache
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.reuse import reuse

VOCABULARY = 500
BATCH = 128
PIECE = 5
"""Tokens evaluated at once. All lengths are multiples of it, because other shapes round differently."""


def main(path: str, length: int) -> None:
    silent = lib.llama_log_callback(lambda _level, _text, _data: None)
    lib.llama_log_set(silent, None)
    model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = 2048, BATCH, BATCH
    params.n_seq_max = params.n_outputs_max = params.n_threads = params.n_threads_batch = 1
    params.swa_full = False
    context = lib.llama_init_from_model(model, params)
    cache = KvCache(model, context)
    draw = random.Random(1)
    story = [draw.randrange(VOCABULARY) for _ in range(length)]
    turn = [draw.randrange(VOCABULARY) for _ in range(4 * PIECE)]
    report = {}
    for kept in (length, length - PIECE, length // PIECE, 0):
        prompt = story[:kept] + turn
        cache.clear()
        _evaluate(cache, story)
        reused = reuse(cache, prompt).tokens
        assert cache.tokens == prompt[:reused]
        _evaluate(cache, prompt[reused:])
        continued = _logits(context)
        cache.clear()
        _evaluate(cache, prompt[:reused])
        _evaluate(cache, prompt[reused:])
        fresh = _logits(context)
        error = max(abs(a - b) for a, b in zip(continued, fresh, strict=True))
        report[kept] = {"reused": reused, "error": error}
    print(json.dumps(report))


def _evaluate(cache: KvCache, tokens: list[int]) -> None:
    for at in range(0, len(tokens), PIECE):
        cache.evaluate(tokens[at : at + PIECE], output=at + PIECE >= len(tokens))


def _logits(context: Any) -> list[float]:
    return list(lib.llama_get_logits_ith(context, -1)[:VOCABULARY])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
