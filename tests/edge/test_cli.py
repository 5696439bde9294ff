"""`tallystick edge` speaks like a tool: results on stdout, mistakes with a hint and exit 1."""

import json
from pathlib import Path

import pytest

import tallystick
from edge import locks
from edge.config import Config
from edge.spool import Spool
from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.statement import EVENTS
from ledger.trust.trust_file import Trust
from tests.edge.given import EVENT
from tests.edge.simulator import Ledger

INIT = ("edge", "init", "--name", "line-1", "--organisation", "https://example.com")


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    path = tmp_path / "given.json"
    path.write_text(Trust("example.com", bytes(32), {"production": Ledger().log}).text)
    return path


@pytest.fixture
def device(tmp_path: Path, trust: Path) -> Path:
    assert tallystick.run([*INIT, "--trust", str(trust), "--folder", str(tmp_path / "line-1")]) == 0
    return tmp_path / "line-1"


def fails(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    capsys.readouterr()
    assert tallystick.run(["edge", *args]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tallystick: error: ")
    return captured.err


def write(device: Path, value: object) -> str:
    path = device / "event.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


def test_init_makes_a_device(tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key, a configuration that reads, the trust file, and a registration, which is also printed."""
    folder = tmp_path / "devices" / "line-1"
    args = ["--trust", str(trust), "--broker", "broker.example.com:8883", "--username", "line-1", "--password-file",
            "secret", "--asset", "urn:epc:id:giai:0614141.12345400", "--folder", str(folder)]  # fmt: skip
    assert tallystick.run([*INIT, *args]) == 0
    captured = capsys.readouterr()
    registration = json.loads((folder / "registration.json").read_text())
    assert json.loads(captured.out) == registration
    key = SigningKey.load(folder / "device.key")
    assert registration == {
        "tallystick-registration": 1,
        "type": "device",
        "name": "line-1",
        "urn": registration["urn"],
        "organisation": "https://example.com",
        "chains": ["production"],
        "key": key.public.hex(),
        "asset": "urn:epc:id:giai:0614141.12345400",
    }
    assert registration["urn"].startswith("urn:uuid:")
    config = Config.load(folder)
    assert (config.name, config.urn, config.chain) == ("line-1", registration["urn"], "production")
    assert (config.broker.host, config.broker.port, config.broker.username) == ("broker.example.com", 8883, "line-1")
    assert config.broker.password_file == Path("secret").absolute()
    assert Trust.load(config.trust_file).name == "example.com"
    assert (folder / "device.key").stat().st_mode & 0o077 == 0
    assert "ledger register" in captured.err


def test_init_overwrites_nothing(device: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second init in the same folder changes nothing."""
    before = {path: path.read_bytes() for path in device.iterdir()}
    error = fails(capsys, *INIT[1:], "--trust", str(trust), "--folder", str(device))
    assert "holds a device already" in error
    assert {path: path.read_bytes() for path in device.iterdir()} == before


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("--name", "Line 1"), "'Line 1' is no name for a device"),
        (("--chain", "a/b"), "'a/b' is no name for a chain"),
        (("--chain", "registry"), "no device speaks on the registry"),
        (("--broker", "bad host"), "broker address is malformed"),
        (("--organisation", "example"), "the organisation 'example' is no URI"),
        (("--asset", "pallet"), "the asset 'pallet' is no URI"),
        (("--broker", "host:port"), "broker address is malformed"),
        (("--broker", "me:secret@host"), "a password does not belong on a command line"),
        (("--chain", "trade"), "pins no chain 'trade'"),
        (("--trust", "/nowhere"), "cannot read the trust file /nowhere"),
    ],
)
def test_every_mistake_of_init_is_named(
    args: tuple[str, ...], complaint: str, tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is made then."""
    folder = tmp_path / "new"
    assert complaint in fails(capsys, *INIT[1:], "--trust", str(trust), "--folder", str(folder), *args)
    assert not folder.exists()


def test_a_device_without_a_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command names the way to make one."""
    for command in (("run",), ("status",), ("event", "x.json")):
        error = fails(capsys, *command, "--folder", str(tmp_path))
        assert "no device's folder" in error
        assert "tallystick: hint: make one with 'tallystick edge init'" in error


def test_status_before_the_first_run(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to tell yet; asking makes no spool; and the object has the fields that it has later."""
    capsys.readouterr()
    assert tallystick.run(["edge", "status", "--json", "--folder", str(device)]) == 0
    early = json.loads(capsys.readouterr().out)
    assert not (device / "spool.sqlite").exists()
    assert tallystick.run(["edge", "status", "--folder", str(device)]) == 0
    assert "events: nothing yet" in capsys.readouterr().out
    tallystick.run(["edge", "event", write(device, EVENT), "--folder", str(device)])
    capsys.readouterr()
    tallystick.run(["edge", "status", "--json", "--folder", str(device)])
    later = json.loads(capsys.readouterr().out)
    assert early.keys() == later.keys()
    assert early["lanes"]["events"].keys() == later["lanes"]["events"].keys()


def test_an_event_is_signed_and_spooled(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line an event: its statement's hash, type and seq; the status counts it."""
    capsys.readouterr()
    assert tallystick.run(["edge", "event", write(device, EVENT), "--folder", str(device)]) == 0
    digest, kind, _, seq = capsys.readouterr().out.split()
    assert (kind, seq) == ("ObjectEvent", "1")
    spool = Spool(device / "spool.sqlite")
    stream = spool.open_stream(EVENTS)
    assert stream is not None and stream.head.hex() == digest
    spool.close()
    assert tallystick.run(["edge", "status", "--folder", str(device)]) == 0
    said = capsys.readouterr().out
    assert "2 spooled, 2 unconfirmed, 2 sections waiting" in said
    assert "no receipt yet" in said


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no event"),
        ('{"type": NaN}', "NaN is no number of JSON"),
        ('{"type": 1, "type": 2}', "a name comes twice"),
        ("[" * 100_000, "is not JSON"),
        ({}, "event 1 is no EPCIS 2.0 event: type is one of"),
        ([EVENT, {**EVENT, "eventTime": "today"}], "event 2 is no EPCIS 2.0 event: eventTime is not"),
        ({**EVENT, "x": 2**70}, "event 1 is no EPCIS 2.0 event"),
        ({**EVENT, "x": "y" * 300_000}, "event 1 is no EPCIS 2.0 event"),
        (
            {**EVENT, "epcList": ["https://id.example.com/01/09506000134353/21/A1"]},
            "wrong check digit: 2 would be right",
        ),
        (json.dumps(EVENT)[:-1] + ', "x": ' + "[" * 40 + "]" * 40 + "}", "event 1 is no EPCIS 2.0 event"),
    ],
)
def test_what_is_no_event_is_refused_before_it_is_signed(
    content: object, complaint: str, device: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of a file's events go in, or none."""
    assert complaint in fails(capsys, "event", write(device, content), "--folder", str(device))
    if (device / "spool.sqlite").exists():
        spool = Spool(device / "spool.sqlite")
        assert spool.signed(EVENTS) == 0
        spool.close()


def test_a_missing_file_is_named(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The world's fault, told in one line."""
    assert "cannot read /nowhere.json" in fails(capsys, "event", "/nowhere.json", "--folder", str(device))


def test_a_missing_trust_file_is_named(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without it no receipt could be believed."""
    (device / "trust.json").unlink()
    assert "cannot read the trust file" in fails(capsys, "run", "--folder", str(device))


def test_a_chain_that_the_trust_file_does_not_pin_is_named(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration and the trust file must be of one ledger."""
    config = device / "config.toml"
    config.write_text(config.read_text().replace('chain = "production"', 'chain = "trade"'))
    assert "pins no log for the chain 'trade'" in fails(capsys, "run", "--folder", str(device))


def test_a_time_out_is_for_draining(device: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An agent that runs for ever has no time-out."""
    assert "--timeout goes with --until-drained" in fails(capsys, "run", "--timeout", "3", "--folder", str(device))


def test_the_two_locks(tmp_path: Path) -> None:
    """An agent is running before it is ready, and is ready only once it has taken the spool over."""
    seen = []

    def take_over() -> None:
        seen.append((locks.is_running(tmp_path), locks.is_ready(tmp_path)))

    with locks.running(tmp_path, take_over):
        seen.append((locks.is_running(tmp_path), locks.is_ready(tmp_path)))
        with pytest.raises(UserError, match="already runs"), locks.running(tmp_path, take_over):
            pass
    seen.append((locks.is_running(tmp_path), locks.is_ready(tmp_path)))
    assert seen == [(True, False), (True, True), (False, False)]
