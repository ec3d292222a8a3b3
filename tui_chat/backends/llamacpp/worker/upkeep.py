"""Orders between answers: what the cache holds, parking it, restoring it, another context."""

from __future__ import annotations

from tui_chat.backends.llamacpp import messages
from tui_chat.backends.llamacpp.abort import Flag
from tui_chat.backends.llamacpp.messages import Failed, Reply, Upkeep
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.model import Model
from tui_chat.backends.llamacpp.worker.parking import describe, park, restore
from tui_chat.backends.llamacpp.worker.prompt import write_prompt
from tui_chat.backends.llamacpp.worker.resize import resize
from tui_chat.backends.llamacpp.worker.reuse import reusable
from tui_chat.backends.llamacpp.worker.template import RenderError, template_problem
from tui_chat.backends.protocol import BackendError, Fit, Held
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.parkfile import ParkError, ParkLabel, file_size


def attend(order: Upkeep, model: Model, log: NativeLog, abort: Flag) -> tuple[Reply, Model]:
    """Carry `order` out and return the reply to it, and the model as it is from now on.

    `abort` is the order's flag; parking gives up when it is hoisted.

    Raises:
        ContextLostError: The model has lost its context.
    """
    try:
        if isinstance(order, messages.Resize):
            resized = resize(model, order.options, log)
            if resized.problem is not None:
                return Failed(order.number, resized.problem), resized.model
            kept = len(resized.model.cache.tokens)
            return messages.Resized(order.number, resized.model.description, kept), resized.model
        return _carry_out(order, model, abort), model
    except (BackendError, ParkError) as error:
        return Failed(order.number, error.problem), model
    except RenderError as error:
        return Failed(order.number, template_problem(error)), model
    except (OSError, MemoryError) as error:
        what = f"The conversation could not be parked: {getattr(error, 'strerror', None) or error}."
        problem = Problem(ProblemCode.PARK_FAILED, what, kept="The model still holds it.", detail=repr(error))
        return Failed(order.number, problem), model


def _carry_out(order: Upkeep, model: Model, abort: Flag) -> Reply:
    cache, identity = model.cache, model.description.identity
    assert identity is not None, "every loaded model has one"
    if isinstance(order, messages.Weigh):
        size = file_size(describe(cache, identity, ParkLabel(""))) if cache.tokens else 0
        return messages.Weighed(order.number, Held(tuple(cache.tokens), size, cache.tag))
    if isinstance(order, messages.Compare):
        tokens = write_prompt(model, order.turns, order.begun).tokens
        return messages.Compared(order.number, Fit(tuple(tokens), reusable(cache, tokens), len(cache.tokens)))
    if isinstance(order, messages.Park):
        header = park(cache, identity, order.path, order.label, lambda: abort.hoisted)
        return messages.Parked(order.number, header)
    assert isinstance(order, messages.Restore), f"{type(order).__name__} is no order of this kind"
    return messages.Restored(order.number, restore(cache, identity, order.path))
