"""Claims about what is published out of the database: all that a checkpoint covers, nothing beyond, and by policy."""

import errno
import hashlib
import os
from pathlib import Path

import pytest

from ledger import merkle
from ledger.checkpoint import Checkpoint
from ledger.published import database
from ledger.published.blocks import decode_blocks, decode_head
from ledger.published.content import decode
from ledger.published.folder import FolderReader
from ledger.published.policy import LimitedReader, Policy
from ledger.published.reader import NotForYouError, NotPublishedError, Reader
from ledger.section import Privacy
from ledger.tile import Tile, decode_entries, node_reader
from tests.ledger.published.made import Made, everything
from tests.ledger.published.test_paths import HOSTILE


def test_the_tiles_give_the_root_that_the_checkpoint_is_signed_for(made: Made) -> None:
    """Of every log; and the bundles' entries hash to the tiles of level 0."""
    for log in made.world.trust.logs.values():
        reader, root = made.reader(), f"{log.origin}/"
        try:
            checkpoint = log.open(reader.read(root + "checkpoint").decode())
        except NotPublishedError:
            assert log.chain == "trade"
            continue
        read = node_reader(lambda tiles, r=reader, o=root: [r.read(o + tile.path) for tile in tiles], checkpoint.size)  # type: ignore[misc]
        assert merkle.root_from(checkpoint.size, read) == checkpoint.root
        width = min(checkpoint.size, 256)
        entries = decode_entries(reader.read(root + Tile(0, 0, width).path.replace("/0/", "/entries/", 1)), width)
        assert b"".join(map(merkle.leaf_hash, entries)) == reader.read(root + Tile(0, 0, width).path)


def test_every_narrower_partial_tile_is_served_too(made: Made) -> None:
    """A log must serve the partial tiles of each checkpoint that it ever produced (C2SP tlog-tiles)."""
    origin, reader = made.origins["production"], made.reader()
    full = reader.read(f"{origin}/tile/0/000")
    assert all(reader.read(f"{origin}/tile/0/000.p/{width}") == full[: 32 * width] for width in range(1, 256))


def test_nothing_is_served_beyond_the_published_checkpoint(made: Made) -> None:
    """What is sealed, and not in the checkpoint file yet, is nobody's to read."""
    origin, file = made.origins["production"], made.world.folder.checkpoints / "production"
    newest = made.reader().read(f"{origin}/checkpoint").decode()
    size = made.world.trust.log("production").open(newest).size
    older = decode_blocks(made.reader().read(f"{origin}/blocks/000"), 256)[-1]
    before = made.world.trust.log("production").open(older.checkpoint).size
    file.write_text(older.checkpoint)
    try:
        assert decode_head(made.reader().read(f"{origin}/head")) == older
        for path in (f"tile/0/001.p/{size - 256}", f"tile/entries/001.p/{size - 256}", "blocks/001.p/1",
                     f"content/001.p/{before - 256 + 1}"):  # fmt: skip
            with pytest.raises(NotPublishedError):
                made.reader().read(f"{origin}/{path}")
        assert made.reader().read(f"{origin}/tile/0/001.p/{before - 256}")
    finally:
        file.write_text(newest)


@pytest.mark.parametrize("path", HOSTILE)
def test_a_hostile_path_is_not_published(made: Made, path: str, tmp_path: Path) -> None:
    """Neither by the database nor in a folder, nor in one by a policy."""
    folder = FolderReader(tmp_path)
    readers: tuple[Reader, ...] = (made.reader(), folder, LimitedReader(folder, Policy(Privacy.PUBLIC), {}))
    for reader in readers:
        with pytest.raises(NotPublishedError):
            reader.read(path)


@pytest.mark.parametrize(
    "rest", ["tile/0/x999/x999/x999/x999/x999/999", "tile/63/000", "content/x999/x999/000", "tile/1/001"]
)
def test_a_tile_that_the_log_is_too_small_for_is_not_published(made: Made, rest: str) -> None:
    """However large its numbers."""
    with pytest.raises(NotPublishedError):
        made.reader().read(f"{made.origins['production']}/{rest}")


def test_no_private_byte_is_public(made: Made) -> None:
    """A private section's bytes are in nothing that the public may read, though the partners' statements name it."""
    origin = made.origins["production"]
    found = decode(made.reader().read(f"{origin}/content/000"), 256)
    private = [shown.data for item in found for shown in item.sections if shown.privacy == Privacy.PRIVATE]
    assert len(private) > 200
    public = b"".join(everything(made.reader(Privacy.PUBLIC), made.every_path(Privacy.PUBLIC)).values())
    opened = b"".join(
        everything(made.reader(Privacy.PUBLIC, "production"), made.every_path(Privacy.PUBLIC, "production")).values()
    )
    for data in private:
        assert data is not None and data not in public and data not in opened


