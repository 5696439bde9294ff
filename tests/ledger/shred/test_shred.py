"""Shredding: the content is gone wherever it was kept, the entry says so, and every proof holds."""

import contextlib
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import tallystick
from deploy.postgres import Postgres
from gateway.quarantine import Specimen
from gateway.quarantine import write as quarantine
from ledger import message, read
from ledger.audit import walk
from ledger.audit.database import DatabaseSource
from ledger.database import connect
from ledger.proof.prove import prove
from ledger.proof.verify import verify
from ledger.receipt import Answer, Receipt
from ledger.refusal import Reason
from ledger.section import Privacy, Section
from ledger.senml import Reading
from ledger.statement import Statement
from tests.labels.story import public_pack
from tests.running import until_one_waits
from tests.world import World, event, ticking

SECRET = "the patient's own name"
EPC = "urn:epc:id:sgtin:0950600.013435.SECRET9"


class Told:
    """A world in which a device has said, in one statement, what shall go and, in others, what shall stay."""

    def __init__(self, world: World, postgres: Postgres) -> None:
        self.world, self.postgres = world, postgres
        self.press = world.register_device("press-1")
        self.first = world.publish(self.press, self.press.readings(20.5, metric="kept"))
        note = Reading(f"{self.press.urn}:note", "", 1_750_000_000.0, SECRET)
        number = Reading(f"{self.press.urn}:pulse", "", 1_750_000_001.0, 61.78125)
        self.secret = world.publish(self.press, public_pack(self.press, [note, number]), self.press.readings(7.25))
        self.event = world.publish(self.press, event(EPC))
        world.tick()
        self.message = self._message(self.secret)
        self.needles = [self._salt(0), self._salt(1), SECRET.encode()]

    def place(self, statement: Statement) -> int:
        """A statement's index on `production`."""
        with connect(self.world.dsn) as connection:
            found = read.entries(connection, "production", 0, 10)
            return next(stored.index for stored in found if stored.data == statement.encode())

    def run(self, *args: str) -> int:
        """The command, while the gateway runs."""
        with ticking(self.world):
            return self.command(*args)

    def command(self, *args: str) -> int:
        """The command, by itself."""
        return tallystick.run(["ledger", "shred", *self.where, *args])

    @property
    def where(self) -> tuple[str, ...]:
        """The options that say which ledger."""
        return ("--data", str(self.world.folder.path.parent), "--dsn", self.world.dsn)

    def dump(self) -> bytes:
        """The whole database, as pg_dump writes it; what is bytea stands there in hexadecimal."""
        program = self.postgres.binaries.program("pg_dump")
        return subprocess.run([program, self.world.dsn], check=True, capture_output=True).stdout

    def in_dump(self) -> list[bytes]:
        """Which of the needles the dump has."""
        text = self.dump()
        return [needle for needle in self.needles if needle in text or needle.hex().encode() in text]

    def in_files(self) -> list[bytes]:
        """Which of the needles stand in the files of the server's tables."""
        with psycopg.connect(self.world.dsn, autocommit=True) as connection:
            connection.execute("checkpoint")
        files = [path.read_bytes() for path in (self.postgres.cluster / "base").rglob("*") if path.is_file()]
        return [needle for needle in self.needles if any(needle in data for data in files)]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with connect(self.world.dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    def _message(self, statement: Statement) -> bytes:
        with connect(self.world.dsn) as connection:
            [stored] = [
                stored for stored in read.entries(connection, "production", 0, 10) if stored.data == statement.encode()
            ]
        return stored.message(len(statement.manifest))

    def _salt(self, line: int) -> bytes:
        return Section.decode(message.decode(self.message).sections[line] or b"").salt


@pytest.fixture
def told(postgres_dsn: str, postgres_server: Postgres, tmp_path: Path) -> Iterator[Told]:
    with World(postgres_dsn, tmp_path / "ledger") as world:
        yield Told(world, postgres_server)


REASON = ("--reason", "the patient asked")


def test_what_is_shredded_is_nowhere_in_the_database(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """Section, salt, readings, and a copy in quarantine: the dump has had them all, and has none of them after."""
    with connect(told.world.dsn) as connection:
        quarantine(connection, [Specimen("tallystick/v1/production/x", "statement", Reason.FORK, told.message)])
    assert told.in_dump() == told.needles
    index = str(told.place(told.secret))
    assert told.run("--chain", "production", "--index", index, *REASON, "--yes") == 0
    printed = capsys.readouterr().out
    assert "line 0  public  readings, " in printed and ": 2 from 2025-06-15 15:06:40 to 2025-06-15 15:06:41" in printed
    assert "deleted 2 sections" in printed and "Not reached from here" in printed
    assert told.in_dump() == []
    assert told.rows("select value from reading") == [(20.5,)]
    assert told.rows("select * from reading_other") == []
    assert told.rows("select message from quarantine") == []


def test_who_makes_a_proof_hears_what_was_shredded_and_by_which_entry(
    told: Told, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the registry, which the prover has; the proof itself holds as one from which it is withheld."""
    which = ("--chain", "production", "--index", str(told.place(told.secret)))
    prove_it = ["ledger", "prove", *told.where, *which, "-o", str(tmp_path / "x.bundle")]
    assert tallystick.run(prove_it) == 0
    assert "shredded" not in capsys.readouterr().err
    assert told.run(*which, "--line", "0", *REASON, "--yes") == 0
    [said] = re.findall("registry entry (.*) says that it is shredded", capsys.readouterr().out)
    assert tallystick.run(prove_it) == 0
    printed = capsys.readouterr().err
    assert f"section 0 of entry {which[3]} of production was shredded, by registry entry {said}:" in printed
    assert "section 1" not in printed
    trust = str(told.world.folder.trust_file)
    assert tallystick.run(["ledger", "verify", str(tmp_path / "x.bundle"), "--trust", trust]) == 0
    assert "public, readings: not shown" in capsys.readouterr().out


def test_a_rewrite_leaves_nothing_in_the_tables_files(told: Told) -> None:
    """Not in freed places, nor in the samples that PostgreSQL keeps of a table's values."""
    with psycopg.connect(told.world.dsn, autocommit=True) as connection:
        connection.execute("analyze tallystick.section, tallystick.reading_other")
    assert set(told.in_files()) == set(told.needles)
    index = str(told.place(told.secret))
    assert told.run("--chain", "production", "--index", index, *REASON, "--yes", "--rewrite") == 0
    assert told.in_files() == []


def test_who_still_sees_it_is_waited_for_and_told_of(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """A session that began before keeps the rows in the files, as a backup does: the operator is told what to do."""
    index = str(told.place(told.secret))
    with psycopg.connect(told.world.dsn) as looking:
        looking.execute("set transaction isolation level repeatable read, read only")
        looking.execute("select count(*) from tallystick.section")
        assert told.run("--chain", "production", "--index", index, *REASON, "--yes", "--timeout", "2", "--rewrite") == 1
        assert "still sees what was deleted" in capsys.readouterr().err
        assert told.in_dump() == [] and told.in_files() != []
    assert told.command("--pending", "--rewrite") == 0
    assert told.in_files() == []


def test_an_event_goes_with_what_it_was_about(told: Told) -> None:
    """Its row, its document, and the identifiers by which it was found; by the statement's hash."""
    assert EPC.encode() in told.dump()
    assert told.run("--statement", told.event.hash.hex(), *REASON, "--yes") == 0
    assert EPC.encode() not in told.dump()
    assert told.rows("select * from event") == [] and told.rows("select * from event_item") == []


def test_every_proof_still_verifies(told: Told) -> None:
    """The shredded statement's own, with its section not shown, and its neighbours'; the audit finds it shredded."""
    before = prove_all(told.world)
    assert told.run("--device", "press-1", "--lane", "1", *_link(told.secret), *REASON, "--yes") == 0
    after = prove_all(told.world)
    assert after.keys() == before.keys()
    index = told.place(told.secret)
    assert [shown for shown in before[index] if shown] and after[index] == [False, False]
    assert {place: shown for place, shown in after.items() if place != index} == {
        place: shown for place, shown in before.items() if place != index
    }
    with connect(told.world.dsn) as connection:
        report = walk.audit(DatabaseSource(connection, told.world.folder), told.world.trust)
    counts = report.chains["production"].counts
    assert report.ok and (counts["shredded"], counts["withheld"]) == (2, 0)


def prove_all(world: World) -> dict[int, list[bool]]:
    """Each statement of `production` proven, with all sections that are here: which are shown, by index."""
    shown = {}
    with connect(world.dsn) as connection:
        size = len(list(read.entries(connection, "production", 0, 100)))
        for index in range(size):
            verdict = verify(prove(connection, world.folder, "production", index, Privacy.PRIVATE), world.trust)
            shown[index] = [section.body is not None for section in verdict.sections]
    return shown


def _link(statement: Statement) -> tuple[str, ...]:
    return ("--stream", statement.tally.stream.hex(), "--seq", str(statement.tally.seq))


def test_only_the_named_line_goes(told: Told) -> None:
    """The statement's other section stays as it was."""
    index = str(told.place(told.secret))
    assert told.run("--chain", "production", "--index", index, "--line", "0", *REASON, "--yes") == 0
    assert told.in_dump() == [told.needles[1]]
    assert told.rows("select value from reading order by 1") == [(7.25,), (20.5,)]


def test_a_shredded_section_is_not_taken_again(told: Told) -> None:
    """A device that sends it once more gets a receipt that lacks nothing, and the ledger keeps none of it."""
    index = str(told.place(told.secret))
    assert told.run("--chain", "production", "--index", index, *REASON, "--yes") == 0
    told.world.send("press-1", told.message)
    answers = [Answer.decode(reply.payload) for reply in told.world.tick() if "receipt" in reply.topic]
    [receipt] = [Receipt.decode(answer.receipt or b"") for answer in answers]
    assert receipt.lacking == ()
    assert told.in_dump() == []


def test_what_never_came_will_not_come(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """A section that the ledger lacks can be shredded before it is here."""
    device = told.press
    lost, payload = told.world.sign(
        device, [device.readings(99.5)], tally=device.next_tally("production", told.secret.tally.lane)
    )
    told.world.send(device.name, message.encode(lost.encode(), [None]))
    told.world.tick()
    assert told.run("--statement", lost.hash.hex(), *REASON, "--yes") == 0
    assert "it never came, and will not be taken any more" in capsys.readouterr().out
    told.world.send(device.name, payload)
    told.world.tick()
    assert told.rows("select * from reading where value = 99.5") == []


def test_a_run_that_is_killed_between_the_entry_and_the_deletion_is_finished(told: Told) -> None:
    """kill -9 while it deletes: the entry stands, the content too, until the next run."""
    argv = [sys.executable, "-m", "tallystick", "ledger", "shred", *told.where]
    index = str(told.place(told.secret))
    with ticking(told.world), psycopg.connect(told.world.dsn) as holding:
        holding.execute("select from tallystick.section for update")
        process = subprocess.Popen([*argv, "--chain", "production", "--index", index, *REASON, "--yes"])
        until_one_waits(told.world.dsn)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert told.in_dump() == told.needles
    assert told.command("--pending") == 0
    assert told.in_dump() == []


def test_an_entry_that_nobody_seals_deletes_nothing_yet(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a gateway it waits in the inbox, and the hint says how to go on."""
    told.world.close()
    index = str(told.place(told.secret))
    assert told.command("--chain", "production", "--index", index, *REASON, "--yes", "--timeout", "0.2") == 1
    assert "'tallystick ledger shred --pending'" in capsys.readouterr().err
    assert told.in_dump() == told.needles
    assert told.command("--pending") == 0
    assert told.in_dump() == told.needles, "the entry is not published yet"
    told.world.tick()
    assert told.command("--pending") == 0
    assert told.in_dump() == []


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--chain", "registry", "--index", "0"], "the registry's sections cannot be shredded"),
        (["--chain", "anchor", "--index", "0"], "the anchor has no content"),
        (["--chain", "production", "--index", "0"], "nothing that can be shredded"),
        (
            ["--chain", "production", "--index", "0", "--line", "0"],
            "section 0 cannot be shredded: it says how its stream",
        ),
        (["--chain", "production", "--index", "2", "--line", "2"], "the statement has no line 2"),
        (["--chain", "production", "--index", "99"], "there is no entry 99"),
        (["--chain", "production"], "which statement is meant is not clear"),
        (["--pending", "--chain", "production"], "--pending names no statement"),
    ],
)
def test_what_cannot_be_shredded_is_refused(
    told: Told, args: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By name, and before anything is signed."""
    before = told.rows("select count(*) from inbox union all select count(*) from entry")
    assert told.command(*args, *REASON, "--yes") == 1
    assert complaint in capsys.readouterr().err
    assert told.rows("select count(*) from inbox union all select count(*) from entry") == before


def test_only_the_operator_shreds(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """Who has a copy has no key to say so: he is told to delete the copy; and that nothing is pending."""
    told.world.folder.key_file("operator").unlink()
    assert told.command("--chain", "production", "--index", str(told.place(told.secret)), *REASON, "--yes") == 1
    error = capsys.readouterr().err
    assert "only the operator can shred" in error and "delete the copy" in error
    assert told.command("--pending") == 0
    assert capsys.readouterr().out == "nothing is pending\n"


def test_nobody_is_asked_without_a_terminal(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """Then --yes is needed; and a reason always."""
    index = str(told.place(told.secret))
    assert told.command("--chain", "production", "--index", index, *REASON) == 1
    assert "give --yes" in capsys.readouterr().err
    assert told.command("--chain", "production", "--index", index, "--yes") == 1
    assert "give --reason" in capsys.readouterr().err
    assert told.in_dump() == told.needles


def test_who_does_not_own_the_tables_may_not(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """The services' role changes nothing in the ledger: its user is told so before anything is signed."""
    with psycopg.connect(told.world.dsn, autocommit=True) as owner, contextlib.suppress(psycopg.errors.DuplicateObject):
        owner.execute("create role tally_service login in role tallystick_writer")
    service = make_conninfo(told.world.dsn, user="tally_service")
    argv = ["ledger", "shred", "--data", told.where[1], "--dsn", service, "--chain", "production"]
    assert tallystick.run([*argv, "--index", str(told.place(told.secret)), *REASON, "--yes"]) == 1
    assert "'tally_service' may add to the ledger's tables and delete nothing" in capsys.readouterr().err


def test_a_second_shredding_of_a_statement_finds_nothing(told: Told, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told so, and signs nothing."""
    index = str(told.place(told.secret))
    assert told.run("--chain", "production", "--index", index, *REASON, "--yes") == 0
    assert told.command("--chain", "production", "--index", index, *REASON, "--yes") == 1
    assert "nothing that can be shredded" in capsys.readouterr().err
    assert told.command("--chain", "production", "--index", index, "--line", "0", *REASON, "--yes") == 1
    assert "section 0 is shredded already" in capsys.readouterr().err
