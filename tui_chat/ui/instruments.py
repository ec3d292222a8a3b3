"""What the instruments read, drawn for a narrow column: bars, lines over time, and words for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from textual.content import Content

from tui_chat.ui.plot import FILLS, plot, shares
from tui_chat.ui.words import shorten
from tui_chat.wire.readings import clocks_of, heat, of, percent
from tui_chat.wire.telemetry import DriverState, GpuSample, MachineSample, Sample
from tui_chat.wire.words import size, sizes

_FREE = "·"
_THIS, _OURS, _OTHERS = "$gauge-this", "$gauge-ours", "$gauge-others"
_LEVELS = "▁▂▃▄▅▆▇█"
_TREND = 10
"""Cells of a line over time."""

History = Mapping[str, Sequence[float]]
"""What was read before, oldest first: temperatures by the GPU's id, ``cpu`` and ``speed``."""


def gpu(sample: GpuSample, model: str | None, history: History, width: int) -> Content:
    """Draw one GPU; `model` is the id of the one that this conversation uses."""
    number = sample.number
    name = shorten(sample.name, width - len(number) - 7)
    lines = [Content.assemble((f"GPU {number}", "bold"), (f"  {name}", "$muted"))]
    if sample.problem:
        return Content("\n").join([*lines, _trouble(sample.problem, width)])
    lines += _vram(sample, model, width)
    lines += _heat(sample, history.get(sample.id, ()), width)
    if sample.utilisation is not None:
        lines.append(ends(" busy", percent(sample.utilisation), width))
    if sample.clock_mhz is not None:
        lines.append(ends(" clocks", clocks_of(sample), width))
    if why := [reason.value for reason in sample.throttled]:
        harmed = any(reason.harms for reason in sample.throttled)
        lines.append(Content.styled(f"   {', '.join(why)}", "$warning" if harmed else "$muted"))
    return Content("\n").join(lines)


def _vram(sample: GpuSample, model: str | None, width: int) -> Iterator[Content]:
    if sample.total_bytes is None or sample.used_bytes is None:
        return
    taken = {_THIS: 0, _OURS: 0}
    for process in sample.processes or ():
        if process.model is not None:
            taken[_THIS if process.model == model else _OURS] += process.used_bytes or 0
    others = max(0, sample.used_bytes - taken[_THIS] - taken[_OURS])
    parts = [("this", _THIS, taken[_THIS]), ("ours", _OURS, taken[_OURS]), ("others", _OTHERS, others)]
    yield ends(" VRAM", of(sample.used_bytes, sample.total_bytes), width)
    yield Content.assemble(
        " ", stacked([(part, style) for _, style, part in parts], sample.total_bytes, width - 2)
    )
    yield from _shares(parts, width)


def _heat(sample: GpuSample, before: Sequence[float], width: int) -> Iterator[Content]:
    if sample.temperature_c is not None:
        hot = sample.warn_c is not None and sample.temperature_c >= sample.warn_c
        degrees = Content.assemble(
            " ", (heat(sample.temperature_c), "bold $gauge-hot" if hot else "$foreground")
        )
        power = ""
        if sample.power_w is not None:
            power = f"{sample.power_w:.0f}" + (f" of {sample.limit_w:.0f}" if sample.limit_w else "") + " W"
        yield between(degrees, before, power, width)
    elif sample.power_w is not None:
        yield ends(" power", f"{sample.power_w:.0f} W", width)


def machine(sample: MachineSample, history: History, width: int, *, reads: bool = False) -> Content:
    """Draw processors, memory and swap; what disks read, while a model `reads` its file."""
    lines = []
    if sample.busy is not None:
        head = Content.assemble(("CPU", "bold"), f"  {percent(sample.busy)}")
        degrees = "" if sample.temperature_c is None else heat(sample.temperature_c)
        lines.append(between(head, history.get("cpu", ()), degrees, width))
        drawn = cores(sample.cores, width - 2)
        label = " each" if len(drawn) + 7 <= width else ""
        lines.append(ends(label, drawn, width))
    used = max(0, sample.ram_bytes - sample.available_bytes)
    others = max(0, used - sample.ours_bytes)
    parts = [("ours", _THIS, min(sample.ours_bytes, used)), ("others", _OTHERS, others)]
    lines.append(ends("RAM", of(used, sample.ram_bytes), width, "bold"))
    bar = stacked([(part, style) for _, style, part in parts], sample.ram_bytes, width - 2)
    lines += [Content.assemble(" ", bar), *_shares(parts, width)]
    if sample.swap_used_bytes:
        lines.append(ends(" swap", of(sample.swap_used_bytes, sample.swap_bytes), width))
    if reads and sample.read_bps:
        lines.append(ends(" disk reads", f"{size(round(sample.read_bps))}/s", width))
    return Content("\n").join(lines)


