"""The agent against a ledger that lives, dies, forgets, refuses and lies."""

import logging
import shutil
from pathlib import Path

import pytest

from edge import status
from edge.agent import OFFLINE_MS, PROBE_MS, Mouth, pack_body
from edge.clock import Moment
from edge.publisher import Arrived, Lost
from edge.sensors import Pack
from edge.signer import Content
from edge.spool import Spool
from edge.spool import Stream as SpooledStream
from ledger import cbor, message, senml, stream
from ledger.receipt import Answer
from ledger.refusal import Reason
from ledger.section import ContentFormat, Privacy
from ledger.senml import Reading
from ledger.statement import EVENTS, TELEMETRY, Statement
from tests.edge.simulator import ISSUER, ORIGIN, TOPIC, URN, World


def openings(world: World) -> list[stream.Opening]:
    """The openings of all streams in the ledger, in order."""
    bodies = [
        entry.sections[0]
        for entry in world.ledger.entries
        if entry.statement.tally.seq == 0 and entry.statement.manifest[0].content_format == ContentFormat.STREAM
    ]
    found = [stream.decode(body) for body in bodies]
    assert all(isinstance(item, stream.Opening) for item in found)
    return [item for item in found if isinstance(item, stream.Opening)]


def numbers(world: World) -> list[float]:
    """What the script's readings in the ledger count, in the ledger's order."""
    bodies = [
        body
        for entry in world.ledger.entries
        for line, body in entry.sections.items()
        if entry.statement.manifest[line].content_format == ContentFormat.SENML_CBOR
    ]
    return [float(reading.value) for body in bodies for reading in senml.decode(body, now=0)]


def copy(world: World, name: str) -> Path:
    """A disk image of the spool as it is."""
    target = world.folder / name
    source = Spool(world.config.spool_file)
    source._db.execute("VACUUM INTO ?", [str(target)])
    source.close()
    return target


def put_back(world: World, image: Path) -> None:
    """Restore a disk image, and start the agent on it."""
    world.spool.close()
    for path in world.folder.glob("spool.sqlite*"):
        path.unlink()
    shutil.copy(image, world.config.spool_file)
    world.start()


# The plain way


def test_everything_arrives_and_is_forgotten(tmp_path: Path) -> None:
    """Readings and events reach the ledger whole, in order; the spool is empty in the end."""
    with World(tmp_path, packs=30) as world:
        world.connect()
        world.event(b"\xa1\x61a\x01")
        world.drain()
        world.check()
        assert numbers(world) == list(range(1, 31))
        assert world.ledger.size == 1 + 30 + 1 + 1
        assert not any(entry.missing for entry in world.ledger.entries)
        assert world.spool.bytes_held() == 0
        said = status.read(world.spool)
        assert (said["spooled"], said["unconfirmed"], said["sections_waiting"]) == (33, 0, 0)
        assert said["lanes"]["telemetry"]["last_receipt"]["seq"] == 30


def test_a_statement_says_who_speaks_to_whom(tmp_path: Path) -> None:
    """iss, sub, aud, iat and clk are the configuration's and the clock's."""
    with World(tmp_path, packs=1) as world:
        world.connect()
        world.drain()
        statement = world.ledger.statements()[-1]
        assert (statement.issuer, statement.subject, statement.audience) == (ISSUER, URN, ORIGIN)
        assert (statement.issued_at, statement.tally.clock) == (1_800_000_000, 2)
        (reading,) = senml.decode(world.ledger.entries[-1].sections[0], now=0)
        assert reading.name == f"{URN}:n"


def test_events_go_first(tmp_path: Path) -> None:
    """Custody never waits behind a backlog of telemetry."""
    with World(tmp_path, packs=50) as world:
        world.run(6_000)
        world.event()
        world.connect()
        world.run(2_000)
        lanes = [Statement.decode(message.decode(data).statement).tally.lane for data in world.ledger.received]
        assert lanes[:2] == [EVENTS, EVENTS]


def test_no_more_than_a_window_is_under_way(tmp_path: Path) -> None:
    """Without receipts, a lane has at most `window` statements in the air, however long that lasts."""
    with World(tmp_path, window=4, packs=20) as world:
        world.connect()
        for _ in range(100):
            world.agent.turn(world.now)
            world.now = Moment(world.now.wall_s + 1, world.now.ticks_ms + 1_000)
        assert len({Statement.decode(message.decode(data).statement).hash for data in world.ledger.received}) == 4
        world.drain()
        assert numbers(world) == list(range(1, 21))


