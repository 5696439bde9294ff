"""Claims about a monitor's rounds: what it tells of real ledgers, and of what their logs must never do."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.author import Content
from ledger.block import Header
from ledger.database import connect
from ledger.errors import SourceUnreachable
from ledger.monitor.alarm import Alarm, Kind, exit_code
from ledger.monitor.state import State
from ledger.monitor.watch import Limits, Watch
from ledger.published.blocks import Block, decode_head, encode_head
from ledger.published.database import DatabaseReader
from ledger.published.reader import Reader
from ledger.registry import Role
from ledger.section import ContentFormat, Privacy
from tests.ledger.mirror.sources import Past, forge
from tests.ledger.published.made import Copy, Made, everything
from tests.world import World

HOUR_MS = 3_600_000
NONE = Limits()


class Site:
    """A ledger that goes on, watched in its database."""

    def __init__(self, world: World) -> None:
        self.world, self.state = world, State()
        self._connection = connect(world.dsn, autocommit=True)
        self.reader = DatabaseReader(self._connection, world.folder)

    def close(self) -> None:
        """Let the database go."""
        self._connection.close()
        self.world.close()

    def look(self, limits: Limits = NONE, *, reader: Reader | None = None) -> list[Alarm]:
        """A round of a monitor that was just started."""
        watch = Watch(self.world.trust, self.state, limits)
        return watch.round({"here": reader or self.reader}, self.world.now_ms)


@pytest.fixture
def site(fresh_database: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    """A ledger of its genesis alone."""
    site = Site(World(fresh_database(), tmp_path / "data"))
    yield site
    site.close()


@pytest.fixture(scope="module")
def files(made: Made) -> dict[str, bytes]:
    """Everything, as it is published."""
    return everything(made.reader(), made.every_path())


def kinds(alarms: list[Alarm]) -> list[str]:
    """What they are."""
    return sorted(str(alarm.kind) for alarm in alarms)


def watch(made: Made, state: State, sources: Mapping[str, Reader]) -> list[Alarm]:
    """A round over sources of the shared ledger."""
    return Watch(made.world.trust, state, Limits()).round(sources, made.world.now_ms)


def test_a_ledger_of_its_genesis_alone(site: Site) -> None:
    """Four logs have published nothing, and nothing is the matter."""
    assert site.look(Limits(60, 60)) == []
    assert list(site.state.seen["here"]) == ["example.com/tallystick/registry"]


def test_what_is_no_ledger(
    made: Made, files: dict[str, bytes], fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    """Where nothing is, another ledger, or no registry, is an alarm, one a source; the others are read."""
    with World(fresh_database(), tmp_path / "data") as other:
        theirs = other.trust.text.encode()
    for shown, complaint in {
        b"": "here is no ledger: trust.json is not there",
        b"# metrics": "here is no ledger: its trust.json is none",
        theirs: "here is the ledger 'example.com', not yours: it has another genesis",
        files["trust.json"]: "here shows no registry",
    }.items():
        sources: dict[str, Reader] = {"here": Copy({"trust.json": shown} if shown else {}), "there": made.reader()}
        state = State()
        [alarm] = watch(made, state, sources)
        assert complaint in alarm.text and exit_code([alarm.kind]) == 1
        assert len(state.seen["there"]) == 4


def test_a_log_that_grows(made: Made, files: dict[str, bytes]) -> None:
    """Growth is no alarm, and is remembered; it is the same from two sources, one behind the other."""
    state, now = State(), made.world.now_ms
    for back in (60_000, 1_000, 0):
        past = Past(made, now - back, made.reader())
        assert watch(made, state, {"one": past, "other": made.reader()}) == []
    assert state.seen["one"] == state.seen["other"] and len(state.seen["one"]) == 4


def test_a_rewound_log(made: Made, files: dict[str, bytes]) -> None:
    """Less than was seen is an alarm for as long as it stays so, and what was seen is not forgotten."""
    state, past = State(), Past(made, made.world.now_ms - 1_000, made.reader())
    watch(made, state, {"here": made.reader()})
    for _ in range(2):
        found = watch(made, state, {"here": past})
        assert {"anchor", "production"} <= {alarm.facts["chain"] for alarm in found}
        assert set(kinds(found)) == {"rewound"} and exit_code({alarm.kind for alarm in found}) == 3
    assert set(kinds(watch(made, state, {"here": Copy({"trust.json": files["trust.json"]})}))) == {"rewound"}
    assert watch(made, state, {"here": made.reader()}) == []


@pytest.mark.parametrize("back", [0, 1_000])
def test_a_fork_between_rounds(made: Made, files: dict[str, bytes], back: int) -> None:
    """A history that does not begin with the one seen is a fork, with both signed checkpoints in the alarm."""
    state, forked = State(), Copy(dict(files))
    watch(made, state, {"here": Past(made, made.world.now_ms - back, made.reader())})
    forge(forked, made.world, "production", leaf=5)
    [alarm] = watch(made, state, {"here": forked})
    assert alarm.kind is Kind.FORKED and alarm.facts["chain"] == "production"
    log = made.world.trust.log("production")
    one, other = (log.open(item["checkpoint"]) for item in alarm.facts["evidence"])
    assert one.root != other.root and one.size <= other.size
    [again] = watch(made, state, {"here": forked})
    assert again.id == alarm.id


@pytest.mark.parametrize("back", [0, 1_000])
def test_a_split_view(made: Made, files: dict[str, bytes], back: int) -> None:
    """Two sources of one log that show two histories: a fork, although each is true to itself."""
    forked = Copy(dict(files))
    forge(forked, made.world, "production", leaf=5)
    sources: dict[str, Reader] = {"one": Past(made, made.world.now_ms - back, made.reader()), "other": forked}
    for _ in range(2):
        found = watch(made, State(), sources)
        assert kinds(found) == ["forked"] and "one and other show one each" in found[0].text


def test_a_head_of_another_history(made: Made, files: dict[str, bytes]) -> None:
    """A log that shows its checkpoint to monitors and a fork's head to mirrors has signed both: that is told."""
    forked = Copy(dict(files))
    forge(forked, made.world, "production", leaf=5)
    split = Copy({path: data if "/head" not in path else forked.files[path] for path, data in files.items()})
    found = watch(made, State(), {"here": split})
    assert [alarm.facts["chain"] for alarm in found if alarm.kind is Kind.FORKED] == ["production"]


