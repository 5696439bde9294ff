"""Claims about one bit: turned over anywhere, in the database or in what is published, it is found and named first.

Each line of the table is one bit of one thing, as it lies in the database and as it lies in an export folder; what a
lying operator signs anew, with his own keys, comes after it. All are audited in one process and in several.
"""

import functools
import http.server
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

import tallystick
from deploy.postgres import Postgres
from ledger import merkle
from ledger.audit.database import DatabaseSource
from ledger.audit.published import PublishedAt
from ledger.audit.report import Report
from ledger.audit.rows import EntryRow
from ledger.audit.walk import audit
from ledger.database import connect
from ledger.errors import OutsideError
from ledger.published.database import DatabaseReader
from ledger.published.export import export
from ledger.published.policy import Policy
from ledger.receipt import Answer, Receipt
from ledger.section import Privacy
from ledger.statement import TELEMETRY
from tests.ledger.audit.rogue import Rogue
from tests.ledger.audit.test_audit import _make as make_ledger
from tests.ledger.audit.test_audit import entry_id, flip
from tests.world import World

Tamper = Callable[[psycopg.Connection], object]


@dataclass(frozen=True)
class Ledger:
    """A ledger in its database, and all of it in a folder."""

    world: World
    folder: Path
    rows: dict[str, list[EntryRow]]

    def path(self, chain: str, rest: str, folder: Path | None = None) -> Path:
        """A chain's file, full or partial."""
        below = (folder or self.folder) / self.world.trust.log(chain).origin
        full = below / rest
        return full if full.is_file() else next(iter(sorted(below.glob(f"{rest}.p/*"))))


