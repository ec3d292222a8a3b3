"""Choosing how a model is loaded, with the keys of a plain terminal."""

from __future__ import annotations

import json

from tests.e2e.tmux import Tmux
from tests.homes import Home

SETTLED = r"\d+ tok/s · \d"


def test_a_model_is_loaded_as_its_row_says_and_given_back(short_answers: Home) -> None:
    with Tmux(columns=80, rows=24) as chat:
        chat.wait("answers here")
        chat.keys("F2")
        chat.wait("plan: All in RAM with 8k of context")
        chat.keys("Left")
        chat.wait(r"4k ▸ f16.*\n(.*\n)*.*with 4k of context")
        chat.type("[")
        chat.wait("4k ▸ q8_0")
        chat.keys("S-Right")
        chat.wait("4k ▸ f16")
        chat.type("smol")
        chat.wait(r"› smol")
        chat.keys("Enter")
        chat.wait("ctx 4k · all on CPU")
        assert resident(short_answers) == 4096
        chat.type("Name three colours.")
        chat.keys("Enter")
        chat.wait(SETTLED)
        assert resident(short_answers) == 4096
        chat.keys("F7")
        chat.wait(r"● SmolLM2.*ready(.*\n)+.*ctx 4k")
        chat.keys("u")
        chat.wait("No model is in memory")
        chat.keys("F7")
        chat.wait_gone("all on CPU")
        assert resident(short_answers) == 0
        chat.keys("C-q")
        chat.wait_exit()


def resident(home: Home) -> int:
    """The context of the model in memory, 0 without one, as the command line tells it."""
    (model,) = json.loads(home.run("models", "--json").stdout)
    return int(model["context"]) if model["state"] == "ready" else 0
