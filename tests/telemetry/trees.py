"""Trees of small files, as the kernel shows cards and processes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def plant(root: Path, files: Mapping[str, object]) -> Path:
    """Write files below `root`, each with its folders; bytes as they are, all else as a line."""
    for name, value in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(value if isinstance(value, bytes) else f"{value}\n".encode())
    return root


def plant_card(drm: Path, number: int, vendor: str, driver: str, slot: str, **files: object) -> Path:
    """A card on which programs may compute; `files` are of its device."""
    card = drm / f"card{number}"
    (card / "device/drm" / f"renderD{128 + number}").mkdir(parents=True)
    uevent = f"DRIVER={driver}\nPCI_SLOT_NAME={slot}"
    plant(card / "device", {"vendor": vendor, "uevent": uevent, **files})
    return card


def plant_process(proc: Path, pid: int, parent: int | None, opened: Mapping[str, tuple[str, str]]) -> None:
    """A process, below another; what it has opened by number, with what the kernel tells of that."""
    if parent is not None:
        plant(proc, {f"{parent}/task/{parent}/children": f"{pid} "})
    plant(proc, {f"{pid}/task/{pid}/children": ""})
    (proc / f"{pid}/fd").mkdir()
    for fd, (target, told) in opened.items():
        (proc / f"{pid}/fd/{fd}").symlink_to(target)
        plant(proc, {f"{pid}/fdinfo/{fd}": told})


def drm_client(driver: str, slot: str, client: int, **regions: str) -> str:
    """What the kernel tells of an open file of a graphics driver."""
    memory = "".join(f"drm-{name.replace('_', '-')}:\t{value}\n" for name, value in regions.items())
    return f"pos:\t0\ndrm-driver:\t{driver}\ndrm-pdev:\t{slot}\ndrm-client-id:\t{client}\n{memory}"
