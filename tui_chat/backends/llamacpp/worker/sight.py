"""Shows pictures to a model with the projector that lies beside it: llama.cpp's mtmd library."""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_chat.backends.llamacpp.build import PACKAGE
from tui_chat.backends.llamacpp.worker.logs import NativeLog
from tui_chat.backends.llamacpp.worker.native import ABORTED, lib
from tui_chat.backends.llamacpp.worker.states import SEQUENCE
from tui_chat.backends.protocol import BackendError
from tui_chat.chat.model import Problem, ProblemCode
from tui_chat.memory.gguf import GgufError, read_header
from tui_chat.memory.pictured import spell
from tui_chat.wire.pictures import Picture
from tui_chat.wire.plan import LoadOptions

_REMEMBERED = 256
"""Pictures whose tokens are remembered, so that those of earlier turns are not scaled again."""

_PROJECTORS = "clip"
"""The architecture of all of them."""
_BUFFER = re.compile(r"(\S+) compute buffer size = +([\d.]+) MiB")
Watch = Callable[[float], bool]
"""Told how much of a part has been looked at, 0..1; says whether to go on."""

_STRIDE = 8
"""Steps after which whoever watches is told: a quarter of a second where looking takes half a minute."""
_NODES = 1000
"""Steps that a look is taken for until one has been counted."""
_UNSEEN = -100
"""As a status of `Sight.show`: the projector failed, and not llama.cpp."""


