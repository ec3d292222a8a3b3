"""Plans: what they promise holds on every device, and each strategy gets what it is named for."""

from __future__ import annotations

import random

import pytest

from tests.memory.sizes import MODELS, make_sized
from tui_chat.memory.devices import parse_devices
from tui_chat.memory.forecast import forecast
from tui_chat.memory.machine import Machine, margin, overhead
from tui_chat.memory.placement import Candidate, Search, Wish
from tui_chat.memory.profile import read_profile
from tui_chat.memory.spans import Spans
from tui_chat.memory.wording import reason
from tui_chat.wire.plan import DeviceKind, KvType, LoadOptions, Strategy

GIB = 1 << 30


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Spans]:
    folder = tmp_path_factory.mktemp("sized")
    return {name: Spans(read_profile([make_sized(folder, name)])) for name in MODELS}


def plan(spans: Spans, devices: str, **wish: object) -> tuple[Candidate, str]:
    search = Search(spans, Wish(**wish), parse_devices(devices))  # type: ignore[arg-type]
    best = search.best()
    return best, reason(search, best)


def layers(candidate: Candidate) -> list[int]:
    return [use.layers for use in candidate.uses]


def test_everything_goes_to_one_gpu_that_can_take_it(models: dict[str, Spans]) -> None:
    best, why = plan(models["llama-8b"], "gpu:24GiB@400,gpu:24GiB@900,ram:64GiB@60")
    assert layers(best) == [0, 32, 0]
    assert why.startswith("All layers on GPU 1 with 8k of context, about ")


def test_what_is_too_large_for_one_gpu_is_spread_evenly(models: dict[str, Spans]) -> None:
    best, why = plan(models["llama-70b"], "gpu:24GiB,gpu:24GiB,ram:64GiB")
    assert layers(best)[2] == 0
    assert abs(best.uses[0].total_bytes - best.uses[1].total_bytes) < GIB
    assert "GPU 0 (" in why
    assert " and GPU 1 (" in why


def test_unequal_gpus_are_filled_to_the_same_share(models: dict[str, Spans]) -> None:
    best, _ = plan(models["llama-70b"], "gpu:36GiB,gpu:12GiB,ram:64GiB")
    shares = [use.total_bytes / use.free_bytes for use in best.uses[:2]]
    assert best.fits
    assert shares[0] == pytest.approx(shares[1], abs=0.1)


def test_experts_stay_in_ram_before_whole_layers_do(models: dict[str, Spans]) -> None:
    best, why = plan(models["qwen3-30b-a3b"], "gpu:12GiB@400,ram:32GiB@50")
    assert layers(best) == [48, 0]
    assert 0 < best.options.cpu_experts < 48
    assert f"the experts of {best.options.cpu_experts} of 48 layers in RAM" in why


def test_a_dense_model_is_offloaded_as_far_as_it_goes(models: dict[str, Spans]) -> None:
    best, why = plan(models["llama-70b"], "gpu:24GiB@900,ram:64GiB@60", context=8192, kv_type=KvType.F16)
    more = LoadOptions(context=8192, gpu_layers=best.options.gpu_layers + 2)
    used = forecast(models["llama-70b"].profile, more, [DeviceKind.GPU])[0].total
    assert used + margin(parse_devices("gpu:24GiB").gpus[0]) > 24 * GIB
    assert f"{layers(best)[0]} of 80 layers on GPU 0, the rest in RAM" in why
    assert "all of them on GPUs would need" in why


def test_a_quantised_cache_comes_before_a_shorter_context(models: dict[str, Spans]) -> None:
    best, why = plan(models["llama-8b"], "gpu:8GiB@250,ram:64GiB@40", desired=32768)
    assert (best.options.context, best.options.kv_type) == (32768, KvType.Q8_0)
    assert layers(best) == [32, 0]
    assert "a q8_0 KV cache, which saves 1.9 GiB" in why


def test_a_conversation_is_held_whatever_it_costs(models: dict[str, Spans]) -> None:
    for strategy in Strategy:
        best, _ = plan(models["llama-8b"], "gpu:6GiB,ram:32GiB", strategy=strategy, need=20_000)
        assert best.fits
        assert best.options.context >= 20_000


def test_each_strategy_gets_what_it_is_named_for(models: dict[str, Spans]) -> None:
    devices = "gpu:12GiB@400,ram:64GiB@50"
    found = {
        strategy: plan(models["qwen3-30b-a3b"], devices, strategy=strategy, desired=32768)[0]
        for strategy in Strategy
    }
    assert found[Strategy.MAX_PERFORMANCE].pace.seconds == min(c.pace.seconds for c in found.values())
    assert found[Strategy.MAX_CONTEXT].options.context == 131072
    assert found[Strategy.POWER_EFFICIENT].pace.joules <= found[Strategy.BALANCED].pace.joules
    assert found[Strategy.BALANCED].options.context == 32768


