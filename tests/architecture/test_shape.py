"""The shape of the code: files of one subject, functions that fit a screen, nothing left behind."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE = 400
MAX_FUNCTION = 60
"""Lines, the docstring not counted."""


def sources() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True)
    found = [ROOT / name for name in listed.stdout.split()] or list(ROOT.glob("t*/**/*.py"))
    return [path for path in found if path.is_file()]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.lineno
            yield node.name, node.end_lineno - start + 1


@pytest.fixture(scope="module")
def paths() -> list[Path]:
    return sources()


def test_files_have_one_subject(paths: list[Path]) -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {str(path): length for path, length in lengths.items() if length >= MAX_FILE} == {}


def test_functions_fit_a_screen(paths: list[Path]) -> None:
    long = [
        f"{path.relative_to(ROOT)}: {name} has {length} lines"
        for path in paths
        for name, length in functions(path)
        if length > MAX_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_is(paths: list[Path]) -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in paths
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
