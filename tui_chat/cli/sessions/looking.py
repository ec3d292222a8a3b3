"""`tui-chat sessions list|search|stats|trash`: looking, without changing anything."""

from __future__ import annotations

import argparse
import sys

from tui_chat.chat.export.outline import line_of
from tui_chat.chat.statistics import Statistics, statistics_of
from tui_chat.cli.sessions.place import Place, any_session, as_json, count, local, shortened, title_of
from tui_chat.cli.table import table
from tui_chat.store.search.hits import Hit
from tui_chat.store.search.index import SearchIndex
from tui_chat.wire.words import rate

_TITLE = 48
_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 60


def list_sessions(args: argparse.Namespace, place: Place) -> None:
    """Print the chats."""
    found = place.store.list(archived=None if args.all else args.archived)
    if args.tag:
        wanted = args.tag.casefold()
        found = [each for each in found if wanted in {tag.casefold() for tag in each.tags}]
    if args.json:
        print(as_json(found))
        return
    if not found:
        print(f"There are no such chats in {place.store.folder}.")
        return
    rows = [("UPDATED", "MESSAGES", "TITLE", "TAGS", "ID")]
    for each in found:
        title = shortened("damaged, or of a newer tui-chat" if each.problem else title_of(each), _TITLE)
        title = f"{title} (archived)" if each.archived and args.all else title
        rows.append(
            (local(each.updated), f"{each.messages:,}", title, line_of(", ".join(each.tags)), each.id)
        )
    print(table(rows, right=(1,)))


def search(args: argparse.Namespace, place: Place) -> int:
    """Print the messages that have all words; 1 if there are none, as grep does."""
    words = map(_quoted, args.words)
    index = SearchIndex(place.store.folder, place.paths.cache)
    hits = index.find(" ".join(words), args.limit, _tell if sys.stderr.isatty() else None)
    if args.json:
        print(as_json(hits))
    elif hits:
        print("\n\n".join(map(_describe, hits)))
    else:
        sys.stderr.write("tui-chat: nothing was found. All words must occur in one message, or in a title.\n")
    return 0 if hits else 1


def _quoted(word: str) -> str:
    """Give an argument of several words the quotes back that the shell took from it."""
    if " " not in word or '"' in word:
        return word
    field, colon, rest = word.partition(":")
    return f'{field}:"{rest}"' if colon and field in ("tag", "model") else f'"{word}"'


def _tell(done: int, total: int) -> None:
    sys.stderr.write(f"\r\x1b[2Kindexing {done:,} of {total:,} chats" if done < total else "\r\x1b[2K")
    sys.stderr.flush()


def _describe(hit: Hit) -> str:
    title = line_of(hit.title) or "untitled"
    who = f", {hit.role.value}" if hit.role else ""
    archived = ", archived" if hit.archived else ""
    return f"{title} ({hit.session}{who}, {local(hit.when)}{archived})\n  {line_of(_marked(hit))}"


def _marked(hit: Hit) -> str:
    """Put what was found between asterisks, in a terminal and in a pipe alike."""
    text = hit.snippet
    for start, end in reversed(hit.spans):
        text = f"{text[:start]}*{text[start:end]}*{text[end:]}"
    return text


def trash(args: argparse.Namespace, place: Place) -> None:
    """Print the deleted chats."""
    found = place.store.trashed()
    if args.json:
        print(as_json(found))
        return
    if not found:
        print("The trash is empty.")
        return
    rows = [("DELETED", "GOES", "TITLE", "ID")]
    for each in found:
        goes = local(each.goes) if each.goes else "never by itself"
        rows.append((local(each.deleted), goes, shortened(title_of(each.summary), _TITLE), each.summary.id))
    print(table(rows))


def stats(args: argparse.Namespace, place: Place) -> None:
    """Print what a chat has cost."""
    summary = any_session(place, args.name)
    found = statistics_of(place.store.read(summary.id))
    if args.json:
        print(as_json(found))
        return
    print(f"{title_of(summary)} ({summary.id})")
    for line in _told(found):
        print(f"  {line}")
    if found.models:
        print(_models(found))


def _told(found: Statistics) -> list[str]:
    parts = [
        count(found.messages, "message"),
        count(found.questions, "question"),
        count(found.answers, "answer"),
    ]
    lines = [f"{', '.join(parts)}, {count(found.branches, 'branch')}"]
    if found.first and found.last:
        lines.append(f"from {local(found.first)} to {local(found.last)}")
    if found.answers:
        read = f"{found.tokens_evaluated:,} tokens, reused {found.tokens_reused:,}"
        lines.append(f"read {read}, wrote {found.tokens_written:,}")
        thought = f", {found.thinking_s:,.1f} s of it thinking" if found.thinking_s else ""
        lines.append(f"waited {found.waiting_s:,.1f} s, wrote for {found.decoding_s:,.1f} s{thought}")
    if len(found.speeds) > 1:
        speeds = [each.decode_tps for each in found.speeds][-_MOST_BARS:]
        lines.append(f"speed over time {_bars(speeds)} {rate(min(speeds))} to {rate(max(speeds))}")
    return lines


def _bars(values: list[float]) -> str:
    """Draw `values` as bars of which the largest is the highest."""
    most = max(values) or 1.0
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] for value in values)


def _models(found: Statistics) -> str:
    rows = [("MODEL", "ANSWERS", "COMPLETE", "TOKENS", "SPEED", "FIRST TOKEN")]
    for use in found.models:
        speed = rate(use.decode_tps) if use.decode_tps is not None else ""
        first = f"{use.ttft_ms:,.0f} ms" if use.ttft_ms is not None else ""
        counts = (f"{use.answers:,}", f"{use.complete:,}", f"{use.tokens_written:,}")
        rows.append((line_of(use.model), *counts, speed, first))
    return table(rows, right=(1, 2, 3, 4, 5))
