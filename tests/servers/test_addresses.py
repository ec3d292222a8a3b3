"""Addresses as people write them lead to where a server's paths begin."""

from __future__ import annotations

import pytest

from tui_chat.backends.servers.link import root_of


@pytest.mark.parametrize(
    ("written", "root"),
    [
        ("http://gpu-box:8000", "http://gpu-box:8000"),
        ("gpu-box:8000/", "http://gpu-box:8000"),
        ("http://gpu-box:8000/v1/", "http://gpu-box:8000"),
        ("http://gpu-box:8000/v1/chat/completions", "http://gpu-box:8000"),
        ("http://localhost:11434/api", "http://localhost:11434"),
        ("https://example.org/api/v1", "https://example.org/api"),
        ("https://example.org/llm/v1", "https://example.org/llm"),
        ("https://me:secret@example.org/v1", "https://example.org"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
    ],
)
def test_the_root_of_an_address(written: str, root: str) -> None:
    assert root_of(written) == root
