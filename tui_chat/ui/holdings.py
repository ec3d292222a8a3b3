"""What the view of residents says: the machine's totals, and what each model holds."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui_chat.ui import words
from tui_chat.ui.facts import model_name
from tui_chat.ui.plot import shares
from tui_chat.ui.switcher.rows import state_word
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.plan import DeviceKind, DeviceSpec, DeviceUse
from tui_chat.wire.words import device, size, sizes

HOLDING = frozenset(ModelState) - {
    ModelState.ON_DISK,
    ModelState.PARKED,
    ModelState.FAILED,
    ModelState.BROKEN,
}
"""The states in which a model holds memory, or is about to."""

_LABEL = 7
_WIDE = 100
"""From this width on there is room for long bars, and for everything they are made of."""


def totals(devices: Sequence[DeviceSpec], residents: Sequence[ModelInfo], width: int) -> Content:
    """Say of each device what is ours, what is others', and what is free."""
    lines = []
    for spec in devices:
        ours = sum(use.total_bytes for m in residents for use in m.devices if use.name == spec.name)
        others = max(0, spec.total_bytes - spec.free_bytes - ours)
        bar = _bar([(ours, "$accent"), (others, "$muted")], spec.total_bytes, _cells(width))
        (free, total, *parts), unit = sizes([spec.free_bytes, spec.total_bytes, ours, others])
        said = [f"free {free} of {total} {unit}"]
        said += [
            f"{name} {part}" for name, part in zip(("ours", "others"), parts, strict=True) if part != "0"
        ]
        lines.append(
            Content.assemble(
                (f"{device(spec.name):<{_LABEL}}", "$foreground"),
                *bar,
                (f"  {' · '.join(said)}", "$muted"),
            )
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
    lines = _head(model, passed_s, width)
    sizes = {device.name: device.total_bytes for device in devices}
    lines += [_use(use, sizes.get(use.name, 0), width) for use in model.devices if use.total_bytes]
    if said := _checked(model):
        lines.append(Content.styled(f"  {said}", "$muted").truncate(width, ellipsis=True))
    return Content("\n").join([*lines, Content("")])


def _head(model: ModelInfo, passed_s: float, width: int) -> list[Content]:
    """Name and state, and how it is held; on two lines where one has no room for both."""
    state = state_word(model)
    if model.state.on_its_way and model.progress is not None:
        state += f" {model.progress * 100:.0f} %{words.left(model.eta_s)}"
    facts = [f"ctx {words.context(model.context)}"] if model.context else []
    if model.options is not None:
        facts.append(f"KV {model.options.kv_type}")
    facts += _staying(model, passed_s)
    name, whole = model_name(model.id, model), " · ".join([state, *facts])
    if len(name) + len(whole) + 4 <= width:
        return [_line(model, name, whole, width)]
    below = Content.styled(f"  {' · '.join(facts)}", "$muted")
    return [_line(model, words.shorten(name, max(8, width - len(state) - 4)), state, width), below]


def _line(model: ModelInfo, name: str, right: str, width: int) -> Content:
    gap = " " * max(1, width - len(name) - len(right) - 2)
    sign = "● " if model.state.in_memory else "◐ "
    return Content.assemble((sign, "$accent"), (name, "$foreground"), gap, (right, "$muted"))


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
    parts = [("weights", use.weights_bytes, "$gauge-this"), ("KV", use.kv_bytes, "$gauge-ours")]
    if width >= _WIDE:
        parts += [("compute", use.compute_bytes, "$muted"), ("overhead", use.overhead_bytes, "$muted")]
    else:
        parts.append(("other", use.compute_bytes + use.overhead_bytes, "$muted"))
    there = [part for part in parts if part[1]]
    numbers, unit = sizes([count for _, count, _ in there])
    said: list[str | tuple[str, str]] = []
    for (name, _, style), number in zip(there, numbers, strict=True):
        said += [(" · " if said else "", "$muted"), (name, style), (f" {number}", "$muted")]
    layers = f" · {words.count(use.layers, 'layer')}" if use.layers and width >= _WIDE else ""
    return Content.assemble(
        (f"  {device(use.name):<{_LABEL}}", "$foreground"),
        *_bar([(count, style) for _, count, style in parts], of_bytes, _cells(width)),
        (f" {size(use.total_bytes):>9}  ", "$foreground"),
        *said,
        (f" {unit}{layers}", "$muted"),
    )


_FILLS = "━╍┅┉"
"""What the parts of a bar are made of, so that they are told apart without colours too."""


def _cells(width: int) -> int:
    return 24 if width >= _WIDE else 10


def _bar(parts: Sequence[tuple[int, str]], whole: int, cells: int) -> list[tuple[str, str]]:
    """A bar of `cells` for `whole` bytes; whatever is there at all has at least one of them."""
    if not whole:
        return [(" " * cells, "")]
    taken, left = shares((count for count, _ in parts), whole, cells)
    drawn = [(fill * mine, style) for fill, mine, (_, style) in zip(_FILLS, taken, parts, strict=False)]
    return [*drawn, ("─" * left, "$rule")]


def _checked(model: ModelInfo) -> str:
    """Compare what was predicted of RAM with what is really taken; of GPUs only the instruments tell that."""
    predicted = sum(use.total_bytes for use in model.devices if use.kind is DeviceKind.RAM)
    ram = "RAM " if any(use.total_bytes for use in model.devices if use.kind is not DeviceKind.RAM) else ""
    if not model.real_bytes:
        return f"{ram}predicted {size(predicted)}" if predicted else ""
    if not predicted:
        return f"{ram}really {size(model.real_bytes)}"
    off = (model.real_bytes - predicted) / predicted * 100
    (before, after), unit = sizes([predicted, model.real_bytes])
    return f"{ram}predicted {before} · really {after} {unit} ({off:+.1f} %)"
