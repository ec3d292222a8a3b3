"""What start-up may import: the arrows between rooms are import-linter's, what really loads is ours."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"llama_cpp", "numpy", "httpx", "ollama", "pynvml", "uvicorn", "starlette", "jinja2", "psutil"}
"""Nothing of this may be loaded before the first paint: together it costs more than the start may take."""

LOADED = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after `code` has run."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{LOADED}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_version_loads_nothing_but_the_number() -> None:
    loaded = loaded_by(
        "import sys; sys.argv = ['tui-chat', '--version']\nimport tui_chat.__main__ as m; m.main()"
    )
    assert not loaded & (HEAVY | {"argparse", "msgspec", "asyncio", "textual", "rich"})


@pytest.mark.parametrize("module", ["tui_chat.ui.app", "tui_chat.ui.screens.chat", "tui_chat.ui.run"])
def test_screen_loads_nothing_heavy(module: str) -> None:
    assert not loaded_by(f"import {module}") & HEAVY


def test_session_list_and_settings_need_no_screen() -> None:
    code = "import tui_chat.store.sessions, tui_chat.client.workspace, tui_chat.library.scan"
    assert not loaded_by(code) & (HEAVY | {"textual", "rich"})


def test_chat_in_lines_needs_no_screen() -> None:
    assert not loaded_by("import tui_chat.cli.plain.run") & (HEAVY | {"textual", "rich"})


def test_engine_leaves_llama_cpp_to_its_workers() -> None:
    assert not loaded_by("import tui_chat.engine.__main__") & {"llama_cpp", "numpy", "textual", "rich"}


def test_clients_of_servers_wait_until_a_server_is_asked() -> None:
    assert not loaded_by("import tui_chat.engine.__main__, tui_chat.backends.ollama.server") & {"ollama"}


def test_importing_does_nothing_to_the_process() -> None:
    code = (
        "import os, signal, sys, threading\n"
        "before = (dict(os.environ), threading.active_count(), signal.getsignal(signal.SIGINT))\n"
        "import tui_chat.ui.app, tui_chat.client.workspace, tui_chat.engine.__main__, tui_chat.cli.main\n"
        "assert before == (dict(os.environ), threading.active_count(), signal.getsignal(signal.SIGINT))"
    )
    loaded_by(code)
