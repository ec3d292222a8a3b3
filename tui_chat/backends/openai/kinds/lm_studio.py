"""LM Studio: its list tells most of all, and it loads and unloads what it is asked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tui_chat.backends.openai.dialect import Dialect, Seen, entries, number, words
from tui_chat.backends.openai.refusals import Body
from tui_chat.backends.servers.failures import cannot
from tui_chat.wire.plan import LoadOptions
from tui_chat.wire.servers import Capability, ServedModel, ServerKind

LIST, OLD_LIST = "/api/v1/models", "/api/v0/models"
_QUIET = "It tells neither what it is doing nor how many tokens a text has."
_OLD = "This release loads and unloads its models by itself only; from 0.4 on it can be told to."


class LMStudio(Dialect):
    """From 0.4 on with an API of its own for models; before that, they are only listed."""

    kind = ServerKind.LM_STUDIO
    names: ClassVar[dict[str, str]] = {"top_k": "top_k", "repeat_penalty": "repeat_penalty"}
    tells_vision = True

    async def look(self) -> Seen:
        """Ask how it is and what it has. Raises `ServerError`."""
        if (listed := await self.maybe(LIST)) is not None:
            models = tuple(_model(entry) for entry in entries(listed, "models"))
            return Seen(models=models, router=True, notes=(_QUIET,))
        if (listed := await self.maybe(OLD_LIST)) is not None:
            models = tuple(_old_model(entry) for entry in entries(listed, "data"))
            return Seen(models=models, notes=(_QUIET, _OLD))
        return Seen(models=await self.listed(), notes=(_QUIET, _OLD))

    async def load(
        self, model: str, options: LoadOptions | None, on_progress: Callable[[float], None]
    ) -> None:
        """Load `model` with the context of `options`. Raises `ServerError`."""
        seen = await self.look()
        if not seen.router or any(each.name == model and each.loaded for each in seen.models):
            return
        body: Body = {"model": model}
        if options is not None:
            body["context_length"] = options.context
        await self.post("/api/v1/models/load", body, model=model, within_s=self.link.settings.first_token_s)

    async def unload(self, model: str) -> None:
        """Unload all instances of `model`. Raises `ServerError`."""
        listed = await self.maybe(LIST)
        if listed is None:
            raise cannot(self.link.name, "be told to unload before LM Studio 0.4")
        for entry in entries(listed, "models"):
            if words(entry, "key") == model:
                for instance in entries(entry, "loaded_instances"):
                    await self.post("/api/v1/models/unload", {"instance_id": words(instance, "id")})
        await self.until_loaded(model, loaded=False)


def _model(entry: Body) -> ServedModel:
    instances = entries(entry, "loaded_instances")
    can = entry.get("capabilities")
    told = can if isinstance(can, dict) else {}
    chats = entry.get("type") not in ("embedding", "embeddings")
    capabilities = [Capability.CHAT if chats else Capability.EMBEDDING]
    capabilities += [Capability.VISION] if told.get("vision") else []
    capabilities += [Capability.TOOLS] if told.get("trained_for_tool_use") else []
    capabilities += [Capability.THINKING] if told.get("reasoning") else []
    return ServedModel(
        name=words(entry, "key"),
        trained_context=number(entry, "max_context_length"),
        context=max((number(each, "config", "context_length") for each in instances), default=0),
        loaded=bool(instances),
        size_bytes=number(entry, "size_bytes"),
        capabilities=tuple(capabilities),
        architecture=words(entry, "architecture"),
        quant=words(entry, "quantization", "name"),
    )


def _old_model(entry: Body) -> ServedModel:
    kinds = {"vlm": (Capability.CHAT, Capability.VISION), "embeddings": (Capability.EMBEDDING,)}
    return ServedModel(
        name=words(entry, "id"),
        trained_context=number(entry, "max_context_length"),
        context=number(entry, "loaded_context_length"),
        loaded=entry.get("state") == "loaded",
        capabilities=kinds.get(words(entry, "type"), (Capability.CHAT,)),
        architecture=words(entry, "arch"),
        quant=words(entry, "quantization"),
    )
