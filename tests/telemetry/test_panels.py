"""What the instruments read, beside the conversation and in a few words: from the driver to the screen."""

from __future__ import annotations

from tests.homes import Home
from tests.telemetry.script import GB, H200, Script
from tests.ui.stand_in import use
from tests.ui.support import LARGE, SMALL, Chat, Chats
from tui_chat.chat.averages import Averages
from tui_chat.chat.model import Answer, Sampling
from tui_chat.config.settings import Settings
from tui_chat.ui import instruments, planned
from tui_chat.ui.speeds import Speeds, draw_speed
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.telemetry import GpuProcess, GpuSample, MachineSample, Maker, Throttle

SETTINGS = Settings(sampling=Sampling(temperature=0.0, max_tokens=8))
WIDTH = 28


async def test_panels_follow_a_gpu_until_it_goes(home: Home, script: Script) -> None:
    script.play({**H200, "process": f"4194304 {7 * GB}"})
    async with Chats(home).open(LARGE, settings=SETTINGS) as chat:
        await chat.sees("GPU 0  NVIDIA H200", "20.5 of 130.4 GiB", "61 °C", "312 of 700 W", "88 %")
        await chat.sees("1,410 of 1,980 MHz", "power limit, heat", "CPU", "RAM", "ours")
        await chat.say("Say hello.")
        await chat.answered()
        await chat.sees("speed", "first token", "tokens in", "tokens out              8")
        await chat.sees("model  SmolLM2", "RAM takes", "planned 3")
        assert "session average" not in chat.text(), "of a single answer there is none"
        await chat.say("Say yes.")
        await chat.answered()
        await chat.sees("session average")
        script.play({**H200, "temperature": 93})
        await chat.sees("93 °C", "GPU 0 at 93 °C is too hot")
        script.play(driver_error=18)
        await chat.sees("NVIDIA: The driver in the", "after an update; a reboot")
        assert "GPU 0" not in chat.text()
        script.play()
        await chat.until(lambda: "NVIDIA" not in chat.text(), "for the driver's trouble to go")
        assert "RAM" in chat.text()


async def test_what_a_narrow_terminal_has_room_for_is_said_in_its_status(home: Home, script: Script) -> None:
    script.play(H200)
    async with Chats(home).open(SMALL, settings=SETTINGS) as chat:
        await chat.sees("VRAM 20.5 of 130.4 GiB · 61 °C")
        await chat.say("Say hello.")
        await chat.answered()
        await chat.sees("tok/s · first token", "ctx 1 %")
        await chat.press("f12")
        await chat.sees("GPU 0  NVIDIA H200", "↑↓ choose")
        await chat.press("escape", "a", "b")
        await chat.until(lambda: "GPU 0" not in chat.text(), "for the panels to go again")
        assert chat.prompt.text == "ab"
        script.play()
        await chat.until(lambda: "VRAM" not in chat.text(), "for the GPU to go")


async def test_what_is_only_warm_hides_nothing_that_goes_on(home: Home, script: Script) -> None:
    script.play({**H200, "temperature": 85})
    endless = Settings(sampling=Sampling(temperature=0.0, max_tokens=4000))
    async with Chats(home).open(LARGE, settings=endless) as chat:
        await chat.sees("GPU 0 at 85 °C is hot")
        await chat.until(lambda: chat.alarms() == ["GPU 0 at 85 °C is hot"], "for the alarm")
        await chat.say("Tell me of the sea.")
        await chat.sees("answering, ", "· GPU 0 at 85 °C is hot")
        await chat.press("escape")
        await chat.answered()


async def test_memory_that_runs_out_is_told_with_who_took_it(home: Home, script: Script) -> None:
    script.play({**H200, "memory": f"{130 * GB} {140 * GB}", "process": f"4194304 {70 * GB}"})
    async with Chats(home).open(LARGE, settings=SETTINGS) as chat:
        await chat.sees("121.1 of 130.4 GiB")
        script.play({**H200, "memory": f"{139_900_000_000} {140 * GB}", "process": f"4194304 {79 * GB}"})
        await chat.sees("the memory of GPU 0 is running out: 95 MiB left", "process 4194304 took 8.4 GiB")
        await chat.until(lambda: any("running out" in alarm for alarm in chat.alarms()), "for the alarm")
        script.play(H200)
        await chat.until(lambda: not chat.screen._presenter._facts.engine.scarce, "for the warning to go")


def panels_of(chat: Chat) -> list[str]:
    """The lines of what stands beside the conversation."""
    lines = [line.partition("▏")[2].strip(" ▌") for line in chat.text().splitlines()]
    return [line for line in lines if line]


async def test_panels_stay_as_they_were_arranged(home: Home, script: Script) -> None:
    script.play(H200)
    async with Chats(home).open(LARGE, settings=SETTINGS) as chat:
        await chat.sees("GPU 0  NVIDIA H200", "CPU")
        width = len(chat.text().splitlines()[5].partition("▏")[0])
        await chat.press("f12", "down", "K", "enter", "left", "plus", "right", "down", "shift+down")
        await chat.sees("↑↓ choose  shift+↑↓ move  enter fold  ←→ width  esc done")
        first, second, *_ = panels_of(chat)
        assert first.split()[:2] == ["▸", "CPU"]
        assert second == "GPU 0  NVIDIA H200"
        assert len(chat.text().splitlines()[5].partition("▏")[0]) == width - 2
        await chat.press("f1")
        await chat.sees("Arranging the panels", "Fold the panel into a line, or unfold it")
        await chat.press("escape", "escape")
        assert chat.prompt.has_focus
    async with Chats(home).open(LARGE, settings=SETTINGS) as chat:
        await chat.sees("▸ CPU", "GPU 0  NVIDIA H200")
        assert panels_of(chat)[0].startswith("▸ CPU")
        assert len(chat.text().splitlines()[5].partition("▏")[0]) == width - 2
        await chat.press("f12", "down", "space", "up")
        await chat.sees("▸ GPU 0     20.5 GiB · 61 °C")
        assert [line[:2] for line in panels_of(chat)[:2]] == ["▸ "] * 2, "folded ones close up"
        await chat.press("r", "f12")
        await chat.until(lambda: "▸" not in chat.text(), "for everything to be as usual")
        assert panels_of(chat)[0] == "GPU 0  NVIDIA H200"
        script.play(driver_error=18)
        await chat.press("f12")
        await chat.sees("after an update; a reboot", "↑↓ choose")
        home.stop()
        await chat.until(lambda: chat.prompt.has_focus, "for the keyboard, as nothing is left to arrange")


