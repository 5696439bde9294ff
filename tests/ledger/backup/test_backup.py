"""Backup and restore with PostgreSQL's own tools, on a real server: of one moment, whole, and never over another."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

import tallystick
from ledger import checkpoint_file, postgres_programs
from ledger.audit import walk
from ledger.audit.database import DatabaseSource
from ledger.audit.report import Report
from ledger.backup import backup, restore
from ledger.backup.manifest import NAME, Manifest
from ledger.database import connect, migrate
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from tests import tested
from tests.running import until_one_waits
from tests.world import World, event, ticking

Fresh = Callable[[], str]


@pytest.fixture
def world(fresh_database: Fresh, tmp_path: Path) -> Iterator[World]:
    """A ledger with something on every kind of chain."""
    with World(fresh_database(), tmp_path / "data" / "ledger") as made:
        press = made.register_device("press-1")
        made.publish(press, press.readings(20.5, 21.5, time=float(int(time.time()))))  # TimescaleDB lets go of old ones
        made.publish(press, event("urn:epc:id:sgtin:0950600.013435.A1"))
        made.tick()
        yield made


def audit(folder: LedgerFolder, dsn: str) -> Report:
    with connect(dsn) as connection:
        return walk.audit(DatabaseSource(connection, folder), folder.trust())


def rows(dsn: str) -> list[tuple[object, ...]]:
    """What the tables hold: entries, sections, readings, their averages, and events."""
    with connect(dsn) as connection:
        return connection.execute(
            """select 'entry', entry_id, encode(data, 'hex') from entry
                union all select 'section', entry_id, encode(data, 'hex') from section
                union all select 'reading', entry_id, value::text from reading
                union all select 'event', entry_id, document::text from event
                union all select 'hour', n, max_value::text from reading_1h
                union all select 'label', index, path from label order by 1, 2, 3"""
        ).fetchall()


def test_what_is_restored_is_what_was_backed_up(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """Every row; trust file, checkpoints and keys; and the audit finds nothing wrong with it."""
    made = backup.make(tmp_path / "backup", world.folder, world.dsn, keys=True)
    assert made.chains.keys() == {"registry", "production", "anchor"}
    folder, dsn = LedgerFolder(tmp_path / "new" / "ledger"), fresh_database()
    assert restore.restore(tmp_path / "backup", folder, dsn) == made
    assert rows(dsn) == rows(world.dsn)
    assert folder.trust() == world.trust
    assert folder.log_key("production").public == world.folder.log_key("production").public
    report = audit(folder, dsn)
    assert report.ok and report.count("entries") == audit(world.folder, world.dsn).count("entries")


def test_what_is_compressed_meanwhile_is_in_it(
    world: World, fresh_database: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TimescaleDB may do so between the snapshot and the dump, which sees the rows where they were."""

    looked: list[int] = []

    def compress(*_: object) -> None:
        if not looked:
            tested.settle(world.dsn)
        looked.append(1)

    monkeypatch.setattr(backup, "_require_current", compress)
    before = rows(world.dsn)
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    dsn = fresh_database()
    restore.restore(tmp_path / "backup", LedgerFolder(tmp_path / "new" / "ledger"), dsn)
    assert rows(dsn) == rows(world.dsn) == before
    assert len(looked) == (2 if tested.has_aggregates(world.dsn) else 1)


