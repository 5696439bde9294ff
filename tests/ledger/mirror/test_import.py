"""Claims about a ledger whose operator is gone: a mirror fills a database, and that proves and shows all by itself."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from labels.gs1 import DigitalLink
from labels.judgement import Standing
from labels.pages.resolve import Resolver
from ledger.database import connect
from ledger.folder import LedgerFolder
from ledger.mirror import fill
from tests import commands
from tests.labels.story import Story, make_story
from tests.running import serving
from tests.world import World

# What a gateway wrote, without the ids that each database draws for itself.
_TABLES = {
    "chain": "chain_id, name, origin, kind from chain",
    "entry": """entry_id, kid, lane, stream, seq, lines, statement_hash, leaf_hash, data
                  from entry left join stream using (stream_id)""",
    "section": "entry_id, line, privacy, content_format, data from section",
    "tile": "chain_id, level, index, hashes, root from tile",
    "block": "chain_id, height, first, size, root, header, checkpoint, time_ms from block",
    "anchored": "chain_id, height, anchor_index from anchored",
    "reading": """ts, d.urn, d.name, m.name, m.unit, value, quality, entry_id, section
                    from reading join device d using (device_id) join metric m using (metric_id)""",
    "reading_other": """ts, d.urn, m.name, text, boolean, bytes, quality, entry_id, section
                          from reading_other join device d using (device_id) join metric m using (metric_id)""",
    "event": "entry_id, section, ts, type, action, biz_step, read_point, document::text from event",
    "event_item": "uri, entry_id, section, role, is_public from event_item",
    "finding": "entry_id, section, reason, about from finding",
    "label_batch": "entry_id, gtin, lot, size, root from label_batch",
}


def rows(dsn: str) -> dict[str, list[tuple[object, ...]]]:
    """All that is in the tables."""
    with connect(dsn) as connection:
        return {
            table: sorted(connection.execute(f"select {what}").fetchall(), key=repr) for table, what in _TABLES.items()
        }


def _run(*args: str | Path, code: int = 0) -> str:
    done = commands.run(*args)
    assert done.code == code, done
    return done.out + done.err


def _serving(*args: str | Path) -> AbstractContextManager[str]:
    return serving("ledger", "serve", *map(str, args))


@pytest.fixture
def told(fresh_database: Callable[[], str], tmp_path: Path) -> Iterator[Story]:
    """The demo's story: a lot is made, packed, shipped and received."""
    story = make_story(fresh_database(), tmp_path / "operator" / "ledger")
    story.tell()
    story.world.tick()
    yield story
    story.world.close()