async def test_where_panels_cannot_be_remembered_they_are_arranged_all_the_same(
    home: Home, script: Script
) -> None:
    kept = home.paths.state / "panels" / "chat.json"
    kept.mkdir(parents=True)
    async with Chats(home).open(LARGE, settings=SETTINGS) as chat:
        await chat.sees("CPU")
        await chat.press("f12", "enter")
        await chat.sees("▸ CPU")
    assert kept.is_dir()


def test_what_a_model_takes_is_drawn_beside_what_was_planned() -> None:
    def gpu(index: int, *processes: GpuProcess, slice: int | None = None) -> GpuSample:
        return GpuSample(
            id=f"{index}/{slice}",
            index=index,
            slice=slice,
            maker=Maker.NVIDIA,
            name="A100",
            processes=processes,
        )

    ours, slices = GpuProcess(1, 6 << 30, "Qwen3-8B"), GpuProcess(2, 2 << 30, "Qwen3-8B")
    model = ModelInfo(
        id="Qwen3-8B", path="/q.gguf", size_bytes=5 << 30, state=ModelState.READY, real_bytes=500 << 20,
        devices=(use("gpu0", 20, 4096, 880), use("gpu1", 0, 100, 0), use("ram", 4, 300, 0)),
    )  # fmt: skip
    seen = (gpu(0, ours, GpuProcess(9, 1 << 30)), gpu(2, slices), gpu(2, slices, slice=1))
    uses = planned.taken_by(model, seen)
    assert planned.draw_taken("Qwen3-8B Q4_K_M", uses, WIDTH).plain.splitlines() == [
        "model  Qwen3-8B Q4_K_M",
        " GPU 0 takes        6.0 GiB",
        " ██████████████████████▓▓▓▓",
        " planned 5.0 GiB (+20 %)",
        " GPU 1 planned      260 MiB",
        " RAM takes          500 MiB",
        " ████████████████████████▓▓",
        " planned 460 MiB (+9 %)",
        " GPU 2 takes        2.0 GiB",
        " ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓",
        " planned 0 B",
    ]
    assert planned.in_short(uses) == "8.5 of 5.5 GiB planned"


def test_a_gpu_is_drawn_with_whose_memory_it_is() -> None:
    gpu = GpuSample(
        id="1", index=0, slice=2, maker=Maker.NVIDIA, name="NVIDIA A100-SXM4-80GB MIG 3g.40gb",
        total_bytes=40 << 30, used_bytes=30 << 30, temperature_c=95, warn_c=92, power_w=99.6,
        throttled=(Throttle.HEAT_HARDWARE,), clock_mhz=900, top_clock_mhz=1410,
        processes=(GpuProcess(1, 10 << 30, "a"), GpuProcess(2, 5 << 30, "b"), GpuProcess(3, 15 << 30)),
    )  # fmt: skip
    drawn = instruments.gpu(gpu, "a", {"1": [50.0, 95.0]}, WIDTH)
    assert drawn.plain.splitlines() == [
        "GPU 0.2  NVIDIA A1… 3g.40gb",
        " VRAM      30.0 of 40.0 GiB",
        " ██████▓▓▓▒▒▒▒▒▒▒▒▒▒·······",
        " █ this 10.0 GiB",
        " ▓ ours 5.0 GiB",
        " ▒ others 15.0 GiB",
        " 95 °C  ⠒⠒⠒⠒⠒⠉⠉⠉⠉⠉    100 W",
        " clocks    900 of 1,410 MHz",
        "   heat, by the hardware",
    ]
    assert any(span.style == "bold $gauge-hot" for span in drawn.spans), "its temperature is an alarm"


def test_a_machine_without_much_is_drawn_as_meant() -> None:
    machine = MachineSample(cores=(0.0, 0.5, 1.0), ram_bytes=16 << 30, available_bytes=12 << 30)
    assert [line.rstrip() for line in instruments.machine(machine, {}, WIDTH).plain.splitlines()] == [
        "CPU  50 %",
        " each                   ▁▅█",
        "RAM         4.0 of 16.0 GiB",
        " ▓▓▓▓▓▓····················",
        " ▓ others 4.0 GiB",
    ]
    many = MachineSample(cores=tuple(n / 64 for n in range(64)), ram_bytes=1 << 30, available_bytes=1 << 30)
    line = instruments.machine(many, {}, WIDTH).plain.splitlines()[1]
    assert len(line) <= WIDTH
    assert line.endswith("█"), "the busiest of several processors"


def test_of_answers_of_other_programs_no_figures_are_left_blank() -> None:
    elsewhere = Answer(model="gpt")
    drawn = draw_speed(Speeds(last=elsewhere, session=Averages(answers=2)), WIDTH).plain
    assert drawn == "speed\n nothing measured here yet"
