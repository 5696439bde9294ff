"""The relays do what a fault needs of them, to a real PostgreSQL and a real broker."""

import asyncio
import random
from collections.abc import Callable, Iterator

import psycopg
import pytest

from deploy.postgres import Postgres
from tests.bench.wire import Wire
from tests.faults.commits import CommitCutter, Cut
from tests.faults.mangler import Mangler, Manners
from tests.faults.relay import Background
from tests.running import RunningBroker, eventually


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


@pytest.mark.parametrize(("cut", "rows"), [(Cut.BEFORE, {0}), (Cut.AFTER, {1}), (Cut.BETWEEN, {0, 1}), (Cut.LATE, {1})])
def test_a_commit_is_cut(
    background: Background, postgres_server: Postgres, postgres_dsn: str, cut: Cut, rows: set[int]
) -> None:
    """The client sees its session end in each case; whether the rows are there is as the cut says."""
    cutter = CommitCutter(postgres_server.socket / ".s.PGSQL.5432")
    background.run(cutter.start())
    through = psycopg.conninfo.make_conninfo(
        postgres_dsn, host="127.0.0.1", port=cutter.port, sslmode="disable", gssencmode="disable"
    )
    with psycopg.connect(postgres_dsn, autocommit=True) as direct:
        direct.execute("create table said (word text)")
        connection = psycopg.connect(through)
        connection.execute("select 1")
        cutter.order(cut)
        connection.commit()  # which copied nothing, and is let through
        with (
            pytest.raises(psycopg.OperationalError),
            connection,
            connection.cursor().copy("copy said from stdin") as copy,
        ):
            copy.write("a word\n")
        connection.close()
        count: Callable[[], int] = lambda: len(direct.execute("select from said").fetchall())  # noqa: E731
        if cut is not Cut.BETWEEN:
            eventually(lambda: count() in rows and not cutter.kept)
        assert count() in rows
    assert cutter.cuts == [cut]
    background.run(cutter.stop())


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_messages_are_dropped_doubled_and_overtaken(background: Background, broker: RunningBroker) -> None:
    """With other manners, of what is published some comes never, some twice, some late; else all as it is."""
    mangler, address, came = Mangler(broker.broker.port, random.Random(5)), broker.device("press-1"), list[int]()
    topic = "tallystick/v1/production/press-1/statement"
    reader = broker.gateway()

    async def publish(count: int) -> None:
        names = {"username": address.username or "", "password": address.password or ""}
        wire = await Wire.open(mangler.port, **names, received=lambda *_: None)
        for number in range(count):
            wire.publish(topic.encode(), str(number).encode())
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.5)
        wire.close()

    async def read() -> Wire:
        names = {"username": reader.username or "", "password": reader.password or ""}
        wire = await Wire.open(broker.broker.port, **names, received=lambda _, payload: came.append(int(payload)))
        wire.subscribe(topic)
        return wire

    background.run(mangler.start())
    wire = background.run(read())
    background.run(publish(100))
    assert came == list(range(100))
    came.clear()
    mangler.manners = Manners(drop=0.1, double=0.1, hold=0.2)
    background.run(publish(200))
    done = mangler.manners.done
    assert len(set(came)) == 200 - done["dropped"] < 200
    assert len(came) - len(set(came)) == done["doubled"] > 0
    assert came != sorted(came) and done["held"] > 0
    background.run(mangler.stop())
    wire.close()