def test_a_lost_message_is_sent_again_and_a_repeat_is_harmless(tmp_path: Path) -> None:
    """Whatever the wire swallows comes again after the time-out; nothing enters twice."""
    with World(tmp_path, packs=20) as world:
        world.connect()
        for turn in range(40):
            world.ledger.silent = turn % 3 != 0
            world.run(400)
        world.ledger.silent = False
        world.drain()
        world.check()
        assert numbers(world) == list(range(1, 21))


@pytest.mark.parametrize("every", [1, 2, 3])
def test_lost_receipts_are_asked_for_again(every: int, tmp_path: Path) -> None:
    """If answers are lost, a repeat is answered with what the earlier blocks hold, too."""
    with World(tmp_path, packs=20) as world:
        world.connect()
        for turn in range(12):
            world.agent.turn(world.now)
            if turn % (every + 1) == 0:
                world.deliver()
            else:
                world.ledger.seal()
            world.now = Moment(world.now.wall_s + 0.4, world.now.ticks_ms + 400)
        world.drain()
        assert numbers(world) == list(range(1, 21))


def test_offline_for_long_then_everything(tmp_path: Path) -> None:
    """A new device that starts without a broker signs all the same, and sends it when there is one."""
    with World(tmp_path, packs=40) as world:
        world.run(20_000)
        assert status.read(world.spool)["unconfirmed"] == 41
        world.connect()
        world.drain()
        assert numbers(world) == list(range(1, 41))
        assert [item.reason for item in openings(world)] == ["new"]


def test_the_connection_may_come_and_go(tmp_path: Path) -> None:
    """Cut at every step, connected again: nothing is lost, nothing comes twice."""
    with World(tmp_path, packs=25) as world:
        for _ in range(12):
            world.connect()
            world.run(300)
            world.cut()
            world.run(200)
        world.connect()
        world.drain()
        world.check()
        assert numbers(world) == list(range(1, 26))


# Restarts


@pytest.mark.parametrize("after_ms", range(0, 3_000, 250))
def test_restarted_at_any_moment_it_goes_on_in_its_stream(after_ms: int, tmp_path: Path) -> None:
    """A restart waits for the current receipt, then signs on: one stream, no row twice."""
    with World(tmp_path, packs=15) as world:
        world.connect()
        world.run(after_ms)
        world.restart()
        world.connect()
        world.drain()
        world.check()
        assert numbers(world) == list(range(1, 16))
        assert [item.reason for item in openings(world)] == ["new"]


def test_nothing_is_signed_before_the_ledger_has_answered(tmp_path: Path) -> None:
    """After a start, a lane with a stream waits for the answer to its birth."""
    with World(tmp_path, packs=15) as world:
        world.connect()
        world.run(500)
        world.restart()
        world.ledger.silent = True
        world.connect()
        signed = world.spool.signed(TELEMETRY)
        world.run(OFFLINE_MS - 100)
        assert world.spool.signed(TELEMETRY) == signed
        world.ledger.silent = False
        world.run(9_000)
        assert world.spool.signed(TELEMETRY) > signed


def test_an_offline_start_opens_a_new_stream(tmp_path: Path) -> None:
    """Without an answer for ten seconds, a new stream is opened, and no seq is signed twice."""
    with World(tmp_path, packs=15) as world:
        world.connect()
        world.run(500)
        world.restart()
        world.run(OFFLINE_MS + 2_000)
        assert world.spool.signed(TELEMETRY) > 6
        world.connect()
        world.drain()
        world.check()
        assert numbers(world) == list(range(1, 16))
        first, second = openings(world)
        assert (first.reason, second.reason) == ("new", "lost")
        assert second.previous is not None and second.previous[0] == next(iter(world.ledger.streams))[2]


def test_an_answer_to_an_old_birth_clears_nothing(tmp_path: Path) -> None:
    """A retained answer may be from before; only one with our nonce says how things are."""
    with World(tmp_path, packs=5) as world:
        world.connect()
        world.run(3_000)
        world.restart()
        world.packs = 9
        world.ledger.silent = True
        world.connect()  # what is retained arrives
        world.run(2_000)
        opened = world.spool.open_stream(TELEMETRY)
        assert opened is not None and not opened.is_cleared


