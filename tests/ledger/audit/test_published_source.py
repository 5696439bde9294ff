"""Claims about the audit of what is published: the database's verdict, and each thing wrong is found and named."""

from collections.abc import Callable

import pytest

from ledger.audit.database import DatabaseSource
from ledger.audit.published_source import PublishedSource
from ledger.audit.report import Report
from ledger.audit.walk import audit
from ledger.published.log import PublishedLog
from ledger.registry import ANCHOR
from ledger.section import Privacy
from ledger.tile import Tile
from tests.ledger.published.made import Copy, Made, everything

SAME = ("entries", "blocks", "signatures", "tiles", "streams", "sections", "lacking", "withheld", "unanchored")


@pytest.fixture(scope="module")
def files(made: Made) -> dict[str, bytes]:
    """Everything, as it is published."""
    return everything(made.reader(), made.every_path())


def _database(made: Made) -> Report:
    made.connection.autocommit = False
    report = audit(DatabaseSource(made.connection, made.world.folder), made.world.trust)
    made.connection.rollback()
    made.connection.autocommit = True
    return report


def test_the_verdict_is_the_database_s(made: Made, files: dict[str, bytes]) -> None:
    """All counts of all chains, at the audience that may see everything; by the reader, and by a copy of all files."""
    expected = _database(made).document
    assert expected["ok"]
    for reader in (made.reader(), Copy(files)):
        assert audit(PublishedSource(reader, made.world.trust), made.world.trust).document == expected


def test_the_public_audits_all_but_what_is_withheld(made: Made) -> None:
    """Trees, tiles, blocks, headers, the anchor and the registry: what is not shown is counted, and is no problem."""
    full = audit(PublishedSource(made.reader(), made.world.trust), made.world.trust)
    public = audit(PublishedSource(made.reader(Privacy.PUBLIC), made.world.trust), made.world.trust)
    assert public.ok, public.problems
    for chain, findings in public.chains.items():
        for name in ("entries", "blocks", "tiles", "unanchored"):
            assert findings.counts[name] == full.chains[chain].counts[name]
        if chain in ("registry", ANCHOR):
            assert findings.counts == full.chains[chain].counts
        else:
            assert findings.counts["withheld"] == findings.counts["entries"]
            assert findings.counts["signatures"] == findings.counts["blocks"]


def test_partners_see_every_statement_and_no_private_section(made: Made) -> None:
    """Every signature is checked; private sections are withheld."""
    full = audit(PublishedSource(made.reader(), made.world.trust), made.world.trust)
    partners = audit(PublishedSource(made.reader(Privacy.PARTNERS), made.world.trust), made.world.trust)
    assert partners.ok and partners.count("signatures") == full.count("signatures")
    private = partners.count("sections") - partners.count("withheld")
    assert 0 < private < full.count("sections") and not full.count("withheld")


def test_an_erased_entry_is_withheld_and_its_stream_goes_on(made: Made) -> None:
    """As out of the database."""
    with made.connection.transaction(force_rollback=True):
        made.connection.execute("reset role")
        made.connection.execute("update entry set data = null where entry_id = (1::bigint << 40) + 3")
        expected = audit(DatabaseSource(made.connection, made.world.folder, snapshot=False), made.world.trust)
        found = audit(PublishedSource(made.reader(), made.world.trust), made.world.trust)
    assert expected.ok and expected.count("withheld") == 1
    assert found.document == expected.document


def _file(made: Made, chain: str, rest: str) -> str:
    return f"{made.origins[chain]}/{rest}"


SPOILT: tuple[tuple[str, str, int, str], ...] = (
    ("production", "tile/0/000", 32 * 7, "production, entry 7: its bytes do not give the leaf hash"),
    ("production", "tile/0/001", 0, "production, entry 256: its bytes do not give the leaf hash"),
    ("production", "tile/1/000", 5, "tile/1/000.p/1: hash 0 is not the root of the tile below"),
    ("production", "tile/entries/000", 200, "production, entry 0: "),
    ("production", "tile/entries/000", 0, "tile/entries/000: the entry bundle does not end"),
    ("production", "content/000", 40, "production, entry 0: section 0: "),
    ("production", "blocks/000", 200, "production, block 0: "),
    ("production", "blocks/001", 50, "production, block 256: "),
    ("production", "checkpoint", 60, "production: its published checkpoint does not hold"),
    ("production", "head", 100, "production/head: "),
    ("anchor", "tile/entries/000", 60, "anchor, entry 0: "),
    ("registry", "tile/entries/000", 300, "registry, entry 0: "),
)


@pytest.mark.parametrize(("chain", "rest", "at", "told"), SPOILT)
def test_one_bit_is_found_and_named(
    made: Made, files: dict[str, bytes], chain: str, rest: str, at: int, told: str
) -> None:
    """In a tile full or partial, an entry, a section, a block, a checkpoint, the head, the anchor, the registry."""
    copy = Copy(dict(files))
    path = next(path for path in files if path.startswith(_file(made, chain, rest)))
    copy.flip(path, at)
    report = audit(PublishedSource(copy, made.world.trust), made.world.trust)
    assert not report.ok
    assert any(told in str(problem) for problem in report.problems), [str(problem) for problem in report.problems]


@pytest.mark.parametrize("kind", ["tile/0/000", "tile/entries/001", "blocks/000", "content/000", "checkpoint", "head"])
@pytest.mark.parametrize(
    "spoil",
    [lambda data: None, lambda data: b"", lambda data: data[:-1], lambda data: b"<html>", lambda data: data * 2],
)
def test_a_file_that_is_gone_or_garbage_is_a_problem(
    made: Made, files: dict[str, bytes], kind: str, spoil: Callable[[bytes], bytes | None]
) -> None:
    """And the audit goes to its end."""
    copy = Copy(dict(files))
    path = next(path for path in files if path.startswith(_file(made, "production", kind)))
    spoilt = spoil(copy.files.pop(path))
    if spoilt is not None:
        copy.files[path] = spoilt
    report = audit(PublishedSource(copy, made.world.trust), made.world.trust)
    assert not report.ok
    assert set(report.chains) == set(made.world.trust.logs)


def test_a_full_tile_stands_in_for_a_partial_one(made: Made, files: dict[str, bytes]) -> None:
    """A log may delete the partial one then (C2SP tlog-tiles): whoever holds an older checkpoint reads on."""
    log = PublishedLog(Copy(files), made.world.trust.log("production"))
    path = _file(made, "production", "tile/0/000")
    assert _file(made, "production", "tile/0/000.p/9") not in files
    assert log.tiles([Tile(0, 0, 9)]) == [files[path][: 9 * 32]]
    assert len(log.entries(0, 9)) == len(log.content(0, 9)) == len(log.blocks(0, 9)) == 9