def test_fit_vram_leaves_what_it_is_told(models: dict[str, Spans]) -> None:
    for free in (1, 4, 8):
        best, _ = plan(
            models["llama-8b"], "gpu:12GiB,ram:64GiB", strategy=Strategy.FIT_VRAM, keep_free=free * GIB
        )
        assert best.fits
        assert best.uses[0].total_bytes <= (12 - free) * GIB


def test_what_is_fixed_stays_so(models: dict[str, Spans]) -> None:
    best, _ = plan(
        models["llama-8b"],
        "gpu:24GiB,gpu:24GiB,ram:64GiB",
        context=5000,
        kv_type=KvType.Q4_0,
        ubatch=64,
        gpu_layers=10,
        split=(3.0, 1.0),
        sequences=3,
    )
    assert best.options == LoadOptions(
        context=5000, kv_type=KvType.Q4_0, ubatch=64, gpu_layers=10, split=(3.0, 1.0), sequences=3
    )


def test_a_refusal_says_how_much_is_missing(models: dict[str, Spans]) -> None:
    best, why = plan(models["llama-70b"], "ram:16GiB")
    assert not best.fits
    assert why.startswith("Needs ")
    assert "where 16.0 GiB are free" in why


def test_a_machine_without_gpus_is_no_lesser_one(models: dict[str, Spans]) -> None:
    best, why = plan(models["llama-8b"], "ram:32GiB@50")
    assert best.fits
    assert why.startswith("All in RAM with 8k of context, about ")


def test_promises_hold_on_random_machines(models: dict[str, Spans]) -> None:
    """What fits leaves its margin on every device; what does not fit cannot be made to."""
    chance = random.Random(20)
    for _ in range(300):
        name = chance.choice(list(models))
        gpus = [
            f"{chance.choice(['gpu', 'cuda'])}:{chance.uniform(1, 48):.2f}GiB"
            for _ in range(chance.randrange(4))
        ]
        machine = parse_devices(",".join([*gpus, f"ram:{chance.uniform(2, 96):.2f}GiB"]))
        wish = Wish(
            strategy=chance.choice(list(Strategy)),
            need=chance.choice([0, 3000, 40_000]),
            desired=chance.choice([4096, 8192, 65536]),
        )
        best = Search(models[name], wish, machine).best()
        if best.fits:
            check_room(models[name], best, machine)
        else:
            assert not any_fits(models[name], wish, machine), (name, wish, machine)


def check_room(spans: Spans, best: Candidate, machine: Machine) -> None:
    shares = forecast(spans.profile, best.options, [gpu.kind for gpu in machine.gpus])
    for share, device in zip(shares, machine.devices, strict=True):
        taken = share.total + overhead(spans.profile, device, used=share.total > 0)
        assert not share.total or taken + margin(device) <= device.free_bytes


def any_fits(spans: Spans, wish: Wish, machine: Machine) -> bool:
    """Try the smallest context and cache with every number of layers on the GPUs, evenly spread."""
    search = Search(spans, wish, machine)
    context = min(search.contexts())
    for count in range(0, spans.profile.layer_count + 2, 4):
        options = LoadOptions(context=context, kv_type=KvType.Q8_0, ubatch=128, gpu_layers=count)
        if search.price(options).fits:
            return True
    return False


def test_running_sums_say_what_the_layers_say(models: dict[str, Spans]) -> None:
    chance = random.Random(3)
    for spans in models.values():
        for _ in range(50):
            options = LoadOptions(
                context=chance.randrange(1000, 100_000),
                kv_type=chance.choice([KvType.F16, KvType.Q8_0]),
                gpu_layers=chance.randrange(90),
                split=(chance.random(), chance.random()),
                cpu_experts=chance.randrange(50),
            )
            cuda = [DeviceKind.CUDA] * 2
            on_cuda = [share.compute for share in spans.shares(options, cuda)]
            assert on_cuda == [share.compute for share in forecast(spans.profile, options, cuda)]
            exact = forecast(spans.profile, options, [DeviceKind.GPU] * 2)
            quick = spans.shares(options, [DeviceKind.GPU] * 2)
            assert [(s.layers, s.kv, s.compute) for s in quick] == [
                (s.layers, s.kv, s.compute) for s in exact
            ]
            assert [s.weights for s in quick[:2]] == [s.weights for s in exact[:2]]
