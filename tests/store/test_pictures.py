"""Pictures are kept once, proven when they are read, and gone when nothing mentions them any more."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.pictures import gif, png
from tests.store.support import make_session, names
from tui_chat.chat.attachments import Attachment, PictureRef
from tui_chat.chat.model import Message, Role
from tui_chat.chat.pictures import MOST_BYTES, look_at
from tui_chat.store.attaching import AttachError, read_attachment, read_picture
from tui_chat.store.drafts import NEW_CHAT, Drafts
from tui_chat.store.errors import StoreError
from tui_chat.store.pictures import HeldPictures, PictureFolder, PictureGoneError, look_for
from tui_chat.store.search.index import SearchIndex
from tui_chat.store.sessions import SessionStore

NOW = datetime.now(UTC)
SEA, HILL, LAKE, ROAD = (png(4, 3, colour=shade) for shade in range(4))


def ref_of(data: bytes) -> PictureRef:
    ref = look_at(data)
    assert ref is not None
    return ref


def attached(name: str, data: bytes) -> Attachment:
    return Attachment(name, "", len(data), ref_of(data))


def put(folder: PictureFolder, *pictures: bytes, days: float = 0) -> None:
    """Keep pictures, as if that had been some days ago."""
    for data in pictures:
        folder.put(ref_of(data), data)
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder.folder / f"{ref_of(data).sha256}.png", (at, at))


def test_a_picture_is_kept_once_for_its_owner_alone_and_read_as_it_was(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path / "data" / "pictures")
    put(folder, SEA, HILL, days=3)
    (folder.folder / ".x.png.999999999-00000000.tmp").write_bytes(b"of a writer that died")
    folder.put(ref_of(SEA), SEA)
    folder.put(ref_of(gif(2, 1)), gif(2, 1))
    kept = {f"{ref_of(SEA).sha256}.png", f"{ref_of(HILL).sha256}.png", f"{ref_of(gif(2, 1)).sha256}.gif"}
    assert names(folder.folder) == kept
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
    for name in kept:
        assert stat.S_IMODE((folder.folder / name).stat().st_mode) == 0o600
    assert PictureFolder(folder.folder).get(ref_of(SEA)) == SEA
    assert (folder.folder / f"{ref_of(SEA).sha256}.png").stat().st_mtime > NOW.timestamp() - 3600, (
        "it is recent"
    )


def test_what_is_gone_damaged_or_no_picture_of_ours_is_said(tmp_path: Path) -> None:
    folder = PictureFolder(tmp_path / "pictures")
    put(folder, SEA, HILL)
    sea = folder.folder / f"{ref_of(SEA).sha256}.png"
    sea.write_bytes(SEA[:-1])
    with pytest.raises(PictureGoneError, match="is damaged"):
        folder.get(ref_of(SEA))
    assert look_for(folder)(ref_of(SEA)) is None
    folder.put(ref_of(SEA), SEA)
    assert folder.get(ref_of(SEA)) == SEA, "attaching it again mends it"
    sea.unlink()
    with pytest.raises(PictureGoneError, match="is not there any more"):
        folder.get(ref_of(SEA))
    (tmp_path / "secret.png").write_bytes(HILL)
    sea.symlink_to(tmp_path / "secret.png")
    with pytest.raises(PictureGoneError, match="cannot be read"):
        folder.get(ref_of(SEA))
    for foreign in ("../secret", "0" * 63, "0" * 63 + "/", "G" * 64):
        with pytest.raises(PictureGoneError, match="does not say"):
            folder.get(PictureRef("image/png", foreign))
    with pytest.raises(PictureGoneError, match="does not say"):
        folder.get(PictureRef("image/../../x", ref_of(HILL).sha256))
    held = HeldPictures()
    held.put(ref_of(SEA), SEA)
    assert held.get(ref_of(SEA)) == SEA
    with pytest.raises(PictureGoneError, match="another chat"):
        held.get(ref_of(HILL))
    (tmp_path / "file").write_text("where the folder should be")
    with pytest.raises(StoreError, match="Keeping the picture failed"):
        PictureFolder(tmp_path / "file" / "pictures").put(ref_of(SEA), SEA)


def test_a_session_tells_of_its_pictures_and_never_holds_them(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "sessions")
    message = Message("m1", Role.USER, "", NOW, attachments=(attached("sea at dusk.png", SEA),))
    session = msgspec.structs.replace(make_session(), messages=(message,), leaf="m1", queued=(
        Message("m2", Role.USER, "And this?", NOW, attachments=(attached("hill.png", HILL),)),
    ))  # fmt: skip
    store.create(session).close()
    (file,) = (tmp_path / "sessions").glob("*.json")
    assert ref_of(SEA).sha256.encode() in file.read_bytes()
    assert b"IHDR" not in file.read_bytes()
    assert file.stat().st_size < 3000
    with store.open(session.id) as opened:
        assert opened.notices == ()
        assert (opened.session.messages, opened.session.queued) == (session.messages, session.queued)
    hits = SearchIndex(store.folder, tmp_path / "cache").find("dusk", 10)
    assert [(hit.session, hit.message) for hit in hits] == [(session.id, "m1")], "it is found by its name"


def test_purging_takes_the_pictures_that_nothing_else_mentions(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts")
    store = SessionStore(tmp_path / "sessions", drafts=tmp_path / "drafts")

    def keep(id: str, *pictures: bytes) -> None:
        seen = tuple(attached("x.png", data) for data in pictures)
        message = Message("m1", Role.USER, "Look", NOW, attachments=seen)
        session = msgspec.structs.replace(make_session(), id=id, messages=(message,), leaf="m1")
        store.create(session).close()

    def there() -> list[bytes]:
        return [
            data for data in (SEA, HILL, LAKE, ROAD) if look_for(store.pictures)(ref_of(data)) is not None
        ]

    keep("gone", SEA, HILL, LAKE, ROAD)
    keep("stays", HILL)
    drafts.write_attachments(NEW_CHAT, (attached("lake.png", LAKE),))
    put(store.pictures, SEA, HILL, LAKE, days=2)
    put(store.pictures, ROAD)
    (store.pictures.folder / "mine.txt").write_text("no picture")
    os.utime(store.pictures.folder / "mine.txt", (0, 0))
    store.delete("gone")
    store.pictures.sweep(store._mentioning(tmp_path / "drafts"))
    assert there() == [SEA, HILL, LAKE, ROAD], "a session in the trash can come back"
    store.purge("gone")
    assert there() == [HILL, LAKE, ROAD], "another session, a draft, and who has just attached it"
    assert (store.pictures.folder / "mine.txt").exists()
    put(store.pictures, ROAD, days=2)
    SessionStore(store.folder).list()
    assert there() == [HILL, LAKE, ROAD], "who does not know of drafts deletes nothing"
    store.list()
    assert there() == [HILL, LAKE], "once a day they are looked through"
    put(store.pictures, SEA, days=2)
    store.list()
    assert there() == [SEA, HILL, LAKE]
    os.utime(store.pictures.folder / ".looked-through", (0, 0))
    (store.folder / "quarantine").mkdir()
    (store.folder / "quarantine" / "torn.json").write_text(
        f'{{"messages": [{{"sha256": "{ref_of(SEA).sha256}"'
    )
    store.list()
    assert there() == [SEA, HILL, LAKE], "what was set aside may be mended"


def test_files_are_read_as_pictures_by_what_is_in_them(tmp_path: Path) -> None:
    def refused(name: str, data: bytes, why: str) -> None:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(AttachError, match=why):
            read_attachment(tmp_path / name, name)

    (tmp_path / "sea").write_bytes(SEA)
    read = read_attachment(tmp_path / "sea", "sea")
    assert (read.attachment, read.data) == (attached("sea", SEA), SEA)
    assert read_picture(tmp_path / "sea", "sea") == read
    refused("large.png", SEA + bytes(MOST_BYTES), "a picture may have 20,971,520")
    refused("phone.heic", b"\0\0\0\x18ftypheic", "is no PNG, JPEG, GIF, WebP or BMP picture")
    (tmp_path / "BM.txt").write_bytes(b"BM begins a text that is no picture, as one sees.")
    text = read_attachment(tmp_path / "BM.txt", "BM.txt")
    assert (text.attachment.picture, text.data) == (None, b"")
    with pytest.raises(AttachError, match="is no PNG"):
        read_picture(tmp_path / "BM.txt", "BM.txt")
