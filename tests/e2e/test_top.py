"""The instruments alone, in a real terminal: an engine that goes, comes back, and is left alone."""

from __future__ import annotations

import pytest

from tests.e2e.tmux import Tmux
from tests.homes import Home
from tests.telemetry.script import H200, Script, leading_to, make_driver


def test_the_instruments_follow_the_engine(home: Home, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(tmp_path / "script")
    make_driver(tmp_path)
    script.play(H200)
    for name, value in leading_to(tmp_path, script).items():
        monkeypatch.setenv(name, value)
    assert home.run("engine", "start").returncode == 0
    with Tmux("top") as terminal:
        terminal.wait("0 models in memory")
        screen = terminal.wait(r"GPU 0  NVIDIA H200[\s\S]*61 °C")
        assert "CPU" in screen
        assert "RAM" in screen
        asked = home.run("ask", "Count to 100.", "--max-tokens", "4", "--temperature", "0")
        assert "cut off after 4 tokens" in asked.stderr
        terminal.wait(r"SmolLM2-135M-Instruct Q4_1\s+ready · ctx 8k[\s\S]*RAM\s+takes \d+, planned \d+ MiB")
        terminal.resize(80, 24)
        terminal.wait(r"1 model in memory")
        script.play({**H200, "temperature": 95})
        terminal.wait("GPU 0 at 95 °C is too hot")
        assert home.run("engine", "stop", "--force").returncode == 0
        terminal.wait("the engine is gone")
        assert home.run("engine", "start").returncode == 0
        terminal.wait("0 models in memory")
        terminal.keys("F12")
        terminal.wait("esc done")
        terminal.keys("Enter")
        terminal.wait(r"▸ CPU .* RAM ")
        terminal.keys("Escape")
        terminal.wait("F12 arrange the panels")
        terminal.keys("q")
        terminal.wait_exit()
    with Tmux("top") as terminal:
        terminal.wait("▸ CPU")
        terminal.keys("F12", "Enter")
        terminal.wait("each")
        terminal.keys("q", "q")
        terminal.wait_exit()
    assert home.engine() is not None, "whoever watched leaves it alone"


def test_without_an_engine_it_says_so(empty_home: Home) -> None:
    done = empty_home.run("top")
    assert done.returncode == 1
    assert "no engine is running" in done.stderr
    assert "`tui-chat status`" in done.stderr