def test_when_the_operator_is_gone(told: Story, fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """Served, mirrored over HTTP, imported: what the tables hold, a bundle and a product's history are the same."""
    operator, mirror, own, dsn = tmp_path / "operator", tmp_path / "mirror", tmp_path / "own", fresh_database()
    (operator / "ledger" / "tokens.json").write_text(json.dumps({"private": "a-token-of-some-length"}))
    (tmp_path / "token").write_text("a-token-of-some-length\n")
    (tmp_path / "trust.json").write_text(told.world.trust.text)
    with _serving("--data", operator, "--dsn", told.world.dsn) as address:
        given = ("--trust", tmp_path / "trust.json", "--token-file", tmp_path / "token")
        assert "anchor" in _run("ledger", "mirror", address, mirror, *given)
    before, shown = rows(told.world.dsn), _page(operator / "ledger", told.world.dsn, told.link())
    told.world.close()
    with connect(told.world.dsn, role=None, autocommit=True) as connection:
        connection.execute("drop schema tallystick cascade")

    options = ("--data", own, "--dsn", dsn)
    assert "new" in _run("ledger", "import", mirror, *options)
    after = rows(dsn)
    assert {table for table in before if before[table] != after[table]} == set()
    assert all(before[table] for table in before if table not in ("tile", "finding"))
    assert not (own / "ledger" / "keys").exists()

    assert "all is as it should be" in _run("ledger", "audit", *options)
    _run("ledger", "prove", *options, "--chain", "production", "--index", "1", "-o", tmp_path / "one.bundle")
    verified = _run("ledger", "verify", tmp_path / "one.bundle", "--trust", tmp_path / "trust.json")
    assert "device     line-1" in verified
    with _serving(*options) as address:
        assert "anchor" in _run("ledger", "mirror", address, tmp_path / "again", "--trust", tmp_path / "trust.json")

    page = _page(own / "ledger", dsn, told.link())
    assert len(page["steps"]) > 5 and page["steps"] == shown["steps"]
    assert page["counts"]["verified"] == page["counts"]["total"] == shown["counts"]["total"]
    # Which labels a batch has is the label service's to know, and stands in no log.
    assert (shown["verdict"], page["verdict"]) == (str(Standing.GENUINE), str(Standing.SIGNED))
    assert "no list of them" in page["reason"] and [lot["labels"] for lot in page["lots"]] == [24]


def _page(folder: Path, dsn: str, link: DigitalLink) -> dict[str, Any]:
    resolver = Resolver(LedgerFolder(folder), dsn)
    try:
        return dict(resolver.page(link).document)
    finally:
        resolver.close()


def test_it_goes_on(fresh_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import is brought up to date by the next, whatever was committed of it before."""
    monkeypatch.setattr(fill, "COMMIT_ENTRIES", 3)
    dsn, export, own = fresh_database(), tmp_path / "export", tmp_path / "own"
    with World(fresh_database(), tmp_path / "operator" / "ledger") as world:
        press = world.register_device("press-1")
        trust = ("--trust", world.folder.trust_file)
        for count in (0, 1, 300):
            for number in range(count):
                world.publish(press, press.readings(float(number)))
            world.tick()
            source = ("--data", tmp_path / "operator", "--dsn", world.dsn, "--audience", "private")
            _run("ledger", "export", export, *source)
            _run("ledger", "import", export, "--data", own, "--dsn", dsn, *trust)
            assert rows(dsn) == rows(world.dsn)
            assert "production" in _run("ledger", "import", export, "--data", own, "--dsn", dsn)


def test_what_the_public_may_see(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """Of a public export, hashes stand for what is withheld; blocks are there, and the registry proves its entries."""
    dsn, export, options = fresh_database(), tmp_path / "export", ("--data", tmp_path / "own", "--dsn")
    with World(fresh_database(), tmp_path / "operator" / "ledger") as world:
        press = world.register_device("press-1")
        world.publish(press, press.readings(1.0))
        world.tick()
        _run("ledger", "export", export, "--data", tmp_path / "operator", "--dsn", world.dsn)
        told = _run("ledger", "import", export, *options, dsn, "--trust", world.folder.trust_file)
        assert "production   2 entries, 2 new, 2 withheld" in told and "registry" in told
        assert told.count("withheld") == 1
        before, after = rows(world.dsn), rows(dsn)
    assert {table for table in before if before[table] != after[table]} == {"entry", "section", "reading"}
    _run("ledger", "prove", *options, dsn, "--chain", "registry", "--index", "1", "-o", tmp_path / "one.bundle")
    refused = _run("ledger", "prove", *options, dsn, "--chain", "production", "--index", "1", code=1)
    assert "this copy holds only the hash of entry 1 of 'production': withheld from it, or erased" in refused
    assert "2 withheld" in _run("ledger", "audit", *options, dsn)


def test_what_is_not_imported(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """A folder that does not audit, an operator's own data folder, another ledger's database, an export's own trust."""
    dsn, export, own = fresh_database(), tmp_path / "export", tmp_path / "own"
    with World(fresh_database(), tmp_path / "operator" / "ledger") as world:
        operator = ("--data", tmp_path / "operator", "--dsn", world.dsn)
        _run("ledger", "export", export, *operator, "--audience", "private")
        trust = ("--trust", world.folder.trust_file)
        into = ("--data", own, "--dsn", dsn)
        assert "counts for nothing" in _run("ledger", "import", export, *into, code=1)
        assert "it has keys" in _run("ledger", "import", export, *operator, code=1)
        assert "is no folder" in _run("ledger", "import", tmp_path / "nowhere", *into, *trust, code=1)
        with World(fresh_database(), tmp_path / "other" / "ledger") as other:
            told = _run("ledger", "import", export, "--data", own, "--dsn", other.dsn, *trust, code=1)
            assert "the database holds another" in told or "not the beginning" in told
        bundle = next(export.rglob("tile/entries/*.p/*"))
        bundle.write_bytes(bundle.read_bytes()[:-1] + b"!")
        assert "does not audit, so nothing is imported" in _run("ledger", "import", export, *into, *trust, code=1)
