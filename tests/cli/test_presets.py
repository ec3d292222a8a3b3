"""Presets from the command line: listed, shown, and used for one question."""

from __future__ import annotations

import json

from tests.homes import Home

GREEDY = '[sampling]\ntemperature = 0\nmax_tokens = 6\nstop = ["END"]\n'


def _keep(home: Home, name: str, text: str) -> None:
    folder = home.config.parent / "presets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


def test_presets_are_listed_shown_and_found(empty_home: Home) -> None:
    _keep(empty_home, "pirate.toml", 'about = "Talks like one"\nsystem = "Arr."\n')
    _keep(empty_home, "torn.toml", "system = \n")
    listed = empty_home.run("presets")
    assert listed.returncode == 0
    assert "pirate     yours     Talks like one" in listed.stdout
    assert "coder      built-in" in listed.stdout
    assert "torn.toml cannot be used" in listed.stderr
    rows = {row["name"]: row for row in json.loads(empty_home.run("presets", "--json").stdout)}
    assert rows["pirate"]["source"] == "yours"
    assert rows["coder"]["sampling"]["temperature"] < 0.5
    assert 'system = "Arr."' in empty_home.run("presets", "show", "Pirate").stdout
    unknown = empty_home.run("presets", "show", "pirat")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "Did you mean pirate?" in unknown.stderr
    folder = empty_home.run("presets", "path").stdout.strip()
    assert rows["pirate"]["file"] == f"{folder}/pirate.toml"


def test_a_question_is_asked_as_the_preset_says_unless_an_argument_does(home: Home) -> None:
    _keep(home, "terse.toml", f'system = "{"Say little. " * 20}"\nmodel = "SmolLM2"\n{GREEDY}')
    plain, told, over = (
        json.loads(home.run("ask", "Tell a long story of the sea.", "--json", *more).stdout)
        for more in (
            ("--temperature", "0", "--max-tokens", "6"),
            ("--preset", "terse"),
            ("--preset", "terse", "--system", "Hm.", "--max-tokens", "2"),
        )
    )
    assert told["seed"] is None, "greedy"
    assert told["usage"]["completion_tokens"] == 6
    assert told["usage"]["prompt_tokens"] > plain["usage"]["prompt_tokens"] + 30
    assert over["usage"]["prompt_tokens"] < plain["usage"]["prompt_tokens"]
    assert over["usage"]["completion_tokens"] == 2
    unknown = home.run("ask", "hi", "--preset", "no-such")
    assert unknown.returncode == 1
    assert "no preset called 'no-such'" in unknown.stderr
