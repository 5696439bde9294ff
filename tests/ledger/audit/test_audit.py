"""Claims about the audit: a true ledger passes, and each thing that was tampered with is found and named.

Tampering is done as the database's superuser, in a transaction that is audited and then rolled back.
"""

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

import tallystick
from deploy.postgres import Postgres
from ledger import anchor, message, note
from ledger.audit.database import DatabaseSource
from ledger.audit.report import PROBLEMS_KEPT, Report
from ledger.audit.walk import audit
from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.log import Log
from ledger.registry import ANCHOR, REGISTRY, Role
from ledger.seal import NewEntry
from ledger.statement import TELEMETRY, Statement
from ledger.terminal import Progress
from ledger.trust.trust_file import Trust
from tests.ledger.audit.rogue import Rogue
from tests.world import Device, World, event, opening

EPC = "https://id.gs1.org/01/09506000134352/21/A1"
CHAINS = {name: number for number, name in enumerate(("production", "logistics", "trade", "registry", "anchor"), 1)}


def entry_id(index: int, chain: str = "production") -> int:
    """The row id of an entry."""
    return (CHAINS[chain] << 40) | index


@dataclass(frozen=True, slots=True)
class Made:
    """A ledger in which everything occurs: full tiles, two chains, a new stream, a revoked key, lacking sections."""

    world: World
    press: Device
    guest: Device
    lacking: int

    def audit(
        self,
        tamper: Callable[[psycopg.Connection], object] = lambda connection: None,
        *,
        folder: LedgerFolder | None = None,
        trust: Trust | None = None,
    ) -> Report:
        """What an audit finds after `tamper`, which leaves no trace."""
        with connect(self.world.dsn, role=None) as connection:
            tamper(connection)
            source = DatabaseSource(connection, folder or self.world.folder, snapshot=False)
            report = audit(source, trust or self.world.trust)
            connection.rollback()
        return report


