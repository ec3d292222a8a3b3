"""What is said to fit instead really does, is nearest first, and nothing is said of what fits anyway."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.memory.sizes import MODELS, make_sized
from tui_chat.backends.llamacpp.alternatives import Model, Relief, alternatives
from tui_chat.backends.llamacpp.planning import Planner
from tui_chat.backends.llamacpp.prober import Prober
from tui_chat.memory.devices import parse_devices
from tui_chat.memory.placement import Wish
from tui_chat.wire.plan import KvType

Ask = Callable[..., Coroutine[Any, Any, tuple[str, ...]]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    folder = tmp_path_factory.mktemp("sized")
    return {name: Model(name, [make_sized(folder, name)]) for name in MODELS}


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    return Planner(Prober(), tmp_path)  # whose prober is never asked


@pytest.fixture
def ask(files: dict[str, Model], planner: Planner) -> Ask:
    """Ask what would fit instead of something that, as is proven first, does not."""

    async def asked(name: str, devices: str, wish: Wish, **more: Any) -> tuple[str, ...]:
        machine = parse_devices(devices)
        assert not (await planner.sketch(name, files[name].files, wish, machine)).plan.fits
        return await alternatives(planner, files[name], wish, machine, **more)

    return asked


async def test_one_thing_less_is_named_with_what_it_gives(
    ask: Ask, planner: Planner, files: dict[str, Model]
) -> None:
    devices = "ram:14GiB@50"
    wish = Wish(context=131072, kv_type=KvType.F16)
    shorter, thriftier = await ask("llama-8b", devices, wish)
    assert re.fullmatch(r"With 64k of context it fits \(about [\d.]+ tok/s\)\.", shorter)
    assert thriftier.startswith("With a q4_0 KV cache it fits (about ")
    for taken in (Wish(context=65536, kv_type=KvType.F16), Wish(context=131072, kv_type=KvType.Q4_0)):
        assert (await planner.sketch("m", files["llama-8b"].files, taken, parse_devices(devices))).plan.fits
    for refused in (Wish(context=98304, kv_type=KvType.F16), Wish(context=131072, kv_type=KvType.Q8_0)):
        plan = (await planner.sketch("m", files["llama-8b"].files, refused, parse_devices(devices))).plan
        assert not plan.fits


async def test_layers_that_were_fixed_are_divided_anew(ask: Ask) -> None:
    (said,) = await ask("llama-8b", "gpu:4GiB,ram:32GiB", Wish(gpu_layers=33, kv_type=KvType.Q4_0))
    assert re.fullmatch(r"With \d+ of 32 layers on GPU 0 it fits\.", said)


async def test_several_things_are_given_up_only_where_one_is_not_enough(ask: Ask) -> None:
    wish = Wish(context=131072, gpu_layers=33, kv_type=KvType.F16)
    (said,) = await ask("llama-8b", "gpu:5GiB,ram:8GiB", wish)
    context, _ = said.removeprefix("With ").split(" of context", 1)
    assert context.endswith("k")
    assert int(context[:-1]) < 128
    assert " and " in said
    assert said.endswith(" it fits.")


async def test_other_ways_out_follow_what_is_less(ask: Ask, files: dict[str, Model]) -> None:
    more, most = parse_devices("ram:30GiB"), parse_devices("ram:60GiB")
    reliefs = [Relief("after unpinning a", more), Relief("after unpinning a and b", most)]
    wish = Wish(context=8192, kv_type=KvType.F16)
    said = await ask("llama-70b", "ram:16GiB", wish, reliefs=reliefs, smaller=[files["llama-8b"]])
    assert said == (
        "It fits after unpinning a and b.",
        "llama-8b, a smaller quant on this machine, fits with 8k of context.",
    )


async def test_three_are_told_at_most(ask: Ask, files: dict[str, Model]) -> None:
    wish = Wish(context=131072, kv_type=KvType.F16, gpu_layers=33)
    said = await ask(
        "llama-8b",
        "gpu:6GiB,ram:24GiB",
        wish,
        reliefs=[Relief("after unpinning a", parse_devices("gpu:80GiB,ram:24GiB"))],
        smaller=[Model("gone", [Path("/nowhere/gone.gguf")]), files["llama-8b"]],
    )
    assert len(said) <= 3
    assert len(set(said)) == len(said)
    assert "It fits after unpinning a." in said


async def test_a_long_conversation_may_fit_no_more_and_a_new_one_does(ask: Ask) -> None:
    (said,) = await ask("llama-8b", "ram:9GiB", Wish(need=120_000, desired=131072))
    assert re.fullmatch(r"In a new chat it fits, with \d+k of context\.", said)


async def test_where_nothing_helps_nothing_is_said(ask: Ask) -> None:
    assert await ask("llama-70b", "ram:16GiB", Wish(context=8192)) == ()
