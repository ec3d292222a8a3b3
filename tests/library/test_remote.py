"""The header of a model that is still on the server: a few MiB of it read as if all of it were here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library.gguf_maker import text
from tests.library.hub_server import HubServer
from tests.library.package_index import OTHERWISE
from tui_chat.library import download
from tui_chat.library.download import Remote
from tui_chat.library.progress import FetchError
from tui_chat.library.remote import fetch_header
from tui_chat.memory.gguf import GgufError, read_header

FILE = "m.gguf"
MIB = 1 << 20


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    for name in OTHERWISE:
        monkeypatch.delenv(name, raising=False)
    with HubServer({}) as server:
        yield server


def remote(hub: HubServer, content: bytes) -> Remote:
    hub.files[FILE] = content
    return Remote(f"{hub.cdn}/{FILE}", len(content))


def wordy(words: int) -> bytes:
    """A model whose header is large for its vocabulary of `words` words of 56 bytes."""
    import struct

    entries = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("tokenizer.ggml.tokens")
        + struct.pack("<IIQ", 9, 8, words)
        + b"".join(text(f"{number:056}") for number in range(words)),
    ]
    tensors = text("w") + struct.pack("<IQIQ", 1, 5 * MIB, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(entries)) + b"".join(entries) + tensors
    return head + b"\0" * (-len(head) % 32) + b"\0" * (20 * MIB)


def test_header_of_the_real_model_is_the_same_from_afar(hub: HubServer, starter_model: Path) -> None:
    with fetch_header(remote(hub, starter_model.read_bytes()), starter_model.name) as path:
        far, near = read_header(path), read_header(starter_model)
        assert (far.parameters, far.quant, far.trained_context) == (
            near.parameters,
            near.quant,
            near.trained_context,
        )
        assert far.chat_template == near.chat_template
        assert path.stat().st_size == near.size_bytes
        assert path.stat().st_blocks * 512 < 4 * MIB
    assert not path.exists()
    assert hub.ranges == [f"bytes=0-{2 * MIB - 1}"]
    assert hub.sent == 2 * MIB


def test_larger_header_is_fetched_on_from_where_it_stopped(hub: HubServer) -> None:
    with fetch_header(remote(hub, wordy(150_000)), FILE) as path:
        assert read_header(path).parameters == 5 * MIB
    assert hub.ranges == [
        f"bytes=0-{2 * MIB - 1}",
        f"bytes={2 * MIB}-{8 * MIB - 1}",
        f"bytes={8 * MIB}-{24 * MIB - 1}",
    ]


def test_server_without_ranges_is_left_when_it_is_enough(hub: HubServer, starter_model: Path) -> None:
    hub.resumes = False
    with fetch_header(remote(hub, starter_model.read_bytes()), FILE) as path:
        assert read_header(path).architecture == "llama"
    assert hub.sent < starter_model.stat().st_size // 2


def test_small_file_is_fetched_whole(hub: HubServer) -> None:
    content = wordy(10)[: -19 * MIB]
    with pytest.raises(GgufError, match="incomplete"), fetch_header(remote(hub, content), FILE) as path:
        read_header(path)
    assert hub.sent == len(content)


def test_what_is_no_gguf_file_is_refused_at_once(hub: HubServer) -> None:
    with (
        pytest.raises(GgufError, match="not a GGUF file"),
        fetch_header(remote(hub, b"<html>" * 10 * MIB), FILE),
    ):
        pass
    assert hub.sent == 2 * MIB


def test_file_that_ends_in_its_header_is_refused(hub: HubServer) -> None:
    with pytest.raises(GgufError, match="cut short"), fetch_header(remote(hub, wordy(1000)[:9000]), FILE):
        pass


def test_silent_server_is_told(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TRIES", 1)
    hub.cdn_answers = [503]
    with pytest.raises(FetchError, match="answered 503"), fetch_header(remote(hub, wordy(10)), FILE):
        pass
