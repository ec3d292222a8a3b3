"""How numbers, durations and ages are written on the screen: always with a unit (see also `wire.words`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui_chat.chat.model import Sampling
from tui_chat.ui.sentences import with_keys
from tui_chat.wire.api import ModelInfo, ModelState
from tui_chat.wire.events import Loading, Prefill, Queued, Waiting
from tui_chat.wire.heat import Hot
from tui_chat.wire.plan import DeviceKind, DeviceUse
from tui_chat.wire.scarce import RAM, Scarce
from tui_chat.wire.words import device, size

if TYPE_CHECKING:
    from tui_chat.chat.attachments import Attachment, PictureRef
    from tui_chat.chat.measure import Size
    from tui_chat.chat.policy import Cut
    from tui_chat.client.changes import Condensing
    from tui_chat.client.foresight import Outlook
    from tui_chat.ui.keymap import Keymap

_NEARLY_FULL = 0.9
"""From here on it is said how full a context is from which nothing is dropped."""


def parameters(number: int) -> str:
    """Write a number of parameters as the field does: ``135M``, ``0.6B``, ``8.2B``, ``72B``; "" for none."""
    if not number:
        return ""
    if number < 550_000_000:
        return f"{max(1, round(number / 1e6))}M"
    billions = number / 1e9
    return f"{billions:.0f}B" if billions >= 99.5 else f"{billions:.1f}B".replace(".0B", "B")


def placement(devices: Sequence[DeviceUse]) -> str:
    """Say where a model's layers are: ``all on CPU``, ``24 of 32 layers on GPU``; "" where nobody knows."""
    gpus = [use for use in devices if use.kind is not DeviceKind.RAM and use.layers]
    layers, offloaded = sum(use.layers for use in devices), sum(use.layers for use in gpus)
    if not layers:
        return ""
    if not gpus:
        return "all on CPU"
    if offloaded < layers:
        return f"{offloaded} of {layers} layers on GPU"
    return f"all on {device(gpus[0].name)}" if len(gpus) == 1 else f"all on {len(gpus)} GPUs"


def context(tokens: int) -> str:
    """Write a context size: ``8k``, ``1.5k`` or ``512``."""
    if tokens < 1024:
        return str(tokens)
    k = tokens / 1024
    return f"{k:.0f}k" if k >= 10 or k == int(k) else f"{k:.1f}k"


def count(number: int, noun: str) -> str:
    """Write ``1 message`` or ``1,204 messages``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def seconds(value: float) -> str:
    """Write a duration: ``0.09 s``, ``3.1 s``, ``41 s``, ``2 min 5 s``."""
    if value < 1:
        return f"{value:.2f} s"
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def lasting(value: float) -> str:
    """Write a duration that is counted, not measured: ``12 s``, ``4 min``, ``1 h 5 min``."""
    if value < 60:
        return f"{value:.0f} s"
    if value < 3600:
        return f"{int(value // 60)} min"
    return f"{int(value // 3600)} h {int(value % 3600 // 60)} min"


def roughly(value: float) -> str:
    """Write an expected duration, no more exactly than it can be known: ``0.4 s``, ``9 s``, ``2 min``."""
    if value < 0.95:
        return f"{max(0.1, value):.1f} s"
    if value < 2.95:
        return f"{value:.1f} s".replace(".0 s", " s")
    return f"{value:.0f} s" if value < 90 else f"{value / 60:.0f} min"


def place(path: str) -> str:
    """Write a path with ``~`` for the person's own folder."""
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def typed_path(named: str) -> Path:
    """Return the path that was typed; of a home that is nobody's, the ``~`` stays."""
    return Path(os.path.expanduser(named))  # noqa: PTH111 - pathlib's raises for such a home


