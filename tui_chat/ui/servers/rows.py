"""How a server is drawn in the list of servers, and what stands below for the highlighted one."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from tui_chat.ui import words
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.sentences import styled_keys, with_keys
from tui_chat.ui.servers import words as said
from tui_chat.ui.transcript.text import clean_line
from tui_chat.wire.servers import Control, ServerInfo

_WIDE = 100
"""From this width on, a server's kind stands beside its name."""


def entry(server: ServerInfo, width: int) -> Content:
    """Write what a server is, how it is and what it has, in lines of `width` cells; the last is empty."""
    sign, style = said.mark(server)
    troubled = "$warning" if said.unwell(server) else "$foreground"
    name = Content.assemble((f"{sign} ", style), (clean_line(server.name), "bold"))
    what = said.kind(server)
    if width >= _WIDE:
        name = Content.assemble(name, (f"  {what}", "$muted"))
        what = ""
    how = " · ".join(part for part in (said.state(server), said.next_try(server)) if part)
    lines = list(_ends(name, Content.styled(how, troubled), width))
    facts = [part for part in (what, said.where(server), said.control(server)) if part]
    has = [part for part in (said.collection(server), said.memory(server)) if part]
    left, right = (Content.styled(" · ".join(parts), "$muted") for parts in (facts, has))
    if left.cell_length + 2 > width:
        lines.append(Content.styled(f"  {' · '.join(facts[:-1])}", "$muted").truncate(width, ellipsis=True))
        left = Content.styled(facts[-1], "$muted")
    lines += _ends(Content.assemble("  ", left), right, width)
    lines += [line.truncate(width, ellipsis=True) for line in _news(server)]
    return Content("\n").join([*lines, Content("")])


def _ends(left: Content, right: Content, width: int) -> Iterator[Content]:
    """Put both at the two ends of a line, or on a line each where there is no room for that."""
    if left.cell_length + right.cell_length + 2 <= width:
        gap = " " * (width - left.cell_length - right.cell_length)
        yield Content.assemble(left, gap, right) if right else left
        return
    yield left.truncate(width, ellipsis=True)
    if right:
        yield Content.assemble("  ", right).truncate(width, ellipsis=True)


def _news(server: ServerInfo) -> Iterator[Content]:
    """What it is doing, or what is wrong with it."""
    if server.problem is not None and said.unwell(server):
        yield Content.styled(f"  {clean_line(server.problem.what)}", "$warning")
    elif doing := said.activity(server.activity):
        yield Content.styled(f"  {doing}", "$foreground")


def about(server: ServerInfo, keymap: Keymap) -> Content:
    """Say of the highlighted server what to do where it fails, what is ours to decide, and what it cannot."""
    lines = []
    if (problem := server.problem) is not None:
        asks = with_keys("{servers.look} asks at once.", keymap)
        told = " ".join(part for part in (problem.what, problem.remedy, asks) if part)
        lines.append(Content.styled(clean_line(told), "$warning"))
    else:
        lines.append(Content.styled(said.control_in_full(server), "$foreground"))
    lines.append(Content.styled(" · ".join(_place(server)), "$muted"))
    loaded = [f"{clean_line(m.name)} {said.holding(m)}".strip() for m in server.models if m.loaded]
    if loaded:
        lines.append(Content.assemble(("in memory: ", "$accent"), (" · ".join(loaded), "$muted")))
    lines += [Content.styled(f"– {clean_line(note)}", "$muted") for note in server.notes]  # noqa: RUF001
    return Content("\n").join(lines)


def _place(server: ServerInfo) -> Iterator[str]:
    if server.url:
        yield f"at {server.url}"
    if server.pid:
        yield f"process {server.pid}"
    if server.kv_type:
        yield f"{server.kv_type} KV cache"
    if server.control is not Control.WATCH:
        yield "named in the settings" if server.configured else "found on this machine"


def none_at_all(config: str, keymap: Keymap) -> Content:
    """Say how to get a server, where there is none; `config` is the file of the settings."""
    return Content.assemble(
        ("No model server is known.\n\n", "$foreground"),
        "Start one on this machine, such as Ollama, llama-server or LM Studio,\nand press ",
        styled_keys("{servers.look}", keymap, "bold $accent"),
        ": it is found by itself.\n\nName one on another machine in the settings,\n",
        (words.place(config), "$foreground"),
        ':\n\n  [servers.gpu-box]\n  url = "http://gpu-box:8000"\n\nThey are read when the engine starts: ',
        ("tui-chat engine stop", "$foreground"),
        ", then come back.",
    )