@pytest.fixture(scope="module")
def ledger(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One for all tests, which leave no trace in it."""
    dsn = postgres_server.create_database("test_tampering")
    with World(dsn, tmp_path_factory.mktemp("tampering") / "ledger") as world:
        make_ledger(world)
        folder = tmp_path_factory.mktemp("export")
        exported(world, folder)
        with connect(dsn) as connection:
            source = DatabaseSource(connection, world.folder)
            rows = {chain: list(source.entries(chain)) for chain in ("production", "registry", "anchor")}
        yield Ledger(world, folder, rows)
    postgres_server.drop_database("test_tampering")


def exported(world: World, folder: Path) -> None:
    """All that the ledger publishes to those who may see everything."""
    with connect(world.dsn, autocommit=True) as connection:
        export(DatabaseReader(connection, world.folder), world.trust, folder, Policy.of(Privacy.PRIVATE, ()))


def in_database(ledger: Ledger, tamper: Tamper) -> Report:
    """What an audit of the database finds after `tamper`."""
    with connect(ledger.world.dsn, role=None) as connection:
        tamper(connection)
        source = DatabaseSource(connection, ledger.world.folder, snapshot=False)
        report = audit(source, ledger.world.trust)
        connection.rollback()
    return report


def at_location(ledger: Ledger, location: str | Path) -> Report:
    """What an audit of what is published finds."""
    with PublishedAt(str(location), ledger.world.trust).open() as source:
        return audit(source, ledger.world.trust)


def spoilt(ledger: Ledger, folder: Path, bit: "Bit") -> Path:
    """A copy of the folder with the bit turned over."""
    shutil.copytree(ledger.folder, folder, dirs_exist_ok=True)
    path = ledger.path(bit.chain, bit.file, folder)
    data = bytearray(path.read_bytes())
    data[bit.place(ledger, bytes(data))] ^= 1
    path.write_bytes(data)
    return folder


@dataclass(frozen=True)
class Bit:
    """One bit: how it is turned over in the database, and in which file of a folder, where; and what is told."""

    told: str
    database: Tamper | None
    chain: str
    file: str
    place: Callable[[Ledger, bytes], int]
    told_of_folder: str = ""  # if it is told otherwise there


def at(offset: int) -> Callable[[Ledger, bytes], int]:
    """At a byte of the file; from its end if it is negative."""
    return lambda ledger, data: offset % len(data)


def entry(index: int, offset: int, chain: str = "production") -> Callable[[Ledger, bytes], int]:
    """At a byte of an entry."""
    return lambda ledger, data: data.index(ledger.rows[chain][index].data or b"-") + offset


def section(index: int, offset: int, chain: str = "production") -> Callable[[Ledger, bytes], int]:
    """At a byte of an entry's first section; before it if that is negative."""
    return lambda ledger, data: data.index(ledger.rows[chain][index].sections[0].data or b"-") + offset


def of(index: int, chain: str = "production") -> str:
    """SQL for one entry."""
    return f"entry_id = {entry_id(index, chain)}"


def checkpoint(old: str, new: str, height: int) -> Tamper:
    """Change a block's checkpoint."""
    query = "update block set checkpoint = replace(checkpoint, %s, %s) where chain_id = 1 and height = %s"
    return lambda connection: connection.execute(query, [old, new, height])


def after(text: bytes, more: int = 0) -> Callable[[Ledger, bytes], int]:
    """Behind some bytes of the file."""
    return lambda ledger, data: data.index(text) + len(text) + more


def header(text: bytes, more: int = 0) -> Tamper:
    """Turn a bit of block 1's header over, behind some bytes of it."""
    place = "position(%s in header) - 1 + %s"
    query = f"update block set header = set_byte(header, {place}, get_byte(header, {place}) # 1) where {BLOCK_1}"
    where = [text, len(text) + more]
    return lambda connection: connection.execute(query.encode(), [*where, *where])


BLOCK_1 = "chain_id = 1 and height = 1"
BITS: dict[str, Bit] = {
    # entries: production, 307 of them
    "an entry's protected header": Bit(
        "production, entry 17: its bytes do not give the statement hash", flip("entry", "data", of(17), 10),
        "production", "tile/entries/000", entry(17, 10), "production, entry 17: its bytes do not give the leaf hash",
    ),
    "an entry's time": Bit(
        "production, entry 17: its bytes do not give", flip("entry", "data", of(17), 195),
        "production", "tile/entries/000", entry(17, 195), "production, entry 17: its bytes do not give the leaf hash",
    ),
    "an entry's manifest": Bit(
        "production, entry 300: its bytes do not give", flip("entry", "data", of(300), 270),
        "production", "tile/entries/001", entry(300, 270),
    ),
    "an entry's signature": Bit(
        "production, entry 255: its bytes do not give", flip("entry", "data", of(255), 320),
        "production", "tile/entries/000", entry(255, 320),
    ),
    "an entry's length": Bit(
        "production, entry 0: its bytes do not give", flip("entry", "data", of(0), 1),
        "production", "tile/entries/000", at(1), "production, entry 0, block 0: it is missing, and so are all",
    ),
    # hashes
    "a leaf hash in a full tile": Bit(
        "production, entry 7: its bytes do not give the leaf hash", flip("entry", "leaf_hash", of(7), 5),
        "production", "tile/0/000", at(7 * 32 + 5),
    ),
    "a leaf hash in a partial tile": Bit(
        "production, entry 260: its bytes do not give the leaf hash", flip("entry", "leaf_hash", of(260), 31),
        "production", "tile/0/001", at(4 * 32 + 31),
    ),
    "a hash of a tile": Bit(
        "production, block 3: tile 0/0: hash 3 is not what the entries give", flip("tile", "hashes", "true", 100),
        "production", "tile/0/000", at(100), "production, entry 3: its bytes do not give the leaf hash",
    ),
    "a hash on level 1": Bit(
        "production, block 3: tile 0/0: the root stored with it", flip("tile", "root", "true", 3),
        "production", "tile/1/000", at(3), "tile/1/000.p/1: hash 0 is not the root of the tile below",
    ),
    "a statement hash": Bit(
        "production, entry 17: its bytes do not give the statement hash", flip("entry", "statement_hash", of(17)),
        "production", "tile/entries/000", entry(18, 225), "production, entry 18: ",
    ),
    # sections
    "a section's salt": Bit(
        "production, entry 17: section 0: it is not the one that the manifest", flip("section", "data", of(17), 5),
        "production", "content/000", section(17, 5),
    ),
    "a section's body": Bit(
        "production, entry 300: section 0: it is not the one that the manifest", flip("section", "data", of(300), 40),
        "production", "content/001", section(300, 40),
    ),
    "a section's privacy": Bit(
        "production, entry 17: section 0: its privacy or content format",
        lambda connection: connection.execute(f"update section set privacy = 0 where {of(17)}".encode()),
        "production", "content/000", section(17, -5),
    ),
    "a section's content format": Bit(
        "production, entry 17: section 0: its privacy or content format",
        lambda connection: connection.execute(f"update section set content_format = 113 where {of(17)}".encode()),
        "production", "content/000", section(17, -3),
    ),
    "a section's line": Bit(
        "production, entry 17: section 1: the manifest has no such line",
        lambda connection: connection.execute(f"update section set line = 1 where {of(17)}".encode()),
        "production", "content/000", section(17, -6),
    ),
    # headers
    "a header's size": Bit(
        "production, block 1: its columns are stored otherwise",
        lambda connection: connection.execute(f"update block set size = size # 1 where {BLOCK_1}".encode()),
        "production", "blocks/000", after(b"\x64size", 1), "production, block 0: ",
    ),
    "a header's root": Bit(
        "production, block 1: its columns are stored otherwise", flip("block", "header", BLOCK_1, 50),
        "production", "blocks/000", after(b"\x64root", 9), "production, block 0: its root is not the one",
    ),
    "a header's prev": Bit(
        "production, block 1: its prev is not the hash of the header before", flip("block", "header", BLOCK_1, 20),
        "production", "blocks/000", after(b"\x64prev", 9), "production, block 0: its header cannot be read",
    ),
    "a header's registry state": Bit(
        "production, block 1: the registry root that it names is not", header(b"\x68registry", 12),
        "production", "blocks/000", after(b"\x68registry", 12), "production, block 0: the registry root that it names",
    ),
    "a header's origin": Bit(
        "production, block 1: it is a block of 'example.com/tallystick/productioo'", header(b"/production", -1),
        "production", "blocks/000", after(b"/production", -1), "production, block 0: it is a block of",
    ),
    "a header's time": Bit(
        "production, block 1: its columns are stored otherwise",
        lambda connection: connection.execute(f"update block set time_ms = time_ms # 1 where {BLOCK_1}".encode()),
        "production", "blocks/000", after(b"\x67time_ms", 8), "production, block 1: its prev is not the hash",
    ),
    # checkpoints
    "a checkpoint's size": Bit(
        "production, block 1: its checkpoint does not hold: bad signature", checkpoint("152", "153", 1),
        "production", "blocks/000", after(b"production\n52"), "production, block 0: its checkpoint does not hold",
    ),
    "a checkpoint's origin": Bit(
        "production, block 1: its checkpoint does not hold", checkpoint("production\n", "productioo\n", 1),
        "production", "blocks/000", after(b"production\n", -2), "production, block 0: its checkpoint does not hold",
    ),
    "a block's checkpoint's signature": Bit(
        "production, block 6: its checkpoint does not hold",
        lambda connection: connection.execute(
            b"update block set checkpoint = overlay(checkpoint placing 'A' from length(checkpoint) - 9 for 1)"
            b" where chain_id = 1 and height = 6"
        ),
        "production", "blocks/000", at(-10),
    ),
    "the head": Bit(
        "", None,
        "production", "head", after(b"\x64root", 9), "production/head: ",
    ),
    "the published checkpoint": Bit(
        "", None,
        "production", "checkpoint", after(b"production\n"), "production: its published checkpoint does not hold",
    ),
    # the registry and the anchor
    "the genesis": Bit(
        "registry, entry 0: its bytes do not give", flip("entry", "data", of(0, "registry"), 200),
        "registry", "tile/entries/000", entry(0, 200, "registry"),
    ),
    "a registry entry": Bit(
        "registry, entry 2: its bytes do not give", flip("entry", "data", of(2, "registry"), 200),
        "registry", "tile/entries/000", entry(2, 200, "registry"),
    ),
    "what a registry entry says": Bit(
        "registry, entry 2: section 0: it is not the one", flip("section", "data", of(2, "registry"), 30),
        "registry", "content/000", section(2, 30, "registry"),
    ),
    "an anchor entry": Bit(
        "anchor, entry 1: its bytes do not give", flip("entry", "data", of(1, "anchor"), 40),
        "anchor", "tile/entries/000", entry(1, 40, "anchor"),
    ),
    "the anchor's kind": Bit(
        "anchor, entry 1: its bytes do not give", flip("entry", "data", of(1, "anchor"), 1),
        "anchor", "tile/entries/000", entry(1, 1, "anchor"),
    ),
    "where a header is anchored": Bit(
        "anchor, entry [0-9]+: it holds block 1 of 'production', which is not said to be here",
        lambda connection: connection.execute(f"update anchored set height = height # 8 where {BLOCK_1}".encode()),
        "anchor", "tile/0/000", at(40), "anchor, entry 1: its bytes do not give the leaf hash",
    ),
    "a block of the anchor": Bit(
        "anchor, block 0: its columns are stored otherwise",
        flip("block", "root", "chain_id = 5 and height = 0", 3),
        "anchor", "blocks/000", after(b"\x64root", 9), "anchor, block 0: its root is not the one",
    ),
}  # fmt: skip
assert len(BITS) >= 30


def first(report: Report) -> str:
    """The first thing that is told to be wrong."""
    assert not report.ok
    return str(report.problems[0])


@pytest.mark.parametrize("what", [what for what, bit in BITS.items() if bit.database])
def test_a_bit_in_the_database_is_found_and_named_first(what: str, ledger: Ledger) -> None:
    """With its chain, its entry or block, and what is wrong with it."""
    bit = BITS[what]
    assert bit.database is not None
    assert re.match(bit.told, first(in_database(ledger, bit.database)))


@pytest.mark.parametrize("what", BITS)
def test_a_bit_in_a_folder_is_found_and_named_first(what: str, ledger: Ledger, tmp_path: Path) -> None:
    """The same, of what is published."""
    bit = BITS[what]
    assert re.search(bit.told_of_folder or bit.told, first(at_location(ledger, spoilt(ledger, tmp_path, bit))))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder behind a static server."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


OVER_HTTP = ("an entry's time", "a hash on level 1", "a header's root", "the published checkpoint", "the genesis")


@pytest.mark.parametrize("what", OVER_HTTP)
def test_a_bit_is_found_over_http_too(what: str, ledger: Ledger, tmp_path: Path) -> None:
    """The verdict is the folder's, to the word."""
    pytest.importorskip("ledger.published.http")
    expected = at_location(ledger, spoilt(ledger, tmp_path, BITS[what])).document
    with served(tmp_path) as address:
        assert at_location(ledger, address).document == expected


def test_one_verdict_from_everywhere(ledger: Ledger) -> None:
    """From the database, from an export and over HTTP: the same document, to the last count."""
    expected = in_database(ledger, lambda connection: None).document
    assert expected["ok"]
    assert at_location(ledger, ledger.folder).document == expected
    pytest.importorskip("ledger.published.http")
    with served(ledger.folder) as address:
        assert at_location(ledger, address).document == expected


def test_the_command_reads_a_folder(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    """By the operator's trust file, which has to be named: what is published cannot vouch for itself."""
    command = ["ledger", "audit", str(ledger.folder), "--json"]
    assert tallystick.run(command) == 1
    assert "what is published cannot vouch for itself" in capsys.readouterr().err
    assert tallystick.run([*command, "--trust", str(ledger.world.folder.trust_file)]) == 0
    assert json.loads(capsys.readouterr().out) == in_database(ledger, lambda connection: None).document


# A lying operator: all that he signs and anchors anew holds by itself


def _swapped(rogue: Rogue) -> None:
    one = rogue.next()
    rogue.press.heads["production", TELEMETRY] = one
    rogue.seal(rogue.next(), one)


def _revoked(rogue: Rogue) -> None:
    rogue.world.operator_says({"type": "revocation", "kid": rogue.press.key.kid, "reason": "stolen"})
    rogue.seal(rogue.next())


def _another_state(rogue: Rogue) -> None:
    size, root = rogue.registry_state()
    rogue.seal(rogue.next(), registry=(size, bytes([root[0] ^ 1]) + root[1:]))


def _resigned(rogue: Rogue) -> None:
    said = rogue.next()
    rogue.seal(replace(said, signature=said.signature[:-1] + bytes([said.signature[-1] ^ 1])))


LIES: dict[str, tuple[Callable[[Rogue], None], str]] = {
    "order in a stream": (_swapped, "production, entry 2: stream [0-9a-f]{16}: seq 3 follows seq 1"),
    "a revoked key": (_revoked, "production, entry 2: its key was revoked by registry entry 3"),
    "a registry state that never was": (_another_state, "production, block 1: the registry root that it names is not"),
    "a signature": (_resigned, "production, entry 2: the signature"),
}


@pytest.mark.parametrize("what", LIES)
def test_a_lie_that_is_signed_anew_is_found_and_named_first(what: str, rogue: Rogue, tmp_path: Path) -> None:
    """In the database, and in what is exported of it."""
    lie, told = LIES[what]
    lie(rogue)
    ledger = Ledger(rogue.world, tmp_path / "export", {})
    exported(rogue.world, ledger.folder)
    assert re.match(told, first(in_database(ledger, lambda connection: None)))
    assert re.match(told, first(at_location(ledger, ledger.folder)))


# A receipt


def test_no_bit_of_a_receipt_can_be_turned_over(rogue: Rogue) -> None:
    """It is what a device holds against the ledger."""
    world = rogue.world
    device = world.register_device("receipted")
    statement = world.publish(device, device.readings(1.0))
    answers = [Answer.decode(one.payload) for one in world.tick() if "receipt" in one.topic]
    data = next(answer.receipt for answer in answers if answer.receipt)
    log, leaf = world.trust.log("production"), merkle.leaf_hash(statement.encode())
    Receipt.decode(data).verify(log.public_key, leaf=leaf)
    for bit in range(0, len(data) * 8, 3):
        spoilt = bytearray(data)
        spoilt[bit // 8] ^= 1 << bit % 8
        with pytest.raises(OutsideError):
            Receipt.decode(bytes(spoilt)).verify(log.public_key, leaf=leaf)


def test_a_receipt_against_another_history(rogue: Rogue) -> None:
    """An operator who drops what he gave a receipt for shows a checkpoint that an audit of his ledger contradicts."""
    world, dropped = rogue.world, "delete from {} where {}"
    with connect(world.dsn, role=None, autocommit=True) as connection:
        for table, where in (("block", "chain_id = 1"), ("entry", "entry_id = 1::bigint << 40 | 1")):
            connection.execute(dropped.format(table, where).encode())
    ledger = Ledger(world, Path(), {})
    told = first(in_database(ledger, lambda connection: None))
    assert told == "production: 2 entries were published, and 0 are here: was a backup restored?"