class BlindError(Exception):
    """The projector cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A part of a picture that is shown at once: models that look closely see a picture in tiles.

    Attributes:
        picture: All of it.
        part: Which of its parts, from 0 on.
    """

    picture: Picture
    part: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as tokens, with the words that its model wants around it.

    Attributes:
        tokens: Those of words are the vocabulary's, those of parts as in `memory.pictured`.
        parts: Where the parts begin.
    """

    tokens: tuple[int, ...]
    parts: tuple[int, ...]


@dataclass(slots=True)
class _Glance:
    """One look at a part of a picture: who watches it, and how many steps it has taken."""

    watch: Watch = lambda _: True
    nodes: int = 0
    stopped: bool = False


class Sight:
    """A projector in memory. Everything here is for the thread that evaluates.

    Args:
        native: llama.cpp's model.
        path: The projector's file.
        options: How the model is loaded; the projector is computed where its layers are.
        threads: For computing it in RAM.
        log: Gets the library's messages too.

    Attributes:
        compute_bytes: What it takes beside its weights.

    Raises:
        BlindError: It is no projector, or none for this model, or there is no memory for it.
    """

    def __init__(self, native: Any, path: str, options: LoadOptions, threads: int, log: NativeLog) -> None:
        self._name, self._fingerprint = Path(path).name, _fingerprint(path)
        self._mtmd = mtmd = _library(log)
        params = mtmd.mtmd_context_params_default()
        params.use_gpu = options.gpu_layers > 0
        params.n_threads = threads
        params.print_timings = False
        params.cb_eval = self._callback = lib.ggml_backend_sched_eval_callback(self._computed)
        self._glance, self._nodes = _Glance(), _NODES
        self._context = self._open(native, path, params, log)
        if mtmd.mtmd_decode_use_non_causal(self._context, None):
            # Such a picture is evaluated in one batch; where a model scales it freely, to no more than that.
            mtmd.mtmd_free(self._context)
            params.image_max_tokens = options.ubatch
            self._context = self._open(native, path, params, log)
        self.compute_bytes = _laid_out(log)
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        self._opened: tuple[bytes, Any] | None = None

    def read(self, picture: Picture) -> Seen:
        """Turn a picture into tokens, without looking at it yet.

        Raises:
            BackendError: The picture cannot be read, or the projector is for another model.
        """
        digest = self._digest(picture)
        if digest not in self._seen:
            self._seen[digest] = self._spell(digest, self._chunks(digest, picture))
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        self._seen.move_to_end(digest)
        return self._seen[digest]

    def show(self, glimpse: Glimpse, context: Any, position: int, watch: Watch = lambda _: True) -> int:
        """Look at a part of a picture, and evaluate what is seen from `position` on.

        Looking takes most of the time; on a processor it may be a minute. `watch` is told every few steps how
        much of it is done, and may stop it.

        Returns llama.cpp's status: 0 if all is well, 2 if it was aborted.

        Raises:
            BackendError: The picture cannot be read, or takes larger batches than the context has.
        """
        mtmd, digest = self._mtmd, self._digest(glimpse.picture)
        chunks = self._chunks(digest, glimpse.picture)
        chunk = [each for each in chunks if self._is_part(each)][glimpse.part]
        count, batch = mtmd.mtmd_input_chunk_get_n_tokens(chunk), lib.llama_n_ubatch(context)
        if mtmd.mtmd_decode_use_non_causal(self._context, chunk) and count > batch:
            raise BackendError(_too_wide(count, batch))  # llama.cpp would end the process
        self._glance = _Glance(watch)
        failed = mtmd.mtmd_encode_chunk(self._context, chunk) != 0
        if failed or self._glance.stopped:
            return ABORTED if self._glance.stopped else _UNSEEN
        self._nodes = max(self._glance.nodes, 1)
        status: int = mtmd.mtmd_helper_decode_image_chunk(
            *(self._context, context, chunk, mtmd.mtmd_get_output_embd(self._context)),
            *(position, SEQUENCE, lib.llama_n_batch(context)),
            *(ctypes.byref(lib.llama_pos(0)), mtmd.mtmd_helper_post_decode_callback(), None),
        )
        return status

    def free(self) -> None:
        """Give its memory back; it is of no use afterwards."""
        if self._opened is not None:
            self._mtmd.mtmd_input_chunks_free(self._opened[1])
        self._mtmd.mtmd_free(self._context)

    def _computed(self, _tensor: int, ask: bool, _data: Any) -> bool:
        """Called by the library before each step, if it is to tell when that is done, and after those.

        It goes through all the steps up to one that it is to tell of before it takes the first of them.
        """
        glance = self._glance
        if ask:
            glance.nodes += 1
            return glance.nodes % _STRIDE == 0
        glance.stopped = not glance.watch(min(1.0, glance.nodes / self._nodes))
        return not glance.stopped

    def _open(self, native: Any, path: str, params: Any, log: NativeLog) -> Any:
        log.lines.clear()
        context = self._mtmd.mtmd_init_from_file(path.encode(), native, params)
        if not context:
            raise BlindError(log.last_words())
        if not self._mtmd.mtmd_support_vision(context):
            self._mtmd.mtmd_free(context)
            raise BlindError("it is for hearing, not for seeing")
        return context

    def _digest(self, picture: Picture) -> bytes:
        """Of a picture as this projector sees it: another one gives the model something else to read."""
        return hashlib.sha256(self._fingerprint + picture.data).digest()

    def _chunks(self, digest: bytes, picture: Picture) -> list[Any]:
        """A picture scaled and cut as its model wants it; the last one is kept until another is wanted."""
        if self._opened is None or self._opened[0] != digest:
            if self._opened is not None:
                self._mtmd.mtmd_input_chunks_free(self._opened[1])
            self._opened = None
            self._opened = (digest, self._cut(picture))
        chunks = self._opened[1]
        count = self._mtmd.mtmd_input_chunks_size(chunks)
        return [self._mtmd.mtmd_input_chunks_get(chunks, at) for at in range(count)]

    def _cut(self, picture: Picture) -> Any:
        mtmd, size = self._mtmd, len(picture.data)
        data = (ctypes.c_uint8 * size).from_buffer_copy(picture.data)
        how = mtmd.mtmd_helper_init_opt_default()
        how.video_params.ffmpeg_bin_dir = (
            os.devnull.encode()
        )  # what is no picture is not to be tried as a film
        bitmap = mtmd.mtmd_helper_bitmap_init_from_buf(self._context, data, size, False, how)
        if not bitmap:
            raise BackendError(_unreadable(picture))
        chunks = mtmd.mtmd_input_chunks_init()
        marker = mtmd.mtmd_get_marker(self._context)
        text = mtmd.mtmd_input_text(text=marker, text_len=len(marker), add_special=False, parse_special=True)
        status = mtmd.mtmd_tokenize(
            self._context, chunks, ctypes.byref(text), (ctypes.c_void_p * 1)(bitmap), 1
        )
        mtmd.mtmd_bitmap_free(bitmap)
        if status != 0:
            mtmd.mtmd_input_chunks_free(chunks)
            raise BackendError(_unreadable(picture))
        return chunks

    def _spell(self, digest: bytes, chunks: list[Any]) -> Seen:
        mtmd = self._mtmd
        tokens: list[int] = []
        parts: list[int] = []
        for chunk in chunks:
            if self._is_part(chunk):
                part = hashlib.sha256(digest + len(parts).to_bytes(4, "big")).digest()
                parts.append(len(tokens))
                places = mtmd.mtmd_input_chunk_get_n_pos(chunk)
                tokens += spell(part, places, mtmd.mtmd_input_chunk_get_n_tokens(chunk))
            else:
                count = ctypes.c_size_t()
                words = mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))[: count.value]
                if any(word < 0 for word in words):
                    raise BackendError(_for_another(self._name))
                tokens += words
        return Seen(tuple(tokens), tuple(parts))

    def _is_part(self, chunk: Any) -> bool:
        return bool(self._mtmd.mtmd_input_chunk_get_type(chunk) == self._mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE)


def _library(log: NativeLog) -> Any:
    """The module of ctypes functions, named as in mtmd.h. Raises `BlindError`."""
    try:
        mtmd = importlib.import_module(f"{PACKAGE}.mtmd_cpp")
    except (ImportError, OSError, RuntimeError) as error:
        raise BlindError(f"this build of llama.cpp cannot show pictures ({error})") from error
    mtmd.mtmd_log_set(log.callback, None)
    mtmd.mtmd_helper_log_set(log.callback, None)
    return mtmd


def _fingerprint(path: str) -> bytes:
    """What identifies the file. Raises `BlindError` if it is no projector, which llama.cpp may die of."""
    try:
        header = read_header(Path(path))
    except GgufError as error:
        there = Path(path).exists()
        raise BlindError("it is no GGUF file, or a damaged one" if there else "it is gone") from error
    if header.architecture != _PROJECTORS:
        raise BlindError("it is no projector")
    return header.fingerprint.encode()


def _laid_out(log: NativeLog) -> int:
    """Bytes of buffers, which the library tells nobody but its log."""
    found = filter(None, map(_BUFFER.search, log.lines))
    return sum(
        {device: round(float(size) * 2**20) for device, size in (each.groups() for each in found)}.values()
    )


def _unreadable(picture: Picture) -> Problem:
    kind = picture.media_type.removeprefix("image/").upper()
    return Problem(
        ProblemCode.NOT_POSSIBLE,
        f"The model's own reader cannot read this {kind} picture, or it is damaged.",
        kept="The model is told so in its place.",
        remedy="Save it as PNG or JPEG and attach that.",
    )


def _for_another(name: str) -> Problem:
    return Problem(
        ProblemCode.NOT_POSSIBLE,
        f"{name} puts words around pictures that this model does not know: it was made for another one.",
        kept="The model is told in words that there is a picture.",
        remedy="Put the projector that came with the model in its place.",
    )


def _too_wide(count: int, batch: int) -> Problem:
    return Problem(
        ProblemCode.NOT_POSSIBLE,
        f"A picture is {count:,} tokens to this model, which reads it at once, and batches hold {batch:,}.",
        kept="Your message is kept.",
        remedy="Attach a smaller picture, or load the model with a shorter context: memory is short.",
    )
