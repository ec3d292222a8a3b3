"""Two hundred loads in a memory that is too small for them, while workers, engines and wishes come and go.

Four conversations share three models of which two fit. After every step all that was said is on disk, the
models that the engine shows are the processes that there are, and no more memory is promised than there
is. At the end nothing is left. `SOAK_SWAPS` says how many loads, `SOAK_SEED` repeats a run.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil

from tests.homes import Home, sessions_of
from tui_chat.chat.model import FinishReason, Message, Role, Sampling
from tui_chat.client.conversation import Conversation
from tui_chat.client.engine import EngineClient
from tui_chat.client.errors import EngineError
from tui_chat.client.launch import ensure_engine
from tui_chat.client.workspace import Workspace
from tui_chat.config.settings import Settings
from tui_chat.wire.api import LoadRequest, ModelInfo, PlanRequest
from tui_chat.wire.plan import KvType

SWAPS = int(os.environ.get("SOAK_SWAPS", "200"))
SEED = int(os.environ.get("SOAK_SEED", time.time_ns() % 1_000_000))
MODELS, CHATS = "abc", 4
LIMIT_MIB = 560
"""Room for two SmolLM2 with 2k of context each (220 MiB), or for one with 8k (360 MiB)."""
PATIENCE_S = 300.0
PER_CHAT = 10
"""Messages after which a chat is begun anew, so that contexts do not fill."""
GROWTH_MIB = 40.0
"""What an engine may grow by, once it is warm."""
LONG = "Tell me about the sea, its creatures, its weather and the people who live by it. " * 6
WORKER, ENGINE = "tui_chat.backends.llamacpp.worker", "tui_chat.engine"
ENDS = {
    FinishReason.STOP,
    FinishReason.LENGTH,
    FinishReason.CANCELLED,
    FinishReason.LOAD_FAILED,
    FinishReason.WORKER_DIED,
    FinishReason.ENGINE_DIED,
}


class Swaps:
    """Somebody with too many models, and the accidents that happen to them."""

    def __init__(self, home: Home, chance: random.Random) -> None:
        self.home = home
        self.chance = chance
        self.workspace = Workspace(home.paths, Settings(sampling=Sampling(temperature=0.7, max_tokens=24)))
        self.client = EngineClient(home.paths.socket)
        self.chats: list[Conversation] = []
        self.sent: list[str] = []
        self.loads: set[int] = set()
        self.done: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.weights: dict[int, list[float]] = {}

    async def run(self, swaps: int) -> None:
        """Do one thing after another, and look after each whether all is well."""
        self.chats = [await self.workspace.new_chat() for _ in range(CHATS)]
        often = (self.answer, self.answer, self.answer, self.answer, self.load, self.load, self.two_at_once)
        seldom = (self.resize, self.pin, self.unload, self.plan, self.stop_answer, self.stop_load)
        accidents = (self.lose_worker, self.lose_loading_worker, self.lose_engine)
        steps: list[Callable[[], Awaitable[None]]] = [*often, *seldom, *accidents]
        while len(self.loads) < swaps:
            if sum(self.done.values()) % 20 == 19:
                print(f"{len(self.loads)} of {swaps} loads", flush=True)
            step = self.chance.choice(steps)
            self.done[step.__name__] += 1
            await step()
            await self.check(step.__name__)
            await self.renew()

    # What is wished for

    async def answer(self) -> None:
        await self.settled(await self.say())

    async def two_at_once(self) -> None:
        chats = self.chance.sample(self.chats, 2)
        for chat in chats:
            await self.say(chat)
        await asyncio.gather(self.load(), *map(self.settled, chats))

    async def load(self) -> None:
        context = self.chance.choice([1024, 2048, 2048, 8192])
        kv_type = self.chance.choice([None, None, KvType.Q8_0])
        with suppress(EngineError):
            await ensure_engine(self.client)
            await self.client.load(LoadRequest(self.model(), context=context, kv_type=kv_type))

    async def resize(self) -> None:
        for model in (await self.residents())[:1]:
            with suppress(EngineError):
                await self.client.load(LoadRequest(model.id, context=self.chance.choice([1024, 4096])))

    async def pin(self) -> None:
        """Pin one, and let all others go again."""
        residents = await self.residents()
        chosen = self.chance.choice([None, *(model.id for model in residents)])
        for model in residents:
            with suppress(EngineError):
                await self.client.pin(model.id, model.id == chosen)

    async def unload(self) -> None:
        with suppress(EngineError):
            await self.client.unload(self.model())

    async def plan(self) -> None:
        await ensure_engine(self.client)
        reply = await self.client.plan(PlanRequest(tuple(MODELS), context=8192, exact=True))
        assert set(reply.plans) == set(MODELS), reply.problems

    async def stop_answer(self) -> None:
        chat = await self.say()
        await self.begun(chat)
        await chat.cancel()
        await self.settled(chat)

    async def stop_load(self) -> None:
        loading = asyncio.create_task(self.load())
        await asyncio.sleep(self.chance.uniform(0, 0.3))
        await self.unload()
        await loading

    # What happens to it

    async def lose_worker(self) -> None:
        chat = await self.say()
        if self.chance.random() < 0.7:
            await self.begun(chat)
        self.kill(WORKER)
        await self.settled(chat)

    async def lose_loading_worker(self) -> None:
        loading = asyncio.create_task(self.load())
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        self.kill(WORKER)
        await loading

    async def lose_engine(self) -> None:
        chat = await self.say()
        if self.chance.random() < 0.7:
            await self.begun(chat)
        self.kill(ENGINE)
        await self.settled(chat)

    def kill(self, module: str) -> None:
        victims = self.processes(module)
        if victims:
            with suppress(psutil.NoSuchProcess):
                self.chance.choice(victims).kill()

    # Doing and waiting

    def model(self) -> str:
        return self.chance.choice(MODELS)

    async def say(self, chat: Conversation | None = None) -> Conversation:
        chat = chat or self.chance.choice(self.chats)
        if self.chance.random() < 0.5 or chat.session.model is None:
            await chat.choose_model(self.model())
        long = LONG if self.chance.random() < 0.3 else ""
        text = f"Number {len(self.sent):04d}. {long}Go on."
        assert await chat.send(text)
        self.sent.append(text)
        return chat

    async def begun(self, chat: Conversation) -> None:
        async def has_begun() -> bool:
            return chat.live is None or chat.live.tokens > 0

        await self.until(has_begun, "for a token")

    async def settled(self, chat: Conversation) -> None:
        async def has_settled() -> bool:
            return chat.live is None and not chat.queued

        await self.until(has_settled, "for the answer to settle")

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not await condition():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited in vain {what}; {await self.state()}") from None

    async def state(self) -> str:
        """What the engine says of itself, what lives, and what the engine wrote last."""
        residents = {each.id: each.state.value for each in await self.residents()}
        workers = [worker.pid for worker in self.processes(WORKER)]
        log = (self.home.paths.logs / "engine.log").read_text().splitlines()[-30:]
        return "\n".join([f"residents {residents}, workers {workers}", *log])

    async def residents(self) -> tuple[ModelInfo, ...]:
        try:
            return (await self.client.info()).residents
        except EngineError:
            return ()

    def processes(self, module: str) -> list[psutil.Process]:
        found = []
        for process in self.home.processes():
            with suppress(psutil.NoSuchProcess):
                if module in process.cmdline():
                    found.append(process)
        return found

    async def renew(self) -> None:
        for place, chat in enumerate(self.chats):
            if len(chat.session.messages) >= PER_CHAT:
                await chat.close()
                self.chats[place] = await self.workspace.new_chat()

    # Looking

    async def check(self, after: str) -> None:
        """Compare what is on disk with what was said, and the engine's word with the processes there are."""
        found = [m for session in sessions_of(self.home) for m in session.messages]
        assert sorted(m.text for m in found if m.role is Role.USER) == sorted(self.sent), after
        answers = [m for m in found if m.role is Role.ASSISTANT]
        assert len(answers) == len(self.sent), after
        assert not [m for m in answers if not _whole(m)], after
        self.ends = Counter(str(m.answer.finish) for m in answers if m.answer)
        await self.until(self.agree, f"after {after} for the engine to know what lives")

    async def agree(self) -> bool:
        """Whether each resident is one process, within the limit; the engine may be about to notice."""
        residents = await self.residents()
        workers = self.processes(WORKER)
        self.loads |= {worker.pid for worker in workers}
        promised = sum(use.total_bytes for each in residents for use in each.devices)
        assert promised <= LIMIT_MIB << 20, f"{promised >> 20} MiB are promised: {residents}"
        if not all(each.state.in_memory for each in residents) or len(residents) != len(workers):
            return False
        for engine in self.processes(ENGINE):
            with suppress(psutil.NoSuchProcess):
                weight = engine.memory_full_info().uss / 2**20
                self.weights.setdefault(engine.pid, []).append(weight)
        return True

    def report(self) -> str:
        engines = [f"{w[0]:.0f} to {w[-1]:.0f}" for w in self.weights.values() if len(w) > 1]
        return "\n".join(
            [
                f"seed {SEED}: {len(self.loads)} loads, {len(self.sent)} messages",
                f"steps {dict(self.done)}",
                f"ends {dict(self.ends)}",
                f"engines, MiB: {', '.join(engines)}",
            ]
        )

    async def leave(self) -> None:
        """Give everything back and end the engine, as a person does at the end of the day."""
        await ensure_engine(self.client)
        for model in await self.residents():
            with suppress(EngineError):
                await self.client.unload(model.id)
        await self.client.clear_cache()
        assert (await self.client.cache()).entries == ()
        (engine,) = self.processes(ENGINE)
        held = [
            str(file.readlink()) for file in Path(f"/proc/{engine.pid}/fd").iterdir() if file.is_symlink()
        ]
        assert not [name for name in held if "tui-chat-park" in name or "tui-chat-abort" in name]
        for chat in self.chats:
            await chat.close()
        await self.client.stop(force=True)
        await self.client.close()
        await self.workspace.stop()

        async def are_gone() -> bool:
            return not self.home.processes()

        await self.until(are_gone, "for every process to end")


def _whole(message: Message) -> bool:
    """Whether an answer has an end that can be explained, and words if it is said to be complete."""
    answer = message.answer
    if answer is None or answer.finish not in ENDS:
        return False
    complete = answer.finish in (FinishReason.STOP, FinishReason.LENGTH)
    return bool(message.text) if complete else True


async def test_swaps_and_accidents_leave_nothing_behind(home: Home, starter_model: Path) -> None:
    (home.paths.models / starter_model.name).unlink()
    for name in MODELS:
        shutil.copyfile(starter_model, home.paths.models / f"{name}.gguf")
    home.configure("", models=f"ram_limit_mib = {LIMIT_MIB}")
    swaps = Swaps(home, random.Random(SEED))
    try:
        await swaps.run(SWAPS)
        await swaps.leave()
    finally:
        print(swaps.report())
    assert not list(Path("/dev/shm").glob("*tui-chat*"))
    left = [file for file in home.root.rglob("*") if file.suffix in (".tmp", ".journal", ".park", ".sock")]
    assert left == []
    assert not (home.paths.sessions / "quarantine").exists()
    grown = {pid: w for pid, w in swaps.weights.items() if w[-1] - w[len(w) // 4] > GROWTH_MIB}
    assert grown == {}
