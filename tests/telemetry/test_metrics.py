"""What Prometheus is told, read by its own parser; and the health of the engine."""

from __future__ import annotations

import shutil

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.engine.support import ONE_AT_8K, ask, engine_in, seen
from tests.homes import Home
from tests.telemetry.script import H200, Script
from tests.worker.support import eventually
from tui_chat.client.engine import EngineClient
from tui_chat.wire.health import HealthState


async def told(client: EngineClient) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(await client.metrics()):
        for sample in family.samples:
            labels = (sample.labels[name] for name in sorted(sample.labels))
            found[(sample.name.removeprefix("tui_chat_"), *labels)] = sample.value
    return found


async def test_what_happens_is_counted(home: Home, script: Script) -> None:
    """Answers, tokens, loads, evictions, deaths, memory and GPUs, with one model taking another's place."""
    (file,) = home.paths.models.glob("*.gguf")
    for name in "ab":
        shutil.copyfile(file, home.paths.models / f"{name}.gguf")
    home.configure("", models=ONE_AT_8K)
    script.play(H200)
    async with engine_in(home) as client:
        empty = await told(client)
        assert empty["residents",] == 0
        assert empty["gpu_temperature_celsius", "0", "GPU-11111111-aaaa"] == 61
        assert empty["gpu_throttled", "0", "power_limit", "GPU-11111111-aaaa"] == 1
        first = await ask(client, "a", "Hello.")
        second = await ask(client, "b", "Hello.")
        await ask(client, "nope", "Hello.")
        health, before = await client.health(), await told(client)
        worker = home.worker()
        assert worker is not None
        worker.kill()
        await seen(client, "b")
        now = await told(client)
    assert (health.status, health.models) == (HealthState.OK, ("b",))
    off = before["resident_real_bytes", "b"] / before["resident_predicted_bytes", "ram", "b"]
    assert 0.5 < off < 2
    assert ("resident_real_bytes", "b") not in now
    assert now["answers_total", first.finish.value, "a"] == 1
    assert now["answers_total", "load_failed", "nope"] == 1
    written = first.usage.completion_tokens
    assert now["completion_tokens_total", "a"] == written
    assert now["prompt_tokens_evaluated_total", "b"] == second.usage.prompt_tokens
    assert (now["loads_total", "a"], now["loads_total", "b"]) == (1, 1)
    assert now["evictions_total", "a"] == 1
    assert now["worker_deaths_total", "b"] == 1
    assert now["time_to_first_token_seconds_bucket", "+Inf", "a"] == 1
    assert now["load_seconds_count", "a"] == now["swap_seconds_count", "a"] == 1
    assert now["swap_seconds_sum", "b"] >= now["load_seconds_sum", "b"]
    assert 0 < now["inter_token_seconds_count", "a"] < written


async def test_scripts_need_only_curl(home: Home) -> None:
    """The same over the socket by hand, and as a command, with an engine and without one."""
    without = home.run("engine", "metrics")
    assert without.returncode == 1
    assert "not running" in without.stderr
    async with engine_in(home) as client:
        transport = httpx.AsyncHTTPTransport(uds=str(home.paths.socket))
        async with httpx.AsyncClient(transport=transport, base_url="http://engine") as curl:
            healthy = await curl.get("/health")
            text = await curl.get("/metrics")
        assert (healthy.status_code, healthy.json()["status"]) == (200, "ok")
        assert text.headers["content-type"].startswith("text/plain; version=")
        assert "\n# TYPE tui_chat_queue_length gauge\n" in text.text
        await client.stop()
        await eventually(lambda: not home.processes())
