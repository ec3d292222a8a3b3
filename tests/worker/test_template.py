"""Chat templates are foreign code: kept in a sandbox, met half way, and never trusted."""

from __future__ import annotations

import pytest

from tui_chat.backends.llamacpp.worker.template import ChatTemplate, RenderError
from tui_chat.chat.model import Role
from tui_chat.wire.api import Turn

TURNS = (
    Turn(Role.SYSTEM, "Be brief."),
    Turn(Role.USER, "Hi <b>"),
    Turn(Role.USER, "there"),
    Turn(Role.ASSISTANT, "Hello"),
    Turn(Role.USER, "Bye"),
)
STRICT = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('take turns') }}{% endif %}"
    "[{{ m.role }}]{{ m.content }}{% endfor %}"
)


def _render(source: str | None, turns: tuple[Turn, ...] = TURNS) -> str:
    return ChatTemplate(source, "<s>", "</s>").render(turns)[0]


def test_a_template_gets_what_templates_expect() -> None:
    source = (
        "{{ bos_token }}{% for m in messages %}\n    {% if m.role == 'assistant' %}\n"
        "{% generation %}{{ m.content }}{% endgeneration %}{{ eos_token }}"
        "{% continue %}{% endif %}{{ m | tojson }};"
        "{% endfor %}{% if add_generation_prompt %}{{ strftime_now('%Y') | length }}>{% endif %}"
    )
    assert _render(source, TURNS[1:4]) == (
        '<s>{"role": "user", "content": "Hi <b>"};{"role": "user", "content": "there"};Hello</s>4>'
    )


def test_without_a_template_the_conversation_is_chatml_with_its_stops() -> None:
    template = ChatTemplate(None, "<s>", "</s>")
    assert template.render(TURNS[:2])[0] == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi <b><|im_end|>\n<|im_start|>assistant\n"
    )
    assert "<|im_end|>" in template.stops


def test_a_strict_template_gets_system_and_neighbours_merged() -> None:
    assert _render(STRICT) == "<s>[user]Be brief.\n\nHi <b>\n\nthere[assistant]Hello[user]Bye"


def test_a_template_that_drops_the_system_message_gets_it_from_the_user() -> None:
    source = "{% for m in messages if m.role != 'system' %}[{{ m.role }}]{{ m.content }}{% endfor %}"
    assert _render(source, TURNS[:2]) == "[user]Be brief.\n\nHi <b>"


PLAIN = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
THOUGHT = (Turn(Role.USER, "Is it?"), Turn(Role.ASSISTANT, "Yes.", "hm, so"), Turn(Role.USER, "Sure?"))


@pytest.mark.parametrize(
    ("source", "written"),
    [
        (PLAIN, "<think>\nhm, so\n</think>\n\nYes."),
        (PLAIN + "{# [/THINK] #}", "[THINK]hm, so[/THINK]Yes."),
        (
            "{% for m in messages %}[{{ m.role }}]{{ m.content }}"
            "{% if m.reasoning_content %}({{ m.reasoning_content }}){% endif %}{% endfor %}",
            "Yes.(hm, so)",
        ),
        (PLAIN + "{# the model's own choice: reasoning_content is dropped #}", "Yes."),
        (
            "{# <|channel|> <|message|> #}{% for m in messages %}[{{ m.role }}]{{ m.content }}"
            "{% if 'thinking' in m %}({{ m.thinking }}){% endif %}{% endfor %}",
            "Yes.(hm, so)",
        ),
    ],
)
def test_earlier_thinking_is_written_as_the_template_wants_it(source: str, written: str) -> None:
    assert _render(source, THOUGHT) == f"[user]Is it?[assistant]{written}[user]Sure?"


def test_thinking_of_neighbours_is_joined_too_and_none_changes_nothing() -> None:
    source = PLAIN.replace("{{ m.content }}", "{{ m | tojson }}")
    neighbours = (
        Turn(Role.USER, "Hi"),
        Turn(Role.ASSISTANT, "A", "x"),
        Turn(Role.ASSISTANT, "B"),
        Turn(Role.ASSISTANT, "C", "z"),
    )
    strict = STRICT.replace("{{ m.content }}", "{{ m.reasoning_content }}:{{ m.content }}")
    assert _render(strict, neighbours) == "<s>[user]:Hi[assistant]x\n\nz:A\n\nB\n\nC"
    assert _render(source, TURNS[3:4]) == '[assistant]{"role": "assistant", "content": "Hello"}'


@pytest.mark.parametrize(
    "source",
    [
        "{% for %}",
        "{{ raise_exception('not today') }}",
        "{{ messages[99].content.oops }}",
        "{{ 1 / 0 }}",
        "{{ messages.append(1) }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{% include '/etc/passwd' %}",
        "{{ range(10**9) | list }}",
    ],
)
def test_a_failing_or_hostile_template_is_an_error_and_nothing_more(source: str) -> None:
    with pytest.raises(RenderError):
        _render(source)
