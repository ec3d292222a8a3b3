"""An answer as it comes in: what each chunk adds to it, and how it ends."""

from __future__ import annotations

from tui_chat.backends.openai.chunks import Choice, Chunk, Halves, Progress, read_chunk
from tui_chat.backends.openai.frames import Frame
from tui_chat.backends.servers.dialogue import Final, Piece, Said
from tui_chat.backends.servers.failures import broken, of_words
from tui_chat.chat.model import FinishReason, Problem, ProblemCode, Timings, Usage
from tui_chat.wire.events import Prefill

DONE = b"[DONE]"
_CUT = frozenset(("length", "max_tokens", "max_length", "model_length"))
_BROKEN = frozenset(("abort", "aborted", "error", "cancelled", "canceled"))
_TOOLS = frozenset(("tool_calls", "function_call"))
_FILTERED = frozenset(("content_filter", "safety"))


class Answer:
    """Collects one answer of `server`.

    Attributes:
        done: Whether the server said that nothing follows.
        heard: Whether anything came that could be understood.
    """

    def __init__(self, server: str, model: str) -> None:
        self._server = server
        self._model = model
        self.done = False
        self.heard = False
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._timings: Timings | None = None
        self._prefilled = False
        self._counted = 0
        self._text, self._thinking = Halves(), Halves()
        self._tool = ""

    @property
    def ended(self) -> bool:
        """Whether the server said how it ended; numbers may still follow."""
        return self._finish is not None

    def take(self, frame: Frame) -> list[Said]:
        """What `frame` adds.

        Raises:
            GarbledError: It is nothing that such a server sends.
            ServerError: It reports an error.
        """
        if frame.data == DONE:
            self.done = self.heard = True
            return []
        chunk = read_chunk(frame.data)
        self.heard = True
        if chunk.error or chunk.object == "error" or frame.event == "error":
            raise of_words(self._server, frame.data.decode(errors="replace"), model=self._model)
        said = self._prefill(chunk)
        if running := self._account(chunk):
            self._prefilled = True
            said.append(running)
        for choice in (chunk.choices or [])[:1]:
            said += self._pieces(choice)
        return said

    def final(self, lacking: Problem | None = None) -> Final | None:
        """How it ended, None if the server did not say; `lacking` is what else a person should know.

        Raises:
            ServerError: The server said that it broke the answer off.
        """
        reason = self._finish
        if reason is None and not self.done:
            return None
        if reason in _BROKEN:
            raise broken(self._server, f"it gave {reason!r} as the reason")
        finish, problem = FinishReason.STOP, lacking
        if reason in _CUT:
            finish = FinishReason.LENGTH
        elif reason in _FILTERED:
            finish = FinishReason.BACKEND_ERROR
            problem = Problem(
                ProblemCode.SERVER_REFUSED,
                f"A filter of {self._server} cut this answer.",
                kept="The text so far is kept.",
                remedy="Put the question otherwise, or choose another model.",
            )
        elif reason in _TOOLS or self._tool:
            problem = Problem(
                ProblemCode.NOT_POSSIBLE,
                f"The model wanted to call {self._tool or 'a tool'}, and there are no tools here.",
                remedy="Ask it to answer without tools.",
            )
        return Final(finish=finish, usage=self._usage, timings=self._timings, problem=problem)

    def rest(self) -> list[Said]:
        """Halves of characters whose other half never came."""
        text, thinking = self._text.rest(), self._thinking.rest()
        return [Piece(text, thinking, 0)] if text or thinking else []

    def _prefill(self, chunk: Chunk) -> list[Said]:
        if not (progress := chunk.prompt_progress):
            return []
        self._prefilled = True
        left_s = _left_s(progress)
        return [Prefill(progress.processed, progress.total, progress.cache, left_s)]

    def _account(self, chunk: Chunk) -> Prefill | None:
        """Keep what was counted; the prompt's account once, where nothing told how it was read."""
        if chunk.timings:
            self._timings = chunk.timings.timings()
            self._usage = chunk.timings.usage() or self._usage
        if chunk.usage:
            self._usage = chunk.usage.usage() or self._usage
        if self._prefilled or not self._usage or not self._usage.prompt_tokens or self._counted:
            return None
        prompt, reused = self._usage.prompt_tokens, self._usage.reused_tokens
        return Prefill(prompt, prompt, reused)

    def _pieces(self, choice: Choice) -> list[Said]:
        words = choice.words
        self._finish = choice.finish_reason or self._finish
        for call in words.tool_calls or ([{"function": words.function_call}] if words.function_call else []):
            self._tool = self._tool or _name(call)
        text = self._text.whole(words.content or words.refusal or "")
        thinking = self._thinking.whole(words.thinking)
        if not text and not thinking:
            return []
        return [Piece(text, thinking, self._tokens())]

    def _tokens(self) -> int:
        """Of how many tokens the next piece is: as the server's running count says, else one."""
        running = self._usage.completion_tokens if self._usage else 0
        new = running - self._counted if running else 1
        self._counted = running or self._counted + 1
        return max(0, new)


def _name(call: object) -> str:
    """What a tool is called, out of the first piece of a call."""
    function = call.get("function") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""


def _left_s(progress: Progress) -> float | None:
    """Seconds until the prompt is read, at the speed so far."""
    read = progress.processed - progress.cache
    if read <= 0 or progress.time_ms <= 0:
        return None
    return (progress.total - progress.processed) * progress.time_ms / 1e3 / read