def age(moment: datetime, now: datetime) -> str:
    """Write how long ago `moment` was: ``now``, ``5 min``, ``3 h``, ``2 days``, or a date."""
    passed = (now - moment).total_seconds()
    if passed < 60:
        return "now"
    if passed < 3600:
        return f"{int(passed // 60)} min"
    if passed < 86400:
        return f"{int(passed // 3600)} h"
    days = int(passed // 86400)
    if days < 14:
        return "1 day" if days == 1 else f"{days} days"
    return f"{moment.astimezone():%Y-%m-%d}"


def listed(names: Sequence[str]) -> str:
    """Write names as a sentence does: ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def shorten(text: str, width: int) -> str:
    """Cut `text` in the middle, so that both ends stay readable, to `width` characters."""
    if len(text) <= width:
        return text
    if width < 3:
        return text[: max(0, width)]
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"


_DRAWN = {
    "temperature": "temperature",
    "top_k": "top-k",
    "top_p": "top-p",
    "min_p": "min-p",
    "repeat_penalty": "repeat penalty",
    "frequency_penalty": "frequency penalty",
    "presence_penalty": "presence penalty",
    "penalty_last_n": "look-back",
    "seed": "seed",
    "max_tokens": "limit",
}


def drawn(sampling: Sampling, usual: Sampling | None) -> str:
    """Say in what an answer was drawn otherwise than is `usual`: ``temperature 0.2, seed 7``."""
    if usual is None or sampling == usual:
        return ""
    told = []
    for field, name in _DRAWN.items():
        value = getattr(sampling, field)
        if value != getattr(usual, field):
            number = f"{value:g}" if isinstance(value, float) else str(value)
            told.append(f"no {name}" if value is None else f"{name} {number}")
    return ", ".join(told)


def heat(hot: Sequence[Hot], keymap: Keymap | None = None, *, answering: bool) -> str:
    """Say what is too hot, and what is done about it; "" where nothing is.

    Where answers can be told to go on, `keymap` has the keys for that.
    """
    if not hot:
        return ""
    worst = max(hot, key=lambda each: (each.held, each.slowed, each.critical, each.temperature_c))
    where = f"{worst.device} at {worst.temperature_c:.0f} °C"
    if worst.held and answering:
        said = f"paused: {where}, goes on below {worst.below_c:.0f} °C"
        return said + (with_keys(" · {answer.retry} goes on now", keymap) if keymap else "")
    if worst.slowed and answering:
        said = f"slowed down: {where}, until it is below {worst.below_c:.0f} °C"
        return said + (with_keys(" · {answer.retry} goes on", keymap) if keymap else "")
    said = f"{where} is {'too hot' if worst.critical else 'hot'}"
    if answering and worst.unheld:
        return f"{said}, and {worst.unheld[0]} cannot be paused"
    return said


def scarce(devices: Sequence[Scarce]) -> str:
    """Say which memory is running out and who took it; "" where there is enough."""
    if not devices:
        return ""
    worst = min(devices, key=lambda each: each.free_bytes / max(1, each.total_bytes))
    memory = RAM if worst.device == RAM else f"the memory of {worst.device}"
    said = f"{memory} is running out: {size(worst.free_bytes)} left"
    if worst.left_s is not None:
        said += f", gone in {roughly(worst.left_s)}"
    if worst.growers:
        grower = worst.growers[0]
        who = grower.model or grower.name or f"process {grower.pid}"
        said += f"; {who} took {size(grower.grown_bytes)} within a minute"
    return said


def phase(event: Queued | Loading | Waiting | Prefill, model: str, waited_s: float = 0.0) -> str:
    """Name what an answer of `model` waits for, how far it is, and how long it will take if known.

    A server that says nothing has been waited for `waited_s`.
    """
    match event:
        case Queued(ahead=ahead):
            return f"queued behind {count(ahead, 'answer')}" if ahead else "queued"
        case Loading(fraction=fraction, eta_s=eta):
            return f"loading {model} {fraction * 100:.0f} %" + left(eta)
        case Waiting(server=server, why=why, retry_in_s=float(pause)):
            return f"{why} Trying {server} again in {seconds(pause)}"
        case Waiting(server=server, loading=loading):
            doing = f"{server} is loading {model}" if loading else f"waiting for {server}"
            return f"{doing}, {lasting(waited_s)}" if waited_s >= 1 else doing
        case Prefill(done=done, total=total, eta_s=eta):
            part = done / total * 100 if total else 0
            return f"reading {count(total, 'token')} {part:.0f} %" + left(eta)


def on_its_way(model: ModelInfo, name: str, leaving: Sequence[str] = ()) -> str:
    """Name what a model called `name` waits for on its way into memory; `leaving` make room for it."""
    match model.state:
        case ModelState.PLANNED:
            return f"{name} waits to be loaded"
        case ModelState.EVICTING if leaving:
            return f"making room for {name}: unloading {' and '.join(leaving)}"
        case ModelState.EVICTING:
            return f"making room for {name}"
        case ModelState.SPAWNING:
            return f"starting a process for {name}"
        case ModelState.WARMING:
            return f"warming up {name}"
    part = f" {model.progress * 100:.0f} %" if model.progress is not None else ""
    return f"loading {name}{part}" + left(model.eta_s)


def outlook(outlook: Outlook, name_of: Callable[[str], str]) -> str:
    """Say what sending will take of the context, where that is more than meets the eye; else ""."""
    if not outlook.fits:
        about = "" if outlook.need.counted else "about "
        return f"too long to send: {about}{outlook.need.prompt:,} tokens"
    route = f"to {name_of(outlook.model.id)}, {outlook.route.words}" if outlook.route else ""
    said = [route, _dropping(outlook), _growing(outlook, name_of)]
    return " · ".join(part for part in said if part)


def _dropping(outlook: Outlook) -> str:
    dropped = outlook.outcome.dropped
    if dropped is None:
        full = outlook.outcome.now.fill
        return f"the context is {full * 100:.0f} % full" if full > _NEARLY_FULL else ""
    verb = "condenses" if outlook.outcome.summarise else "drops"
    return f"sending {verb} {count(dropped.cut.messages, 'message')} ({tokens(dropped.cut)})"


def tokens(cut: Cut) -> str:
    """Write how many tokens a cut takes away, with ~ where nobody has counted them."""
    return f"{'' if cut.exact else '~'}{count(cut.tokens, 'token')}"


def about_attachment(attachment: Attachment) -> str:
    """Write how large an attachment is; what was pasted is called by its lines already."""
    if attachment.picture is not None:
        return f"{pixels(attachment.picture)}{size(attachment.bytes)} picture"
    lines = f"{count(attachment.lines, 'line')} · " if attachment.name else ""
    return f"{lines}{size(attachment.bytes or len(attachment.text.encode()))}"


def pixels(picture: PictureRef) -> str:
    """Write how large a picture is, to stand before something else; "" where its header does not say."""
    return f"{picture.width:,}×{picture.height:,} · " if picture.width else ""  # noqa: RUF001 - the sign is meant


def about_picture(attachment: Attachment, picture: PictureRef) -> str:
    """Write what is known of a picture, one thing a line."""
    return "\n".join(
        (
            f"Kind      {picture.media_type.removeprefix('image/').upper()}",
            f"Size      {pixels(picture) or 'width and height unknown · '}{attachment.bytes:,} bytes",
            f"SHA-256   {picture.sha256}",
            "",
            "Shown as it is to models that can see. A terminal cannot draw it.",
        )
    )


def attached(attachment: Attachment, tokens: Size) -> str:
    """Write what is attached, with ~ where its tokens were estimated; nobody knows those of a picture."""
    if attachment.picture is not None:
        return f"{attachment.label} · {about_attachment(attachment)}"
    of_file = f" · {size(attachment.bytes)}" if attachment.name else ""
    return f"{attachment.label}{of_file} · {'' if tokens.exact else '~'}{count(tokens.tokens, 'token')}"


def _growing(outlook: Outlook, name_of: Callable[[str], str]) -> str:
    plan, options = outlook.plan, outlook.model.options
    if plan is None or not outlook.grows:
        return ""
    longer = context(plan.options.context)
    if outlook.model.server:
        return f"sending has {outlook.model.server} load it anew, with a context of {longer}"
    said = [f"sending grows the context to {longer}"]
    if options is not None and options.kv_type is not plan.options.kv_type:
        said.append(f"with a {plan.options.kv_type} KV cache")
    for verb, ids in (("unloads", plan.evicts), ("shrinks", plan.shrinks)):
        if ids:
            said.append(f"and {verb} {' and '.join(map(name_of, ids))}")
    return " ".join(said)


def condensing(change: Condensing) -> str:
    """Say how far a summary is; "" when it is over."""
    if not change.messages:
        return ""
    part = f", part {change.done + 1} of {change.pieces}" if change.pieces > 1 else ""
    written = f", {count(change.tokens, 'token')}" if change.tokens else ""
    return f"condensing {count(change.messages, 'earlier message')}{part}{written}"


def left(eta_s: float | None) -> str:
    """Say how long something still takes, to stand behind it: ``, 4 s left``; "" where nobody knows."""
    if eta_s is None:
        return ""
    return f", {eta_s:.0f} s left" if eta_s >= 1 else ", under 1 s left"
