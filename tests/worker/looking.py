"""Shows pictures to a model and says, as JSON, whether it then thinks what it should.

Run as a process of its own, because it loads llama.cpp: ``python looking.py MODEL PROJECTOR PICTURE…``. The
reference is what llama.cpp's own library for pictures makes of the same text with the same pictures.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import random
import sys
from pathlib import Path

from tui_chat.backends.llamacpp.messages import Load
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.model import Model, load_model, make_cache
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.prompt import Prompt, write_prompt
from tui_chat.backends.llamacpp.worker.reading import read_on
from tui_chat.backends.llamacpp.worker.resize import bring_back, save
from tui_chat.backends.llamacpp.worker.reuse import reuse
from tui_chat.backends.llamacpp.worker.vocabulary import PICTURE
from tui_chat.chat.model import Role
from tui_chat.memory.pictured import cells
from tui_chat.wire.api import Turn
from tui_chat.wire.pictures import Picture
from tui_chat.wire.plan import LoadOptions

CONTEXT, LITTLE = 2048, 256
SYSTEM = Turn(Role.SYSTEM, "Look.")


def main(path: str, projector: str, *pictures: str) -> None:
    log = NativeLog()
    order = Load(path, LoadOptions(context=CONTEXT), 1, "", "", 1 << 28, "", 0, projector)
    model = load_model(order, log, lambda _: None)
    assert not model.description.blind, model.description.blind
    seen = [Picture("image/png", Path(picture).read_bytes()) for picture in pictures]
    first = (SYSTEM, Turn(Role.USER, "What is this?", pictures=(seen[0],)))
    other = (SYSTEM, Turn(Role.USER, "What is this?", pictures=(seen[1],)))
    both = (*first, Turn(Role.ASSISTANT, "A thing."), Turn(Role.USER, "And these?", pictures=tuple(seen)))
    asked = {"first": first, "other": other, "both": both}
    fresh = {name: _fresh(model, turns) for name, turns in asked.items()}
    blank = (SYSTEM, Turn(Role.USER, "What is this?"))
    print(
        json.dumps(
            {
                "unlike mtmd": max(
                    _apart(fresh[name], _reference(model, turns, projector)) for name, turns in asked.items()
                ),
                "by the other picture": _apart(fresh["first"], fresh["other"]),
                "by any picture": _apart(fresh["first"], _fresh(model, blank)),
                "on a walk": _walk(model, {name: (turns, fresh[name]) for name, turns in asked.items()}),
                "elsewhere": _elsewhere(model, both, log),
                "cells": _cells(model, both),
            }
        )
    )


def _read(model: Model, prompt: Prompt) -> int:
    """Read a prompt as answers do; say how much of it was there already."""
    reused = reuse(model.cache, prompt.tokens)
    while len(model.cache.tokens) < len(prompt.tokens):
        read_on(model, prompt, lambda _: True)
    assert model.cache.tokens == prompt.tokens
    return reused.tokens


def _fresh(model: Model, turns: tuple[Turn, ...]) -> list[float]:
    model.cache.clear()
    _read(model, write_prompt(model, turns))
    return _logits(model)


def _walk(model: Model, ways: dict[str, tuple[tuple[Turn, ...], list[float]]]) -> dict[str, float]:
    """Go between conversations; say how far off what is thought ever was, and how much was reused."""
    draw, worst, reused = random.Random(7), 0.0, 0
    for _ in range(12):
        turns, expected = ways[draw.choice(list(ways))]
        prompt = write_prompt(model, turns)
        model.cache.endings.clear()
        reused += _read(model, prompt)
        worst = max(worst, _apart(_logits(model), expected))
        model.cache.checkpoint()
        model.cache.append(draw.randrange(40))
    return {"off": worst, "reused": reused}


def _elsewhere(model: Model, turns: tuple[Turn, ...], log: NativeLog) -> list[int]:
    """Take what was read to a larger context, and to one too small for its last picture; say what is left."""
    prompt = write_prompt(model, turns)
    _fresh(model, turns)
    left = []
    for size in (2 * CONTEXT, LITTLE):
        saved = save(model.cache, size)
        cache = make_cache(model.native, model.order, LoadOptions(context=size), 1, log)
        bring_back(cache, saved)
        assert cache.tokens == prompt.tokens[: len(cache.tokens)]
        assert cells(cache.tokens) < size
        left.append(len(cache.tokens))
        cache.free()
    return left


def _cells(model: Model, turns: tuple[Turn, ...]) -> list[int]:
    """Places that a conversation takes, and cells of the cache."""
    tokens = write_prompt(model, turns).tokens
    return [len(tokens), cells(tokens)]


def _reference(model: Model, turns: tuple[Turn, ...], projector: str) -> list[float]:
    """The logits after `turns` as ``mtmd_helper_eval_chunks`` reads them in a context of its own."""
    mtmd = importlib.import_module("llama_cpp.mtmd_cpp")
    text, _ = model.scribe.template.render(  # type: ignore[union-attr]
        tuple(Turn(turn.role, PICTURE * len(turn.pictures) + turn.text) for turn in turns)
    )
    marked = text.replace(PICTURE, mtmd.mtmd_default_marker().decode()).encode()
    params = mtmd.mtmd_context_params_default()
    params.use_gpu, params.n_threads, params.image_max_tokens = False, 1, -1
    looking = mtmd.mtmd_init_from_file(projector.encode(), model.native, params)
    bitmaps = []
    for picture in (picture for turn in turns for picture in turn.pictures):
        data = (ctypes.c_uint8 * len(picture.data)).from_buffer_copy(picture.data)
        bitmaps.append(mtmd.mtmd_helper_bitmap_init_from_buf(looking, data, len(data), False))
    chunks = mtmd.mtmd_input_chunks_init()
    words = mtmd.mtmd_input_text(text=marked, text_len=len(marked), add_special=True, parse_special=True)
    every = (ctypes.c_void_p * len(bitmaps))(*bitmaps)
    assert mtmd.mtmd_tokenize(looking, chunks, ctypes.byref(words), every, len(bitmaps)) == 0
    settings = lib.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch = CONTEXT, 512, 512
    settings.n_threads = settings.n_threads_batch = 1
    context = lib.llama_init_from_model(model.native, settings)
    end = lib.llama_pos(0)
    status = mtmd.mtmd_helper_eval_chunks(looking, context, chunks, 0, 0, 512, True, ctypes.byref(end))
    assert status == 0
    logits = list(lib.llama_get_logits_ith(context, -1)[: model.vocabulary.size])
    lib.llama_free(context)
    return logits


def _logits(model: Model) -> list[float]:
    return list(lib.llama_get_logits_ith(model.context, -1)[: model.vocabulary.size])


def _apart(left: list[float], right: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(left, right, strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
