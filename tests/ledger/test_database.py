"""Sessions over TCP, at a real PostgreSQL that listens on an address of its own."""

import random
import shutil
import socket
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from deploy.children import Supervisor
from deploy.postgres import Postgres
from ledger.database import WRITER, connect, migrate
from tests.running import make_open_folder


@pytest.fixture(scope="module")
def over_tcp() -> Iterator[str]:
    """The DSN of a ledger's database, by TCP."""
    folder, host = make_open_folder(), f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.7"
    postgres = Postgres.open(folder / "postgres")
    (postgres.cluster / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.0/8 trust\n")
    with Supervisor(folder / "log") as supervisor:
        supervisor.start(postgres.child(fsync="off", listen_addresses=host))
        dsn = postgres.create_database()
        migrate(dsn)
        yield make_conninfo(dsn, host=host)
    shutil.rmtree(folder, ignore_errors=True)


def settings(connection: psycopg.Connection) -> list[int]:
    """The server's, of this session: seconds, seconds, probes, milliseconds."""
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    query = "select setting::int from pg_settings where name = any(%s) order by array_position(%s, name)"
    return [value for (value,) in connection.execute(query, [list(names), list(names)])]


def test_the_server_gives_a_vanished_writer_up(over_tcp: str) -> None:
    """Within 5 s, probed or while something is on its way: its locks are then free. A reader may take its time."""
    with connect(over_tcp, role=WRITER) as connection:
        idle, interval, count, unanswered_ms = settings(connection)
    assert 0 < idle + interval * count <= 5 and unanswered_ms == 5_000
    with connect(over_tcp, role=None) as connection:
        assert settings(connection)[3] == 0


def test_a_session_gives_a_vanished_server_up(over_tcp: str) -> None:
    """After half a minute, or what the database's address says itself."""
    for dsn, expected_ms in ((over_tcp, 30_000), (make_conninfo(over_tcp, tcp_user_timeout=7_000), 7_000)):
        with connect(dsn) as connection, socket.socket(fileno=connection.fileno()) as line:
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == expected_ms
            line.detach()
