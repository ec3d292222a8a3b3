"""`tui-chat cache list|clear`: the parked KV caches, and the room they take."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui_chat.cli.table import table
from tui_chat.wire.words import size

if TYPE_CHECKING:
    from tui_chat.config.paths import Paths
    from tui_chat.config.settings import Settings
    from tui_chat.wire.cache import CacheInfo

_TITLE_LENGTH = 40
_AGES = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    listing = verbs.add_parser("list", help="say what is parked, where, and how large it is")
    listing.add_argument("--json", action="store_true", help="print one JSON object")
    clear = verbs.add_parser("clear", help="discard it; no conversation is lost, models read them anew")
    clear.add_argument("--model", metavar="M", help="only of models whose name contains M")


def run(args: argparse.Namespace) -> int:
    """List, or clear: through the engine if it runs, else in its folder."""
    import asyncio

    from tui_chat.cli.settings import load
    from tui_chat.client.errors import EngineError

    paths, settings = load()
    clear, model = args.verb == "clear", getattr(args, "model", None)
    try:
        info = asyncio.run(_ask_engine(paths, clear, model)) or _look(paths, settings, clear, model)
    except EngineError as error:
        sys.stderr.write(f"tui-chat: {error.problem.what} {error.problem.remedy}\n")
        return 1
    if clear:
        count, gone = len(info.entries), size(sum(entry.size_bytes for entry in info.entries))
        print(f"Cleared {count} parked conversation{'' if count == 1 else 's'}, {gone}.")
    elif args.json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(info)).decode())
    else:
        print(_table(info, paths))
    return 0


async def _ask_engine(paths: Paths, clear: bool, model: str | None) -> CacheInfo | None:
    """What a running engine says; None without one, and never starts one."""
    if not paths.socket.exists():
        return None
    from tui_chat.client.engine import EngineClient
    from tui_chat.client.errors import EngineGoneError

    client = EngineClient(paths.socket)
    try:
        return await (client.clear_cache(model) if clear else client.cache())
    except EngineGoneError:
        return None
    finally:
        await client.close()


def _look(paths: Paths, settings: Settings, clear: bool, model: str | None) -> CacheInfo:
    from tui_chat.engine.parking import park_limits
    from tui_chat.store.parks.shelf import Shelf

    shelf = Shelf(paths.parks, *park_limits(settings.cache))
    return shelf.clear(model) if clear else shelf.describe()


def _table(info: CacheInfo, paths: Paths) -> str:
    from tui_chat.store.sessions import SessionStore

    lines = []
    if info.entries:
        titles = {s.id: s.title or s.preview for s in SessionStore(paths.sessions).list(archived=None)}
        rows = [("MODEL", "SESSION", "TOKENS", "SIZE", "WHERE", "AGE")]
        for entry in info.entries:
            title = titles.get(entry.session or "", entry.session or "")[:_TITLE_LENGTH]
            cells = (f"{entry.tokens:,}", size(entry.size_bytes), entry.place, _age(entry.used))
            rows.append((entry.model, title, *cells))
        lines.append(table(rows, right=(2, 3)))
    else:
        lines.append("Nothing is parked.")
    lines.append(
        f"RAM {size(info.ram_bytes)} of {size(info.ram_limit)}, "
        f"disk {size(info.disk_bytes)} of {size(info.disk_limit)} ({paths.parks})"
    )
    return "\n".join(lines)


def _age(then: datetime) -> str:
    seconds = max(1, int((datetime.now(UTC) - then).total_seconds()))
    least, unit = next((least, unit) for least, unit in _AGES if seconds >= least)
    return f"{seconds // least} {unit}"
