"""A plan's RAM against what the kernel counts for a real worker that has read and answered a prompt.

Compared are the resident pages of the worker's process. Those of its weights' file count as far as the
weights are used there: what was repacked stays in the page cache only until somebody wants the room.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.memory.files import QUIET
from tests.benchmarks.places import STARTER
from tui_chat.backends.llamacpp.host import LlamaCppBackend
from tui_chat.backends.llamacpp.planning import Planner
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.backends.protocol import LoadPlan
from tui_chat.chat.model import FinishReason, Role, Sampling
from tui_chat.memory.devices import parse_devices
from tui_chat.memory.placement import Wish
from tui_chat.wire.api import Turn
from tui_chat.wire.events import Settled
from tui_chat.wire.plan import KvType, Plan

MIB = 1 << 20
SHARE = 0.03
ELSEWHERE = parse_devices("ram:64GiB")
WORDED = (
    ("llama", 32000, "spm"),
    ("gemma3", 262144, "spm"),
    ("qwen3moe", 151936, "bpe"),
    ("deepseek2", 102400, "bpe"),
    ("mamba2", 50288, "bpe"),
    ("falcon-h1", 65536, "bpe"),
)
"""Architectures of the zoo, with a vocabulary of usual size and kind."""
WORDED_MODULE = "tests.benchmarks.memory.worded"
STARTERS = (
    (512, KvType.F16, 128, 420),
    (1024, KvType.F16, 512, 950),
    (8192, KvType.Q8_0, 256, 300),
    (32768, KvType.Q4_0, 128, 150),
)
"""Context, KV type, ubatch and tokens of prompt. The cache is zeroed when it is made, so that it is resident
whether it is filled or not; compute buffers are, once a whole batch was evaluated."""
_RESIDENT = re.compile(r"^Rss: +(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes of one worker: as planned, and as the kernel counts them."""

    plan: Plan
    resident: int
    anonymous: int
    weights: int

    @property
    def planned(self) -> int:
        """All that the plan takes of RAM."""
        return self.plan.devices[-1].total_bytes

    @property
    def used(self) -> int:
        """Resident bytes, less pages of the file that were only copied from."""
        return self.resident - max(0, self.weights - self.plan.page_cache_bytes)


def rows() -> Iterator[Row]:
    """Plan, load, chat, and compare."""
    found = asyncio.run(_footprints())
    yield informs("workers compared with their plans", len(found), "")
    resident = [_beyond(each.planned, each.used) for each in found]
    yield at_most("resident memory: most off the plan, beyond 3 %", max(resident) / MIB, "MiB", 25)
    own = [_beyond(each.plan.anonymous_bytes, each.anonymous) for each in found]
    yield at_most("anonymous memory: most off the plan, beyond 3 %", max(own) / MIB, "MiB", 25)
    worst = max(abs(each.planned / each.used - 1) for each in found)
    yield informs("resident memory: most off the plan", worst * 100, "%")
    under = max(each.used - each.planned for each in found)
    yield informs("resident memory: most that a plan is short of it", max(0, under) / MIB, "MiB")
    copied = max(each.resident - each.used for each in found)
    yield informs("pages of repacked weights left in the page cache, at most", copied / MIB, "MiB")


def _beyond(planned: int, real: int) -> float:
    return max(0.0, abs(planned - real) - SHARE * real)


async def _footprints() -> list[Footprint]:
    prober = Prober()
    with tempfile.TemporaryDirectory(prefix="tcb-") as folder:
        root = Path(folder)
        planner = Planner(prober, root)
        found = [
            await _footprint(
                planner, root, STARTER, Wish(context=context, kv_type=kv_type, ubatch=ubatch), tokens
            )
            for context, kv_type, ubatch, tokens in STARTERS
        ]
        wish = Wish(context=2048, kv_type=KvType.F16, ubatch=128)
        for name, size, kind in WORDED:
            path = root / f"{name}-{kind}.gguf"
            command = [
                sys.executable,
                "-m",
                "tests.benchmarks.memory.worded",
                str(path),
                name,
                str(size),
                kind,
            ]
            subprocess.run(command, env=QUIET, check=True, capture_output=True)
            found.append(await _footprint(planner, root, path, wish, 300))
    await prober.close()
    return found


async def _footprint(planner: Planner, root: Path, path: Path, wish: Wish, tokens: int) -> Footprint:
    plan = (await planner.plan(path.stem, [path], wish, ELSEWHERE)).plan
    async with _chatting(LlamaCppBackend(root), LoadPlan(path=path, options=plan.options), tokens) as pid:
        maps = Path(f"/proc/{pid}/smaps").read_text()
        total = Path(f"/proc/{pid}/smaps_rollup").read_text()
    anonymous = re.search(r"^Anonymous: +(\d+) kB", total, re.MULTILINE)
    resident = _RESIDENT.search(total)
    assert anonymous
    assert resident
    weights = sum(
        _kib(part) for part in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", maps) if str(path.name) in part
    )
    return Footprint(plan, int(resident[1]) << 10, int(anonymous[1]) << 10, weights << 10)


def _kib(mapping: str) -> int:
    found = _RESIDENT.search(mapping)
    return int(found[1]) if found else 0


@asynccontextmanager
async def _chatting(backend: LlamaCppBackend, plan: LoadPlan, tokens: int) -> AsyncIterator[int]:
    """A worker that has read a prompt of about `tokens` and answered; its process id."""
    model = await backend.load(plan, lambda _: None)
    try:
        prompt = ""
        while await model.tokenize(prompt) < tokens:
            prompt += " ".join(f"item {number}" for number in range(len(prompt), len(prompt) + 10))
        async for event in model.generate(
            "answer", (Turn(Role.USER, prompt),), Sampling(temperature=0, max_tokens=4)
        ):
            settled = event
        assert isinstance(settled, Settled)
        assert settled.finish is not FinishReason.WORKER_DIED, settled.problem
        yield model.pid
    finally:
        await model.close()