def test_a_source_that_lies(made: Made, files: dict[str, bytes]) -> None:
    """A checkpoint that nobody signed, and tiles of no tree, accuse the source and not the log."""
    state, copy = State(), Copy(dict(files))
    watch(made, state, {"here": Past(made, made.world.now_ms - 1_000, made.reader())})
    copy.flip("example.com/tallystick/production/checkpoint", 40)
    tile = next(path for path in files if "/anchor/tile/0/001" in path)
    copy.flip(tile, 7)
    found = watch(made, state, {"here": copy})
    assert set(kinds(found)) == {"unreachable"} and {alarm.facts["chain"] for alarm in found} >= {
        "production",
        "anchor",
    }


def test_a_source_that_is_away(made: Made) -> None:
    """It is told once for the source, not for each of its logs, and the others are looked at."""

    class Away:
        def read(self, path: str) -> bytes:
            raise SourceUnreachable("it stalls", "try again later")

    sources: dict[str, Reader] = {"away": Away(), "here": made.reader()}
    found = watch(made, State(), sources)
    assert kinds(found) == ["unreachable"] and exit_code({alarm.kind for alarm in found}) == 1


def test_silent_devices(site: Site) -> None:
    """A device is silent if its newest statement, or its registration, is older than that; else it is not."""
    limits = Limits(silent_s=3600)
    old = site.world.register_device("old-1")
    site.world.register_device("never-1")
    site.world.publish(old, old.readings(1.0))
    site.world.tick()
    assert site.look(limits) == []
    site.world.tick(2 * HOUR_MS)
    new = site.world.register_device("new-1")
    assert sorted(alarm.facts["device"] for alarm in site.look(limits)) == ["never-1", "old-1"]
    site.world.publish(old, old.readings(2.0))
    site.world.publish(new, new.readings(2.0))
    site.world.tick()
    assert [alarm.facts["device"] for alarm in site.look(limits)] == ["never-1"]
    site.world.operator_says({"type": "revocation", "kid": new.key.kid, "reason": "gone"})
    site.world.tick(2 * HOUR_MS)
    assert sorted(alarm.facts["device"] for alarm in site.look(limits) if alarm.kind is Kind.SILENT) == [
        "never-1",
        "old-1",
    ]


def test_a_device_that_speaks_again(site: Site) -> None:
    """Its silence is told with its beginning; its end is told once, and is nothing to look at."""
    press = site.world.register_device("press-1")
    site.world.publish(press, press.readings(1.0))
    site.world.tick()
    heard = datetime.fromtimestamp(site.world.now_ms / 1000, UTC)
    site.world.tick(2 * HOUR_MS)
    limits = Limits(silent_s=3600)
    [silent] = site.look(limits)
    assert silent.text == f"the device press-1 is silent, since {heard:%Y-%m-%dT%H:%M:%SZ}"
    site.state.told = {silent.key: 1}
    site.world.publish(press, press.readings(2.0))
    site.world.tick()
    [spoke] = site.look(limits)
    assert spoke.text == "the device press-1 speaks again" and exit_code([spoke.kind]) == 0
    site.state.told = {spoke.key: 2}
    assert site.look(limits) == []


