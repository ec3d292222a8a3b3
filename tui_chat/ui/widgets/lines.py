"""The one-row widgets around the transcript: title, status and key hints. They never cause a layout."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.style import Style as RichStyle
from textual.content import Content
from textual.style import Style
from textual.timer import Timer
from textual.widget import Widget

from tui_chat.ui.command import Command
from tui_chat.ui.keymap import Keymap
from tui_chat.ui.keynames import shown
from tui_chat.ui.words import shorten

NOTE_S = 4.0
"""How long a passing note stays."""


class Line(Widget, can_focus=False):
    """One row whose two ends are given and whose middle is filled."""

    DEFAULT_CSS = "Line { height: 1; width: 1fr; }"
    ALLOW_SELECT = False

    @property
    def link_style(self) -> RichStyle:
        """What can be clicked looks like the rest; Textual would underline it in a colour of its own."""
        return RichStyle()

    def joined(self, left: Content, right: Content, fill: str = " ") -> Content:
        """Put `left` and `right` at the two ends; the left one gives way when there is no room."""
        room = self.size.width - right.cell_length
        if left.cell_length > room - 1:
            left = left.truncate(max(0, room - 1), ellipsis=True)
        gap = max(0, room - left.cell_length)
        return Content.assemble(left, (fill * gap, "$rule" if fill != " " else ""), right)


_BRANCH_CELLS = 20
_NAME_CELLS = 32
"""What a session's name gets before facts on the right do."""
_HOST_CELLS = 24


class Title(msgspec.Struct, frozen=True):
    """What the title line says. `facts` stand on the right, the most important first; a `mark` never goes.

    `branch` is the name of the branch that is shown, if it has one. `host` is where the words go, if they
    leave this machine; it stands behind the first fact, and never goes either.
    """

    name: str
    branches: int = 1
    facts: tuple[str, ...] = ()
    mark: str = ""
    branch: str = ""
    host: str = ""


class TitleLine(Line):
    """Name of the app and the session; model and context on the right."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = Title("new chat")

    def show(self, title: Title) -> None:
        """Show `title` from now on."""
        if title != self._title:
            self._title = title
            self.refresh()

    def render(self) -> Content:
        """Lay the title out in the width there is; facts give way from the last."""
        facts = list(self._title.facts)
        many = f"{self._title.branches} branches" if self._title.branches > 1 else ""
        told = " · ".join(part for part in (shorten(self._title.branch, _BRANCH_CELLS), many) if part)
        branch = f" ⎇ {told}" if told else ""
        mark = f" {self._title.mark} " if self._title.mark else ""
        host = f" @{shorten(self._title.host, _HOST_CELLS)}" if self._title.host else ""
        wanted = min(len(self._title.name), _NAME_CELLS) + len(branch) + len(mark) + len(host) + 14
        while len(facts) > 1 and wanted + len(" · ".join(facts)) > self.size.width:
            facts.pop()
        first, *rest = facts or [""]
        first = shorten(first, max(0, self.size.width - wanted - len(" · ".join(["", *rest]))))
        right = Content.assemble(
            (first, "$muted"), (host, "$foreground"), (" · ".join(["", *rest]), "$muted"), " "
        )
        name = Content.styled(self._title.name, "$foreground")
        name = name.truncate(
            max(8, self.size.width - right.cell_length - len(branch) - len(mark) - 13), ellipsis=True
        )
        left = Content.assemble(
            (" tui-chat", "bold $accent"),
            "   ",
            (mark, "reverse $accent"),
            " " * bool(mark),
            name,
            (branch, "$muted"),
        )
        return self.joined(left, right)


class Status(msgspec.Struct, frozen=True):
    """What the status line says: what is going on, and measured facts, the most important first."""

    doing: str = ""
    facts: tuple[str, ...] = ()
    alarm: bool = False


class StatusLine(Line):
    """The rule above the input, with what is being waited for and what is measured written into it."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._status = Status()
        self._note = ""
        self._timer: Timer | None = None

    def show(self, status: Status) -> None:
        """Show `status` from now on."""
        if status != self._status:
            self._status = status
            self.refresh()

    def note(self, text: str) -> None:
        """Show `text` in place of what is going on, for a few seconds."""
        self._note = text
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(NOTE_S, self._forget)
        self.refresh()

    def _forget(self) -> None:
        self._note = ""
        self.refresh()

    def render(self) -> Content:
        """Write the status into a rule; facts give way from the last."""
        doing, style = (self._note, "$success") if self._note else (self._status.doing, "$accent")
        if self._status.alarm and not self._note:
            style = "$warning"
        facts = list(self._status.facts)
        while facts and len(doing) + len(" · ".join(facts)) + 10 > self.size.width:
            facts.pop()
        left = Content.assemble(("──", "$rule"), (f" {doing} " if doing else "", style))
        right = Content.assemble((f" {' · '.join(facts)} " if facts else "", "$muted"), ("──", "$rule"))
        return self.joined(left, right, "─")


class HintLine(Line):
    """The keys that matter here, now, on as many rows as the line is high. A click does the same."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._commands: tuple[Command, ...] = ()

    def show(self, commands: Sequence[Command]) -> None:
        """Show the hints of `commands`, of which the last stands at the right end."""
        chosen = tuple(c for c in commands if c.hint)
        if chosen != self._commands:
            self._commands = chosen
            self.refresh()

    def render(self) -> Content:
        """Lay the hints out; those that do not fit are left out, the last one never."""
        if not self._commands:
            return Content("")
        keymap = getattr(self.app, "keymap", Keymap())
        keyed = [keymap.keyed(command) for command in self._commands]
        *rest, last = (_hint(each) for each in keyed if each.keys or each is keyed[-1])
        rows = [Content(" ")]
        for hint in rest:
            final = len(rows) >= self.size.height
            room = self.size.width - (last.cell_length + 2 if final else 0)
            if rows[-1].cell_length + hint.cell_length + 2 > room:
                if final:
                    break
                rows.append(Content(" "))
            rows[-1] = Content.assemble(rows[-1], hint, "  ")
        if len(rows) < self.size.height and rows[-1].cell_length + last.cell_length > self.size.width - 2:
            rows.append(Content(" "))
        rows[-1] = self.joined(rows[-1], Content.assemble(last, " "))
        return Content("\n").join(rows)


def _hint(command: Command) -> Content:
    keys = command.label or shown(command.keys)
    text = Content.assemble((keys, "$accent"), (f" {command.hint}", "$muted"))
    return text.stylize(Style.from_meta({"@click": command.action})) if command.action else text
