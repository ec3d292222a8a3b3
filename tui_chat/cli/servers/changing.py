"""`tui-chat servers copy|delete`: what changes a server's collection of models at once."""

from __future__ import annotations

import argparse

from tui_chat.cli.confirming import declined
from tui_chat.client.engine import EngineClient
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.servers import model_id
from tui_chat.wire.words import size


async def copy(args: argparse.Namespace, client: EngineClient) -> int:
    """Give a model a second name."""
    await client.copy_model(args.server, args.model, args.to)
    print(model_id(args.server, args.to))
    return 0


async def delete(args: argparse.Namespace, client: EngineClient) -> int:
    """Delete a model, once somebody has said that it is meant."""
    card = await client.model_card(args.server, args.model)
    taken = f" ({size(card.model.size_bytes)})" if card.model.size_bytes else ""
    name = clean_line(f"{args.model}{taken}")
    from_disk = f"{name} from the disk of {args.server}"
    if refused := declined(from_disk, "It is gone for good.", asked=args.yes):
        return refused
    await client.delete_model(args.server, args.model)
    print(f"{args.server} has deleted {name}.")
    return 0
