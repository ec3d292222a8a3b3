"""An answer that goes on, from the request to the journal and to whoever follows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.engine.support import engine_in
from tests.homes import Home
from tui_chat.chat.ids import new_id
from tui_chat.chat.model import Answer, Message, Role, Sampling
from tui_chat.client.changes import Change, Streamed
from tui_chat.client.engine import EngineClient
from tui_chat.client.launch import ensure_engine
from tui_chat.client.live import Errand, LiveAnswer, follow_answer
from tui_chat.store.journal import JournalState, read_journal
from tui_chat.wire.api import GenerateRequest, Turn
from tui_chat.wire.events import Event

QUESTION = (Turn(Role.USER, "Count from 1 to 100, separated by commas."),)
BEGUN = "1, 2, 3, 4, 5, 6"


@dataclass
class Terminal:
    """A terminal that follows one answer, which began with `BEGUN`."""

    home: Home
    journal: Path
    engine_dies_at: int = 0
    live: LiveAnswer | None = None
    changes: list[Change] = field(default_factory=list)

    def request(self, id: str, tokens: int) -> GenerateRequest:
        return GenerateRequest(
            id=id,
            model="SmolLM2",
            turns=QUESTION,
            prefix=BEGUN,
            sampling=Sampling(temperature=0, max_tokens=tokens),
            journal=str(self.journal),
            session="counting",
        )

    async def follow(self, client: EngineClient, id: str, request: GenerateRequest | None) -> JournalState:
        place = Message(id, Role.ASSISTANT, BEGUN, datetime.now(UTC), answer=Answer(model="SmolLM2"))
        errand = Errand(place, "counting", request, self.journal)
        self.live = errand.start()
        return await follow_answer(client, errand, self._hear, self.changes.append)

    def _hear(self, event: Event) -> LiveAnswer:
        assert self.live is not None
        self.live = self.live.after(event)
        if self.engine_dies_at and self.live.tokens >= self.engine_dies_at and (engine := self.home.engine()):
            engine.kill()
        return self.live

    @property
    def streamed(self) -> str:
        return "".join(change.text for change in self.changes if isinstance(change, Streamed))


async def test_an_answer_goes_on_in_the_stream_the_journal_and_the_terminal(home: Home) -> None:
    terminal, again, answer = Terminal(home, home.root / "j"), Terminal(home, home.root / "j"), new_id()
    async with engine_in(home) as client:
        state = await terminal.follow(client, answer, terminal.request(answer, 9))
        taken_up = await again.follow(client, answer, None)
    assert terminal.streamed == again.streamed == ", 7, 8, 9"
    assert state.text == taken_up.text == BEGUN + terminal.streamed
    assert read_journal(terminal.journal).text == state.text
    assert state.settled is not None
    assert state.settled.usage.completion_tokens == state.tokens == 9


async def test_an_engine_that_dies_over_it_loses_neither_part(home: Home) -> None:
    terminal, answer = Terminal(home, home.root / "j", engine_dies_at=40), new_id()
    async with engine_in(home) as client:
        state = await terminal.follow(client, answer, terminal.request(answer, 1500))
        await ensure_engine(client)  # which clears away what the dead one left
    assert state.settled is None
    assert state.text.startswith(BEGUN + ", 7, 8, 9")
    assert state.header.prefix == BEGUN
