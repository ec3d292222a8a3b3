"""Fields that a server does not take: it is asked again without them, and they are remembered."""

from __future__ import annotations

import re
from typing import Any

from tui_chat.backends.servers.failures import ServerError
from tui_chat.chat.model import ProblemCode

NEEDED = frozenset(
    ("model", "messages", "stream", "continue_final_message", "add_generation_prompt", "chat_template_kwargs")
)
"""Without these it would be another question."""
RENAMED = {"max_tokens": "max_completion_tokens"}
"""What a field is called by servers that do not know its older name."""

Body = dict[str, Any]


class Refusals:
    """What one model of one server does not take."""

    def __init__(self) -> None:
        self.fields: frozenset[str] = frozenset()


class Trial:
    """One question, put until the server takes it: as it is, without the fields it names, without extras.

    Attributes:
        body: To be sent next.
    """

    def __init__(self, refusals: Refusals, body: Body, extras: frozenset[str]) -> None:
        self._refusals = refusals
        self._whole = body
        self._extras = extras & body.keys()
        self._left_out = refusals.fields & body.keys()
        self.body = self._without()

    @property
    def left_out(self) -> frozenset[str]:
        """Fields that the server was not sent, under any name."""
        return self._left_out - RENAMED.keys()

    def gives_way(self, error: ServerError) -> bool:
        """Leave out what the server may have stumbled over; false if that cannot be it."""
        if error.status not in (400, 422) or error.problem.code is not ProblemCode.BAD_REQUEST:
            return False
        sent = self._whole.keys() - NEEDED - self._left_out
        named = {field for field in sent if re.search(rf"\b{field}\b", error.said)}
        more = named or (sent & self._extras)
        self._left_out |= more
        self.body = self._without()
        return bool(more)

    def accepted(self) -> None:
        """The server took it, so what was left out was to blame."""
        self._refusals.fields |= self._left_out

    def _without(self) -> Body:
        body = {name: value for name, value in self._whole.items() if name not in self._left_out}
        for old, new in RENAMED.items():
            if old in self._left_out:
                body[new] = self._whole[old]
        return body
