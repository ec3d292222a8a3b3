"""Whether a plan that says "fits" is right where memory really ends there, and one that says "no" too.

Plans are made at random for machines with about as much RAM as the model takes, and every load is then
tried by a worker's own code in a process that may not take more than that (see `limited`).
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.harness import Row, at_most, informs
from tests.benchmarks.memory.files import QUIET
from tests.benchmarks.memory.limited import Done, Job, Outcome, load_limited
from tests.benchmarks.places import STARTER
from tui_chat.backends.llamacpp.planning import Planner
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.memory.devices import parse_devices
from tui_chat.memory.machine import PROCESS_BYTES, Machine
from tui_chat.memory.placement import Wish
from tui_chat.wire.plan import KvType, LoadOptions, Plan

PLANS = 500
SEED = 1
STARTER_SHARE, READ_SHARE = 0.1, 0.2
"""Of the plans, how many are for SmolLM2, and how many loads evaluate a whole batch."""
AMPLE = parse_devices("ram:64GiB")
WORDED = (
    ("llama", 32000, "spm"),
    ("qwen3", 48000, "bpe"),
    ("gemma3", 64000, "spm"),
    ("qwen3moe", 32000, "bpe"),
    ("deepseek2", 24000, "bpe"),
    ("mamba2", 16000, "bpe"),
    ("falcon-h1", 32000, "bpe"),
    ("phi3", 32000, "spm"),
    ("granite", 24000, "bpe"),
)
"""Architectures of the zoo, with a vocabulary, which is read anew in every load."""
CONTEXTS = (512, 777, 2048, 4096, 5000, 8192, 16384, 32768)
KV_TYPES = (KvType.F16, KvType.F16, KvType.Q8_0, KvType.Q4_0, KvType.F32)
UBATCHES, SEQUENCES = (32, 64, 128, 256, 512), (1, 1, 1, 2, 4)
SMALLEST = LoadOptions(context=256, ubatch=32)
ROOM = (0.95, 1.35)
"""What the machine has, as a share of what the model takes with the margin."""


@dataclass(frozen=True, slots=True)
class Case:
    """A plan, the file that it is for, and how many bytes llama.cpp asks for in vain with that file."""

    path: Path
    plan: Plan
    untouched: int

    def job(self, *, margin: bool, reads: bool) -> Job:
        """Load with all that the machine has beside the pages of the file, perhaps less the margin."""
        ram = self.plan.devices[-1]
        kept = 0 if margin else ram.margin_bytes
        room = ram.free_bytes - kept - self.plan.page_cache_bytes - PROCESS_BYTES
        return Job(
            path=str(self.path),
            options=self.plan.options,
            room=room,
            untouched=self.untouched,
            reads=reads,
        )


def rows() -> Iterator[Row]:
    """Plan, load under the limit, and count who was wrong."""
    draw = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="tcb-") as folder:
        cases = asyncio.run(_cases(draw, _files(Path(folder)), Path(folder)))
        fitting = [case for case in cases if case.plan.fits]
        refused = [case for case in cases if not case.plan.fits]
        loaded = load_limited([c.job(margin=True, reads=draw.random() < READ_SHARE) for c in fitting])
        spared = load_limited([c.job(margin=False, reads=False) for c in refused])
        tight = load_limited([c.job(margin=True, reads=False) for c in refused])
    yield informs("random plans under a real limit, all loaded", len(cases), "")
    yield informs('of them "fits"', len(fitting), "")
    for case, done in zip(fitting, loaded, strict=True):
        if done.outcome is not Outcome.LOADED:
            print(f"    {done.outcome}: {case.path.stem} {case.plan.options}", file=sys.stderr)
    yield at_most('loads that failed where the plan said "fits"', _failures(loaded), "", 0)
    yield informs('loads that failed where it said "does not fit"', _failures(tight), "")
    yield informs("  and with the margin kept free, as the plan must", _failures(spared), "")


def _failures(done: Sequence[Done]) -> int:
    return sum(each.outcome is not Outcome.LOADED for each in done)


def _files(folder: Path) -> list[Path]:
    """Write the models; SmolLM2 comes first."""
    made = []
    for name, size, kind in WORDED:
        path = folder / f"{name}.gguf"
        module = "tests.benchmarks.memory.worded"
        command = [sys.executable, "-m", module, str(path), name, str(size), kind]
        subprocess.run(command, env=QUIET, check=True, capture_output=True)
        made.append(path)
    return [STARTER, *made]


async def _cases(draw: random.Random, files: Sequence[Path], cache: Path) -> list[Case]:
    prober = Prober()
    planner = Planner(prober, cache)
    starter, *others = files
    cases = []
    smallest = [Job(path=str(path), options=SMALLEST) for path in files]
    untouched = dict(zip(files, (done.untouched for done in load_limited(smallest)), strict=True))
    while len(cases) < PLANS:
        path = starter if draw.random() < STARTER_SHARE else draw.choice(others)
        wish = Wish(
            context=draw.choice(CONTEXTS),
            kv_type=draw.choice(KV_TYPES),
            ubatch=draw.choice(UBATCHES),
            sequences=draw.choice(SEQUENCES),
        )
        need = (await planner.sketch(path.stem, [path], wish, AMPLE)).plan.devices[-1].total_bytes
        machine = _machine(int(need * draw.uniform(*ROOM)))
        made = await planner.plan(path.stem, [path], wish, machine)
        cases.append(Case(path, made.plan, untouched[path]))
    await prober.close()
    return cases


def _machine(size: int) -> Machine:
    return parse_devices(f"ram:{size}B")
