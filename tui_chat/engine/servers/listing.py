"""How a server's models stand in the list of all models, and what asking one comes to."""

from __future__ import annotations

from urllib.parse import urlsplit

from tui_chat.wire.api import ModelInfo, ModelKind, ModelSource, ModelState
from tui_chat.wire.plan import KvType, LoadOptions, Plan, Source, Strategy
from tui_chat.wire.servers import (
    KIND_NAMES,
    Capability,
    Control,
    ServedModel,
    ServerInfo,
    ServerKind,
    ServerState,
    model_id,
    model_place,
)


def info_of(server: ServerInfo, model: ServedModel) -> ModelInfo:
    """A server's model as one among all models."""
    planned = server.control is Control.DEEP and server.here
    away = server.state in (ServerState.DOWN, ServerState.REFUSING)
    loaded = model.loaded is not False and not away
    state = ModelState.READY if loaded else ModelState.FAILED if away else ModelState.ON_DISK
    chats = Capability.CHAT in model.capabilities
    return ModelInfo(
        id=model_id(server.name, model.name),
        path=model_place(server.name, model.name),
        size_bytes=model.size_bytes,
        state=state,
        source=ModelSource.OLLAMA if server.kind is ServerKind.OLLAMA else ModelSource.OWN,
        kind=ModelKind.CHAT if chats else ModelKind.EMBEDDING,
        architecture=model.architecture,
        quant=model.quant,
        parameters=model.parameters,
        trained_context=_limit(server, model),
        context=model.context if loaded else 0,
        problem=server.problem if away else None,
        server=server.name,
        fixed=server.control is not Control.DEEP,
        host="" if server.here else urlsplit(server.url).hostname or server.url,
        kv_type=KvType(server.kv_type) if server.kv_type in set(KvType) else None,
        file=model.blob or "" if planned else "",
        capabilities=model.capabilities,
        real_bytes=model.ram_bytes if server.here else 0,
    )


def _limit(server: ServerInfo, model: ServedModel) -> int:
    """The most tokens that it can read: where its context cannot be changed, those of that."""
    if server.control is Control.DEEP:
        return model.trained_context
    return min((each for each in (model.context, model.trained_context) if each), default=0)


def plan_of(server: ServerInfo, found: ModelInfo, context: int, *, reloads: bool = False) -> Plan:
    """What asking a model comes to whose memory is its server's own business."""
    kind = KIND_NAMES[server.kind]
    who = kind if server.name == kind.lower() else f"{server.name} ({kind})"
    loaded = found.state.in_memory and not reloads
    tokens = f" with {context:,} tokens of context" if context else ""
    if reloads:
        verdict, reason = "reloads there", f"{who} loads it anew{tokens}, and reads the conversation again."
    elif loaded:
        verdict, reason = "switch now", f"{who} has it ready{tokens}."
    else:
        verdict, reason = "loads there", f"{who} loads it when it is asked{tokens}."
    where = "on this machine" if server.here else f"at {server.url}"
    return Plan(
        model=found.id,
        strategy=Strategy.BALANCED,
        options=LoadOptions(context=context),
        fits=True,
        reason=f"{reason} It runs {where}, and what it takes of memory there is not ours to plan.",
        devices=(),
        source=Source.SERVER,
        verdict=verdict,
        load_s=0.0 if loaded else None,
    )
