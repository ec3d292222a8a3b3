"""A home folder for benchmarks: the starter model, an engine of its own, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.homes import ELSEWHERE
from tui_chat.config.paths import Paths, resolve_paths
from tui_chat.config.settings import PathSettings

ROOT = Path(__file__).resolve().parents[2]
STARTER = Path(
    os.environ.get("TUI_CHAT_TEST_MODEL", ROOT / "build" / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf")
)
TUI_CHAT = str(Path(sys.executable).with_name("tui-chat"))


@dataclass(frozen=True)
class Bench:
    """One benchmark's home: the environment that leads there, and its folders."""

    root: Path
    env: dict[str, str]
    paths: Paths

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the installed `tui-chat` to its end."""
        return subprocess.run(
            [TUI_CHAT, *arguments], env=self.env, text=True, capture_output=True, timeout=300
        )


@contextlib.contextmanager
def bench_home(config: str = "") -> Iterator[Bench]:
    """Lay out a home with the starter model and `config`; the engine started in it is stopped at the end."""
    root = Path(tempfile.mkdtemp(prefix="tcb-"))
    folders = {f"XDG_{name}_HOME": str(root / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    changed = {**folders, "XDG_RUNTIME_DIR": str(root / "run"), "HOME": str(root)}
    changed["OLLAMA_MODELS"] = str(root / "ollama")
    before = dict(os.environ)
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    os.environ.update(changed)
    try:
        paths = resolve_paths(PathSettings())
        paths.models.mkdir(parents=True)
        (root / "run").mkdir(mode=0o700)
        (paths.models / STARTER.name).symlink_to(STARTER)
        file = root / "config" / "tui-chat" / "config.toml"
        file.parent.mkdir(parents=True)
        file.write_text(config)
        bench = Bench(root, dict(os.environ), paths)
        try:
            yield bench
        finally:
            bench.run("engine", "stop", "--force")
    finally:
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(root, ignore_errors=True)


def copies(bench: Bench, *names: str) -> None:
    """Put copies of the starter model in its place: links would be one model."""
    (bench.paths.models / STARTER.name).unlink()
    for name in names:
        shutil.copyfile(STARTER, bench.paths.models / f"{name}.gguf")
