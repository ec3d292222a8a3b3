"""Finding words in the conversation on the screen, and on its other branches."""

from __future__ import annotations

from textual import on, work
from textual.widgets import Input

from tui_chat.chat.finding import Found, Spot, find, sought
from tui_chat.client.changes import Access
from tui_chat.ui import words
from tui_chat.ui.screens.carrying import CarryingActions
from tui_chat.ui.widgets.findbar import FindBar


class FindingActions(CarryingActions):
    """The actions of a screen on which a bar can be opened to find words in the conversation."""

    _found = Found()
    _spot: Spot | None = None
    _begun_at = ""

    @property
    def finding(self) -> bool:
        """Whether keys go to the bar."""
        return isinstance(self.focused, Input)

    async def action_find(self) -> None:
        """Open the bar; looking begins at the focused message, or else at what is in view."""
        if not self.query(FindBar):
            await self.mount(FindBar(id="chat-find"), before="#chat-status")
        self._begun_at = self.transcript.focused_id or self.transcript.top_id or ""
        self.set_focus(self.query_one(FindBar).input)

    action_find_here = action_find

    def close_find(self) -> None:
        """Take the bar away, and the marks; the view stays where it is."""
        self.query(FindBar).remove()
        self.transcript.unmark()
        self._spot = None

    def action_find_close(self) -> None:
        """Leave the bar, with the keyboard on the message that was found."""
        there = self.transcript.focused_id is not None
        self.close_find()
        self.set_focus(self.transcript if there else self.prompt)

    @on(Input.Changed, "#chat-find Input")
    def _typed_in_bar(self, event: Input.Changed) -> None:
        event.stop()
        self._look()
        self._spot = self._nearest()
        self._show_spot()

    def action_find_step(self, step: int) -> None:
        """Go to the next match on this branch, or to the one before; after the last comes the first."""
        self._look()
        here = self._found.here
        if self._spot in here:
            self._spot = here[(here.index(self._spot) + step) % len(here)]
        else:
            self._spot = self._nearest()
        self._show_spot()

    @work(group="branching")
    async def action_find_elsewhere(self) -> None:
        """Go to the next message on another branch that has the words."""
        self._look()
        conversation, elsewhere = self._conversation, self._found.elsewhere
        if conversation is None or not elsewhere:
            return
        if conversation.access is Access.FOLLOWER:
            self.note("other branches can only be shown where this session can be changed")
            return
        order = {message.id: place for place, message in enumerate(conversation.session.messages)}
        now = order.get(self._spot.message, -1) if self._spot else -1
        target = next((each for each in elsewhere if order[each] > now), elsewhere[0])
        await self.go_to(target)
        self._look()
        self._spot = Spot(target, 0)
        self._show_spot()

    def _look(self) -> None:
        """Find out where the words are now."""
        pattern = sought(self.query_one(FindBar).input.value)
        conversation = self._conversation
        self._found = find(conversation.tree, pattern) if conversation and pattern else Found()

    def _nearest(self) -> Spot | None:
        """The first match from where looking began; if there is none, the last before."""
        order = {item.id: place for place, item in enumerate(self.transcript.items)}
        begin, here = order.get(self._begun_at, 0), self._found.here
        after = (spot for spot in here if order.get(spot.message, -1) >= begin)
        return next(after, here[-1] if here else None)

    def _show_spot(self) -> None:
        bar, pattern, spot = self.query_one(FindBar), sought(self.query_one(FindBar).input.value), self._spot
        here, others = self._found.here, len(self._found.elsewhere)
        if pattern is None or spot not in here:
            self.transcript.unmark()
            told = "nothing on this branch" if pattern else ""
        else:
            self.transcript.show_match(spot.message, pattern, spot.number)
            told = f"{here.index(spot) + 1:,} of {len(here):,}"
        if others:
            told += f" · {words.count(others, 'message')} on other branches, "
            told += self.with_keys("{find.elsewhere}")
        bar.tell(told)
