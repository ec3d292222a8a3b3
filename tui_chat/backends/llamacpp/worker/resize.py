"""Another context over the same weights, in milliseconds, with the KV cache kept where that is valid."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import msgspec

from tui_chat.backends.llamacpp.worker.branches import Branch
from tui_chat.backends.llamacpp.worker.cache import KvCache
from tui_chat.backends.llamacpp.worker.checkpoints import Checkpoints
from tui_chat.backends.llamacpp.worker.endings import Endings
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.model import Model, chunk_size, identify, make_cache
from tui_chat.backends.llamacpp.worker.states import EVERY_SEQUENCE, State, take_state
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.pictured import within
from tui_chat.wire.plan import LoadOptions


class ContextLostError(Exception):
    """Not even the old context could be made again: the model is of no use any more."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Resized:
    """The model with its new context, or, with a `problem`, with one like the old."""

    model: Model
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What a cache held, outside of any context: all branches, or the active one if `kept` is empty."""

    active: Branch
    kept: list[Branch]
    state: State | None
    checkpoints: Checkpoints
    endings: Endings


def resize(model: Model, options: LoadOptions, log: NativeLog) -> Resized:
    """Replace the context by one with `options`.

    The old context is freed before the new one is made, because there may not be room for both. The
    cache's state waits in RAM meanwhile. It is kept if llama.cpp takes it, which it does not when the KV
    type or the attention changed, and as far as the new context is long enough.

    Raises:
        BackendError: The options change where the weights are; nothing was touched.
        ContextLostError: Memory is so short that the worker is left without any context.
    """
    before = model.description.options
    assert before is not None, "every loaded model knows its options"
    _check(before, options)
    if options == before:
        return Resized(model)
    saved = save(model.cache, options.context)
    model.cache.free()
    try:
        return Resized(_with_context(model, options, saved, log))
    except BackendError as error:
        try:
            restored = _with_context(model, before, saved, log)
        except BackendError as worse:
            raise ContextLostError(worse.problem) from error
        kept = "The old context is in force again."
        return Resized(restored, msgspec.structs.replace(error.problem, kept=kept))


def _check(before: LoadOptions, options: LoadOptions) -> None:
    of_the_context = {
        "context": before.context,
        "kv_type": before.kv_type,
        "ubatch": before.ubatch,
        "sequences": before.sequences,
    }
    what = ""
    if msgspec.structs.replace(options, **of_the_context) != before:
        what = "Layers and experts cannot be moved between devices while a model is loaded."
    elif min(options.context, options.ubatch, options.sequences) < 1:
        what = f"A context of {options.context:,} tokens in batches of {options.ubatch:,} is impossible."
    if what:
        problem = Problem(ProblemCode.BAD_REQUEST, what, kept="Nothing was changed.", remedy="Load it anew.")
        raise BackendError(problem)


def save(cache: KvCache, limit: int) -> Saved:
    """Take what fits into a context of `limit` tokens; one is left for the token that comes next."""
    cache.rewind(within(cache.tokens, limit - 1))
    branches = cache.branches
    branches.make_room(cache.size - limit + len(cache.tokens) + 1)
    state = take_state(cache.context, sequence=EVERY_SEQUENCE) if branches.kept else None
    if state is None:  # also where there is RAM for the active branch only
        branches.drop_kept()
        state = take_state(cache.context) if cache.tokens else None
    active = dataclasses.replace(branches.active, tokens=list(cache.tokens))
    return Saved(active, list(branches.kept), state, cache.checkpoints, cache.endings)


def bring_back(cache: KvCache, saved: Saved) -> None:
    """Have the new cache hold what the old one did, or nothing where it means nothing to this context."""
    active, state = saved.active, saved.state
    if state is None:
        return
    if saved.kept:
        held = cache.adopt(active, saved.kept, state)
    else:
        held = cache.load(active.tokens, state, saved.checkpoints.kept, active.seam)
        if held:
            cache.name(active.tag, active.draw)
    if held:
        cache.checkpoints, cache.endings = saved.checkpoints, saved.endings


def _with_context(model: Model, options: LoadOptions, saved: Saved, log: NativeLog) -> Model:
    cache = make_cache(model.native, model.order, options, model.description.threads, log)
    bring_back(cache, saved)
    identity = identify(model.order, options, cache, log)
    return dataclasses.replace(
        model,
        cache=cache,
        chunk=chunk_size(model.native, options),
        description=msgspec.structs.replace(
            model.description, context=cache.size, options=options, identity=identity
        ),
    )