def test_entries_are_for_whom_the_chain_is_open(made: Made) -> None:
    """The public sees the registry's and the anchor's, and a chain's that the operator opened; partners see all."""
    for chain in ("registry", "anchor", "production", "logistics"):
        path = f"{made.origins[chain]}/tile/entries/000.p/1"
        assert made.reader(Privacy.PARTNERS).read(path) == made.reader().read(path)
        if chain in ("registry", "anchor"):
            assert made.reader(Privacy.PUBLIC).read(path)
        else:
            assert made.reader(Privacy.PUBLIC, chain).read(path)
            for what in (path, path.replace("tile/entries", "content")):
                with pytest.raises(NotForYouError):
                    made.reader(Privacy.PUBLIC).read(what)


@pytest.mark.parametrize("audience", Privacy)
def test_a_policy_over_a_full_reader_is_the_database_s(made: Made, audience: Privacy) -> None:
    """So a folder that holds everything can be served to all."""
    chains = {origin: chain for chain, origin in made.origins.items()}
    limited = LimitedReader(made.reader(), Policy.of(audience, ["logistics"]), chains)
    found = made.every_path(audience, "logistics")
    assert everything(limited, found) == everything(made.reader(audience, "logistics"), found)
    for path in set(made.every_path()) - set(found):
        with pytest.raises(NotForYouError):
            limited.read(path)


def test_an_erased_entry_leaves_its_place(made: Made) -> None:
    """Its length is 0 in the bundle, and its content says what is still known of it."""
    origin = made.origins["production"]
    before = decode_entries(made.reader().read(f"{origin}/tile/entries/000"), 256)
    made.superuser("update entry set data = null where entry_id = (1::bigint << 40) + 3")
    try:
        after = decode_entries(made.reader().read(f"{origin}/tile/entries/000"), 256)
        [held] = [item.held for item in decode(made.reader().read(f"{origin}/content/000"), 256) if item.held]
        assert after == [*before[:3], b"", *before[4:]]
        assert held == (made.press.key.kid, 1, held.stream, 3, 1, hashlib.sha256(before[3]).digest())
    finally:
        made.superuser(f"update entry set data = '\\x{before[3].hex()}' where entry_id = (1::bigint << 40) + 3")


def test_a_lacking_section_is_not_listed_and_a_hidden_one_is_null(made: Made) -> None:
    """Lacking and withheld are two things."""
    origin = made.origins["production"]
    size = Checkpoint.parse(made.reader().read(f"{origin}/checkpoint").decode().partition("\n\n")[0] + "\n").size
    path = f"{origin}/content/001.p/{size - 256}"
    assert [item.sections for item in decode(made.reader().read(path), size - 256)][-1] == ()
    [shown] = decode(made.reader(Privacy.PARTNERS).read(path), size - 256)[0].sections
    assert (shown.line, shown.privacy, shown.data) == (0, Privacy.PRIVATE, None)


def test_a_device_cannot_make_a_file_of_any_size(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections beyond the most that a file of content holds are withheld there."""
    path = f"{made.origins['production']}/content/000"
    whole = decode(made.reader().read(path), 256)
    room = sum(len(shown.data or b"") for item in whole[:100] for shown in item.sections)
    monkeypatch.setattr(database, "CONTENT_BYTES_MAX", room)
    found = decode(made.reader().read(path), 256)
    assert found[:100] == whole[:100]
    assert all(shown.data is None for item in found[100:] for shown in item.sections)


def test_no_link_leads_out_of_a_folder(tmp_path: Path) -> None:
    """Nor does a file that is none keep a reader waiting."""
    secret = tmp_path / "secret"
    secret.write_text("private")
    root = tmp_path / "root" / "example.com"
    root.mkdir(parents=True)
    (root / "checkpoint").symlink_to(secret)
    os.mkfifo(root / "head")
    (root / "loop").symlink_to(root / "loop")
    for path in ("example.com/checkpoint", "example.com/head", "example.com/loop/head"):
        with pytest.raises(NotPublishedError):
            FolderReader(tmp_path / "root").read(path)


@pytest.mark.parametrize(
    ("number", "error"),
    [(errno.ELOOP, NotPublishedError), (errno.ENXIO, NotPublishedError), (errno.EMFILE, OSError), (errno.EIO, OSError)],
)
def test_what_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    """Links in a ring, by any Python, and sockets are no files; what this machine lacks says nothing of them."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(error):
        FolderReader(tmp_path).read("example.com/head")
