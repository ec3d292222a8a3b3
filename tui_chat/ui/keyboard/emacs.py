"""Keys for fingers that know emacs, in the input as in lists and the conversation."""

from __future__ import annotations

from collections.abc import Mapping

_LISTS = (
    *("attached.close", "compare.close", "history.close", "models.close", "offered.close", "presets.close"),
    *("search.close", "served.close", "sessions.close", "settings.close", "themes.close", "trash.close"),
)
_VIEWS = (
    *("beside.close", "branches.close", "context.close", "residents.close", "servers.close"),
    "statistics.close",
)

EMACS: Mapping[str, str] = {
    **dict.fromkeys(_LISTS, "ctrl+g,escape"),
    **dict.fromkeys(_VIEWS, "ctrl+g,escape,q"),
    "palette": "alt+x",
    "answer.stop": "ctrl+g,escape",
    "quit": "ctrl+x ctrl+c,ctrl+q",
    "sessions": "ctrl+x ctrl+f,f3",
    "session.new": "ctrl+x n",
    "find": "ctrl+s",
    "find.close": "ctrl+g,escape",
    "read.up": "pageup,alt+v",
    "read.down": "pagedown,ctrl+v",
    "read.home": "home,g,alt+less_than_sign",
    "read.tail": "end,G,alt+greater_than_sign",
    "message.copy": "alt+w,c,y",
    "select.copy": "alt+w,y,c,enter",
    "select.leave": "ctrl+g,escape,v,q",
    "input.editor": "ctrl+x ctrl+e",
    "input.earlier": "up,ctrl+p,alt+p",
    "input.later": "down,ctrl+n,alt+n",
    "input.undo": "ctrl+underscore,ctrl+slash",
    "input.redo": "alt+underscore",
    "edit.left": "left,ctrl+b",
    "edit.right": "right,ctrl+f",
    "edit.yank": "ctrl+y",
    "models.starter": "alt+g",
    "served.get": "alt+g",
    "panels.leave": "ctrl+g,escape,q,tab",
    "list.up": "up,ctrl+p",
    "list.down": "down,ctrl+n",
    "list.page_up": "pageup,alt+v",
    "list.page_down": "pagedown,ctrl+v",
    "dialog.close": "ctrl+g,escape",
    "palette.close": "ctrl+g,escape",
}
