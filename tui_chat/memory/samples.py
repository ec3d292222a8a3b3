"""Tells two models' weights apart whose headers are the same: a fine-tune from its base, for example."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

SAMPLES = 16
"""Of each file, evenly spread over it; from a disk that must seek this takes 0.2 s, else under 1 ms."""
_SAMPLE_BYTES = 4096
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)


def sample_weights(path: Path) -> str:
    """Hash samples of the model file at `path`, of all its parts if it is a split one.

    Raises:
        OSError: A file is missing or cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(path):
        with part.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(size.to_bytes(8, "little"))
            for number in range(1, SAMPLES + 1):
                place = max(0, size - _SAMPLE_BYTES) * number // SAMPLES
                digest.update(os.pread(file.fileno(), _SAMPLE_BYTES, place))
    return digest.hexdigest()


def _parts(path: Path) -> list[Path]:
    shard = _SHARD.fullmatch(path.name)
    if shard is None:
        return [path]
    stem, _, count = shard.groups()
    return [path.with_name(f"{stem}-{number:05}-of-{count}.gguf") for number in range(1, int(count) + 1)]
