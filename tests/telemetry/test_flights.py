"""What is recorded of every answer, what is usual for a model, and what `tui-chat stats` makes of it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.engine.support import GREEDY, ask, engine_in
from tests.homes import Home
from tests.telemetry.readings import MACHINE, gpu, sampled
from tests.ui.support import LARGE, Chats
from tests.worker.support import eventually
from tui_chat.backends.protocol import Description
from tui_chat.chat.flight import Cause, Flight, Slow
from tui_chat.chat.model import Answer, FinishReason, Problem, ProblemCode, Timings, Usage
from tui_chat.config.settings import MetricsSettings
from tui_chat.engine.baselines import LEAST, Baselines
from tui_chat.engine.flights import Flights
from tui_chat.engine.generations import Generation
from tui_chat.engine.recorder import Recorder
from tui_chat.engine.swap.resident import Resident
from tui_chat.engine.tally import Tally
from tui_chat.store.answerlog import FILE, FILE_BYTES, AnswerLine, AnswerLog, read_answers
from tui_chat.ui.record import record
from tui_chat.wire.api import GenerateRequest, ModelInfo, ModelState
from tui_chat.wire.events import Settled
from tui_chat.wire.plan import DeviceKind, DeviceUse, LoadOptions
from tui_chat.wire.telemetry import GpuProcess, Throttle

GIB = 1 << 30


async def test_every_answer_is_logged_with_its_record_and_without_its_words(home: Home) -> None:
    """And with them only where the user wants it, and never those of a chat that is kept nowhere."""
    home.configure("[metrics]\ntexts = true")
    log = home.paths.metrics / FILE
    async with engine_in(home) as client:
        (model,) = [info.id for info in await client.models()]
        await ask(client, "no-such-model", "Hello.")
        secret = await ask(client, model, "My secret is lamp oil.")
        kept = await ask(client, model, "My name is Ada.", session="talk")
        await eventually(lambda: log.is_file() and len(read_answers(home.paths.metrics).lines) == 3)
    failed, first, second = read_answers(home.paths.metrics).lines
    assert failed.answer.finish is FinishReason.LOAD_FAILED
    assert first.answer == Answer(
        model=model,
        sampling=GREEDY,
        fingerprint=secret.fingerprint,
        finish=secret.finish,
        usage=secret.usage,
        timings=secret.timings,
        flight=secret.flight,
    )
    flight = secret.flight
    assert flight is not None
    assert (flight.quant, flight.context, flight.kv_type, flight.layers) == ("Q4_1", 8192, "f16", 30)
    assert flight.backend.startswith("llama-cpp-python ")
    assert flight.peak_ram_bytes is not None
    assert 200 << 20 < flight.peak_ram_bytes < 700 << 20
    assert (first.prompt, first.text) == (None, None)
    assert b"lamp oil" not in log.read_bytes()
    assert second.session == "talk"
    assert second.prompt == "My name is Ada."
    assert second.text
    assert second.answer.usage == kept.usage


DESCRIPTION = Description(
    architecture="llama",
    parameters=8,
    fingerprint="f",
    context=4096,
    trained_context=8192,
    vocabulary=9,
    threads=2,
    load_ms=1.0,
    backend="llama-cpp-python 1",
    options=LoadOptions(context=4096, gpu_layers=20),
)


@dataclass(eq=False)
class Loaded:
    """As much of a loaded model as a record is made of."""

    pid: int = 77
    description: Description = DESCRIPTION

    def real_bytes(self) -> int:
        return 3 * GIB


def on_gpu_1() -> Resident:
    def use(name: str, kind: DeviceKind, layers: int) -> DeviceUse:
        return DeviceUse(
            name=name,
            kind=kind,
            layers=layers,
            weights_bytes=layers * 1000,
            kv_bytes=0,
            compute_bytes=0,
            overhead_bytes=0,
            free_bytes=GIB,
        )

    devices = (
        use("gpu0", DeviceKind.CUDA, 0),
        use("gpu1", DeviceKind.CUDA, 20),
        use("ram", DeviceKind.RAM, 12),
    )
    info = ModelInfo(
        id="m",
        path="/m.gguf",
        size_bytes=1,
        state=ModelState.READY,
        quant="Q4_K_M",
        context=4096,
        devices=devices,
    )
    return Resident(info=info, model=Loaded())


def test_a_record_is_of_the_gpus_that_the_model_uses() -> None:
    resident = on_gpu_1()
    assert resident.model is not None
    mine = GpuProcess(77, 5 * GIB, model="m")
    other, third = GpuProcess(1, 2 * GIB), GpuProcess(2, 9 * GIB, model="n")
    recorder = Recorder(resident, resident.model)
    for watts, degrees, reasons in ((300.0, 70.0, ()), (300.0, 84.0, (Throttle.HEAT, Throttle.IDLE))):
        recorder.look(
            sampled(
                gpu(0, temperature_c=95.0, power_w=700.0, throttled=(Throttle.POWER_LIMIT,)),
                gpu(
                    1,
                    temperature_c=degrees,
                    power_w=watts,
                    throttled=reasons,
                    processes=(mine, other, third),
                ),
            )
        )
    flight = recorder.flight()
    assert (flight.layers, flight.gpu_layers, flight.quant) == (32, 20, "Q4_K_M")
    assert flight.gpu_c == 84.0
    assert flight.cpu_c == MACHINE.temperature_c
    assert (flight.peak_ram_bytes, flight.peak_vram_bytes) == (3 * GIB, 5 * GIB)
    assert flight.other_vram_bytes == 2 * GIB
    assert flight.power_w == pytest.approx(300.0)
    assert flight.throttled_ms > 0
    assert flight.throttled_by == (Cause.HEAT,)
    assert flight.other_cpu == pytest.approx(0.3)


def test_nothing_is_made_up_where_nothing_was_read() -> None:
    resident = on_gpu_1()
    assert resident.model is not None
    recorder = Recorder(resident, resident.model)
    recorder.look(None)
    flight = recorder.flight()
    assert flight.power_w is flight.energy_j is flight.gpu_c is flight.cpu_c is None
    assert flight.peak_vram_bytes is flight.other_cpu is flight.cpu_mhz is None


async def test_a_record_that_fails_costs_no_answer(tmp_path: Path) -> None:
    """Be it that the log cannot be read, or that something was read that nobody has thought of."""
    (tmp_path / FILE).mkdir()
    tally, samples = Tally(), [sampled(gpu(1, temperature_c=70.0))]
    flights = Flights(MetricsSettings(), tmp_path, lambda: samples[0], tally)
    for name in ("first", "second"):
        request = GenerateRequest(id=name, model="m", turns=())
        flights.begin(name, on_gpu_1()).piece(1)
        ended = await flights.end(request, Settled(FinishReason.STOP))
        assert ended.finish is FinishReason.STOP
        assert (ended.flight is not None) == (name == "first")
        flights.note(Generation(request, lambda: None), ended)
        samples[0] = sampled(gpu(1, throttled=("by nobody knows what",)))
    assert tally.answers["m", FinishReason.STOP] == 2
    await flights.close()


async def test_what_a_library_said_of_a_failure_is_not_logged(tmp_path: Path) -> None:
    """It may have words of the conversation in it."""
    flights = Flights(MetricsSettings(), tmp_path, lambda: None, Tally())
    request = GenerateRequest(id="a", model="m", turns=())
    problem = Problem(ProblemCode.DECODE_FAILED, "It failed.", detail="near “my secret”")
    end = await flights.end(request, Settled(FinishReason.BACKEND_ERROR, problem=problem))
    assert end.problem == problem, "whoever asked is told all"
    flights.note(Generation(request, lambda: None), end)
    await flights.close()
    assert b"secret" not in (tmp_path / FILE).read_bytes()
    (line,) = read_answers(tmp_path).lines
    assert line.answer.problem == msgspec.structs.replace(problem, detail="")


def answer(tps: float, prompt: int = 100, tokens: int = 64, **flight: object) -> Answer:
    known: dict[str, object] = {"layers": 32, "gpu_layers": 32, "other_cpu": 0.05, "cpu_mhz": 3000}
    return Answer(
        model="m",
        fingerprint="f",
        finish=FinishReason.STOP,
        usage=Usage(prompt_tokens=prompt, completion_tokens=tokens),
        timings=Timings(prefill_ms=100, decode_ms=1000, decode_tps=tps),
        flight=Flight(**(known | flight)),
    )


SLOWDOWNS = [
    ({"throttled_ms": 600.0, "throttled_by": (Cause.HEAT,)}, 100, (Cause.HEAT,)),
    ({"throttled_ms": 20.0, "throttled_by": (Cause.HEAT,)}, 100, ()),
    ({"gpu_layers": 20}, 100, (Cause.LAYERS_ON_CPU,)),
    ({"gpu_layers": 20, "other_cpu": 0.6, "cpu_mhz": 1800}, 100, None),
    ({"other_cpu": 0.6}, 100, ()),
    ({"other_vram_bytes": 4 * GIB}, 100, (Cause.BUSY_GPU,)),
    ({}, 6000, (Cause.LONG_CONTEXT,)),
    ({}, 400, ()),
]


@pytest.mark.parametrize(("flight", "prompt", "causes"), SLOWDOWNS)
def test_an_answer_a_third_slower_than_usual_is_told_with_the_likely_cause(
    flight: dict[str, object], prompt: int, causes: tuple[Cause, ...] | None
) -> None:
    baselines = Baselines()
    slow = answer(26.0, prompt, **flight)
    baselines.learn(answer(40.0) for _ in range(LEAST - 1))
    assert baselines.compare(slow) is None, "too little is known"
    baselines.learn([answer(40.0)])
    assert baselines.compare(answer(29.0, prompt, **flight)) is None, "not slow enough"
    assert baselines.compare(answer(10.0, prompt, tokens=8, **flight)) is None, "too short to tell"
    found = baselines.compare(slow)
    assert found is not None
    assert found.usual_tps == 40.0
    expected = (Cause.LAYERS_ON_CPU, Cause.BUSY_CPU, Cause.LOW_CLOCK) if causes is None else causes
    assert found.causes == expected


def test_what_is_usual_moves_with_the_answers_and_is_each_models_own() -> None:
    baselines = Baselines()
    baselines.learn(answer(40.0) for _ in range(30))
    other = msgspec.structs.replace(answer(5.0), fingerprint="another")
    assert baselines.compare(other) is None
    baselines.learn(answer(20.0) for _ in range(30))
    assert baselines.compare(answer(20.0)) is None


def line(number: int, model: str = "m", days: float = 0, **more: object) -> AnswerLine:
    at = datetime.now(UTC) - timedelta(days=days)
    return AnswerLine(
        at=at, id=f"a{number}", answer=msgspec.structs.replace(answer(40.0), model=model), **more
    )


def test_the_log_makes_room_and_outlives_torn_lines_and_full_disks(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    log = AnswerLog(folder)
    log.append(line(1))
    (folder / FILE).write_bytes((folder / FILE).read_bytes() + b'{"at": "2026\n')
    log.append(line(2))
    found = read_answers(folder)
    assert [each.id for each in found.lines] == ["a1", "a2"]
    assert found.unreadable == 1
    log.append(line(3, text="x" * FILE_BYTES))
    log.append(line(4))
    assert [each.id for each in read_answers(folder).lines] == ["a1", "a2", "a3", "a4"]
    assert [each.id for each in read_answers(folder, 1).lines] == ["a4"]
    log.close()
    assert sorted(file.name for file in folder.iterdir()) == [FILE, f"{FILE}.1", f"{FILE}.2"]
    blocked = tmp_path / "file"
    blocked.write_text("")
    AnswerLog(blocked).append(line(5))  # told in the engine's log, and nothing else happens


def test_stats_tells_each_model_and_every_answer(empty_home: Home) -> None:
    log = AnswerLog(empty_home.paths.metrics)
    for number in range(3):
        log.append(line(number, "qwen", days=10 * number))
    log.append(line(9, "llama"))
    log.close()
    shown = empty_home.run("stats").stdout
    assert [row.split()[:4] for row in shown.splitlines()[1:3]] == [
        ["qwen", "3", "192", "40.0"],
        ["llama", "1", "64", "40.0"],
    ]
    assert "4 answers, " in shown
    assert "HEAT" not in shown, "nothing is told that nobody read"
    recent = json.loads(empty_home.run("stats", "--json", "--since", "7d", "--model", "QWEN").stdout)
    assert [each["id"] for each in recent["answers"]] == ["a0"]
    assert recent["models"][0]["answers"] == 1
    rows = list(csv.DictReader(io.StringIO(empty_home.run("stats", "--csv").stdout)))
    assert [(row["id"], row["decode_tps"], row["gpu_layers"], row["usual_tps"]) for row in rows] == [
        (f"a{number}", "40.0", "32", "") for number in (0, 1, 2, 9)
    ]
    plotted = empty_home.run("stats", "--plot", "--model", "qwen").stdout.splitlines()
    assert plotted[0].startswith("qwen: 3 answers, 40.0 tok/s at most")
    assert len(plotted) == 7


def test_stats_says_what_is_wrong(empty_home: Home) -> None:
    assert "No answers are logged yet." in empty_home.run("stats").stdout
    refused = empty_home.run("stats", "--since", "yesterday")
    assert refused.returncode == 2
    assert "write 12h, 7d, 4w, or a date" in refused.stderr
    AnswerLog(empty_home.paths.metrics).append(line(1))
    assert "No such answer is logged." in empty_home.run("stats", "--model", "nope").stdout
    with (empty_home.paths.metrics / FILE).open("a") as file:
        file.write("no JSON\n")
    torn = empty_home.run("stats")
    assert "nobody can read it: 1 line of the log" in torn.stderr
    assert torn.returncode == 0


async def test_how_an_answer_came_to_be_is_shown_on_its_message(home: Home) -> None:
    async with Chats(home).open(LARGE) as chat:
        await chat.say("Say hello.")
        await chat.answered()
        await chat.press("shift+tab", "s")
        await chat.sees(
            "how it was answered", "the likeliest token each time", "8,192 tokens of context, KV f16"
        )
        await chat.sees(
            "8 tokens in", "first token", "prefill", "MiB of RAM", "llama-cpp-python", "all on CPU"
        )
        await chat.press("escape", "k", "s")
        await chat.sees("this is no answer")


def test_a_record_says_all_that_is_known_in_words() -> None:
    known = answer(
        26.0,
        peak_vram_bytes=5 * GIB,
        gpu_c=84.0,
        power_w=300.0,
        energy_j=640.0,
        throttled_ms=900.0,
        throttled_by=(Cause.HEAT,),
        stalled_ms=2500.0,
        slow=Slow(40.0, (Cause.HEAT,)),
    )
    text = record(known, 76).plain
    for said in (
        "5.0 GiB of VRAM",
        "GPU 84 °C",
        "300 W, 640 J, 10.00 J a token",
        "2.5 s",
        "0.90 s, a device",
    ):
        assert said in text
    assert "than usual (40.0 tok/s): a device slowed itself down because of heat" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 76