def test_an_event_beside_a_running_agent_goes_into_its_stream(tmp_path: Path) -> None:
    """Another process signs an event; the agent notices and sends it."""
    with World(tmp_path) as world:
        world.connect()
        world.event()
        world.drain()
        other = Spool(world.config.spool_file)
        content = Content(Privacy.PRIVATE, ContentFormat.EPCIS, b"\xa0")
        statement = world.make_signer(other).events([content], world.now)[0]
        other.close()
        assert statement.tally.seq == 2
        world.run(300)
        world.drain()
        assert world.ledger.size == 3


def test_events_without_an_agent_open_streams_and_all_arrive(tmp_path: Path) -> None:
    """Three calls without an agent are three streams, sent one after the other once an agent runs."""
    with World(tmp_path) as world:
        for _ in range(3):
            other = Spool(world.config.spool_file)
            content = Content(Privacy.PRIVATE, ContentFormat.EPCIS, b"\xa0")
            world.make_signer(other, alive=False).events([content], world.now)
            other.close()
        world.restart()
        world.connect()
        world.drain()
        world.check()
        assert [item.reason for item in openings(world)] == ["new", "lost", "lost"]
        assert len(world.ledger.streams) == 3
        assert world.ledger.size == 6


# Restored disk images


@pytest.mark.parametrize("image_at_ms", [0, 300, 700, 1_500])
@pytest.mark.parametrize("offline", [False, True])
def test_a_restored_disk_image_never_signs_a_seq_again(image_at_ms: int, offline: bool, tmp_path: Path) -> None:
    """An older copy of the spool finds the ledger ahead and goes on in a new stream: no fork, the key stays good."""
    with World(tmp_path, packs=30) as world:
        world.connect()
        world.run(image_at_ms + 100)
        image = copy(world, "image")
        world.run(1_500)
        had = world.ledger.size
        put_back(world, image)
        if offline:
            world.run(OFFLINE_MS + 1_000)
        world.connect()
        world.drain()
        world.check()
        assert not world.ledger.bad_keys
        assert world.ledger.size > had
        assert {item.reason for item in openings(world)[1:]} <= {"restored", "lost"}
        assert set(numbers(world)) == {float(number) for number in range(1, 31)}


def test_a_restored_image_names_what_the_ledger_knows(tmp_path: Path) -> None:
    """The new stream's opening says where the ledger was, which the spool did not know."""
    with World(tmp_path, packs=30) as world:
        world.connect()
        world.run(300)
        image = copy(world, "image")
        world.run(1_500)
        put_back(world, image)
        key = next(iter(world.ledger.streams))
        head = world.ledger.streams[key][-1].statement
        world.connect()
        world.drain()
        opening = openings(world)[1]
        assert (opening.reason, opening.previous) == ("restored", (key[2], head.tally.seq, head.hash))


def test_a_restored_image_that_missed_a_whole_stream(tmp_path: Path) -> None:
    """The ledger's open stream is unknown to the copy: what it still has goes in all the same, in a third one."""
    with World(tmp_path, packs=60) as world:
        world.connect()
        world.run(500)
        world.ledger.silent = True
        world.run(600)
        image = copy(world, "image")
        world.ledger.silent = False
        world.run(3_000)
        world.restart()
        world.run(OFFLINE_MS + 500)
        world.connect()
        world.run(3_000)
        put_back(world, image)
        world.connect()
        world.drain()
        world.check()
        assert not world.ledger.bad_keys
        assert [item.reason for item in openings(world)][:2] == ["new", "lost"]
        assert set(numbers(world)) == {float(number) for number in range(1, 61)}


def test_a_lost_spool_starts_anew(tmp_path: Path) -> None:
    """With the key but without the spool, the device opens a stream and goes on."""
    with World(tmp_path, packs=10) as world:
        world.connect()
        world.run(700)
        world.spool.close()
        for path in tmp_path.glob("spool.sqlite*"):
            path.unlink()
        world.start()
        world.connect()
        world.drain()
        world.check()
        assert [item.reason for item in openings(world)] == ["new", "new"]


