"""Rows of a benchmark: a number, its unit, the target, and whether it is met."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"
LIBRARIES = ("llama-cpp-python", "textual", "msgspec", "httpx", "uvicorn")


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number. `target` and `met` are None where the number only informs.

    A module that failed is a row without a value, so that it can be neither overlooked nor met.
    """

    name: str
    value: float | None
    unit: str
    target: str | None = None
    met: bool | None = None


def at_most(name: str, value: float, unit: str, limit: float) -> Row:
    """Promise that `value` is no more than `limit`."""
    return Row(name, value, unit, f"≤ {limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Row:
    """Promise that `value` is no less than `limit`."""
    return Row(name, value, unit, f"≥ {limit:g}", value >= limit)


def informs(name: str, value: float, unit: str) -> Row:
    """Show a number that nothing is promised about."""
    return Row(name, value, unit)


def groups() -> list[str]:
    """Name the groups: the folders of modules beside this file."""
    return sorted(folder.name for folder in Path(__file__).parent.iterdir() if any(folder.glob("*.py")))


def run_group(group: str) -> list[Row]:
    """Run every module of `group` that has a `rows`, print each row as it comes, and write them as JSON."""
    print(f"\n{group}", flush=True)
    measured = []
    for row in _measure(f"{__package__}.{group}"):
        measured.append(row)
        print(_line(row), flush=True)
    BUILD.mkdir(exist_ok=True)
    file = BUILD / f"bench-{group}.json"
    file.write_text(json.dumps([asdict(row) for row in measured], indent=2, ensure_ascii=False) + "\n")
    print(f"  → {file.relative_to(BUILD.parent)}")
    return measured


def _measure(package: str) -> Iterator[Row]:
    folder = importlib.import_module(package).__path__
    for found in sorted(pkgutil.iter_modules(folder), key=lambda module: module.name):
        try:
            module = importlib.import_module(f"{package}.{found.name}")
            if hasattr(module, "rows"):
                yield from module.rows()
        except Exception as error:
            traceback.print_exc()
            yield Row(f"{found.name} failed: {type(error).__name__}: {error}", None, "", "runs", met=False)


def _line(row: Row) -> str:
    verdict = {True: "met", False: "MISSED", None: ""}[row.met]
    value = (
        "-" if row.value is None else f"{row.value:,.4g}" if abs(row.value) < 1000 else f"{row.value:,.0f}"
    )
    return f"  {row.name:<72.72} {value:>10} {row.unit:<8} {row.target or '':<10} {verdict}"


def machine_facts() -> str:
    """Say what the numbers were measured on."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    lines = [
        f"{_cpu_name()}, {usable} usable cores, {_memory_gib():.1f} GiB",
        f"{platform.platform()}, Python {platform.python_version()}, load {os.getloadavg()[0]:.2f}",
        ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
    ]
    return "\n".join(lines)


def _cpu_name() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def main(arguments: list[str]) -> int:
    """Run the named groups, or all; 1 if a module failed, 2 for an unknown group, else 0."""
    known = groups()
    unknown = set(arguments) - set(known)
    if unknown:
        print(
            f"there is no group {', '.join(sorted(unknown))}; there are: {', '.join(known)}", file=sys.stderr
        )
        return 2
    print(machine_facts())
    rows = [row for group in arguments or known for row in run_group(group)]
    promised = [row for row in rows if row.met is not None]
    met = sum(row.met is True for row in promised)
    print(f"\n{met} of {len(promised)} targets met")
    return 1 if any(row.value is None for row in rows) else 0
