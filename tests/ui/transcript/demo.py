"""A chat made up for looking at the transcript: `python tests/ui/transcript/demo.py`."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tui_chat.chat.model import FinishReason, Problem, ProblemCode, Timings, Usage
from tui_chat.ui.transcript import AnswerItem, DividerItem, Item, Transcript, UserItem

ANSWER = """\
Mixing is *averaging* in a **perceptual** space. In short:

1. Convert both colours with `to_lab()`
2. Average them
   - weight by coverage
   - clamp to the gamut
3. Convert back

```python
def mix(a: Lab, b: Lab, t: float = 0.5) -> Lab:
    \"\"\"Blend two colours; `t` is how much of `b`.\"\"\"
    return Lab(*(x + (y - x) * t for x, y in zip(a, b)))  # linear
```

| space | uniform | cost |
|-------|:-------:|-----:|
| sRGB  | no      | 1 ns |
| Oklab | yes     | 9 ns |

> Perception is not linear, and 色の混合 is an art.

See [Oklab](https://bottosson.github.io/posts/oklab/) for the numbers.
"""

ITEMS: list[Item] = [
    UserItem(id="u1", time="14:02", text="How should a robot mix two colours?\nPlease show code."),
    AnswerItem(
        id="a1",
        model="SmolLM2-135M",
        branch="‹ 2 of 3 ›",
        text=ANSWER,
        thinking="The user wants to mix colours.\nAveraging sRGB is wrong, so Oklab.",
        finish=FinishReason.STOP,
        usage=Usage(prompt_tokens=5930, completion_tokens=312, reused_tokens=5812),
        timings=Timings(ttft_ms=90, decode_tps=204.4, thinking_ms=3100),
    ),
    DividerItem(id="d1", text="context reset here: 41 earlier messages are kept but no longer sent · u undo"),
    UserItem(id="u2", time="14:05", text="Write a story about it."),
    AnswerItem(
        id="a2",
        model="SmolLM2-135M",
        text="Once upon a time, in a workshop that smelled of oil and linseed",
        finish=FinishReason.CANCELLED,
        usage=Usage(prompt_tokens=40, completion_tokens=14),
        timings=Timings(ttft_ms=110, decode_tps=198.0),
        hint="r retry · e edit · c continue",
    ),
    UserItem(id="u3", time="14:06", text="Go on."),
    AnswerItem(
        id="a3",
        model="SmolLM2-135M",
        text="The robot lifted its brush",
        finish=FinishReason.WORKER_DIED,
        problem=Problem(
            ProblemCode.WORKER_DIED,
            "The worker was killed (out of memory: asked 3.2 GiB, 1.1 GiB free).",
            "Your message and 6 tokens of the answer are kept.",
        ),
        hint="r retry with 8k context · k retry with q8_0 KV · m another model · l log",
    ),
    UserItem(
        id="u4",
        time="14:07",
        text="And what did the other robots say?",
        note="queued · sends when this answer ends",
    ),
]


class Demo(App[None]):
    """The transcript and nothing else."""

    CSS = "#transcript { height: 1fr; }"

    def __init__(self, items: list[Item] | None = None) -> None:
        super().__init__()
        self._items = ITEMS if items is None else items

    def compose(self) -> ComposeResult:
        yield Transcript(id="transcript")

    def on_mount(self) -> None:
        self.transcript.set_items(self._items)
        self.transcript.focus()

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)


if __name__ == "__main__":
    Demo().run()