# Sections


def test_a_section_that_did_not_arrive_is_sent_again(tmp_path: Path) -> None:
    """The statement is proven, its section listed as lacking: it is kept, and sent until it is there."""
    with World(tmp_path, packs=5) as world:
        world.ledger.drop_sections = 7
        world.connect()
        world.drain()
        assert not any(entry.missing for entry in world.ledger.entries)
        assert numbers(world) == list(range(1, 6))


def test_only_the_lacking_section_is_sent_again(tmp_path: Path) -> None:
    """Slots of sections that have arrived are null in the repeat."""
    with World(tmp_path, packs=1) as world:
        world.ledger.drop_sections = 1
        world.connect()
        world.run(500)
        assert world.spool.counts(TELEMETRY) == {"unconfirmed": 0, "sections_waiting": 1}
        world.ledger.received.clear()
        world.drain()
        assert len(world.ledger.received) == 1


def test_what_was_evicted_is_named_in_the_ledger(tmp_path: Path) -> None:
    """A spool that overflows offline sends every statement, and a signed list of the lines that it gave up."""
    with World(tmp_path, spool_bytes_max=64 * 1024, packs=300) as world:
        world.run(35_000)
        assert world.spool.evicted(1)
        world.connect()
        world.drain()
        world.check()
        missing = {
            (entry.statement.tally.stream, entry.statement.tally.seq, line)
            for entry in world.ledger.entries
            for line in entry.missing
        }
        bodies = [
            stream.decode(body)
            for entry in world.ledger.entries
            for line, body in entry.sections.items()
            if entry.statement.manifest[line].content_format == ContentFormat.STREAM
        ]
        named = {line for body in bodies if isinstance(body, stream.Evicted) for line in body.lines}
        assert missing and named == missing


# Refusals


def test_nothing_blocks_behind_a_refused_statement(tmp_path: Path) -> None:
    """One of ten is refused for good: a new stream opens, the others arrive, and the refused bytes are on record."""
    with World(tmp_path, packs=10) as world:
        world.run(1_500)
        opened = world.spool.open_stream(TELEMETRY)
        assert opened is not None
        victim = world.spool.held(opened, 0)[4]
        world.ledger.refuse[victim.hash] = Reason.ENVELOPE
        world.connect()
        world.drain()
        world.check()
        assert numbers(world) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
        assert [item.reason for item in openings(world)] == ["new", "refused"]
        bodies = [body for entry in world.ledger.entries for body in entry.sections.values()]
        assert cbor.encode({"type": "refused", "statement": victim.bytes}) in bodies
        assert status.read(world.spool)["state"] == "going"