def test_compressed_chunks_and_averages_are_restored(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """What TimescaleDB made of the readings, and what goes on being written and read there."""
    tested.settle(world.dsn)
    backup.make(tmp_path / "backup", world.folder, world.dsn, keys=True)
    folder, dsn = LedgerFolder(tmp_path / "new" / "ledger"), fresh_database()
    restore.restore(tmp_path / "backup", folder, dsn)
    assert rows(dsn) == rows(world.dsn)
    tested.settle(dsn)
    assert rows(dsn) == rows(world.dsn)
    assert tested.has_aggregates(dsn) == tested.has_aggregates(world.dsn)


def test_a_ledger_without_timescale_is_restored_where_it_is(
    fresh_database: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its readings are in TimescaleDB's tables then, if the new server has it."""
    with monkeypatch.context() as without:
        without.setattr("ledger.database._has_timescale", lambda connection: False)
        plain = World(fresh_database(), tmp_path / "data" / "ledger")
        with plain:
            press = plain.register_device("press-1")
            plain.publish(press, press.readings(20.5, 21.5, time=float(int(time.time()))))
            plain.tick()
        made = backup.make(tmp_path / "backup", plain.folder, plain.dsn)
    assert made.timescale is None
    dsn, there = fresh_database(), fresh_database()
    restore.restore(tmp_path / "backup", LedgerFolder(tmp_path / "new" / "ledger"), dsn)
    assert rows(dsn) == rows(plain.dsn)
    migrate(there)
    assert tested.has_aggregates(dsn) == tested.has_aggregates(there)


def test_another_timescale_is_refused_before_anything_is_touched(
    world: World, fresh_database: Fresh, tmp_path: Path
) -> None:
    """A dump of it is good for its own version alone."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    manifest = tmp_path / "backup" / NAME
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"timescale": "2.1.0"}))
    dsn = fresh_database()
    with pytest.raises(UserError, match=r"of a database with TimescaleDB 2\.1\.0, and this server has"):
        restore.restore(tmp_path / "backup", LedgerFolder(tmp_path / "new" / "ledger"), dsn)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select to_regnamespace('tallystick')").fetchone() == (None,)


def test_keys_are_only_in_it_if_asked_for(world: World, tmp_path: Path) -> None:
    """And then for the owner's eyes alone, as all of a backup is."""
    backup.make(tmp_path / "without", world.folder, world.dsn)
    backup.make(tmp_path / "with", world.folder, world.dsn, keys=True)
    assert not (tmp_path / "without" / "ledger" / "keys").exists()
    files = [path for path in (tmp_path / "with").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"operator.key", "log-production.key", NAME}
    assert {path.stat().st_mode & 0o077 for path in [tmp_path / "with", *files]} == {0}


def test_a_backup_is_of_one_moment_while_the_gateway_runs(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """Blocks are sealed all the while: each of three backups is a ledger by itself, and each is longer."""
    device, going = world.register_device("press-2"), threading.Event()
    sizes = []

    def publish() -> None:
        while not going.wait(0.01):
            world.publish(device, device.readings(1.0, 2.0))

    thread = threading.Thread(target=publish)
    with ticking(world):
        thread.start()
        try:
            for number in range(3):
                backup.make(tmp_path / f"backup-{number}", world.folder, world.dsn)
                time.sleep(0.2)
        finally:
            going.set()
            thread.join()
    for number in range(3):
        folder, dsn = LedgerFolder(tmp_path / f"new-{number}" / "ledger"), fresh_database()
        made = restore.restore(tmp_path / f"backup-{number}", folder, dsn)
        assert audit(folder, dsn).ok
        sizes.append(made.chains["production"][0])
    assert sizes == sorted(set(sizes))


def test_a_backup_that_was_killed_is_known_for_half(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """kill -9 while pg_dump runs: there is no manifest, nothing can be restored of it, and nothing is put over it."""
    where = ["--data", str(world.folder.path.parent), "--dsn", world.dsn]
    target = tmp_path / "backup"
    world.close()
    with psycopg.connect(world.dsn) as holding:
        holding.execute("lock table tallystick.reading in access exclusive mode")
        process = subprocess.Popen([sys.executable, "-m", "tallystick", "ledger", "backup", str(target), *where])
        until_one_waits(world.dsn)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _end_others(world.dsn)
    with pytest.raises(UserError, match="holds half a backup"):
        restore.restore(target, LedgerFolder(tmp_path / "new" / "ledger"), fresh_database())
    with pytest.raises(UserError, match="holds half a backup") as caught:
        backup.make(target, world.folder, world.dsn)
    assert "delete it" in caught.value.hint


def test_a_restore_that_was_killed_leaves_no_ledger(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """kill -9 while pg_restore runs: no trust file is there, and a second restore takes the database for what it is."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    dsn, folder = fresh_database(), LedgerFolder(tmp_path / "new" / "ledger")
    argv = [sys.executable, "-m", "tallystick", "ledger", "restore", str(tmp_path / "backup")]
    process = subprocess.Popen([*argv, "--data", str(folder.path.parent), "--dsn", dsn])
    with psycopg.connect(dsn, autocommit=True) as connection:
        while connection.execute("select to_regclass('tallystick.entry')").fetchone() == (None,):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    process.wait()
    _end_others(dsn)
    assert not folder.exists
    with pytest.raises(UserError, match="holds a ledger, or half of one"):
        restore.restore(tmp_path / "backup", folder, dsn)
    restore.restore(tmp_path / "backup", folder, fresh_database())


def _end_others(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            """select pg_terminate_backend(pid, 5000) from pg_stat_activity
                where datname = current_database() and application_name in ('pg_dump', 'pg_restore')"""
        )


@pytest.mark.parametrize("name", ["ledger/trust.json", "ledger/checkpoints/production", "database/toc.dat"])
def test_one_wrong_bit_is_found_before_anything_is_touched(
    world: World, fresh_database: Fresh, tmp_path: Path, name: str
) -> None:
    """In any file of the backup: the database is still empty then."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    file = tmp_path / "backup" / name
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    dsn = fresh_database()
    with pytest.raises(UserError, match="is not what the manifest says"):
        restore.restore(tmp_path / "backup", LedgerFolder(tmp_path / "new" / "ledger"), dsn)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select to_regnamespace('tallystick')").fetchone() == (None,)


def test_a_missing_file_is_named(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """A backup that was copied in part is no backup."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    (tmp_path / "backup" / "ledger" / "checkpoints" / "anchor").unlink()
    with pytest.raises(UserError, match=r"cannot read .*/checkpoints/anchor"):
        restore.restore(tmp_path / "backup", LedgerFolder(tmp_path / "new" / "ledger"), fresh_database())


def test_a_file_that_was_put_beside_is_named(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """Tokens that somebody else knows would open what is served from what was restored."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    planted = tmp_path / "backup" / "ledger" / "keys" / "tokens.json"
    planted.parent.mkdir(exist_ok=True)
    planted.write_text('{"private": "known-to-somebody-else"}')
    folder = LedgerFolder(tmp_path / "other" / "ledger")
    with pytest.raises(UserError, match=r"holds ledger/keys/tokens\.json, which is not in its manifest"):
        restore.restore(tmp_path / "backup", folder, fresh_database())
    assert not folder.tokens_file.exists()


@pytest.mark.parametrize("change", [{"chains": {"production": [2, "00" * 32]}}, {"chains": {"trade": [1, "00" * 32]}}])
def test_another_root_than_the_manifests_is_found(
    world: World, fresh_database: Fresh, tmp_path: Path, change: dict[str, object]
) -> None:
    """What was restored has to be what the manifest says, chain by chain; else there is no trust file."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    manifest = tmp_path / "backup" / NAME
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    folder = LedgerFolder(tmp_path / "new" / "ledger")
    with pytest.raises(UserError, match="has not the size and root that the manifest says"):
        restore.restore(tmp_path / "backup", folder, fresh_database())
    assert not folder.exists


def test_nothing_is_restored_over_a_ledger(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """Neither over a database that holds one, nor into the folder of another."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    with pytest.raises(UserError, match="holds a ledger"):
        restore.restore(tmp_path / "backup", LedgerFolder(tmp_path / "new" / "ledger"), world.dsn)
    with (
        World(fresh_database(), tmp_path / "other" / "ledger") as other,
        pytest.raises(UserError, match="another ledger"),
    ):
        restore.restore(tmp_path / "backup", other.folder, fresh_database())


def test_an_older_database_is_not_backed_up(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """It would take the place of a good backup."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    world.register_device("press-9")
    older = fresh_database()
    restore.restore(tmp_path / "backup", world.folder, older)
    with pytest.raises(UserError, match="it is an older copy"):
        backup.make(tmp_path / "second", world.folder, older)
    assert not (tmp_path / "second").exists()


def test_newer_checkpoints_and_keys_stay(world: World, fresh_database: Fresh, tmp_path: Path) -> None:
    """Where the ledger's folder has survived, a restore takes nothing of it back."""
    backup.make(tmp_path / "backup", world.folder, world.dsn)
    world.register_device("press-9")
    published = checkpoint_file.read(world.folder.checkpoints, "registry")
    restore.restore(tmp_path / "backup", world.folder, fresh_database())
    assert checkpoint_file.read(world.folder.checkpoints, "registry") == published
    assert not checkpoint_file.is_held(world.folder.checkpoints, "registry")


def test_a_server_without_programs_of_its_version_is_told_so(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By name, with what to install; nothing is written."""
    monkeypatch.setattr(postgres_programs, "in_wheel", lambda name: iter(()))
    monkeypatch.setattr(postgres_programs, "_PACKAGED", ())
    monkeypatch.setenv("PATH", "")
    with connect(world.dsn) as connection:
        major = connection.info.server_version // 10_000
    where = ["--data", str(world.folder.path.parent), "--dsn", world.dsn]
    assert tallystick.run(["ledger", "backup", str(tmp_path / "backup"), *where]) == 1
    told = capsys.readouterr().err
    assert f"there is no pg_dump of PostgreSQL {major}" in told and f"postgresql-client-{major}" in told
    assert not (tmp_path / "backup" / NAME).exists()


def test_the_commands_say_what_was_done(
    world: World, fresh_database: Fresh, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sizes and roots, where the keys are, and what to do next."""
    where = ["--data", str(world.folder.path.parent), "--dsn", world.dsn]
    assert tallystick.run(["ledger", "backup", str(tmp_path / "backup"), *where]) == 0
    told = capsys.readouterr().out
    made = Manifest.parse((tmp_path / "backup" / NAME).read_text())
    assert made.chains["production"][1][:16] in told and "The keys are not in it" in told
    where = ["--data", str(tmp_path / "new"), "--dsn", fresh_database()]
    assert tallystick.run(["ledger", "restore", str(tmp_path / "backup"), *where]) == 0
    told = capsys.readouterr().out
    assert made.chains["production"][1][:16] in told and "accept-rollback" in told


def test_a_password_is_not_among_the_arguments(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on a machine can read those: pg_dump has it from its environment."""
    seen = tmp_path / "seen"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@ $PGPASSWORD" > {seen}\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(postgres_programs, "find", lambda name, major: program)
    with pytest.raises(UserError, match="pg_dump failed"):
        backup.make(tmp_path / "backup", world.folder, f"{world.dsn} password=pass-7")
    *arguments, password = seen.read_text().split()
    assert password == "pass-7" and not any("pass-7" in argument for argument in arguments)
    assert os.environ.get("PGPASSWORD") is None
