"""Servers and routes as a person writes them into the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui_chat.chat.model import ProblemCode
from tui_chat.config.servers import ServerSettings
from tui_chat.config.settings import load_settings
from tui_chat.wire.servers import ServerKind


def test_servers_and_routes_are_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        """
        [servers.gpu-box]
        url = "https://gpu-box:8000/v1"
        kind = "vllm"
        key_command = ["pass", "show", "vllm"]
        headers = { X-Team = "blue" }
        [routes]
        code = "gpu-box/coder"
        pair = { small = "a", large = "b" }
        """
    )
    loaded = load_settings(file)
    assert loaded.problem is None
    server = loaded.settings.servers["gpu-box"]
    assert (server.kind, server.headers) == (ServerKind.VLLM, {"X-Team": "blue"})
    assert loaded.settings.routes.models == ("gpu-box/coder", "a", "b")


@pytest.mark.parametrize(
    ("text", "named", "servers"),
    [
        ('[servers."a/b"]\nurl = "http://x"', "servers", []),
        ('[servers.box]\nkind = "vllm"', "url", []),
        ('[servers.box]\nurl = "http://x"\nkind = "chatgpt"', "chatgpt", ["box"]),
        ('[servers.box]\nurl = "http://x"\nkey = "sk-1"', "key", ["box"]),
        ('[servers.box]\nurl = "http://x"\nstall_s = 0', "stall_s", ["box"]),
        ("[detect]\nports = [70000]", "ports", []),
        ('[routes]\npair = { small = "a" }', "large", []),
        ("[routes]\nquick = 1", "quick", []),
    ],
)
def test_what_makes_no_sense_is_named_and_the_rest_holds(
    text: str, named: str, servers: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    loaded = load_settings(file)
    assert loaded.settings.servers == {name: ServerSettings("http://x") for name in servers}
    assert loaded.problem is not None
    assert loaded.problem.code is ProblemCode.CONFIG_INVALID
    assert named in loaded.problem.what
    assert "sk-1" not in loaded.problem.what
