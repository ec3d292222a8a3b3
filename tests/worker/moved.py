"""Drops tokens from the middle of a `KvCache` and says, as JSON, how far its logits are from the right ones.

Run as a process of its own, because it loads llama.cpp: ``python moved.py MODEL``, where the model has one
layer: there a token's key and value depend on the token and its place alone.
"""

from __future__ import annotations

import json
import random
import sys

from tests.worker.walk import VOCABULARY, difference, evaluate, logits, make_cache
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.reuse import reuse

BEGIN, DROPPED, MOVED, NEW = 40, 300, 400, 60


def main(path: str) -> None:
    silent = lib.llama_log_callback(lambda _level, _text, _data: None)
    lib.llama_log_set(silent, None)
    model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
    cache, fresh = make_cache(model, 2048), make_cache(model, 2048)
    draw = random.Random(1)
    begin, dropped, moved, new, other = (
        [draw.randrange(VOCABULARY) for _ in range(count)] for count in (BEGIN, DROPPED, MOVED, NEW, NEW)
    )
    sibling = begin + dropped + other
    evaluate(cache, sibling)
    before = logits(cache)
    cache.endings.keep(sibling, cache.context, shifted=False)

    evaluate(cache, (begin + dropped + moved)[reuse(cache, begin + dropped + moved).tokens :])
    found = reuse(cache, begin + moved + new, shift=True)
    evaluate(cache, new[len(cache.tokens) - BEGIN - MOVED :])
    evaluate(fresh, begin + moved + new)
    right = logits(fresh)
    error = difference(logits(cache), right)
    fresh.clear()
    evaluate(fresh, begin + new)
    unmoved = difference(logits(fresh), right)

    cache.rewind(reuse(cache, sibling).tokens - NEW)
    evaluate(cache, sibling[len(cache.tokens) :])
    report = {
        "moved": found.moved,
        "expected": MOVED,
        "error": error,
        "unmoved": unmoved,
        "sibling_error": difference(logits(cache), before),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
