"""Gives a model of any architecture a vocabulary and a template, so that a worker can chat with it.

Its weights are zeros: it answers nonsense, in the memory that it would take to answer well.
Run as ``python -m tests.benchmarks.memory.worded FILE ARCHITECTURE TOKENS bpe|spm``.
"""

from __future__ import annotations

import itertools
import string
import struct
import sys
from pathlib import Path

from tests.memory.architectures import ARCHITECTURES, Facts
from tests.memory.shapes import encode, metadata, shapes_of, text, write

TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
_STRING, _ARRAY, _FLOAT, _INT = 8, 9, 6, 5
_NORMAL, _CONTROL, _BYTE = 1, 3, 6
_MOST_PAIRS = 4
_SPACE = "\u2581"


def words() -> list[str]:
    """Twice as many made-up words as any vocabulary has, as long as tokens usually are: 1 to 8 letters."""
    syllables = ["".join(pair) for pair in itertools.product(string.ascii_lowercase, "aeiou")]
    found = [*string.ascii_lowercase, *syllables]
    for pairs in range(2, _MOST_PAIRS + 1):
        wanted = itertools.product(syllables, repeat=pairs)
        found += ["".join(each) for each in itertools.islice(wanted, 200_000)]
    return found


def tokenizer(kind: str, size: int) -> list[bytes]:
    """Metadata of a byte-pair vocabulary with as many merges, or of a SentencePiece one with scores."""
    special = ["<s>", "</s>"]
    single = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
    if kind == "spm":
        single = [*(f"<0x{code:02X}>" for code in range(256)), _SPACE]
    known = set(single)
    longer = [word for word in words() if word not in known][: size - len(special) - len(single)]
    tokens = [*special, *single, *longer]
    kinds = (
        [_CONTROL] * 2
        + [_BYTE if token.startswith("<0x") else _NORMAL for token in single]
        + [_NORMAL] * len(longer)
    )
    entries = [
        _entry("tokenizer.ggml.tokens", _texts(tokens)),
        _entry("tokenizer.ggml.token_type", _numbers(_INT, "i", kinds)),
        _entry("tokenizer.ggml.bos_token_id", encode(0)),
        _entry("tokenizer.ggml.eos_token_id", encode(1)),
        _entry("tokenizer.chat_template", encode(TEMPLATE)),
        _entry("tokenizer.ggml.model", encode("gpt2" if kind == "bpe" else "llama")),
    ]
    if kind == "spm":
        scores = [-float(rank) for rank in range(len(tokens))]
        return [*entries, _entry("tokenizer.ggml.scores", _numbers(_FLOAT, "f", scores))]
    merges = [f"{word[: len(word) // 2]} {word[len(word) // 2 :]}" for word in longer if len(word) > 1]
    return [
        *entries,
        _entry("tokenizer.ggml.pre", encode("llama-bpe")),
        _entry("tokenizer.ggml.merges", _texts(merges)),
    ]


def make(path: Path, name: str, size: int, kind: str) -> None:
    """Write the model called `name` in `ARCHITECTURES` with a vocabulary of `size` tokens."""
    architecture, small = ARCHITECTURES[name]
    facts: Facts = small | {"vocab_size": size}
    write(path, metadata(architecture, facts), [])
    shapes = shapes_of(path)
    plain = [
        entry for entry in metadata(architecture, facts) if not entry.startswith(text("tokenizer.ggml.model"))
    ]
    write(path, plain + tokenizer(kind, size), shapes)


def _entry(key: str, value: bytes) -> bytes:
    return text(key) + value


def _texts(values: list[str]) -> bytes:
    return struct.pack("<IIQ", _ARRAY, _STRING, len(values)) + b"".join(map(text, values))


def _numbers(kind: int, code: str, values: list[int] | list[float]) -> bytes:
    return struct.pack(f"<IIQ{len(values)}{code}", _ARRAY, kind, len(values), *values)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
