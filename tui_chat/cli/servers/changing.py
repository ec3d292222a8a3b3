"""`tui-chat servers copy|delete`: what changes a server's collection of models at once."""

from __future__ import annotations

import argparse
import sys

from tui_chat.client.engine import EngineClient
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.servers import model_id
from tui_chat.wire.words import size

_USAGE = 2


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
    if not args.yes:
        if not sys.stdin.isatty():
            sys.stderr.write(f"tui-chat: {name} is not deleted without being asked for: add --yes.\n")
            return _USAGE
        sys.stderr.write(f"Delete {name} from the disk of {args.server}? It is gone for good. [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            sys.stderr.write("Nothing was deleted.\n")
            return 1
    await client.delete_model(args.server, args.model)
    print(f"{args.server} has deleted {name}.")
    return 0
