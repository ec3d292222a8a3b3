"""Says in lines what happens to a conversation: answers as they come, and each wait once, in words."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_chat.chat.model import FinishReason, Message, Problem, Role
from tui_chat.cli.printable import printable
from tui_chat.client.changes import (
    Change,
    Condensing,
    MessageSettled,
    Progressed,
    Raised,
    Streamed,
)
from tui_chat.ui.words import about_attachment, roughly
from tui_chat.wire.events import Channel, Loading, Prefill, Queued, Waiting

if TYPE_CHECKING:
    from tui_chat.client.conversation import Conversation

YOU = "you: "
_LONG_READ = 400
"""Tokens from which on reading them is a wait worth telling."""
_QUICK_S = 1.0
"""A wait that is expected to be shorter is not told."""


class Voice:
    """Follows one conversation at a time. All methods run on the loop of the conversation.

    Attributes:
        draft: Text that was refused, to be given back to whoever wrote it.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write_out = write
        self._conversation: Conversation | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._printed: dict[str, int] = {}
        self._told: set[str] = set()
        self._at_start = True
        self._changed = asyncio.Event()
        self.draft = ""

    def follow(self, conversation: Conversation) -> None:
        """Say what happens in this conversation, and in no other."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._conversation = conversation
        self._unsubscribe = conversation.subscribe(self._hear)
        self._printed.clear()
        self._told.clear()

    async def silence(self) -> None:
        """Wait until nothing is on its way any more."""
        assert self._conversation is not None
        while self._is_busy(self._conversation):
            self._changed.clear()
            await self._changed.wait()

    async def change(self, within_s: float) -> None:
        """Wait a moment for something to happen."""
        self._changed.clear()
        try:
            await asyncio.wait_for(self._changed.wait(), within_s)
        except TimeoutError:
            return

    @staticmethod
    def _is_busy(conversation: Conversation) -> bool:
        return bool(conversation.live or conversation.queued or conversation.condensing)

    def say(self, text: str) -> None:
        """Say something of our own, on lines of its own."""
        self._end_line()
        self._write(f"{text}\n")

    def problem(self, problem: Problem) -> None:
        """Say what went wrong, what was kept, and what to do."""
        self.say(" ".join(part for part in ("tui-chat:", problem.what, problem.kept, problem.remedy) if part))

    def tell(self, message: Message) -> None:
        """Say a message that is there already; one that is on its way goes on by itself."""
        if message.role is Role.USER:
            attached = (f"(attached: {each.label}, {about_attachment(each)})" for each in message.attachments)
            self.say(f"{YOU}{printable(chr(10).join((*attached, message.text)))}")
        elif message.answer is not None and not message.in_flight:
            self._printed.pop(message.id, None)
            self._settled(message)

    def _hear(self, change: Change) -> None:
        conversation = self._conversation
        assert conversation is not None
        match change:
            case Progressed(id, phase) if self._shows(id):
                self._wait(id, phase)
            case Streamed(id, _, Channel.THINKING, _) if self._shows(id):
                self._once(f"{id} thinks", "thinking")
            case Streamed(id, _, _, _) if self._shows(id):
                self._go_on(id, conversation.tree.get(id), conversation.lives[id].text)
            case MessageSettled(message) if message.id in conversation.tree and self._on_branch(message.id):
                self._settled(message)
            case Condensing(messages) if messages:
                self._once("condensing", f"summarising {messages} earlier messages")
            case Raised(problem, draft):
                self.draft = draft or self.draft
                self.problem(problem)
        self._changed.set()

    def _shows(self, id: str) -> bool:
        live = self._conversation.live if self._conversation else None
        return live is not None and live.id == id

    def _on_branch(self, id: str) -> bool:
        assert self._conversation is not None
        return any(message.id == id for message in self._conversation.tree.path())

    def _wait(self, id: str, phase: Queued | Loading | Waiting | Prefill) -> None:
        match phase:
            case Queued(ahead):
                self._once(f"{id} queued", f"waiting for {ahead} other answer{'s' if ahead > 1 else ''}")
            case Loading(model, _, eta_s):
                self._once(f"{id} loading", f"loading {model}{_about(eta_s)}")
            case Waiting(server, loading, why, retry_in_s):
                again = f"{why} Asking {server} again in {roughly(retry_in_s)}" if retry_in_s else ""
                what = f"{server} is loading the model" if loading else f"waiting for {server}"
                self._once(f"{id} {again or what}", again or what)
            case Prefill(done, total, _, eta_s) if total - done > _LONG_READ and (eta_s or 2) > _QUICK_S:
                self._once(f"{id} reading", f"reading {total - done:,} tokens{_about(eta_s)}")

    def _once(self, key: str, words: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self.say(f"({words})")

    def _go_on(self, id: str, message: Message, text: str) -> None:
        """Say what is new of an answer."""
        done = self._printed.get(id)
        if done is None:
            self._end_line()
            self._write(f"{message.answer.model if message.answer else 'answer'}: ")
            done = 0
        self._printed[id] = max(done, len(text))  # one that is taken up anew begins again
        self._write(printable(text[done:]))

    def _settled(self, message: Message) -> None:
        """Say the rest of an answer, and how it ended if not as it should."""
        answer = message.answer
        if answer is None or answer.finish is None:
            return
        if message.text and len(message.text) > self._printed.get(message.id, 0):
            self._go_on(message.id, message, message.text)
        if answer.problem is not None:
            self.problem(answer.problem)
        elif answer.finish is FinishReason.CANCELLED:
            self.say("(stopped; what was said is kept)")
        elif answer.finish is FinishReason.LENGTH:
            self.say(f"(cut off after {answer.usage.completion_tokens:,} tokens)")
        elif answer.finish is not FinishReason.STOP:
            self.say(f"(incomplete: {answer.finish.value.replace('_', ' ')}; what was said is kept)")
        self._end_line()

    def _end_line(self) -> None:
        if not self._at_start:
            self._write("\n")

    def _write(self, text: str) -> None:
        if text:
            (self._write_out or sys.stdout.write)(text)
            sys.stdout.flush()
            self._at_start = text.endswith("\n")


def _about(eta_s: float | None) -> str:
    return f", about {roughly(eta_s)}" if eta_s else ""
