"""One answer: render, prefill, decode, settle."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, sleep
from typing import Any

import msgspec

from tui_chat.backends.llamacpp.abort import HELD, Flag
from tui_chat.backends.llamacpp.messages import Generate
from tui_chat.backends.llamacpp.worker.branches import Draw
from tui_chat.backends.llamacpp.worker.cache import AbortedError, DecodeError
from tui_chat.backends.llamacpp.worker.cores import leaves_no_cpu
from tui_chat.backends.llamacpp.worker.emitter import CROWDED_INTERVAL_S, INTERVAL_S, Emitter
from tui_chat.backends.llamacpp.worker.model import Model
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.prompt import Prompt, write_prompt
from tui_chat.backends.llamacpp.worker.reading import read_on
from tui_chat.backends.llamacpp.worker.reuse import reuse
from tui_chat.backends.llamacpp.worker.sampler import choose_seed, draw_from, sampler_chain
from tui_chat.backends.llamacpp.worker.template import RenderError, template_problem
from tui_chat.backends.llamacpp.worker.thinking import splitter
from tui_chat.backends.llamacpp.worker.voice import Voice
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import FinishReason, Problem, ProblemCode, Sampling, Timings, Usage
from tui_chat.memory.pictured import cells
from tui_chat.wire.events import Event, Prefill, Settled, Warned

_LOOK_S = 0.02
"""How often an answer that is held looks whether it may go on."""
_TELL_S = 0.2
"""How often it is told how far a picture has been looked at."""
_NEAR = 8
"""Tokens that a prompt's end may lie behind a checkpoint without one of its own."""

Send = Callable[[Event], None]
End = tuple[FinishReason, Problem | None]


@dataclass(slots=True)
class _Tally:
    """What is measured on the way, in seconds of the monotonic clock."""

    received: float
    prompt: int = 0
    reused: int = 0
    shifted: int = 0
    tokens: int = 0
    prefill_from: float = 0.0
    prefilled: float = 0.0
    first: float = 0.0
    last: float = 0.0
    held: float = 0.0
    held_before: float = 0.0

    @property
    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self.prompt,
            completion_tokens=self.tokens,
            reused_tokens=self.reused,
            shifted_tokens=self.shifted,
        )

    def timings(self, answering_since: float | None, thought: bool) -> Timings:
        decode_s = self.last - self.first - self.held
        thinking_end = self.last if answering_since is None else answering_since
        return Timings(
            prefill_ms=max(0.0, self.prefilled - self.prefill_from) * 1e3,
            ttft_ms=(self.first - self.received) * 1e3 if self.tokens else None,
            thinking_ms=(thinking_end - self.first) * 1e3 if thought else 0.0,
            decode_ms=decode_s * 1e3,
            decode_tps=(self.tokens - 1) / decode_s if self.tokens > 1 and decode_s > 0 else None,
            held_ms=(self.held + self.held_before) * 1e3,
        )


