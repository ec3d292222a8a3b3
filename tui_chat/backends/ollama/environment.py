"""What Ollama was started with: its environment, which it tells nobody, read from its process."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tui_chat.wire.plan import KvType


class Environment(msgspec.Struct, frozen=True):
    """What decides about its models.

    Attributes:
        kv_type: Of every model's KV cache.
        parallel: How many answers a model writes at once; its KV cache is as many times as large.
        models: Where it keeps its models; None for the usual place.
    """

    kv_type: KvType = KvType.F16
    parallel: int = 1
    models: Path | None = None


def read_environment(pid: int) -> Environment | None:
    """Read it from the process; None where that is gone, or somebody else's."""
    import psutil

    try:
        variables = psutil.Process(pid).environ() if pid else None
    except (psutil.Error, OSError):
        return None
    return None if variables is None else environment_of(variables)


def environment_of(variables: dict[str, str]) -> Environment:
    """Take a value that makes no sense for one that is not there, as Ollama does."""
    kv_type = variables.get("OLLAMA_KV_CACHE_TYPE", "").strip().lower()
    parallel = variables.get("OLLAMA_NUM_PARALLEL", "").strip()
    models = variables.get("OLLAMA_MODELS", "").strip()
    return Environment(
        kv_type=KvType(kv_type) if kv_type in set(KvType) else KvType.F16,
        parallel=max(1, int(parallel)) if parallel.isdecimal() else 1,
        models=Path(models) if models else None,
    )
