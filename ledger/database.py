"""Connections to PostgreSQL, and the numbered migrations."""

from importlib import resources
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ledger.errors import UserError

# Two-number advisory locks: the first says what is locked.
LOCK_SCHEMA, LOCK_CHAIN, LOCK_POST, LOCK_PRINT = 0x7A11_0001, 0x7A11_0002, 0x7A11_0003, 0x7A11_0004
LOCK_SSCC, LOCK_ISSUE, LOCK_REQUEST = 0x7A11_0005, 0x7A11_0006, 0x7A11_0007
WRITER = "tallystick_writer"
_TIMESCALE = "010_timescale.sql"
_TIMESCALE_MIN = (2, 22)

# A host that vanishes says nothing. So the server ends a writer's session, and with it its locks, 5 s after its host
# was last there; we give the server up after 30 s, which a slow disk may take. Neither says anything of Unix sockets.
_VANISHED_SERVER: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 5,
    "tcp_user_timeout": 30_000,
}
_VANISHED_WRITER = """
    set tcp_keepalives_idle = 2; set tcp_keepalives_interval = 1; set tcp_keepalives_count = 3;
    set tcp_user_timeout = 5000"""

Connection = psycopg.Connection[tuple[object, ...]]


def connect(dsn: str, *, role: str | None = WRITER, autocommit: bool = False) -> psycopg.Connection:
    """A session in the schema `tallystick`, acting as `role`; raises UserError if there is none to be had.

    It ends soon after either host vanishes. What `dsn` itself says of that goes before.
    """
    try:
        line = {name: value for name, value in _VANISHED_SERVER.items() if name not in conninfo_to_dict(dsn)}
        connection = psycopg.connect(dsn, autocommit=True, connect_timeout=10, **line)
    except psycopg.OperationalError as error:
        raise UserError(
            f"cannot reach the database: {str(error).strip().splitlines()[0]}",
            "'tallystick up' starts one, with --only-database nothing else; or name yours with TALLYSTICK_DSN",
        ) from error
    except psycopg.ProgrammingError as error:
        raise UserError(
            f"the database's address is malformed: {str(error).strip()}", "write it as postgresql://user@host/name"
        ) from error
    connection.execute("set search_path = tallystick, public, pg_temp")
    if role == WRITER:
        connection.execute(_VANISHED_WRITER)
    if role is not None:
        _act_as(connection, role)
    connection.autocommit = autocommit
    return connection


def is_servers_fault(error: BaseException) -> bool:
    """Whether `error` says that the server is away or has gone, and nothing of what was asked of it."""
    return isinstance(error, psycopg.OperationalError) or isinstance(error.__cause__, psycopg.OperationalError)


def migrate(dsn: str) -> None:
    """Bring the schema up to date; safe to run at every start and by several at once."""
    with connect(dsn, role=None, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s, 0)", [LOCK_SCHEMA])
        for file in sorted(resources.files("ledger").joinpath("migrations").iterdir(), key=lambda file: file.name):
            if file.name.endswith(".sql") and (file.name != _TIMESCALE or _has_timescale(connection)):
                with connection.transaction():
                    connection.execute(file.read_text().encode())


def _act_as(connection: psycopg.Connection, role: str) -> None:
    try:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(role)))
        found = connection.execute("select to_regclass('chain')").fetchone()  # roles are the whole server's
    except (psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedObject):
        found = (None,)
    if found == (None,):
        connection.close()
        raise UserError("the database holds no ledger", "name another with --dsn, or run 'tallystick ledger init'")


def _has_timescale(connection: psycopg.Connection) -> bool:
    """The server offers the extension, new enough, and has preloaded it (else CREATE EXTENSION would fail)."""
    found = connection.execute(
        """select coalesce(installed_version, default_version) from pg_available_extensions
            where name = 'timescaledb' and exists (select from pg_settings where name = 'timescaledb.disable_load')"""
    ).fetchone()
    return found is not None and tuple(int(part) for part in found[0].split(".")[:2]) >= _TIMESCALE_MIN
