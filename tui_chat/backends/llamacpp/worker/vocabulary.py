"""A model's tokens: text to ids, ids to bytes, which of them end an answer."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from tui_chat.backends.llamacpp.worker.native import lib

_FIRST_GUESS = 64
"""Bytes; most pieces are far shorter."""

MARK = "\ufdd0"
"""A Unicode noncharacter: no text may carry it between programs, so it can mean something here."""


_OURS = "\N{REPLACEMENT CHARACTER}"
PICTURE = "\ufdd2"
"""Another one: it stands where a picture is seen."""


class Vocabulary:
    """The tokenizer of one model. Reading it is safe from any thread."""

    def __init__(self, model: Any) -> None:
        self.native = lib.llama_model_get_vocab(model)
        self.size: int = lib.llama_vocab_n_tokens(self.native)
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(self.native))
        self.bos: int = lib.llama_vocab_bos(self.native)
        self.eos: int = lib.llama_vocab_eos(self.native)
        control = (self.piece(token, special=True) for token in range(self.size) if self._is_control(token))
        self.control = frozenset(text for piece in control if (text := piece.decode("utf-8", "replace")))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Split `text` into token ids; `special` lets it name control tokens. Adds nothing of its own."""
        raw = text.encode("utf-8", errors="replace")
        room = len(raw) + 2  # hardly a token is shorter than a byte, and SentencePiece may add a space
        while True:
            ids = (lib.llama_token * room)()
            count = lib.llama_tokenize(self.native, raw, len(raw), ids, room, False, special)
            if count >= 0:
                tokens: list[int] = ids[:count]
                return tokens
            room = -count  # a vocabulary without the space's own sign writes it in three bytes

    def piece(self, id: int, *, special: bool = False) -> bytes:
        """Give the bytes of token `id`, perhaps part of a character; control tokens only if `special`."""
        room = _FIRST_GUESS
        while True:
            buffer = ctypes.create_string_buffer(room)
            length = lib.llama_token_to_piece(self.native, id, buffer, room, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            room = -length

    def text(self, id: int) -> str:
        """Give the text of a control token such as BOS; empty for a model that has none."""
        return self.piece(id, special=True).decode("utf-8", "replace") if id >= 0 else ""

    def ends_answer(self, id: int) -> bool:
        """Whether token `id` is one by which a model ends its turn."""
        return bool(lib.llama_vocab_is_eog(self.native, id))

    def _is_control(self, id: int) -> bool:
        return bool(lib.llama_vocab_is_control(self.native, id))


class Pieces(dict[int, "bytes | None"]):
    """Bytes per token id, looked up natively once each; None for a token that ends the answer.

    Control tokens are silent, except those in `markers`, which separate thinking from answer.
    """

    def __init__(self, vocabulary: Vocabulary, markers: frozenset[str]) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self._markers = markers

    def __missing__(self, id: int) -> bytes | None:
        piece: bytes | None
        if self._vocabulary.ends_answer(id):
            piece = None
        else:
            piece = self._vocabulary.piece(id)
            if not piece and self._vocabulary.text(id) in self._markers:
                piece = self._vocabulary.piece(id, special=True)
        self[id] = piece
        return piece


class Defuser:
    """Keeps control tokens that a user typed from becoming control tokens.

    A rendered template is tokenized with control tokens enabled, because the template writes them. What
    people write must not: `<|im_end|>` in a message would end their turn. So a mark is put inside every
    such name before rendering, and the rendered text is cut at the marks: no piece then holds a whole
    name, and the pieces together are the very text that was typed.
    """

    def __init__(self, names: frozenset[str]) -> None:
        longest_first = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
        self._names = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def defuse(self, text: str) -> str:
        """Return `text` with a `MARK` inside every name of a control token."""
        clean = text.replace(MARK, _OURS).replace(PICTURE, _OURS)
        return self._names.sub(lambda name: name[0][0] + MARK + name[0][1:], clean)
