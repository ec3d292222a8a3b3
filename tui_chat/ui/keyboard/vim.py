"""Keys for fingers that know vim: escape leaves the input for the conversation, which is the normal mode."""

from __future__ import annotations

from collections.abc import Mapping

VIM: Mapping[str, str] = {
    "read": "escape,shift+tab,ctrl+up",
    "read.leave": "i,a,tab",
    "read.home": "g g,home",
    "read.tail": "G,end",
    "message.copy": "y y,c",
    "message.delete": "d d,delete",
    "message.thinking": "z a,t,space",
    "list.up": "up,ctrl+k",
    "list.down": "down,ctrl+j",
}
