"""A look at the database: reached, the right ledger, one history, rights, and what it does not do by itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from gateway.check import DATABASE, Check, Level, fault_of, look_at_clock
from ledger import checkpoint_file
from ledger.database import WRITER, connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import ANCHOR, REGISTRY

SCHEMA = 47  # the newest migration that the gateway cannot do without
VERSION_MIN = 150_000
# What a server says that was reached and will not change its mind; all else may pass. Its words, in English.
_FOR_GOOD = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|does not exist|not permitted|permission denied"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the server says of itself; times in milliseconds since 1970."""

    version: str
    number: int
    fsync: str
    full_page_writes: str
    schema: list[int]
    now_ms: int
    newest_block_ms: int | None
    timescale: str | None


def look_reached(dsn: str) -> Check:
    """Whether there is a server that lets us in and takes writes."""
    try:
        with connect(dsn, role=None, autocommit=True) as connection:
            row = _row(connection, "select pg_is_in_recovery()", [])
    except UserError as error:
        return _unreachable(error)
    except psycopg.OperationalError as error:
        return _gone(error)
    if row == (True,):
        return Check(DATABASE, Level.WAITING, "it is a standby and takes no writes", "promote it, or name the primary")
    return Check(DATABASE, Level.GOOD, "it is reached")


def look_at_database(
    dsn: str, folder: LedgerFolder, chains: Sequence[str], now_ms: int, *, is_old: bool = False
) -> Iterator[Check]:
    """From the connection to the history; ends at the first thing without which the rest cannot be seen.

    Of tables that may be old, before they are brought up to date, only whose they are.
    """
    try:
        with connect(dsn, autocommit=True) as connection:
            if is_old:
                yield _other_ledger(connection, folder) or Check(DATABASE, Level.GOOD, "it holds this ledger")
                return
            facts = _facts(connection)
            yield from _look_at_server(facts)
            yield _look_at_ledger(connection, facts, folder, chains)
            yield look_at_clock(now_ms, database_ms=facts.now_ms, newest_block_ms=facts.newest_block_ms)
    except UserError as error:
        yield _unreachable(error)
    except psycopg.errors.InsufficientPrivilege as error:
        yield fault_of(DATABASE, error, f"as its owner: grant {WRITER} to the user of this address")
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        yield fault_of(DATABASE, error, "is it the right one? 'tallystick ledger init' makes a ledger")
    except psycopg.OperationalError as error:
        yield _gone(error)


def _gone(error: psycopg.OperationalError) -> Check:
    return Check(DATABASE, Level.WAITING, " ".join(str(error).split()), "see that the server stays up")


def _unreachable(error: UserError) -> Check:
    cause, text = error.__cause__, " ".join(str(error).split())
    if not isinstance(cause, psycopg.OperationalError):
        return fault_of(DATABASE, error, "")
    if found := _FOR_GOOD.search(str(cause)):
        text = " ".join(str(cause).split())
        return Check(DATABASE, Level.FAULT, f"it refuses this address: {text}", _refusal_hint(found[0]))
    return Check(DATABASE, Level.WAITING, text, error.hint)


def _refusal_hint(why: str) -> str:
    if why == "does not exist":
        return "name the right user and database with --dsn or TALLYSTICK_DSN"
    return "mend user and password in --dsn or TALLYSTICK_DSN, or the server's pg_hba.conf"


def _facts(connection: psycopg.Connection) -> Facts:
    row = (
        connection.cursor(row_factory=class_row(Facts))
        .execute(
            """select current_setting('server_version') as version,
                      current_setting('server_version_num')::int as number,
                      current_setting('fsync') as fsync,
                      current_setting('full_page_writes') as full_page_writes,
                      array(select version from schema_version order by version) as schema,
                      (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms,
                      (select max(time_ms) from block) as newest_block_ms,
                      (select extversion from pg_extension where extname = 'timescaledb') as timescale"""
        )
        .fetchone()
    )
    assert row is not None
    return row


def _look_at_server(facts: Facts) -> Iterator[Check]:
    if facts.number < VERSION_MIN:
        yield Check(DATABASE, Level.FAULT, f"PostgreSQL {facts.version} is too old", "use PostgreSQL 15 or later")
    for name, value in (("fsync", facts.fsync), ("full_page_writes", facts.full_page_writes)):
        if value == "off":
            yield Check(
                DATABASE,
                Level.WARNING,
                f"{name} is off: after a power cut the ledger may lack what was receipted",
                f"set '{name} = on' in postgresql.conf",
            )


def _look_at_ledger(connection: psycopg.Connection, facts: Facts, folder: LedgerFolder, chains: Sequence[str]) -> Check:
    if SCHEMA not in facts.schema:
        return Check(
            DATABASE,
            Level.FAULT,
            "its tables are of an older version",
            "start 'tallystick gateway run' once as the owner of the tables: it brings them up to date",
        )
    fault = _other_ledger(connection, folder)
    for chain in () if fault else (*chains, ANCHOR):
        fault = fault or _other_history(connection, folder, chain)
    if fault is not None:
        return fault
    timescale = f" with TimescaleDB {facts.timescale}" if facts.timescale else ""
    return Check(DATABASE, Level.GOOD, f"PostgreSQL {facts.version}{timescale}, as {WRITER}")


def _other_ledger(connection: psycopg.Connection, folder: LedgerFolder) -> Check | None:
    row = _row(connection, "select origin from chain where name = %s", [REGISTRY])
    wanted, found = folder.trust().log(REGISTRY).origin, row[0] if row else None
    if found == wanted:
        return None
    text = f"it holds the ledger of {found}" if found else "it holds no ledger"
    return Check(DATABASE, Level.FAULT, f"{text}, but {folder.path} is of {wanted}", "name the right one with --dsn")


def _other_history(connection: psycopg.Connection, folder: LedgerFolder, chain: str) -> Check | None:
    """What was published, held against the database, which may be ahead of it by what a writer just sealed."""
    published = checkpoint_file.load(folder.checkpoints, chain)
    if checkpoint_file.is_held(folder.checkpoints, chain):
        text = f"{chain!r} was restored from a backup, and nobody has said that it goes on from there"
        return Check(DATABASE, Level.FAULT, text, f"if it is the newest there is: {checkpoint_file.ACCEPT}")
    if published is None:
        return None
    size, root = published.checkpoint.size, published.checkpoint.root
    row = _row(
        connection,
        """select coalesce(max(b.size), 0), coalesce(bool_or(b.size = %s and b.root = %s), false)
             from chain c left join block b using (chain_id) where c.name = %s""",
        [size, root, chain],
    )
    has, is_same = row if row else (0, False)
    if is_same:
        return None
    lack = f"{size} entries were published, it has {has}" if has < size else "it has another one"
    return Check(
        DATABASE,
        Level.FAULT,
        f"the history of {chain!r} is not the published one: {lack}",
        "writing on would fork it. Restore the newest backup, name the right database, or decide: "
        f"{checkpoint_file.ACCEPT}",
    )


def _row(connection: psycopg.Connection, query: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    return connection.execute(query.encode(), parameters).fetchone()
