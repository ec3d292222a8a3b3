"""What the engine asks a probe and what it answers. Nothing here loads llama.cpp."""

from __future__ import annotations

import msgspec

from tui_chat.chat.model import Problem
from tui_chat.wire.api import CountReply, Turn
from tui_chat.wire.plan import DeviceSpec, LoadOptions


class Probe(msgspec.Struct, frozen=True, tag="probe"):
    """Tell what the model at `path` takes on `gpus` and in RAM with each of `options`."""

    path: str
    gpus: tuple[DeviceSpec, ...]
    options: tuple[LoadOptions, ...]


class CountIn(msgspec.Struct, frozen=True, tag="count"):
    """Count the tokens of `turns` as the model at `path` would be sent them."""

    path: str
    turns: tuple[Turn, ...]


class Look(msgspec.Struct, frozen=True, tag="look"):
    """Tell what `projector` takes beside the model at `path`, beyond the bytes of its file."""

    path: str
    projector: str


Question = Probe | CountIn | Look


class Looked(msgspec.Struct, frozen=True, tag="looked"):
    """The answer to a `Look`: bytes of buffers, or why it cannot be used with that model.

    Nobody was left to answer if the process `died`, or had to be ended.
    """

    compute: int = 0
    why: str = ""
    died: bool = False


class Buffers(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that llama.cpp lays out on one device.

    Attributes:
        repacked: Of `weights`, what is copied into another layout, and so cannot be shared with the file.
    """

    device: str
    weights: int = 0
    kv: int = 0
    compute: int = 0
    repacked: int = 0


class Probed(msgspec.Struct, frozen=True, tag="probed"):
    """The answer for one set of options: the GPUs in their order, then RAM."""

    buffers: tuple[Buffers, ...]


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """llama.cpp would not load the model with these options; `why` is its own last words."""

    why: str


class Answers(msgspec.Struct, frozen=True):
    """One answer per set of options, in their order, and the version of llama.cpp that gave them."""

    backend: str
    answers: tuple[Probed | Unknown, ...]


class CountedIn(msgspec.Struct, frozen=True, tag="counted"):
    """The answer to a `CountIn`."""

    count: CountReply


class Uncountable(msgspec.Struct, frozen=True, tag="uncountable"):
    """The file is no model that can be asked, or its template does not take these turns."""

    problem: Problem


RAM = "ram"
"""Name of the device that is no GPU."""
