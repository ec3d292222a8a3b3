"""What the view of residents says: the machine's totals, and what each model holds."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui_chat.ui import words
from tui_chat.ui.facts import model_name
from tui_chat.ui.switcher.rows import state_word
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import DeviceSpec, DeviceUse

HOLDING = frozenset(
    state for state in ModelState if state.in_memory or state.on_its_way or state is ModelState.PARKING
)
"""The states in which a model holds memory, or is about to."""

_LABEL = 7
_BAR = 24
_PARTS = (("weights", "━", "$accent"), ("KV", "━", "$success"), ("other", "━", "$muted"))


def totals(devices: Sequence[DeviceSpec], residents: Sequence[ModelInfo], width: int) -> Content:
    """Say of each device what is ours, what is others', and what is free."""
    lines = []
    for device in devices:
        ours = sum(use.total_bytes for m in residents for use in m.devices if use.name == device.name)
        used = max(0, device.total_bytes - device.free_bytes)
        said = f"ours {words.size(ours)} · others {words.size(max(0, used - ours))}" if ours else ""
        said = said or f"used {words.size(used)}"
        bar = _bar([(ours, "━", "$accent"), (max(0, used - ours), "━", "$muted")], device.total_bytes)
        free = f"free {words.size(device.free_bytes)} of {words.size(device.total_bytes)}"
        lines.append(
            Content.assemble(
                (f"{words.device(device.name):<{_LABEL}}", "$foreground"),
                *bar,
                (f"  {free} · {said}", "$muted"),
            ).truncate(width, ellipsis=True)
        )
    return Content("\n").join(lines)


def holding(model: ModelInfo, devices: Sequence[DeviceSpec], passed_s: float, width: int) -> Content:
    """Write what a resident is, what it was predicted to hold, and what it really does.

    Args:
        model: The resident, as the engine told `passed_s` seconds ago.
        devices: The machine's, for the scale of the bars.
        passed_s: Seconds since then.
        width: Cells there are.
    """
    lines = [_head(model, passed_s, width)]
    sizes = {device.name: device.total_bytes for device in devices}
    lines += [_use(use, sizes.get(use.name, 0), width) for use in model.devices if use.total_bytes]
    if said := _checked(model):
        lines.append(Content.styled(f"  {said}", "$muted").truncate(width, ellipsis=True))
    return Content("\n").join([*lines, Content("")])


def _head(model: ModelInfo, passed_s: float, width: int) -> Content:
    facts = [state_word(model)]
    if model.state.on_its_way and model.progress is not None:
        facts[0] += f" {model.progress * 100:.0f} %{words.left(model.eta_s)}"
    if model.context:
        facts.append(f"ctx {words.context(model.context)}")
    if model.options is not None:
        facts.append(f"KV {model.options.kv_type}")
    facts += _staying(model, passed_s)
    right = " · ".join(facts)
    name = words.shorten(model_name(model.id, model), max(8, width - len(right) - 4))
    gap = " " * max(1, width - len(name) - len(right) - 2)
    return Content.assemble(
        ("● " if model.state.in_memory else "◐ ", "$accent"), (name, "$foreground"), gap, (right, "$muted")
    )


def _staying(model: ModelInfo, passed_s: float) -> list[str]:
    """Say how long it has been idle and will stay, as far as that is known."""
    if model.state is not ModelState.READY:
        return ["pinned"] if model.pinned else []
    idle = model.idle_s + passed_s
    keep = model.keep_alive_s
    said = [] if keep is None and not model.idle_s else [f"idle {words.lasting(idle)}"]
    if keep is None or model.pinned:
        return said
    return [*said, "stays" if keep < 0 else f"leaves in {words.lasting(max(0.0, keep - idle))}"]


def _use(use: DeviceUse, of_bytes: int, width: int) -> Content:
    """One device of a resident: a bar on the device's own scale, and what it is made of."""
    other = use.compute_bytes + use.overhead_bytes
    counts = (use.weights_bytes, use.kv_bytes, other)
    bar = _bar(
        [(count, sign, style) for count, (_, sign, style) in zip(counts, _PARTS, strict=True)], of_bytes
    )
    parts = [("weights", use.weights_bytes), ("KV", use.kv_bytes), ("compute", use.compute_bytes)]
    parts.append(("overhead", use.overhead_bytes))
    said = " · ".join(f"{name} {words.size(count)}" for name, count in parts if count)
    if use.layers:
        said = f"{words.count(use.layers, 'layer')} · {said}"
    line = Content.assemble(
        (f"  {words.device(use.name):<{_LABEL}}", "$foreground"),
        *bar,
        (f" {words.size(use.total_bytes):>9}  ", "$foreground"),
        (said, "$muted"),
    )
    if line.cell_length > width:
        line = line.truncate(width, ellipsis=True)
    return line


def _bar(parts: Sequence[tuple[int, str, str]], whole: int) -> list[tuple[str, str]]:
    """A bar of `_BAR` cells for `whole` bytes; whatever is there at all has at least one cell."""
    if not whole:
        return [(" " * _BAR, "")]
    left, cells = _BAR, []
    for count, sign, style in parts:
        wide = min(left, max(1, round(count / whole * _BAR))) if count else 0
        cells.append((sign * wide, style))
        left -= wide
    return [*cells, ("─" * left, "$rule")]


def _checked(model: ModelInfo) -> str:
    predicted = sum(use.total_bytes for use in model.devices)
    if not model.real_bytes:
        return f"predicted {words.size(predicted)}" if predicted else ""
    if not predicted:
        return f"really {words.size(model.real_bytes)}"
    off = (model.real_bytes - predicted) / predicted * 100
    return f"predicted {words.size(predicted)} · really {words.size(model.real_bytes)} ({off:+.1f} %)"