def test_silence_that_cannot_be_heard(site: Site) -> None:
    """Where entries are not for us, nobody is called silent."""
    press = site.world.register_device("press-1")
    site.world.publish(press, press.readings(1.0))
    site.world.tick()
    site.world.tick(2 * HOUR_MS)
    with connect(site.world.dsn, autocommit=True) as connection:
        public = DatabaseReader(connection, site.world.folder, Privacy.PUBLIC)
        assert site.look(Limits(silent_s=60), reader=public) == []
    assert kinds(site.look(Limits(silent_s=60))) == ["silent"]


def test_stalled_logs(site: Site) -> None:
    """A log that has sealed nothing for so long is told; one that never did is not."""
    press = site.world.register_device("press-1")
    site.world.publish(press, press.readings(1.0))
    site.world.tick()
    assert site.look(Limits(stalled_s=60)) == []
    site.world.now_ms += HOUR_MS
    found = site.look(Limits(stalled_s=60))
    assert set(kinds(found)) == {"stalled"}
    assert {alarm.facts["chain"] for alarm in found} == {"production", "anchor"}


def test_findings_and_keys(site: Site) -> None:
    """Each new finding, suspension and revocation in the registry is told with its entry, and not by the next run."""
    press = site.world.register_device("press-1")
    site.look()
    bad = Content(Privacy.PUBLIC, ContentFormat.EPCIS, b"\xff")
    site.world.publish(press, bad)
    site.world.tick()
    site.world.tick()
    site.world.operator_says({"type": "revocation", "kid": press.key.kid, "reason": "stolen"})
    found = site.look()
    assert kinds(found) == ["finding", "revocation"] and exit_code({alarm.kind for alarm in found}) == 2
    assert found[0].facts["chain"] == "production" and found[0].facts["entry"] == 1
    assert found[1].text == "revocation of the key of press-1: stolen"
    assert site.look() == []


def test_a_registry_that_is_not_the_pinned_one(made: Made, files: dict[str, bytes]) -> None:
    """Another genesis than the trust file's is told, whoever signed it, and whatever the source's trust file says."""
    trust = replace(made.world.trust, genesis=bytes(32))
    copy = Copy({**files, "trust.json": trust.text.encode()})
    found = Watch(trust, State(), Limits()).round({"here": copy}, made.world.now_ms)
    assert any("not the genesis that the trust file pins" in alarm.text for alarm in found)


@pytest.mark.parametrize("height", [0, 100, 2**62])
def test_a_head_that_leads_on(made: Made, files: dict[str, bytes], height: int) -> None:
    """What a head says beside what its log has signed is held against the blocks, and never leads on without end."""
    copy, path = Copy(dict(files)), "example.com/tallystick/production/head"
    block = decode_head(files[path])
    header = Header.decode(block.header)
    prev = bytes(32) if height == 0 else header.prev
    wrong = replace(header, height=height, prev=prev, first=header.first if height else 0)
    copy.files[path] = encode_head(Block(wrong.encode(), block.checkpoint))
    limits = Limits(silent_s=10**9)
    found = Watch(made.world.trust, State(), limits).round({"here": copy}, made.world.now_ms)
    assert [alarm.facts["chain"] for alarm in found] == ["production"] and kinds(found) == ["unreachable"]


def test_state_reads_back(made: Made) -> None:
    """What is remembered is the same after it was written."""
    state = State(made.world.trust, {"here": {"a": "b"}}, 7, {"x": 5}, [{"id": "y"}])
    assert State.parse(state.text) == state


@pytest.mark.parametrize("reason", [b"bytes", {1: 2}, 2**63, "a\x1b[2Jline", None])
def test_a_reason_of_any_kind(site: Site, reason: object) -> None:
    """No rule says what a suspension's reason is: a monitor tells of it, and its alarm and its state are JSON."""
    press = site.world.register_device("press-1")
    site.world.post(Role.GATEWAY, {"type": "suspension", "kid": press.key.kid, "reason": reason})
    site.world.tick()
    [alarm] = site.look()
    assert alarm.kind is Kind.SUSPENSION and json.loads(json.dumps(alarm.document))["name"] == "press-1"
