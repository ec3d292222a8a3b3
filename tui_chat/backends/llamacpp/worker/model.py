"""One model and its context in memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_chat.backends.llamacpp.failures import load_problem
from tui_chat.backends.llamacpp.messages import Load
from tui_chat.backends.llamacpp.worker.cache import KvCache
from tui_chat.backends.llamacpp.worker.checkpoints import Checkpoints
from tui_chat.backends.llamacpp.worker.cores import usable_cores
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.native import lib
from tui_chat.backends.llamacpp.worker.params import context_params, model_params
from tui_chat.backends.llamacpp.worker.scribe import Scribe, scribe_of
from tui_chat.backends.llamacpp.worker.sight import BlindError, Sight
from tui_chat.backends.llamacpp.worker.thinking import MARKERS, thinks
from tui_chat.backends.llamacpp.worker.vocabulary import Pieces, Vocabulary
from tui_chat.backends.protocol import BackendError, Description
from tui_chat.memory.parkfile import KvIdentity
from tui_chat.wire.plan import KvType, LoadOptions

_WEIGHTS_SHARE = 0.9
"""Of the progress bar; the rest is the context and the first evaluation."""
_SMALL, _MEDIUM = 1_000_000_000, 5_000_000_000
_QUICKLY_READ = 1 << 30
"""Bytes of weights that one thread reads in a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model, ready to evaluate.

    Attributes:
        chunk: Prompt tokens evaluated at once between progress reports. It depends on the model only:
            another chunking gives slightly other logits, and a seed must mean the same answer.
        scribe: What its prompts are written with.
        order: What was loaded. The options in force are in the description.
    """

    native: Any
    scribe: Scribe
    pieces: Pieces
    cache: KvCache
    chunk: int
    description: Description
    order: Load

    @property
    def context(self) -> Any:
        """llama.cpp's context."""
        return self.cache.context

    @property
    def vocabulary(self) -> Vocabulary:
        """The model's tokens."""
        return self.scribe.vocabulary


def load_model(order: Load, log: NativeLog, report: Callable[[float], None]) -> Model:
    """Load the file and make its context, reporting progress 0..1.

    Raises:
        BackendError: llama.cpp refused, with its reason.
    """
    lib.llama_backend_init()
    native = _load_weights(order, report)
    if not native:
        raise BackendError(load_problem(Path(order.path).name, order.options.context, list(log.lines)))
    threads = order.threads or usable_cores()
    sight, blind = _open_eyes(native, order, threads, log)
    cache = make_cache(native, order, order.options, threads, log)
    scribe = scribe_of(native, sight)
    _warm_up(native, cache, scribe.vocabulary, threads)
    report(1.0)
    return Model(
        native=native,
        scribe=scribe,
        pieces=Pieces(scribe.vocabulary, MARKERS),
        cache=cache,
        chunk=chunk_size(native, order.options),
        description=Description(
            architecture=_metadata(native, "general.architecture"),
            parameters=lib.llama_model_n_params(native),
            fingerprint=order.fingerprint,
            context=cache.size,
            trained_context=lib.llama_model_n_ctx_train(native),
            vocabulary=scribe.vocabulary.size,
            threads=threads,
            load_ms=0.0,
            backend=order.backend,
            can_think=thinks(scribe.source),
            blind=blind,
            options=order.options,
            identity=identify(order, order.options, cache, log),
        ),
        order=order,
    )


def _open_eyes(native: Any, order: Load, threads: int, log: NativeLog) -> tuple[Sight | None, str]:
    """What shows the model pictures, or why nothing does; a model is of use without."""
    if not order.projector:
        return None, ""
    try:
        return Sight(native, order.projector, order.options, threads, log), ""
    except BlindError as error:
        return None, f"{Path(order.projector).name} cannot be used: {error}"


def make_cache(native: Any, order: Load, options: LoadOptions, threads: int, log: NativeLog) -> KvCache:
    """Make a context over the weights, with an empty cache.

    Raises:
        BackendError: llama.cpp could not, for want of memory as a rule.
    """
    log.flash_attention = True
    context = lib.llama_init_from_model(native, context_params(native, options, threads))
    if not context:
        raise BackendError(load_problem(Path(order.path).name, options.context, list(log.lines)))
    checkpoints = Checkpoints(order.checkpoint_bytes, order.checkpoint_floor)
    return KvCache(native, context, checkpoints, shifts=_can_shift(native, options))


def identify(order: Load, options: LoadOptions, cache: KvCache, log: NativeLog) -> KvIdentity:
    """Say what this cache's state depends on."""
    return KvIdentity(
        fingerprint=order.fingerprint,
        weights=order.weights,
        backend=order.backend,
        kv_type=options.kv_type,
        flash_attention=log.flash_attention,
        window=cache.window,
        recurrent=cache.recurrent,
    )


def chunk_size(native: Any, options: LoadOptions) -> int:
    """Small enough that a slow CPU reports progress every few seconds, without costing a fast one."""
    parameters = lib.llama_model_n_params(native)
    if lib.llama_supports_gpu_offload() or parameters < _SMALL:
        return options.ubatch
    return min(options.ubatch, 256 if parameters < _MEDIUM else 128)


def _load_weights(order: Load, report: Callable[[float], None]) -> Any:
    def progress(fraction: float, _data: Any) -> bool:
        report(fraction * _WEIGHTS_SHARE)
        return True

    params, _keep = model_params(order.options)
    params.progress_callback = lib.llama_progress_callback(progress)
    return lib.llama_model_load_from_file(order.path.encode(), params)


def _warm_up(native: Any, cache: KvCache, vocabulary: Vocabulary, threads: int) -> None:
    """Evaluate one token, so that weights are paged in and pools allocated before the first answer.

    A small model is read by one thread: on a busy machine several wait longer for each other than that.
    """
    used = 1 if lib.llama_model_size(native) < _QUICKLY_READ else threads
    lib.llama_set_n_threads(cache.context, used, used)
    cache.evaluate([max(0, vocabulary.bos)], output=True)
    cache.clear()
    lib.llama_set_n_threads(cache.context, threads, threads)


def _can_shift(native: Any, options: LoadOptions) -> bool:
    """Whether tokens can be moved in a cache of this kind without harm to those that are not.

    llama.cpp turns the keys of all cells, by nothing where nothing moved. Where YaRN or the like scales
    what is turned, that spoils every cell. A quantised cache loses a little each time, and needs memory for
    it that no plan has counted. For bf16 llama.cpp has no way to turn them, and ends the process.
    """
    scaling = f"{_metadata(native, 'general.architecture')}.rope.scaling"
    scaled = _metadata(native, f"{scaling}.type") not in ("", "none", "linear")
    factors = [_metadata(native, f"{scaling}.{name}attn_factor") for name in ("", "yarn_")]
    return options.kv_type in (KvType.F16, KvType.F32) and not scaled and not any(factors)


def _metadata(native: Any, key: str) -> str:
    room = 256
    buffer = ctypes.create_string_buffer(room)
    length = lib.llama_model_meta_val_str(native, key.encode(), buffer, room)
    return buffer.value.decode("utf-8", "replace") if length >= 0 else ""