def gpus_in_short(gpus: Sequence[GpuSample]) -> tuple[str, tuple[str, ...]]:
    """Name the GPUs, and say of all together what matters most: memory, heat, how busy they are."""
    title = f"GPU {gpus[0].number}" if len(gpus) == 1 else f"{len(gpus)} GPUs" if gpus else "GPUs"
    whole = [gpu for gpu in gpus if gpu.slice is None] or gpus
    heats = [gpu.temperature_c for gpu in gpus if gpu.temperature_c is not None]
    busy = [gpu.utilisation for gpu in whole if gpu.utilisation is not None]
    taken = [gpu.used_bytes for gpu in whole if gpu.used_bytes is not None]
    facts = [size(sum(taken))] if taken else []
    if heats:
        facts.append(heat(max(heats)))
    if busy:
        facts.append(f"{percent(max(busy))} busy")
    return title, (*(gpu.problem for gpu in gpus if gpu.problem), *facts)


def machine_in_short(sample: MachineSample) -> tuple[str, ...]:
    """Say what matters most of processors and memory in a few words."""
    cpu = () if sample.busy is None else (percent(sample.busy),)
    used = max(0, sample.ram_bytes - sample.available_bytes)
    hot = () if sample.temperature_c is None else (heat(sample.temperature_c),)
    return (*cpu, f"RAM {size(used)}", *hot)


def summary(sample: Sample) -> list[str]:
    """Say the most important in a few words, for where there is no room for panels."""
    facts = []
    for each in sample.gpus:
        if each.slice is None and each.total_bytes is not None and each.used_bytes is not None:
            facts.append(f"VRAM {of(each.used_bytes, each.total_bytes)}")
        if each.temperature_c is not None:
            facts.append(heat(each.temperature_c))
    if not facts:  # no GPU, or none that tells anything
        used = sample.machine.ram_bytes - sample.machine.available_bytes
        facts.append(f"RAM {of(used, sample.machine.ram_bytes)}")
        if sample.machine.temperature_c is not None:
            facts.append(heat(sample.machine.temperature_c))
    return facts


def drivers(sample: Sample, width: int) -> Content:
    """Say what is wrong with the drivers of GPUs; nothing where nothing is."""
    wrong = (each for each in sample.drivers if each.state not in (DriverState.READY, DriverState.ABSENT))
    return Content("\n").join([_trouble(f"{each.maker.upper()}: {each.what}", width) for each in wrong])


def _trouble(text: str, width: int) -> Content:
    return Content.styled("\n".join(wrap(text, max(8, width - 1))), "$warning")


def stacked(parts: Sequence[tuple[int, str]], total: int, width: int) -> Content:
    """Draw amounts of a `total` beside each other in `width` cells; what is there is never nothing."""
    taken, left = shares((amount for amount, _ in parts), total, width)
    drawn = [(fill * cells, style) for fill, cells, (_, style) in zip(FILLS, taken, parts, strict=False)]
    return Content.assemble(*drawn, (_FREE * left, "$gauge-free"))


def cores(busy: Sequence[float], width: int) -> str:
    """Draw how busy each processor is, one cell each, or the busiest of several where there is no room."""
    per_cell = -(-len(busy) // max(1, width))
    groups = [busy[at : at + per_cell] for at in range(0, len(busy), per_cell)]
    return "".join(_LEVELS[min(7, int(max(group) * 8))] for group in groups)


def _shares(parts: Sequence[tuple[str, str, int]], width: int) -> Iterator[Content]:
    """Say what the parts of a bar are, in one unit, on as many lines as it takes."""
    there = [(fill, *part) for fill, part in zip(FILLS, parts, strict=False) if part[2]]
    amounts, unit = sizes([amount for *_, amount in there])
    line = Content("")
    for (fill, name, style, _), amount in zip(there, amounts, strict=True):
        told = Content.assemble("  " if line else " ", (f"{fill} {name} {amount} {unit}", style))
        if line and line.cell_length + told.cell_length > width:
            yield line
            told, line = told[1:], Content("")
        line += told
    if line:
        yield line


def ends(left: str, right: str, width: int, style: str = "") -> Content:
    """Put something at the left edge and something dimmed at the right one."""
    gap = max(1, width - len(left) - len(right) - 1)
    return Content.assemble((left, style), " " * gap, (right, "$muted"))


def between(left: Content, before: Sequence[float], right: str, width: int) -> Content:
    """Put how something went lately between what it is and something else at the right edge."""
    room = min(_TREND, width - left.cell_length - len(right) - 4)
    line = plot(before, room, 1)[0] if len(before) > 1 and room > 1 else ""
    gap = max(1, width - left.cell_length - len(line) - len(right) - 3)
    return Content.assemble(left, "  ", (line, "$gauge-trend"), " " * gap, (right, "$muted"))
