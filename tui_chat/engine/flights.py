"""The flight records of answers: taken while they are written, compared with what is usual, logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tui_chat.chat.flight import Flight
from tui_chat.chat.model import Answer
from tui_chat.config.settings import MetricsSettings
from tui_chat.engine.baselines import Baselines
from tui_chat.engine.generations import Generation
from tui_chat.engine.recorder import Recorder
from tui_chat.engine.swap.resident import Resident
from tui_chat.engine.tally import Tally
from tui_chat.store.answerlog import AnswerLine, AnswerLog, read_answers
from tui_chat.store.journal import settled_answer
from tui_chat.wire.api import GenerateRequest
from tui_chat.wire.events import Channel, Delta, Settled
from tui_chat.wire.telemetry import Sample

log = logging.getLogger(__name__)


class Flights:
    """Records the answers that are being written.

    Args:
        settings: What is logged.
        folder: Where.
        latest: Tells the last sample, if one was taken lately.
        tally: Where answers are counted.
    """

    def __init__(
        self, settings: MetricsSettings, folder: Path, latest: Callable[[], Sample | None], tally: Tally
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._latest = latest
        self._tally = tally
        self._baselines = Baselines()
        self._reading: asyncio.Task[None] | None = None
        self._recorders: dict[str, Recorder] = {}
        self._log = AnswerLog(folder)
        self._writer = ThreadPoolExecutor(1, "answer-log")  # a slow disk holds no answer up

    def begin(self, id: str, resident: Resident) -> Recorder:
        """Record the answer `id`, which a loaded model begins."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        assert resident.model is not None, "only loaded models answer"
        recorder = Recorder(resident, resident.model)
        recorder.look(self._latest())
        self._recorders[id] = recorder
        return recorder

    def look(self, sample: Sample) -> None:
        """Take note of a sample."""
        for recorder in self._recorders.values():
            recorder.look(sample)

    async def end(self, request: GenerateRequest, end: Settled) -> Settled:
        """Complete the end of an answer with its record, if there is one; nothing here costs the answer."""
        model, steps = request.model, list[tuple[float, int]]()
        recorder = self._recorders.pop(request.id, None)
        if recorder is not None:
            model, steps = recorder.resident.id, recorder.steps
            try:
                end = msgspec.structs.replace(end, flight=await self._compared(request, end, recorder))
            except Exception:
                log.exception("no record of %s", request.id)
        self._tally.answered(model, end, steps)
        return end

    async def _compared(self, request: GenerateRequest, end: Settled, recorder: Recorder) -> Flight:
        """The record, and whether the answer was slower than is usual for its model."""
        recorder.look(self._latest())
        flight = recorder.flight()
        answer = _answer(request, msgspec.structs.replace(end, flight=flight))
        if self._reading is not None:
            await self._reading
        slow = self._baselines.compare(answer)
        self._baselines.learn((answer,))
        if slow is not None:
            causes = "; ".join(slow.causes) or "nothing in the record says why"
            log.info("%s: slower than %.1f tok/s, its usual speed: %s", request.id, slow.usual_tps, causes)
        return msgspec.structs.replace(flight, slow=slow)

    def note(self, generation: Generation, end: Settled) -> None:
        """Log an answer that has ended."""
        if self._settings.log:
            self._writer.submit(self._log.append, self._line(generation, end))

    def _line(self, generation: Generation, end: Settled) -> AnswerLine:
        request = generation.request
        if end.problem is not None:  # its details are a library's words, which nobody can vouch for
            end = msgspec.structs.replace(end, problem=msgspec.structs.replace(end.problem, detail=""))
        line = AnswerLine(
            at=datetime.now(UTC), id=request.id, session=request.session, answer=_answer(request, end)
        )
        if not self._settings.texts or request.session is None:
            return line
        said = (n.event for n in generation.log if isinstance(n.event, Delta))
        text = "".join(delta.text for delta in said if delta.channel is Channel.ANSWER)
        prompt = request.turns[-1].text if request.turns else ""
        return msgspec.structs.replace(line, prompt=prompt, text=text)

    async def _read(self) -> None:
        """Learn what is usual from the log."""
        try:
            found = await asyncio.to_thread(read_answers, self._folder, 1)
        except OSError as error:
            log.warning("the log of answers cannot be read: %s", error)
            return
        self._baselines.learn(line.answer for line in found.lines)

    async def close(self) -> None:
        """Write what is waiting."""
        await asyncio.to_thread(self._writer.shutdown)
        self._log.close()


def _answer(request: GenerateRequest, end: Settled) -> Answer:
    return settled_answer(Answer(model=request.model, sampling=request.sampling), end)