def test_a_suspended_key_stops_and_goes_on_once_it_is_reinstated(tmp_path: Path) -> None:
    """Nothing is signed or sent but a probe every ten minutes; then all that waited goes in."""
    with World(tmp_path, packs=30) as world:
        world.connect()
        world.run(500)
        world.ledger.bad_keys[world.key.kid] = Reason.SUSPENDED
        world.run(2_000)
        assert world.agent.stopped == "suspended-key"
        signed, had = world.spool.signed(TELEMETRY), len(world.ledger.received)
        world.run(PROBE_MS // 2, step_ms=1_000)
        assert (world.spool.signed(TELEMETRY), len(world.ledger.received)) == (signed, had)
        del world.ledger.bad_keys[world.key.kid]
        world.run(PROBE_MS, step_ms=1_000)
        assert world.agent.stopped is None
        world.drain()
        world.check()
        assert numbers(world) == list(range(1, 31))


def test_a_revoked_device_asks_once_at_each_start(tmp_path: Path) -> None:
    """A restart probes at once: whoever mended the registry need not wait."""
    with World(tmp_path, packs=5) as world:
        world.connect()
        world.run(300)
        world.ledger.bad_keys[world.key.kid] = Reason.REVOKED
        world.run(1_000)
        world.restart()
        world.ledger.received.clear()
        world.connect()
        world.run(5_000)
        assert len(world.ledger.received) == 1
        assert world.agent.stopped == "revoked-key"
        del world.ledger.bad_keys[world.key.kid]
        world.restart()
        world.connect()
        world.drain()
        assert numbers(world) == list(range(1, 6))


def test_a_receipt_for_earlier_statements_does_not_end_a_stop(tmp_path: Path) -> None:
    """Receipts that were under way when the refusal came do not mean that the device is good again."""
    with World(tmp_path, packs=6) as world:
        world.run(1_000)
        opened = world.spool.open_stream(TELEMETRY)
        assert opened is not None
        world.ledger.refuse[world.spool.held(opened, 0)[3].hash] = Reason.FORK
        world.connect()
        world.run(2_000)
        assert world.agent.stopped == "fork"


def test_a_device_that_nobody_registered_waits_and_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its statements are never answered: one alarm with a hint, not one a message; once registered, all goes in."""
    with World(tmp_path, packs=3) as world:
        world.ledger.registered.clear()
        world.connect()
        with caplog.at_level(logging.INFO, "tallystick.edge"):
            world.run(300_000, step_ms=500)
        warnings = [record.message for record in caplog.records if "no receipt" in record.message]
        assert len(warnings) == 1
        assert any("is the device registered" in record.message for record in caplog.records)
        assert "no receipt" in str(status.read(world.spool)["alarm"])
        world.ledger.registered[world.key.kid] = world.key.public
        world.drain()
        assert status.read(world.spool)["alarm"] is None


def test_what_is_wrong_with_the_broker_is_said_until_it_lets_us_in(tmp_path: Path) -> None:
    """`status` has the newest trouble and since when; failing alike changes nothing; a connection ends it."""
    with World(tmp_path, packs=0) as world:
        world.cut()
        began = world.now.issued_at
        world.run(5_000)
        world.cut()
        assert status.read(world.spool)["broker"] == {"error": "cut", "hint": "mend it", "at": began}
        world.agent.take(Lost("refused", "ask"), world.now)
        assert status.read(world.spool)["broker"]["error"] == "refused"
        world.connect()
        assert status.read(world.spool)["broker"] is None


# Lies and losses


def test_nothing_but_a_good_answer_deletes_anything(tmp_path: Path) -> None:
    """Bits of a good answer flipped, other topics, and rubbish: at the most, what the whole answer proves is gone."""
    with World(tmp_path, packs=3) as world:
        world.wire.up = False
        world.run(500)
        world.connect()
        world.agent.turn(world.now)
        world.now = Moment(world.now.wall_s, world.now.ticks_ms + 1_000)
        world.agent.turn(world.now)
        ((topic, payload, _),) = [item for item in world.ledger.seal() if Answer.decode(item[1]).receipt][:1]
        before = status.read(world.spool)
        for position in range(0, len(payload) * 8, 7):
            data = bytearray(payload)
            data[position // 8] ^= 1 << position % 8
            world.agent.take(Arrived(topic, bytes(data)), world.now)
            world.agent.take(Arrived(topic.replace("receipt", "refusal"), bytes(data)), world.now)
        for odd in (
            "",
            "receipt/1",
            f"{TOPIC}/receipt/2",
            f"{TOPIC}/receipt/",
            f"{TOPIC}/other/1",
            "a/b/c/d/receipt/1",
        ):
            world.agent.take(Arrived(odd, payload), world.now)
        after = status.read(world.spool)
        assert after["lanes"]["events"] == before["lanes"]["events"]
        assert after["unconfirmed"] in (before["unconfirmed"], 0)
        world.agent.take(Arrived(topic, payload), world.now)
        assert status.read(world.spool)["unconfirmed"] == 0


@pytest.mark.parametrize("how", ["connected", "reconnected", "restarted"])
@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize("kept", [0, 1, 2, 6])
def test_a_ledger_that_has_forgotten_stalls_nobody(kept: int, waiting: bool, how: str, tmp_path: Path) -> None:
    """A ledger that lost what it proved, as a restored backup does: the agent tells of it, and goes on in a new stream.

    Its opening names the last that was signed before: so everyone sees that the ledger lacks something. What was not
    proven then is signed anew, and nothing twice.
    """
    with World(tmp_path, packs=30) as world:
        world.connect()
        world.run(1_000)
        while world.spool.held(_telemetry(world), 0):
            world.run(100)
        given = len(numbers(world))
        world.ledger.silent = True
        world.run(300 if waiting else 0)
        world.ledger.silent = False
        world.ledger.rewind(kept)
        if how != "connected":
            world.cut()
        if how == "restarted":
            world.restart()
        if how != "connected":
            world.connect()
        before = _telemetry(world)
        world.drain(ms=200_000)
        world.check()
        assert numbers(world) == [*range(1, kept), *range(given + 1, 31)]
        lost = openings(world)[-1]
        assert lost.reason == "lost" and lost.previous is not None and lost.previous[0] == before.name
        assert not world.ledger.bad_keys


def _telemetry(world: World) -> SpooledStream:
    opened = world.spool.open_stream(TELEMETRY)
    assert opened is not None
    return opened


def test_a_ledger_that_has_forgotten_is_an_alarm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told to whoever reads the agent's log, with what to do."""
    with World(tmp_path, packs=10) as world:
        world.connect()
        world.drain()
        world.ledger.rewind(0)
        world.retained.clear()
        world.restart()
        with caplog.at_level(logging.WARNING, "tallystick.edge"):
            world.connect()
            world.run(1_000)
    assert "the ledger has forgotten telemetry that it has proven" in caplog.text
    assert "its database may be an old copy" in caplog.text


def test_an_answer_from_before_we_asked_moves_nothing(tmp_path: Path) -> None:
    """An older receipt under another nonce, as the broker retains one, is no word of what the ledger has now."""
    with World(tmp_path, packs=20) as world:
        world.connect()
        world.run(500)
        kept = dict(world.retained)
        world.run(500)
        opened = _telemetry(world)
        for topic, payload in kept.items():
            world.agent.take(Arrived(topic, payload), world.now)
        world.drain()
        assert _telemetry(world).name == opened.name


def test_a_sensor_that_fails_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told once, left alone for a while, and read again; the others go on."""

    class Broken:
        due_ms = 0

        def read(self, now: Moment) -> Pack:
            raise OSError("unplugged")

    with World(tmp_path, packs=5) as world:
        world.agent._mouths.insert(0, Mouth("broken", Privacy.PUBLIC, Broken()))
        world.connect()
        with caplog.at_level(logging.INFO, "tallystick.edge"):
            world.run(5_000)
        assert numbers(world) == list(range(1, 6))
        assert len([record for record in caplog.records if "cannot be read: unplugged" in record.message]) == 1
        assert world.agent.turn(world.now) > world.now.ticks_ms


# Clocks


@pytest.mark.parametrize("wall_s", [0.0, 86_400.0, 4_102_444_800.0])
def test_a_wrong_clock_changes_nothing_but_the_dates(wall_s: float, tmp_path: Path) -> None:
    """In 1970 and in 2099 everything arrives; timers run on the other clock."""
    with World(tmp_path, packs=5) as world:
        world.now = Moment(wall_s, world.now.ticks_ms)
        world.restart()
        world.connect()
        world.drain()
        assert numbers(world) == list(range(1, 6))
        assert 0 <= world.ledger.statements()[0].issued_at - wall_s <= 1


def test_a_clock_that_is_not_set_gives_relative_times() -> None:
    """Before 1978, SenML cannot write a date: times are relative to the signing (RFC 8428, 4.5.3)."""
    pack = Pack((Reading("n", "", 95.0, 1.0), Reading("n", "", 100.0, 2.0)))
    body = pack_body(pack, subject=URN, now=Moment(100.0, 0))
    times = [reading.time for reading in senml.decode(body, now=1_800_000_000)]
    assert times == [1_799_999_995, 1_800_000_000]


def test_a_clock_that_jumps_back_stops_no_timer(tmp_path: Path) -> None:
    """A wall clock that is set back by a year in mid-stream changes no order."""
    with World(tmp_path, packs=10) as world:
        world.connect()
        world.run(500)
        world.now = Moment(world.now.wall_s - 31_536_000, world.now.ticks_ms)
        world.drain()
        world.check()
        assert numbers(world) == list(range(1, 11))


def test_a_pack_that_is_too_large_is_not_signed() -> None:
    """It would never be taken: better to be told here."""
    readings = tuple(Reading("n", "", 2e9, "x" * 1_000) for _ in range(300))
    with pytest.raises(ValueError, match="a pack of"):
        pack_body(Pack(readings), subject=URN, now=Moment(2e9, 0))