@pytest.fixture(scope="module")
def made(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """One ledger for all tests that leave no trace in it."""
    dsn = postgres_server.create_database("test_audit")
    with World(dsn, tmp_path_factory.mktemp("audit") / "ledger") as world:
        yield _make(world)
    postgres_server.drop_database("test_audit")


def _make(world: World) -> Made:
    press = world.register_device("press-1", chains=("production", "logistics"))
    for number in range(300):
        world.publish(press, press.readings(20.0 + number))
        if number % 100 == 50:
            world.tick()
    world.tick()
    guest = world.register_device("guest")
    world.publish(guest, event(EPC), guest.readings(1.0))
    world.publish(press, event(EPC), chain="logistics")
    world.tick()
    world.reopen(press, "restored")
    world.publish(press, press.readings(2.0))
    lacking = _publish_without_sections(world, press)
    world.operator_says({"type": "revocation", "kid": guest.key.kid, "reason": "it left"})
    world.publish(press, press.readings(3.0))
    world.tick()
    return Made(world, press, guest, lacking)


def _publish_without_sections(world: World, device: Device) -> int:
    """A statement of which no section arrives; returns its index."""
    signed, _ = world.sign(device, [device.readings(9.0)], tally=device.next_tally("production", TELEMETRY))
    device.heads["production", TELEMETRY] = signed
    world.send(device.name, message.encode(signed.encode(), [None]))
    world.tick()
    with connect(world.dsn) as connection:
        row = connection.execute("select max(entry_id) from entry where entry_id < %s", [entry_id(0, "logistics")])
        [index] = row.fetchone() or (0,)
    return int(index) & (2**40 - 1)


# What is true


def test_a_true_ledger_passes(made: Made) -> None:
    """Nothing is wrong, and everything is counted: a signature for each statement and each checkpoint."""
    report = made.audit()
    assert report.ok and report.problems == [] and report.notes == []
    production = report.chains["production"].counts
    assert production["entries"] == 301 + 2 + 4 and production["tiles"] == 1 and production["streams"] == 3
    assert production["signatures"] == production["entries"] + production["blocks"]
    assert (production["lacking"], production["withheld"]) == (1, 0)
    assert report.chains["trade"].counts["blocks"] == 0
    anchored = sum(report.chains[name].counts["blocks"] for name in CHAINS if name != ANCHOR)
    assert report.chains[ANCHOR].counts["entries"] == anchored
    assert report.count("unanchored") == 0


def test_an_empty_ledger_passes(postgres_dsn: str, tmp_path: Path) -> None:
    """A ledger that has its genesis and nothing else, not even an anchor, is right."""
    with World(postgres_dsn, tmp_path / "ledger") as world, connect(postgres_dsn) as connection:
        report = audit(DatabaseSource(connection, world.folder), world.trust)
    assert report.ok and report.count("entries") == 1 and report.count("unanchored") == 1


def test_erased_content_is_withheld_and_no_problem(made: Made) -> None:
    """A statement or a section may be erased: hashes, proofs and the next link still hold."""

    def erase(connection: psycopg.Connection) -> None:
        connection.execute("update entry set data = null where entry_id in (%s, %s)", [entry_id(7), entry_id(8)])
        connection.execute("update section set data = null where entry_id = %s", [entry_id(9)])

    report = made.audit(erase)
    assert report.ok and report.chains["production"].counts["withheld"] == 3


def test_sections_that_never_came_are_lacking_and_no_problem(made: Made) -> None:
    """A manifest line without a section is counted."""
    report = made.audit(lambda c: c.execute("delete from section where entry_id = %s", [entry_id(9)]))
    assert report.ok and report.chains["production"].counts["lacking"] == 2


def test_a_clock_that_goes_back_is_noted(postgres_dsn: str, tmp_path: Path) -> None:
    """A block's time is a claim: when it goes back, that is worth a look and no failure."""
    with World(postgres_dsn, tmp_path / "ledger") as world, connect(postgres_dsn) as connection:
        press = world.register_device("press-1")
        for ms in (1000, -400):
            world.publish(press, press.readings(1.0))
            world.tick(ms)
        report = audit(DatabaseSource(connection, world.folder), world.trust)
    assert report.ok
    assert [str(found) for found in report.notes if found.chain == "production"] == [
        "production, block 1: its time lies 400 ms before that of the block before"
    ]


def test_a_stream_without_an_opening_is_noted(postgres_dsn: str, tmp_path: Path) -> None:
    """What seq 0 says is content, and content fails no audit."""
    with World(postgres_dsn, tmp_path / "ledger") as world, connect(postgres_dsn) as connection:
        press = world.register_device("press-1")
        _, payload = world.sign(press, [press.readings(1.0)], tally=press.next_tally("production", TELEMETRY))
        world.send("press-1", payload)
        world.tick()
        report = audit(DatabaseSource(connection, world.folder), world.trust)
    assert report.ok
    assert [str(found) for found in report.notes] == ["production, entry 0: it opens a stream and does not say why"]


def test_blocks_that_are_not_anchored_yet_are_counted(postgres_dsn: str, tmp_path: Path) -> None:
    """The anchor may lag behind."""
    with World(postgres_dsn, tmp_path / "ledger") as world, connect(postgres_dsn) as connection:
        press = world.register_device("press-1")
        world.publish(press, press.readings(1.0))
        world.tick(anchored=False)
        report = audit(DatabaseSource(connection, world.folder), world.trust)
        assert report.ok and report.count("unanchored") == 1


def test_the_database_may_be_ahead_of_what_is_published(made: Made, tmp_path: Path) -> None:
    """A writer commits before it publishes: an older checkpoint of the same history is right."""
    folder = copy_of(made, tmp_path)
    with connect(made.world.dsn) as connection:
        row = connection.execute("select checkpoint from block where chain_id = 1 and height = 1").fetchone()
    assert row is not None
    (folder.checkpoints / "production").write_text(row[0])
    assert made.audit(folder=folder).ok


# One value changed


def flip(table: str, column: str, where: str, at: int = 0) -> Callable[[psycopg.Connection], object]:
    """Flip a bit of a value of bytes."""
    query = f"update {table} set {column} = set_byte({column}, {at}, get_byte({column}, {at}) # 1) where {where}"
    return lambda connection: connection.execute(query.encode())


def run(*queries: str) -> Callable[[psycopg.Connection], object]:
    """Run SQL."""

    def tamper(connection: psycopg.Connection) -> None:
        for query in queries:
            assert connection.execute(query.encode()).rowcount > 0, query

    return tamper


AT_17, AT_18 = f"entry_id = {entry_id(17)}", f"entry_id = {entry_id(18)}"
LAST = entry_id(306)

TAMPERED: dict[str, tuple[str, Callable[[psycopg.Connection], object]]] = {
    # entries
    "an entry's bytes": (
        "production, entry 17: its bytes do not give the statement hash", flip("entry", "data", AT_17, 200)
    ),
    "an entry's signature": (
        "production, entry 17: its bytes do not give the statement hash", flip("entry", "data", AT_17, -1 + 300)
    ),
    "an entry's leaf hash": (
        "production, entry 17: its bytes do not give the leaf hash", flip("entry", "leaf_hash", AT_17)
    ),
    "an entry's statement hash": (
        "production, entry 17: its bytes do not give the statement hash", flip("entry", "statement_hash", AT_17)
    ),
    "an entry's seq": (
        "production, entry 306: its stream, seq or number of lines",
        run(f"update entry set seq = seq + 1 where entry_id = {LAST}"),
    ),
    "an entry's number of lines": (
        "production, entry 17: its stream, seq or number of lines", run(f"update entry set lines = 2 where {AT_17}")
    ),
    "an entry's stream": (
        "production, entry 17: its stream, seq or number of lines",
        run(f"update entry set stream_id = null, seq = null where {AT_17}"),
    ),
    "a stream's key": (
        "production, entry 0: its stream, seq or number of lines", flip("stream", "kid", "chain_id = 1")
    ),
    "a stream's chain": (
        "production, entry 0: its stream, seq or number of lines",
        run("update stream set chain_id = 3 where chain_id = 1"),
    ),
    "an erased entry's leaf hash": (
        "production, block 0: its root is not the one that the entries give",
        run(f"update entry set data = null, leaf_hash = '\\x00' where {AT_17}"),
    ),
    "an erased entry's statement hash": (
        "production, entry 18: stream [0-9a-f]{16}: seq 18 does not name seq 17 as the one before",
        run(f"update entry set data = null, statement_hash = leaf_hash where {AT_17}"),
    ),
    "two entries swapped": (
        "production, entry 17: stream [0-9a-f]{16}: seq 18 follows seq 16",
        run(
            f"update entry set entry_id = -1 where {AT_17}",
            f"update entry set entry_id = {entry_id(17)} where {AT_18}",
            f"update entry set entry_id = {entry_id(18)} where entry_id = -1",
        ),
    ),
    "an entry gone": ("production, entry 17, block 0: it is missing", run(f"delete from entry where {AT_17}")),
    "many entries gone": (
        "production, entry 17, block 0: it is missing, and so are all to 29",
        run(f"delete from entry where entry_id between {entry_id(17)} and {entry_id(29)}"),
    ),
    "the last entry gone": (
        "production, entry 306, block 6: it is missing", run(f"delete from entry where entry_id = {LAST}")
    ),
    "an entry too many": (
        "production, entry 307: it is in no block, and so is all that follows",
        run(
            f"""insert into entry (entry_id, lines, statement_hash, leaf_hash, data)
                select {LAST + 1}, lines, statement_hash, leaf_hash, data from entry where {AT_17}"""
        ),
    ),
    "an entry of no chain": (
        "^entry 5 of chain number 9 belongs to no chain",
        run(
            f"""insert into entry (entry_id, lines, statement_hash, leaf_hash, data)
                select {(9 << 40) | 5}, lines, statement_hash, leaf_hash, data from entry where {AT_17}"""
        ),
    ),
    "an entry in another chain": (
        "logistics, entry 2: it is in no block",
        run(f"update entry set entry_id = {entry_id(2, 'logistics')} where entry_id = {LAST}"),
    ),
    # sections
    "a section": (
        "production, entry 17: section 0: it is not the one that the manifest names", flip("section", "data", AT_17, 20)
    ),
    "a section of another entry": (
        "production, entry 17: section 0: it is not the one",
        run(f"update section set data = (select data from section where {AT_18}) where {AT_17}"),
    ),
    "a section's privacy": (
        "production, entry 17: section 0: its privacy or content format",
        run(f"update section set privacy = 0 where {AT_17}"),
    ),
    "a section's content format": (
        "production, entry 17: section 0: its privacy or content format",
        run(f"update section set content_format = 60 where {AT_17}"),
    ),
    "a section's line": (
        "production, entry 17: section 5: the manifest has no such line",
        run(f"update section set line = 5 where {AT_17}"),
    ),
    "a section of no entry": (
        "^section 0 of entry 999 of 'production' belongs to no entry",
        run(f"update section set entry_id = {entry_id(999)} where {AT_17}"),
    ),
    "a section of the registry": (
        "registry, entry 2: section 0: it is not the one",
        flip("section", "data", f"entry_id = {entry_id(2, 'registry')}", 30),
    ),
    # tiles
    "a tile": (
        "production, block 3: tile 0/0: hash 3 is not what the entries give", flip("tile", "hashes", "true", 100)
    ),
    "a tile's root": ("production, block 3: tile 0/0: the root stored with it", flip("tile", "root", "true")),
    "a tile cut short": (
        "production, block 3: tile 0/0: hash 255 is not", run("update tile set hashes = substr(hashes, 1, 8160)")
    ),
    "a tile gone": ("production, block 3: tile 0/0 is missing", run("delete from tile")),
    "a tile too many": (
        "production: 1 tiles are stored that the tree has not",
        run("insert into tile select chain_id, level, 1, hashes, root from tile"),
    ),
    "a tile of no chain": (
        "tile 0/0 of chain number 9 belongs to no chain",
        run("insert into tile select 9, level, index, hashes, root from tile"),
    ),
    # blocks
    "a header's root": (
        "production, block 1: its columns are stored otherwise than its header says",
        flip("block", "header", "chain_id = 1 and height = 1", 50),
    ),
    "a header's prev": (
        "production, block 1: its prev is not the hash of the header before",
        flip("block", "header", "chain_id = 1 and height = 1", 20),
    ),
    "a block's root": (
        "production, block 1: its columns are stored otherwise", flip("block", "root", "chain_id = 1 and height = 1")
    ),
    "a block's size": (
        "production, block 6: its columns are stored otherwise",
        run("update block set size = size + 1 where chain_id = 1 and height = 6"),
    ),
    "a block's first": (
        "production, block 1: its columns are stored otherwise",
        run("update block set first = 0 where chain_id = 1 and height = 1"),
    ),
    "a block's height": (
        "production, block 7: its columns are stored otherwise",
        run("update block set height = 7 where chain_id = 1 and height = 6"),
    ),
    "a block's time": (
        "production, block 1: its columns are stored otherwise",
        run("update block set time_ms = 0 where chain_id = 1 and height = 1"),
    ),
    "a header that is none": (
        "production, block 1: its header cannot be read",
        run("update block set header = '\\x00' where chain_id = 1 and height = 1"),
    ),
    "a block gone": (
        "production, block 2: it follows block 0: block 1 is not there",
        run("delete from block where chain_id = 1 and height = 1"),
    ),
    "the first block gone": (
        "production, block 1: it follows block -1: block 0 is not there",
        run("delete from block where chain_id = 1 and height = 0"),
    ),
    "the last block gone": (
        "production: 307 entries were published, and 306 are here: was a backup restored",
        run("delete from block where chain_id = 1 and height = 6"),
    ),
    "a block of no chain": (
        "block 77 of chain number 9 belongs to no chain",
        run(
            """insert into block (chain_id, height, first, size, root, header, checkpoint, time_ms)
               select 9, 77, first, size, root, header, checkpoint, time_ms from block
                where chain_id = 1 and height = 1"""
        ),
    ),
    "a stream of no entries": (
        "stream row [0-9]+ has no entries",
        run("insert into stream (chain_id, kid, lane, stream) values (1, '\\x00', 0, '\\x00')"),
    ),
    # checkpoints
    "a checkpoint's text": (
        "production, block 1: its checkpoint does not hold: bad signature",
        run("update block set checkpoint = replace(checkpoint, '152', '153') where chain_id = 1 and height = 1"),
    ),
    "a checkpoint of another block": (
        "production, block 1: its checkpoint is signed for another size or root",
        run(
            """update block set checkpoint = (select checkpoint from block where chain_id = 1 and height = 0)
                where chain_id = 1 and height = 1"""
        ),
    ),
    "a checkpoint of another chain": (
        "production, block 1: its checkpoint does not hold: no known key",
        run(
            """update block set checkpoint = (select checkpoint from block where chain_id = 2 and height = 0)
                where chain_id = 1 and height = 1"""
        ),
    ),
    # the anchor
    "an anchored row gone": (
        "anchor, entry [0-9]+: it holds block 1 of 'production', which is not said to be here",
        run("delete from anchored where chain_id = 1 and height = 1"),
    ),
    "an anchored row too many": (
        "anchor, entry 999: block 99 of 'production' is said to be here, and is not",
        run("insert into anchored values (1, 99, 999)"),
    ),
    "an anchored row at another height": (
        "anchor, entry [0-9]+: it holds block 6 of 'production', which is not said to be here",
        run("update anchored set height = 7 where chain_id = 1 and height = 6"),
    ),
    "an anchored row at another index": (
        "anchor, entry [0-9]+: it holds block 6 of 'production', which is not said to be here",
        run("update anchored set anchor_index = 999 where chain_id = 1 and height = 6"),
    ),
    "an anchored row of another chain": (
        "anchor, entry [0-9]+: it holds block 6 of 'production', which is not said to be here",
        run("update anchored set chain_id = 3 where chain_id = 1 and height = 6"),
    ),
    "an anchor entry erased": (
        "anchor, entry 1: it is no entry of an anchor",
        run(f"update entry set data = null where entry_id = {entry_id(1, 'anchor')}"),
    ),
    "an anchor entry's bytes": (
        "anchor, entry 1: its bytes do not give the statement hash",
        flip("entry", "data", f"entry_id = {entry_id(1, 'anchor')}", 40),
    ),
    "an anchor entry in a stream": (
        "anchor, entry 1: the anchor's entries have neither streams nor sections",
        run(f"update entry set lines = 1 where entry_id = {entry_id(1, 'anchor')}"),
    ),
    # the registry
    "a registry entry's bytes": (
        "registry, entry 2: its bytes do not give",
        flip("entry", "data", f"entry_id = {entry_id(2, 'registry')}", 200),
    ),
    "the genesis": (
        "registry, entry 0: it is not the genesis that the trust file pins",
        flip("entry", "data", f"entry_id = {entry_id(0, 'registry')}", 200),
    ),
    "a registration without its section": (
        "production, entry 0: its key [0-9a-f]{16}… is not registered",
        run(f"delete from section where entry_id = {entry_id(2, 'registry')}"),
    ),
    # the chains
    "a chain's origin": (
        "the chain 'trade' has the origin 'x', not the trust file's",
        run("update chain set origin = 'x' where name = 'trade'"),
    ),
    "a chain's name": (
        "the chain 'other' is not in the trust file", run("update chain set name = 'other' where name = 'trade'")
    ),
    "a chain gone": ("the chain 'trade' of the trust file is not there", run("delete from chain where name = 'trade'")),
    "a chain too many": (
        "the chain 'more' is not in the trust file", run("insert into chain values (9, 'more', 'x', 'trade')")
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_is_found_and_named(what: str, made: Made) -> None:
    """One change anywhere in the database is a problem, told with its place."""
    complaint, tamper = TAMPERED[what]
    report = made.audit(tamper)
    assert not report.ok
    told = [str(problem) for problem in report.problems]
    assert any(_matches(complaint, problem) for problem in told), told


def _matches(complaint: str, problem: str) -> bool:
    return re.search(complaint, problem) is not None


FIRST = (
    "an entry's bytes", "an entry's seq", "two entries swapped", "an entry gone", "a section", "a tile",
    "a header's root", "a block gone", "a checkpoint's text", "a registry entry's bytes",
)  # fmt: skip


@pytest.mark.parametrize("what", FIRST)
def test_the_first_thing_wrong_is_told_first(what: str, made: Made) -> None:
    """What only follows from it comes after."""
    complaint, tamper = TAMPERED[what]
    assert _matches(complaint, str(made.audit(tamper).problems[0]))


def test_one_wrong_leaf_is_no_flood(made: Made) -> None:
    """What follows from a wrong leaf is told once: its hashes, its link, its tile, its block's root."""
    report = made.audit(TAMPERED["an entry's bytes"][1])
    assert report.count("problems") <= 6
    assert {problem.chain for problem in report.problems} == {"production"}


def test_all_is_counted_and_the_first_are_told(made: Made) -> None:
    """A chain where everything is wrong is audited to its end."""
    report = made.audit(run(f"update section set privacy = 1 where entry_id < {entry_id(0, 'logistics')}"))
    findings = report.chains["production"]
    assert findings.counts["problems"] > 300 and len(findings.problems) == PROBLEMS_KEPT
    assert findings.counts["entries"] == 307


def every_byte_column() -> list[tuple[str, str, str]]:
    """Table, key and column of every value of bytes that the ledger keeps."""
    return [
        ("entry", "entry_id", "data"),
        ("entry", "entry_id", "leaf_hash"),
        ("entry", "entry_id", "statement_hash"),
        ("section", "entry_id", "data"),
        ("tile", "level", "hashes"),
        ("tile", "level", "root"),
        ("block", "(chain_id, height)", "header"),
        ("block", "(chain_id, height)", "root"),
        ("stream", "stream_id", "kid"),
        ("stream", "stream_id", "stream"),
    ]


@pytest.mark.parametrize(("table", "key", "column"), every_byte_column())
def test_no_bit_of_any_row_can_be_flipped(table: str, key: str, column: str, made: Made) -> None:
    """Ten rows of each table, each with a bit flipped somewhere: every one is found."""
    with connect(made.world.dsn, role=None) as connection:
        query = f"select ctid::text, octet_length({column}) from {table} order by {key}"
        rows = connection.execute(query.encode()).fetchall()
    for number, (ctid, length) in enumerate(rows[:: max(1, len(rows) // 10)]):
        report = made.audit(flip(table, column, f"ctid = '{ctid}'", (number * 37) % length))
        assert not report.ok, (table, column, ctid)


# Published checkpoints and the trust file


def copy_of(made: Made, tmp_path: Path) -> LedgerFolder:
    """The ledger's folder, for spoiling."""
    shutil.copytree(made.world.folder.path, tmp_path / "copy")
    return LedgerFolder(tmp_path / "copy")


def signed(made: Made, chain: str, size: int, root: bytes, *, key: SigningKey | None = None) -> str:
    """A checkpoint of a chain that its log never gave."""
    origin = made.world.trust.log(chain).origin
    return note.sign(
        Checkpoint(origin, size, root).text, [note.Signer(origin, key or made.world.folder.log_key(chain))]
    )


PUBLISHED: dict[str, tuple[str, Callable[[Made], str | bytes | None]]] = {
    "spoiled": (
        "production: its published checkpoint does not hold: bad signature",
        lambda m: (m.world.folder.checkpoints / "production").read_text().replace("307", "309"),
    ),
    "no text": ("production: its published checkpoint does not hold", lambda m: b"\xff\xfe"),
    "another chain's": (
        "production: its published checkpoint does not hold: no known key",
        lambda m: (m.world.folder.checkpoints / "registry").read_text(),
    ),
    "another root": (
        "production, block 6: the checkpoint published for 307 entries is not this history's",
        lambda m: signed(m, "production", 307, bytes(32)),
    ),
    "no block's size": (
        "production, block 1: the checkpoint published for 100 entries is not this history's",
        lambda m: signed(m, "production", 100, bytes(32)),
    ),
    "ahead": (
        "production: 400 entries were published, and 307 are here: was a backup restored",
        lambda m: signed(m, "production", 400, bytes(32)),
    ),
    "gone": ("production: none of its checkpoints was ever published", lambda m: None),
}  # fmt: skip


@pytest.mark.parametrize("what", PUBLISHED)
def test_the_published_checkpoint_is_of_this_history(what: str, made: Made, tmp_path: Path) -> None:
    """The file beside the database is held against it."""
    complaint, make = PUBLISHED[what]
    folder, text = copy_of(made, tmp_path), make(made)
    path = folder.checkpoints / "production"
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert [_matches(complaint, str(problem)) for problem in made.audit(folder=folder).problems] == [True]


def test_another_trust_file_is_another_ledger(made: Made) -> None:
    """The genesis and the log keys are the trust file's to say."""
    trust = made.world.trust
    report = made.audit(trust=Trust(trust.name, bytes(32), trust.logs))
    assert [str(p) for p in report.problems] == ["registry, entry 0: it is not the genesis that the trust file pins"]
    other = Log("trade", note.Verifier(trust.log("trade").origin, SigningKey.generate().public))
    report = made.audit(trust=Trust(trust.name, trust.genesis, {**trust.logs, "trade": other}))
    assert [str(p) for p in report.problems] == [
        "registry, entry 0: the genesis names other logs or keys than the trust file"
    ]
    other = Log("production", note.Verifier(trust.log("production").origin, SigningKey.generate().public))
    report = made.audit(trust=Trust(trust.name, trust.genesis, {**trust.logs, "production": other}))
    assert any("block 0: its checkpoint does not hold: no known key" in str(p) for p in report.problems)


# An operator who lies with his own keys: all signatures and roots are right, and yet


def test_a_revoked_key_cannot_be_used(rogue: Rogue) -> None:
    """Its statement names the registry entry that revoked it."""
    rogue.world.operator_says({"type": "revocation", "kid": rogue.press.key.kid, "reason": "stolen"})
    rogue.seal(rogue.next())
    assert rogue.problems() == ["production, entry 2: its key was revoked by registry entry 3"]


def test_the_registry_state_cannot_go_back(rogue: Rogue) -> None:
    """Not even to one in which the key was still good."""
    earlier = rogue.registry_state()
    rogue.world.operator_says({"type": "suspension", "kid": rogue.press.key.kid, "reason": "a test"})
    rogue.world.register_device("press-2")
    between = replace(rogue.next(), signature=bytes(64))
    rogue.seal(between)  # moves the chain's state on
    rogue.press.heads["production", TELEMETRY] = between
    rogue.seal(rogue.next(), registry=earlier)
    problems = rogue.problems()
    assert "production, block 2: its registry state goes back, from 5 entries to 3" in problems


def test_a_registry_state_that_never_was_is_found(rogue: Rogue) -> None:
    """The root that a header names is the registry's at that size."""
    size, _ = rogue.registry_state()
    rogue.seal(rogue.next(), registry=(size, bytes(32)))
    complaint = f"the registry root that it names is not the registry's at {size} entries"
    assert rogue.problems() == [f"production, block 1: {complaint}"]


def test_a_registry_state_to_come_is_found(rogue: Rogue) -> None:
    """A header cannot name what the registry has not."""
    rogue.seal(rogue.next(), registry=(99, bytes(32)))
    assert "production, block 1: it names a registry of 99 entries, of which there are 3" in rogue.problems()
    assert any("names a registry state that is not anchored before it" in problem for problem in rogue.problems())


def test_the_registry_is_not_judged_by_itself(rogue: Rogue) -> None:
    """A registry block names a state before its own first entry."""
    signed, _ = rogue.world.sign(
        rogue.press, [opening()], tally=rogue.press.next_tally("registry", 0), chain="registry"
    )
    rogue.seal(signed, chain=REGISTRY, registry=(4, bytes(32)))
    assert "registry, block 2: it is judged by entries of its own" in rogue.problems()


def test_another_chains_statement_is_found(rogue: Rogue) -> None:
    """Nobody replays a statement into another chain."""
    with connect(rogue.world.dsn) as connection:
        row = connection.execute("select data from entry where entry_id = %s", [entry_id(0)]).fetchone()
    assert row is not None
    rogue.seal(Statement.decode(bytes(row[0])), chain="trade")
    assert rogue.problems() == [
        "trade, entry 0: it is addressed to 'example.com/tallystick/production', not to 'example.com/tallystick/trade'"
    ]


def test_a_chain_that_the_key_is_not_for_is_found(rogue: Rogue) -> None:
    """A device speaks on the chains that it was registered for."""
    device = rogue.press
    statement, _ = rogue.world.sign(device, [opening()], tally=device.next_tally("trade", TELEMETRY), chain="trade")
    rogue.seal(statement, chain="trade")
    assert rogue.problems() == ["trade, entry 0: its key is not registered for the chain 'trade'"]


def test_speaking_for_a_neighbour_is_found(rogue: Rogue) -> None:
    """iss and sub are the registry's for the key."""
    neighbour = replace(rogue.press, urn="urn:uuid:6f0a3ab5-6d37-4c4c-8d8f-000000000000")
    rogue.seal(rogue.next(neighbour))
    assert [problem.partition(",")[2][:28] for problem in rogue.problems()] == [" entry 2: it speaks as 'urn:"]


def test_a_key_that_was_never_registered_is_found(rogue: Rogue) -> None:
    """Whoever signs is registered before."""
    stranger = Device("stranger")
    statement, _ = rogue.world.sign(stranger, [opening()], tally=stranger.next_tally("production", TELEMETRY))
    rogue.seal(statement)
    assert rogue.problems() == [f"production, entry 2: its key {stranger.key.kid.hex()[:16]}… is not registered"]


def test_a_forged_signature_is_found(rogue: Rogue) -> None:
    """A statement that its device did not sign."""
    rogue.seal(replace(rogue.next(), issued_at=1))
    assert rogue.problems() == ["production, entry 2: the signature does not hold"]


def test_a_statement_sealed_twice_is_found(rogue: Rogue) -> None:
    """A repeat is no next link."""
    statement = rogue.next()
    rogue.world.send("press-1", b"")
    rogue.seal(statement)
    rogue.world.close()
    with connect(rogue.world.dsn, role=None) as connection:
        connection.execute("drop index tallystick.entry_stream_seq")
    rogue.seal(statement)
    stream = statement.tally.stream.hex()
    assert rogue.problems() == [f"production, entry 3: stream {stream}: seq 2 follows seq 2"]


def test_a_hole_in_a_stream_is_found(rogue: Rogue) -> None:
    """A stream in the ledger has no holes."""
    rogue.press.heads["production", TELEMETRY] = rogue.next()
    rogue.seal(rogue.next())
    assert [problem.rpartition(": ")[2] for problem in rogue.problems()] == ["seq 3 follows seq 1"]


def test_a_stream_that_begins_in_its_middle_is_found(rogue: Rogue) -> None:
    """A stream begins at seq 0."""
    tally = rogue.next().tally._replace(stream=bytes(8))
    statement, _ = rogue.world.sign(rogue.press, [rogue.press.readings(1.0)], tally=tally)
    rogue.seal(statement)
    assert [problem.rpartition(": ")[2] for problem in rogue.problems()] == ["it begins at seq 2"]


def test_a_link_to_another_statement_is_found(rogue: Rogue) -> None:
    """prev is the hash of the link before."""
    tally = rogue.next().tally._replace(prev=bytes([1]) * 32)
    statement, _ = rogue.world.sign(rogue.press, [rogue.press.readings(1.0)], tally=tally)
    rogue.seal(statement)
    told = [problem.rpartition(": ")[2] for problem in rogue.problems()]
    assert told == ["seq 2 does not name seq 1 as the one before"]


def test_a_closed_stream_stays_closed(rogue: Rogue) -> None:
    """Opening a stream closes its lane's earlier one for ever."""
    late = rogue.next()
    rogue.world.reopen(rogue.press, "lost")
    rogue.world.tick()
    rogue.seal(late)
    [problem] = rogue.problems()
    assert "goes on with seq 2 after stream" in problem and problem.endswith("has closed it")


def test_what_is_no_statement_is_found(rogue: Rogue) -> None:
    """An entry of a chain is a statement in its one encoding."""
    writer = rogue.world.writer("trade")
    stream = (bytes(32), 0, bytes(8))
    writer.seal([NewEntry(b"anything", stream, 0, 0)], now_ms=0, registry=rogue.registry_state())
    writer.close()
    assert rogue.problems() == ["trade, entry 0: it is no statement: not a tagged COSE_Sign1"]


def seal_anchor(rogue: Rogue, *headers: bytes) -> None:
    """Append to the anchor what its writer never would."""
    writer = rogue.world.writer(ANCHOR)
    entries = [NewEntry(anchor.encode(anchor.Kind.HEADER, header)) for header in headers]
    writer.seal(entries, now_ms=rogue.world.now_ms, registry=rogue.registry_state())
    writer.close()


def last_header(rogue: Rogue, chain: str) -> Header:
    """The header of a chain's newest block."""
    with connect(rogue.world.dsn) as connection:
        row = connection.execute(
            "select header from block where chain_id = %s order by height desc limit 1", [CHAINS[chain]]
        ).fetchone()
    assert row is not None
    return Header.decode(bytes(row[0]))


def test_a_header_anchored_twice_is_found(rogue: Rogue) -> None:
    """Every header is in the anchor once."""
    seal_anchor(rogue, last_header(rogue, "production").encode())
    assert any("block 0 is anchored again" in p or "has no such block" in p for p in rogue.problems())


def test_a_header_anchored_out_of_order_is_found(rogue: Rogue) -> None:
    """Headers are anchored in the order of their chain."""
    press = rogue.press
    for _ in range(2):
        rogue.world.publish(press, press.readings(1.0))
        rogue.world.tick(anchored=False)
    newest = last_header(rogue, "production")
    seal_anchor(rogue, newest.encode())
    assert any("block 2 is anchored where block 1 should be" in problem for problem in rogue.problems())


def test_another_header_than_the_chains_is_found(rogue: Rogue) -> None:
    """The anchor holds the very header: two histories under one height cannot both be the chain's."""
    rogue.world.publish(rogue.press, rogue.press.readings(1.0))
    rogue.world.tick(anchored=False)
    other = replace(last_header(rogue, "production"), time_ms=1)
    seal_anchor(rogue, other.encode())
    assert any("block 1 is anchored with another header than the chain has" in p for p in rogue.problems())


def test_a_strangers_header_is_found(rogue: Rogue) -> None:
    """The anchor holds the headers of this ledger's chains."""
    seal_anchor(rogue, replace(last_header(rogue, "production"), origin="elsewhere").encode())
    assert any("a block of 'elsewhere', which is no chain of this ledger" in problem for problem in rogue.problems())


def test_the_registry_is_anchored_first(rogue: Rogue) -> None:
    """A header that names a registry state stands behind that state."""
    rogue.world.post(Role.OPERATOR, {"type": "organisation", "uri": "https://farm.example.com", "name": "Farm"})
    rogue.world.publish(rogue.press, rogue.press.readings(1.0))
    rogue.world.tick(anchored=False)
    seal_anchor(rogue, last_header(rogue, "production").encode())
    told = rogue.problems()
    assert any("names a registry state that is not anchored before it" in problem for problem in told), told


# The command


@pytest.fixture
def data(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the ledger in it, and the environment that names it."""
    shutil.copytree(made.world.folder.path, tmp_path / "ledger")
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", made.world.dsn)
    return tmp_path


def test_the_command_tells_what_it_counted(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, a line a chain, and no progress where nobody looks."""
    assert tallystick.run(["ledger", "audit"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "production   307 entries, 7 blocks" in told.out and "all is as it should be" in told.out


def test_the_command_in_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object, and exit 0."""
    assert tallystick.run(["ledger", "audit", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is True and report["problems"] == []
    assert report["chains"]["production"]["entries"] == 307
    assert report["entries"] == sum(chain["entries"] for chain in report["chains"].values())
    assert {"blocks", "signatures"} <= report.keys()


def test_the_command_fails_on_a_problem(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 with an error and a hint; the same in JSON, as one object."""
    (data / "ledger" / "checkpoints" / "production").write_text("nothing")
    assert tallystick.run(["ledger", "audit"]) == 1
    told = capsys.readouterr()
    assert "WRONG: production: its published checkpoint does not hold" in told.out
    assert "tallystick: error: the audit found 1 problems; the first: production:" in told.err
    assert "tallystick: hint: " in told.err
    assert tallystick.run(["ledger", "audit", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False and report["problems"][0]["chain"] == "production"


def test_an_audit_writes_nothing_and_sees_one_moment(made: Made) -> None:
    """Its transaction is read only, and what is sealed meanwhile is not in it."""
    with connect(made.world.dsn) as connection:
        source = DatabaseSource(connection, made.world.folder)
        row = connection.execute(
            "select current_setting('transaction_isolation'), current_setting('transaction_read_only')"
        ).fetchone()
        assert row == ("repeatable read", "on")
        assert audit(source, made.world.trust).ok


def test_progress_is_told(made: Made) -> None:
    """Whoever asks hears of each range of entries: how many are done, of how many."""
    heard = list[tuple[str, int, int]]()
    with connect(made.world.dsn) as connection:
        audit(DatabaseSource(connection, made.world.folder), made.world.trust, tell=lambda *at: heard.append(at))
    assert ("production", 307, 307) in heard and heard[0][0] == "registry"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_and_leaves_no_trace() -> None:
    """One line that is written over, and wiped at the end; with its rate and the time left once they are known."""
    terminal, file, times = _Terminal(), io.StringIO(), iter((0.0, 0.1, 2.0, 0.0, 0.1, 2.0))
    for stream in (terminal, file):
        with Progress(stream, clock=lambda: next(times)) as progress:
            progress("production", 1000, 4_000_000)
            progress("production", 1001, 4_000_000)
            progress("production", 41_000, 4_000_000)
    assert terminal.getvalue() == (
        "\r\x1b[Kproduction: 1,000 of 4,000,000 entries, 0 %"
        "\r\x1b[Kproduction: 41,000 of 4,000,000 entries, 1 %, 20,000/s, 3 min 18 s left"
        "\r\x1b[K"
    )
    assert file.getvalue() == ""
