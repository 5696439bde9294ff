"""TimescaleDB in a restore: of the dump's very version, in the dump's schema, and told before and after."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg import sql

from ledger.errors import UserError

_CREATED = re.compile(r'^CREATE EXTENSION IF NOT EXISTS timescaledb WITH SCHEMA "?([^";]+)"?;$', re.MULTILINE)


def require(connection: psycopg.Connection, version: str) -> None:
    """Raise UserError unless this server loads TimescaleDB of just that `version`: its catalogue is of no other."""
    row = connection.execute(
        """select exists (select from pg_settings where name = 'timescaledb.disable_load'),
                  exists (select from pg_available_extension_versions where name = 'timescaledb' and version = %s),
                  (select extversion from pg_extension where extname = 'timescaledb')""",
        [version],
    ).fetchone()
    is_loaded, is_there, installed = row or (False, False, None)
    if is_loaded and is_there and installed in (None, version):
        return
    has = "has none" if not is_loaded else f"has {installed} in this database" if installed else "has another version"
    raise UserError(
        f"the backup is of a database with TimescaleDB {version}, and this server {has}",
        f"restore it to a server with TimescaleDB {version}, and update it there",
    )


@contextmanager
def restoring(connection: psycopg.Connection, dump: Path, program: Path, version: str) -> Iterator[list[str]]:
    """While the block lasts, the database takes the `dump`; yields what the `program`, pg_restore, must be told.

    Its jobs run from the end of the block on. If the block fails, the database is good for nothing.
    """
    schema = _schema(dump, program)
    _create(connection, schema, version)
    _call(connection, schema, "timescaledb_pre_restore")
    with TemporaryDirectory() as folder:
        wanted = Path(folder, "list")
        wanted.write_text("".join(_wanted(_output(program, "--list", dump), schema)))
        yield ["--jobs=1", f"--use-list={wanted}"]
    _call(connection, schema, "timescaledb_post_restore")


@contextmanager
def at_rest(connection: psycopg.Connection) -> Iterator[None]:
    """While the block lasts, no job of this database runs: a GRANT fails beside one that changes a table's chunks."""
    connection.execute("select _timescaledb_functions.stop_background_workers()")
    try:
        yield
    finally:
        connection.execute("select _timescaledb_functions.start_background_workers()")


def _schema(dump: Path, program: Path) -> str:
    found = _CREATED.search(_output(program, "--schema-only", "--section=pre-data", "--file=-", dump))
    if found is None:
        raise UserError(f"{dump} does not say where TimescaleDB was", "take another backup: this is damaged")
    return found[1]


def _create(connection: psycopg.Connection, schema: str, version: str) -> None:
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    create = sql.SQL("create extension if not exists timescaledb schema {} version {}")
    connection.execute(create.format(sql.Identifier(schema), sql.Literal(version)))
    row = connection.execute(
        "select nspname from pg_extension e join pg_namespace n on n.oid = extnamespace where extname = 'timescaledb'"
    ).fetchone()
    if row != (schema,):
        raise UserError(
            f"TimescaleDB is in this database's schema {row[0] if row else None!r}, in the backup in {schema!r}",
            "as the owner of the empty database: drop extension timescaledb",
        )


def _wanted(contents: str, schema: str) -> Iterator[str]:
    """Without what is made already."""
    for line in contents.splitlines(keepends=True):
        if f" SCHEMA - {schema} " not in line and " EXTENSION - timescaledb " not in line:
            yield line


def _call(connection: psycopg.Connection, schema: str, function: str) -> None:
    connection.execute(sql.SQL("select {}()").format(sql.Identifier(schema, function)))


def _output(program: Path, *arguments: object) -> str:
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise UserError(f"pg_restore failed: {done.stderr.strip()}", "take another backup: this is damaged")
    return done.stdout
