"""Restoring a backup: verified before anything is touched, into a database and a folder that hold no other ledger.

The trust file comes last: a run that died before has left no ledger, and says so. Nothing is written on what was
restored until the operator has named the checkpoints that he goes on from.
"""

from collections.abc import Mapping
from pathlib import Path

import psycopg

from ledger import checkpoint_file, postgres_programs
from ledger.backup import disk, timescale
from ledger.backup.backup import Head, read_heads
from ledger.backup.disk import Tell
from ledger.backup.manifest import NAME, Manifest
from ledger.database import connect, migrate
from ledger.errors import MalformedError, UserError
from ledger.folder import LedgerFolder
from ledger.frontier import Frontier
from ledger.read import chain_id
from ledger.tree_store import edge_rows
from ledger.trust.trust_file import Trust

_ANOTHER = "name another one: a backup is restored beside nothing"


def load(source: Path) -> Manifest:
    """The manifest of the backup in `source`; raises UserError if it is none, or half of one."""
    try:
        return Manifest.parse((source / NAME).read_text("utf-8"))
    except FileNotFoundError as error:
        what = "holds half a backup: it was not finished" if (source / "database").exists() else "holds no backup"
        raise UserError(f"{source} {what}", "name a folder that 'tallystick ledger backup' has finished") from error
    except OSError as error:
        raise UserError.of_system(f"cannot read {source / NAME}", error) from error
    except (MalformedError, UnicodeDecodeError) as error:
        raise UserError(f"{source / NAME} is damaged: {error}", "take another backup") from error


def restore(source: Path, folder: LedgerFolder, dsn: str, *, jobs: int = 2, tell: Tell = lambda line: None) -> Manifest:
    """Restore the backup in `source` into `folder` and the database at `dsn`; raises UserError.

    `folder` may hold this very ledger's keys and checkpoints: of these, what was published later stays.
    """
    manifest = load(source)
    _require_whole(source, manifest, tell)
    _require_same_ledger(source, folder)
    with connect(dsn, role=None, autocommit=True) as connection:
        _require_empty(connection)
        _require_server(connection, manifest)
        _load(source / "database", connection, dsn, manifest, jobs=jobs, tell=tell)
    tell("seeing that each chain has the root that the manifest says")
    _require_roots(dsn, manifest)
    _put_folder(source / "ledger", folder, list(manifest.chains))
    return manifest


def _require_whole(source: Path, manifest: Manifest, tell: Tell) -> None:
    """Each file is what the manifest says, and there are no others: a key or a token might be one."""
    for path in disk.files_in(source):
        if (name := path.relative_to(source).as_posix()) not in {NAME, *manifest.files}:
            raise UserError(f"{source} holds {name}, which is not in its manifest", "find out who put it there")
    for name, expected in manifest.files.items():
        tell(f"verifying {name}")
        try:
            found = disk.hashed(source / name)
        except OSError as error:
            raise UserError.of_system(f"cannot read {source / name}", error) from error
        if found != expected:
            raise UserError(f"{source / name} is not what the manifest says", "it is damaged: take another backup")


def _require_same_ledger(source: Path, folder: LedgerFolder) -> None:
    """The ledger that the folder holds, if it holds one, must be the backup's."""
    trust = Trust.load(source / "ledger" / "trust.json")
    if folder.exists and folder.trust().genesis != trust.genesis:
        raise UserError(f"{folder.path} holds another ledger, {folder.trust().name!r}", _ANOTHER)


def _require_empty(connection: psycopg.Connection) -> None:
    row = connection.execute("select current_database(), to_regnamespace('tallystick')").fetchone()
    if row is not None and row[1] is not None:
        raise UserError(
            f"the database {row[0]!r} holds a ledger, or half of one that was being restored",
            "make an empty one, and name it with --dsn",
        )


def _require_server(connection: psycopg.Connection, manifest: Manifest) -> None:
    if connection.info.server_version // 10_000 < manifest.postgres:
        raise UserError(
            f"the backup is of PostgreSQL {manifest.postgres}, the server is older",
            f"restore it to PostgreSQL {manifest.postgres} or later",
        )
    if manifest.timescale is not None:
        timescale.require(connection, manifest.timescale)


def _load(dump: Path, connection: psycopg.Connection, dsn: str, manifest: Manifest, *, jobs: int, tell: Tell) -> None:
    """By pg_restore, and then our own migrations: what a backup lacks, as who may do what, they bring."""
    program = postgres_programs.find("pg_restore", connection.info.server_version // 10_000)
    argv = [str(program), "--exit-on-error", "--no-owner", "--no-privileges", "--no-password", "--format=directory"]

    def run(*more: str) -> None:
        disk.run([*argv, *more, str(dump)], dsn, watched=None, tell=tell, what="restoring the database")

    if manifest.timescale is None:
        run(f"--jobs={jobs}")
        migrate(dsn)
        return
    with timescale.restoring(connection, dump, program, manifest.timescale) as more:
        run(*more)  # by one job: else its catalogue is wrong
    with timescale.at_rest(connection):
        migrate(dsn)


def _require_roots(dsn: str, manifest: Manifest) -> None:
    """Each chain's entries and tiles give the root of its newest block, and that is the manifest's."""
    with connect(dsn, role=None) as connection:
        heads = read_heads(connection)
        for chain, (size, root) in manifest.chains.items():
            if _state(connection, chain, heads) != (size, bytes.fromhex(root)):
                raise UserError(
                    f"{chain!r} has not the size and root that the manifest says",
                    "take another backup: this is damaged",
                )


def _state(connection: psycopg.Connection, chain: str, heads: Mapping[str, Head]) -> tuple[int, bytes] | None:
    if chain not in heads:
        return None
    size = heads[chain].size
    try:
        root = Frontier(size, edge_rows(connection, chain_id(connection, chain), size)).root()
    except ValueError:
        return None
    return (size, root) if root == heads[chain].root else None


def _put_folder(source: Path, folder: LedgerFolder, chains: list[str]) -> None:
    """Keys and checkpoints that are there stay. Where there are none, more may have been published than we know of.

    So then the word that this was restored comes first, and then the checkpoint: nobody goes on from it unasked.
    """
    disk.make_private(folder.path)
    for chain in chains:
        note = (source / "checkpoints" / chain).read_text("utf-8")
        published = checkpoint_file.load(folder.checkpoints, chain)
        if published is None or published.checkpoint.size < checkpoint_file.parse(note).size:
            checkpoint_file.hold(folder.checkpoints, chain)
            checkpoint_file.write(folder.checkpoints, chain, note)
    tokens = {path.name: path for path in (folder.tokens_file, folder.issuers_file)}
    for part, target in (("lost", folder.lost_checkpoints), ("keys", folder.key_file("x").parent)):
        for path in disk.files_in(source / part):
            place = tokens.get(path.name, target / path.name)
            if not place.exists():
                disk.write(place, path.read_bytes())
    if not folder.exists:
        disk.write(folder.trust_file, (source / "trust.json").read_bytes())
