"""Which weights llama.cpp copies into a layout of its own for this machine's CPU."""

from __future__ import annotations

import functools
from pathlib import Path

REPACKED_ROWS = 8
"""Only matrices with a multiple of this many rows are repacked."""
_AVX2 = frozenset({"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"})
_AVX512 = frozenset({"Q2_K"})
_ARM = frozenset({"Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "MXFP4"})


@functools.cache
def cpu_features() -> frozenset[str]:
    """What the CPU says it can do, as Linux names it; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    for line in lines:
        name, _, words = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(words.split())
    return frozenset()


@functools.cache
def repacked_types() -> frozenset[str]:
    """Tensor types that are repacked here: ``ggml_repack_get_optimal_repack_type`` for x86 and ARM."""
    features = cpu_features()
    if "asimddp" in features:
        return _ARM
    if "avx2" not in features:
        return frozenset()
    return _AVX2 | _AVX512 if "avx512f" in features else _AVX2
