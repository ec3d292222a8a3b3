"""What Ollama says of its models, in its words and in ours."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from tui_chat.backends.servers.failures import garbled
from tui_chat.wire.servers import Capability, ModelCard, ServedModel

Reply = TypeVar("Reply", bound=msgspec.Struct)

_CAPABILITIES = {
    "completion": Capability.CHAT,
    "thinking": Capability.THINKING,
    "vision": Capability.VISION,
    "tools": Capability.TOOLS,
    "embedding": Capability.EMBEDDING,
}
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_COUNT = re.compile(r"([\d.]+)\s*([KMBT]?)", re.IGNORECASE)
_FOREVER = timedelta(days=36_500)
"""A model that is to stay is said to expire in three hundred years."""


class Details(msgspec.Struct, frozen=True):
    """What kind of model it is; `context_length` is what it was trained for."""

    family: str = ""
    parameter_size: str = ""
    quantization_level: str = ""
    context_length: int = 0


class Tag(msgspec.Struct, frozen=True):
    """A model on Ollama's disk. `capabilities` is None before release 0.30."""

    name: str
    digest: str = ""
    size: int = 0
    details: Details | None = None
    capabilities: tuple[str, ...] | None = None
    remote_model: str = ""
    remote_host: str = ""


class Tags(msgspec.Struct, frozen=True):
    """The reply to ``GET /api/tags``."""

    models: tuple[Tag, ...] | None = None


class Runner(msgspec.Struct, frozen=True):
    """A model in Ollama's memory. `context_length` is 0 before release 0.10."""

    name: str
    size: int = 0
    size_vram: int = 0
    context_length: int = 0
    expires_at: datetime | None = None


class Runners(msgspec.Struct, frozen=True):
    """The reply to ``GET /api/ps``."""

    models: tuple[Runner, ...] | None = None


class Shown(msgspec.Struct, frozen=True):
    """The reply to ``POST /api/show``, all that we use of it."""

    license: str | tuple[str, ...] = ""
    modelfile: str = ""
    parameters: str = ""
    template: str = ""
    system: str = ""
    details: Details | None = None
    model_info: dict[str, Any] | None = None
    capabilities: tuple[str, ...] | None = None

    @property
    def trained_context(self) -> int:
        """What the model was trained for, in tokens; 0 where it does not tell."""
        return self._number("context_length")

    @property
    def can(self) -> tuple[Capability, ...]:
        """What the model can do; of releases that do not tell, whether it embeds can still be seen."""
        if self.capabilities is not None:
            return capabilities_of(self.capabilities)
        embeds = self._number("pooling_type") > 0
        return (Capability.EMBEDDING,) if embeds else (Capability.CHAT,)

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop strings that the model brings itself."""
        lines = (line.strip().partition(" ") for line in self.parameters.splitlines())
        return tuple(_unquoted(value.strip()) for name, _, value in lines if name == "stop" and value.strip())

    def _number(self, key: str) -> int:
        info = self.model_info or {}
        found = info.get(f"{info.get('general.architecture', '')}.{key}")
        return found if isinstance(found, int) else 0


class Facts(msgspec.Struct, frozen=True):
    """What stays true of a model as long as its digest does."""

    capabilities: tuple[Capability, ...] = (Capability.CHAT,)
    trained_context: int = 0
    blob: str | None = None


def decoded(server: str, content: bytes, kind: type[Reply]) -> Reply:
    """Read a reply. Raises `ServerError` if it is not one of Ollama's."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise garbled(server, str(error)) from error


def capabilities_of(words: tuple[str, ...]) -> tuple[Capability, ...]:
    """Those that we know."""
    return tuple(_CAPABILITIES[word] for word in words if word in _CAPABILITIES)


def full_name(model: str) -> str:
    """A model's name as Ollama lists it: with its tag."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def served(tag: Tag, facts: Facts, runner: Runner | None) -> ServedModel:
    """A model as we list it."""
    details = tag.details or Details()
    model = ServedModel(
        name=tag.name,
        trained_context=details.context_length or facts.trained_context,
        loaded=False,
        size_bytes=tag.size,
        capabilities=facts.capabilities,
        architecture=details.family,
        quant=details.quantization_level,
        parameters=_count(details.parameter_size),
        digest=tag.digest,
        blob=facts.blob,
    )
    return with_runner(model, runner)


def with_runner(model: ServedModel, runner: Runner | None) -> ServedModel:
    """The same model, as it is in memory now or is not."""
    runs = runner or Runner(model.name)
    return msgspec.structs.replace(
        model,
        loaded=runner is not None,
        context=runs.context_length,
        ram_bytes=max(0, runs.size - runs.size_vram),
        vram_bytes=runs.size_vram,
        expires=_expires(runs.expires_at),
    )


def card_of(model: ServedModel, shown: Shown) -> ModelCard:
    """All that there is to read of a model."""
    licence = shown.license if isinstance(shown.license, str) else "\n\n".join(shown.license)
    return ModelCard(
        model=msgspec.structs.replace(
            model,
            capabilities=shown.can,
            trained_context=shown.trained_context or model.trained_context,
        ),
        template=shown.template,
        parameters=shown.parameters,
        licence=licence,
        system=shown.system,
        modelfile=shown.modelfile,
    )


def _expires(at: datetime | None) -> datetime | None:
    if at is None or at.tzinfo is None or at - datetime.now(UTC) > _FOREVER:
        return None
    return at.astimezone(UTC)


def _count(words: str) -> int:
    """``3.2B`` as a number; 0 for anything that is none."""
    found = _COUNT.fullmatch(words.strip())
    try:
        return round(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    except ValueError:
        return 0


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value)) if value.startswith('"') else value
    except ValueError:
        return value
