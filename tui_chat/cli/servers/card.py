"""`tui-chat servers show`: all that a server tells of one model."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import msgspec

from tui_chat.client.engine import EngineClient
from tui_chat.ui.transcript.text import clean, clean_line
from tui_chat.wire.servers import ModelCard, ServedModel
from tui_chat.wire.words import size


async def show(args: argparse.Namespace, client: EngineClient) -> int:
    """Print it."""
    card = await client.model_card(args.server, args.model)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(card)).decode())
    else:
        print("\n".join((*_facts(card.model), *_texts(card))))
    return 0


def _facts(model: ServedModel) -> Iterator[str]:
    """What can be said in a line each, as far as it is told."""
    yield clean_line(model.name)
    loaded = {True: "loaded", False: "not loaded", None: ""}[model.loaded]
    facts = {
        "architecture": model.architecture,
        "parameters": _count(model.parameters),
        "quant": model.quant,
        "size": size(model.size_bytes) if model.size_bytes else "",
        "trained context": f"{model.trained_context:,} tokens" if model.trained_context else "",
        "context now": f"{model.context:,} tokens" if model.context else "",
        "can": ", ".join(each.value for each in model.capabilities),
        "state": loaded,
        "VRAM": size(model.vram_bytes) if model.vram_bytes else "",
        "RAM": size(model.ram_bytes) if model.ram_bytes else "",
        "unloaded at": f"{model.expires.astimezone():%Y-%m-%d %H:%M}" if model.expires else "",
        "file": model.blob or "",
    }
    width = max(map(len, facts))
    yield from (f"  {name.ljust(width)}  {clean_line(fact)}" for name, fact in facts.items() if fact)


def _count(parameters: int) -> str:
    if not parameters:
        return ""
    return f"{parameters / 1e9:.1f} billion" if parameters >= 1e9 else f"{parameters / 1e6:.0f} million"


def _texts(card: ModelCard) -> Iterator[str]:
    """What takes lines, the longest last."""
    texts = {
        "Parameters": card.parameters,
        "System prompt": card.system,
        "Template": card.template,
        "Licence": card.licence,
    }
    for name, text in texts.items():
        if text.strip():
            yield f"\n{name}:"
            yield from (f"  {line}".rstrip() for line in clean(text).strip("\n").splitlines())
