"""Making a backup: one snapshot of the database, and what belongs to it, each on the disk before the manifest is."""

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from ledger import checkpoint_file, postgres_programs, whole_file
from ledger.backup import disk
from ledger.backup.disk import Tell
from ledger.backup.manifest import NAME, Manifest
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Head:
    """A chain's newest block in the snapshot: its size and root, and its checkpoint, a signed note."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot of the database holds: each chain's head, and the versions of PostgreSQL and TimescaleDB."""

    heads: dict[str, Head]
    postgres: int
    timescale: str | None


def make(
    target: Path,
    folder: LedgerFolder,
    dsn: str,
    *,
    keys: bool = False,
    jobs: int = 2,
    tell: Tell = lambda line: None,
) -> Manifest:
    """Write the backup into `target`, which must not be there yet; raises UserError, and leaves no manifest then."""
    trust = folder.trust()
    if (target / "database").is_dir() and not (target / NAME).exists():
        raise UserError(f"{target} holds half a backup: it was not finished", "delete it, or name a new folder")
    disk.require_empty(target, "name a new folder: a backup is never written over another")
    published = _published(folder, list(trust.logs))
    snapshot = _dump(target / "database", published, dsn, jobs=jobs, tell=tell)
    heads = snapshot.heads
    _copy_folder(target / "ledger", folder, heads, keys=keys)
    manifest = Manifest(
        ledger=trust.name,
        genesis=trust.genesis.hex(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        postgres=snapshot.postgres,
        timescale=snapshot.timescale,
        chains={chain: (head.size, head.root.hex()) for chain, head in heads.items()},
        files={str(path.relative_to(target)): disk.hashed(path) for path in _synced(target, tell)},
    )
    disk.write(target / NAME, manifest.text.encode())
    return manifest


def read_heads(connection: psycopg.Connection) -> dict[str, Head]:
    """Each chain's newest block as this transaction sees it, by the chain's name; a chain without one is not there."""
    rows = connection.execute(
        """select c.name, b.size, b.root, b.checkpoint from chain c
            cross join lateral (select size, root, checkpoint from block
                                 where chain_id = c.chain_id order by height desc limit 1) b order by c.chain_id"""
    )
    return {name: Head(size, bytes(root), note) for name, size, root, note in rows}


def timescale_of(connection: psycopg.Connection) -> str | None:
    """The version of TimescaleDB in this database, if it is there."""
    row = connection.execute("select extversion from pg_extension where extname = 'timescaledb'").fetchone()
    return None if row is None else str(row[0])


def _published(folder: LedgerFolder, chains: list[str]) -> dict[str, int]:
    """The published sizes, read before the snapshot: so it has all of that."""
    found = {chain: checkpoint_file.load(folder.checkpoints, chain) for chain in chains}
    return {chain: published.checkpoint.size for chain, published in found.items() if published is not None}


def _require_current(published: dict[str, int], heads: dict[str, Head]) -> None:
    """A database that is older than what was published is no ledger to be kept in place of a good backup."""
    for chain, size in published.items():
        if chain not in heads or heads[chain].size < size:
            raise UserError(
                f"{chain!r}: {size} entries were published, the database has fewer: it is an older copy",
                "restore the newest backup, or decide with 'tallystick ledger accept-rollback'",
            )


def _dump(target: Path, published: dict[str, int], dsn: str, *, jobs: int, tell: Tell) -> Snapshot:
    """Dump one snapshot of the database into the new folder `target`; again, if a table was emptied under it."""
    for _ in range(_TRIES):
        with connect(dsn, role=None) as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            snapshot = _look(connection)
            _require_current(published, snapshot.heads)
            disk.make_private(target)  # by which half a backup is known
            _run_pg_dump(target, connection, dsn, snapshot, jobs=jobs, tell=tell)
            if not _is_emptied(connection):
                return snapshot
        tell("chunks were compressed meanwhile: dumping the database once more")
        shutil.rmtree(target)
    raise UserError("chunks were compressed again and again while the database was dumped", "try it at another time")


def _look(connection: psycopg.Connection) -> Snapshot:
    return Snapshot(read_heads(connection), connection.info.server_version // 10_000, timescale_of(connection))


def _run_pg_dump(
    target: Path, connection: psycopg.Connection, dsn: str, snapshot: Snapshot, *, jobs: int, tell: Tell
) -> None:
    """Of the snapshot of `connection`. Of a database with TimescaleDB all of it: its own schemas count."""
    program = postgres_programs.find("pg_dump", snapshot.postgres)
    row = connection.execute("select pg_export_snapshot()").fetchone()
    assert row is not None
    argv = [str(program), "--format=directory", f"--jobs={jobs}", f"--snapshot={row[0]}", f"--file={target}"]
    argv += ["--no-owner", "--no-privileges", "--no-password"]
    argv += [] if snapshot.timescale else ["--schema=tallystick"]
    disk.run(argv, dsn, watched=target, tell=tell, what="dumping the database")


def _is_emptied(connection: psycopg.Connection) -> bool:
    """Whether a table has other files than in the snapshot of `connection`.

    TimescaleDB compresses a chunk's rows and then empties it by TRUNCATE. A snapshot from before that sees neither
    these rows nor those, unless pg_dump had the chunk locked by then.
    """
    query = """select exists (select from pg_class where relkind = 'r'
                  and relnamespace::regnamespace::text in ('tallystick', '_timescaledb_internal')
                  and pg_relation_filenode(oid) is distinct from relfilenode)"""  # the function looks past the snapshot
    return connection.execute(query).fetchone() == (True,)


def _copy_folder(target: Path, folder: LedgerFolder, heads: dict[str, Head], *, keys: bool) -> None:
    disk.write(target / "trust.json", folder.trust_file.read_bytes())
    for chain, head in heads.items():
        disk.write(target / "checkpoints" / chain, head.note.encode())
    for path in sorted(folder.lost_checkpoints.glob("*")):
        disk.write(target / "lost" / path.name, path.read_bytes())
    if keys:
        for path in sorted(folder.key_file("x").parent.glob("*.key")):
            disk.write(target / "keys" / path.name, path.read_bytes())
        for path in filter(Path.exists, (folder.tokens_file, folder.issuers_file)):
            disk.write(target / "keys" / path.name, path.read_bytes())


def _synced(target: Path, tell: Tell) -> list[Path]:
    """All files so far, each with its folder on the disk."""
    files = disk.files_in(target)
    for path in files:
        tell(f"reading {path.name} once more, for its hash")
        whole_file.sync(path)
    for top, _, _ in os.walk(target):
        whole_file.sync(Path(top))
    return files