class Generator:
    """Generates answers with one model, one after the other; `model` may be exchanged between them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        crowded = leaves_no_cpu(model.description.threads)
        self._interval_s = CROWDED_INTERVAL_S if crowded else INTERVAL_S
        self._prefill_rate: float | None = None

    def answer(self, order: Generate, received: float, abort: Flag, send: Send) -> None:
        """Answer as `order` says, sending every event down to exactly one `Settled`.

        Args:
            order: The conversation, how its answer had begun, how to draw tokens and when to stop.
            received: When the request came in, on the monotonic clock.
            abort: Tells to stop: looked at here between evaluations, and by llama.cpp within them.
            send: Takes the events.
        """
        tally = _Tally(received)
        emitter = Emitter(send, self._interval_s)
        seed = choose_seed(order.sampling)
        problem: Problem | None
        try:
            prompt = write_prompt(self.model, order.turns, order.begun)
        except RenderError as error:
            finish, problem = FinishReason.BACKEND_ERROR, template_problem(error)
        else:
            for unread in prompt.unread[:1]:  # the others are as likely of the same kind
                send(Warned(unread))
            tally.prompt = cells(prompt.tokens)
            finish, problem = self._run(prompt, order, seed, tally, emitter, abort, send)
        send(
            Settled(
                finish=finish,
                usage=tally.usage,
                timings=tally.timings(emitter.answering_since, emitter.thought),
                problem=problem,
                seed=seed,
                fingerprint=self.model.description.fingerprint,
            )
        )

    def _run(
        self,
        prompt: Prompt,
        order: Generate,
        seed: int | None,
        tally: _Tally,
        emitter: Emitter,
        abort: Flag,
        send: Send,
    ) -> End:
        size, sampling = self.model.cache.size, order.sampling
        if tally.prompt >= size:
            return FinishReason.CONTEXT_OVERFLOW, _overflow_problem(tally.prompt, size)
        voice = Voice(splitter(prompt.template, prompt.text, prompt.begun), (*sampling.stop, *prompt.stops))
        try:
            draw = Draw(len(prompt.tokens), _alike(sampling), seed)
            logits = self._prefill(prompt, order, draw, tally, abort, send)
            with sampler_chain(sampling, seed, self.model.vocabulary.size, prompt.tokens) as chain:
                end = self._decode(chain, logits, sampling.max_tokens, voice, tally, emitter, abort)
        except AbortedError:
            end = FinishReason.CANCELLED, None
        except DecodeError as error:
            end = FinishReason.BACKEND_ERROR, _decode_problem(error)
        except BackendError as error:
            end = FinishReason.BACKEND_ERROR, error.problem
        emitter.finish(voice.finish())
        return end

    def _prefill(
        self, prompt: Prompt, order: Generate, draw: Draw, tally: _Tally, abort: Flag, send: Send
    ) -> array[float] | None:
        """Bring `prompt` into the cache, chunk by chunk, reporting each, with a halt where a turn ends.

        Returns the logits at its end if all of it was there already; else the context has them.
        """
        cache, tokens, total = self.model.cache, prompt.tokens, len(prompt.tokens)
        tally.prefill_from = tally.prefilled = perf_counter()
        reused = reuse(cache, tokens, shift=order.shift, draw=draw)
        tally.reused, tally.shifted = cells(tokens[: reused.tokens]), reused.moved
        done, told = len(cache.tokens), tally.prefill_from

        def tell(read: int, rate: float | None) -> None:
            eta_s = (tally.prompt - read) / rate if rate else None
            send(Prefill(done=read, total=tally.prompt, reused=tally.reused, eta_s=eta_s))

        def watch(read: int) -> bool:
            nonlocal told
            now = perf_counter()
            if now >= told + _TELL_S:
                told = now  # words say nothing of how long a picture takes
                tell(read, (read - tally.reused) / (now - tally.prefill_from))
            return not abort.hoisted

        while True:
            if done in prompt.turn_ends:
                cache.checkpoint()
            tell(cells(tokens[:done]), self._prefill_rate)
            if done == total:
                if all(total - end > _NEAR for end in prompt.turn_ends):
                    cache.checkpoint()
                if reused.logits is None:
                    cache.endings.keep(tokens, cache.context, shifted=cache.seam is not None)
                cache.name(order.id, draw)
                return reused.logits
            if abort.hoisted:
                raise AbortedError
            if abort.memory[HELD]:
                waited = _wait_while_held(abort)
                tally.prefill_from += waited
                tally.held_before += waited
            try:
                read_on(self.model, prompt, watch)
            finally:
                tally.prefilled = perf_counter()
            done = len(cache.tokens)
            fresh = cells(tokens[:done]) - tally.reused
            if fresh >= self.model.chunk or self._prefill_rate is None:
                self._prefill_rate = fresh / (tally.prefilled - tally.prefill_from)

    def _decode(
        self,
        chain: Any,
        logits: array[float] | None,
        limit: int | None,
        voice: Voice,
        tally: _Tally,
        emitter: Emitter,
        abort: Flag,
    ) -> End:
        """Draw tokens until one ends the answer; the first one from `logits` if they are given.

        This loop is what Python costs per token. Each evaluation has driven everything else out of the
        processor's caches, so what counts is how little it touches.
        """
        cache, pieces, context = self.model.cache, self.model.pieces, self.model.context
        sample, append, feed, hand_on = lib.llama_sampler_sample, cache.append, voice.feed, emitter.token
        room, flags, at = cache.left, abort.memory, abort.offset
        limit = room + 1 if limit is None else limit
        while True:
            if tally.tokens >= limit:
                return FinishReason.LENGTH, None
            if logits is None:
                token = sample(chain, context, -1)
            else:
                token, logits = draw_from(chain, logits), None
            piece = pieces[token]
            if piece is None:
                return FinishReason.STOP, None
            now = perf_counter()
            tally.last = now
            if not tally.tokens:
                tally.first = now
            tally.tokens += 1
            hand_on(feed(piece), now)
            if voice.stopped:
                return FinishReason.STOP, None
            if tally.tokens > room:
                return FinishReason.LENGTH, _full_problem(cache.size)
            if flags[at]:
                return FinishReason.CANCELLED, None
            if flags[HELD]:
                emitter.flush(now)
                tally.held += _wait_while_held(abort)
            append(token)


def _wait_while_held(abort: Flag) -> float:
    """Wait until answers may go on, or this one is told to stop; return the seconds that took."""
    since = perf_counter()
    while abort.memory[HELD] and not abort.hoisted:
        sleep(_LOOK_S)
    return perf_counter() - since


def _alike(sampling: Sampling) -> Sampling:
    """What two answers must have in common to be the same as far as both go; the seed is drawn apart."""
    return msgspec.structs.replace(sampling, seed=None, max_tokens=None, stop=())


def _overflow_problem(prompt: int, size: int) -> Problem:
    return Problem(
        code=ProblemCode.CONTEXT_OVERFLOW,
        what=f"The conversation is {prompt:,} tokens long, and the context holds {size:,}.",
        kept="Your message is kept; nothing was sent to the model.",
        remedy="Load the model with a longer context, shorten the message, or start a new chat.",
    )


def _full_problem(size: int) -> Problem:
    return Problem(
        code=ProblemCode.CONTEXT_OVERFLOW,
        what=f"The context of {size:,} tokens is full, so the answer ends here.",
        kept="The answer so far is kept.",
        remedy="Load the model with a longer context, or start a new chat.",
    )


def _decode_problem(error: DecodeError) -> Problem:
    return Problem(
        code=ProblemCode.DECODE_FAILED,
        what=f"llama.cpp could not go on with the answer (status {error.status}).",
        kept="The answer so far is kept.",
        remedy="Try again.",
        detail=str(error),
    )
