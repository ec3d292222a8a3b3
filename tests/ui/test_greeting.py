"""Who has no chat yet is told what was found on this machine, and one thing to do; nobody else is."""

from __future__ import annotations

from tests.ui.support import Chats
from tui_chat.config.settings import Settings, UiSettings
from tui_chat.ui.greeting import found
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.telemetry import GpuSample, MachineSample, Maker, Sample

GIB = 1 << 30


async def test_the_first_chat_greets_and_the_next_does_not(chats: Chats) -> None:
    greeting = ("1 on this machine, 94 MiB", "GiB of it free", "Type a question; enter sends it")
    settings = Settings(sampling=chats.sampling, ui=UiSettings(instruments=True))
    async with chats.open(settings=settings) as chat:
        await chat.sees("answers here", "every word is kept", *greeting)
        await chat.say("Say hello.")
        await chat.answered()
        await chat.press("ctrl+n")
        await chat.sees("answers here", "every word is kept")
        assert "on this machine, 94 MiB" not in chat.text()
    async with chats.open() as chat:
        await chat.sees("answers here", "every word is kept")
        assert "on this machine, 94 MiB" not in chat.text()


async def test_without_a_model_one_key_is_suggested(empty_chats: Chats) -> None:
    async with empty_chats.open() as chat:
        await chat.sees("There is no model on this machine yet", "ctrl+g", "models   none on this machine")


def test_what_is_found_is_named() -> None:
    models = [
        ModelInfo(id="a", path="/a", size_bytes=2 * GIB, state=ModelState.ON_DISK),
        ModelInfo(id="o/b", path="o/b", size_bytes=GIB, state=ModelState.ON_DISK, server="ollama"),
        ModelInfo(id="o/c", path="o/c", size_bytes=GIB, state=ModelState.ON_DISK, server="ollama"),
    ]
    machine = MachineSample(ram_bytes=64 * GIB, available_bytes=48 * GIB)
    gpus = [
        GpuSample(id=str(n), index=n, maker=Maker.NVIDIA, name="H200", total_bytes=140 * GIB)
        for n in range(4)
    ]

    def lines(count: int) -> list[str]:
        sample = Sample(at=0, machine=machine, gpus=tuple(gpus[:count]))
        text = found(models, sample).plain.splitlines()
        assert len({len(line) for line in text}) == 1, "they stand below each other where they are centred"
        return [" ".join(line.split()) for line in text]

    assert lines(1) == [
        "models 1 on this machine, 2.0 GiB",
        "servers ollama with 2 models",
        "GPU 0 H200, 140.0 GiB",
        "memory 64.0 GiB, 48.0 GiB of it free",
    ]
    assert "GPUs 4, 560.0 GiB together" in lines(4)
    assert "GPU none found; models run on the processor" in lines(0)
    assert found(models, None).plain.count("\n") == 1, "nothing is guessed before the instruments tell"
