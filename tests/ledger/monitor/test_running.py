"""Claims about the command: how it ends, what it tells, and how a webhook hears of it."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ledger.author import Content
from ledger.monitor import webhook
from ledger.section import ContentFormat, Privacy
from tests import commands
from tests.ledger.mirror.sources import forge
from tests.ledger.published import misbehaving
from tests.ledger.published.made import Copy, Made, everything
from tests.ledger.published.misbehaving import answer, running
from tests.running import free_port
from tests.world import World

_COMMAND = [sys.executable, "-m", "tallystick", "ledger", "monitor"]


def _run(*args: str | Path) -> commands.Ran:
    return commands.run("ledger", "monitor", *args)


class Hook(ThreadingHTTPServer):
    """Takes alarms, after it has answered `fails` times with 500; or never, if it hangs."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.alarms: list[dict[str, object]] = []
        self.fails, self.answers = 0, threading.Event()
        self.answers.set()

    @property
    def address(self) -> str:
        """Where it takes them."""
        return f"http://127.0.0.1:{self.server_port}/alarms"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        """Take one, or not."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.answers.wait(60)
        self.server.fails -= 1
        if self.server.fails < 0:
            self.server.alarms.append(body)
        self.send_response(500 if self.server.fails >= 0 else 204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def _hook() -> Iterator[Hook]:
    hook = Hook()
    with running(hook):
        yield hook


class Place:
    """What a command needs to watch: a published folder, a trust file and a state."""

    def __init__(self, made: Made, root: Path) -> None:
        self.made, self.root = made, root
        self.files = everything(made.reader(), made.every_path())
        self.trust, self.state = root / "trust.json", root / "state.json"
        self.trust.write_text(made.world.trust.text)
        self.write(self.files)

    def write(self, files: dict[str, bytes]) -> None:
        """Publish this."""
        for path, data in files.items():
            (self.root / "site" / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / "site" / path).write_bytes(data)

    def fork(self) -> None:
        """Publish another history of production."""
        copy = Copy(dict(self.files))
        forge(copy, self.made.world, "production", leaf=5)
        self.write(copy.files)

    @property
    def options(self) -> list[str]:
        """Of the command."""
        return [str(self.root / "site"), "--trust", str(self.trust), "--state", str(self.state)]


@pytest.fixture
def place(made: Made, tmp_path: Path) -> Place:
    """The shared ledger, published in a folder."""
    return Place(made, tmp_path)


def test_how_it_ends(place: Place) -> None:
    """0 if nothing is the matter, 3 at a fork, and 3 again while it stands; a later run has a line for it."""
    code, told, _ = _run(*place.options, "--once")
    assert (code, told) == (0, f"seen: {_sizes(told)}\n") and "production" in told
    place.fork()
    code, told, _ = _run(*place.options, "--once")
    assert code == 3 and "FORKED the log of 'production' has forked" in told
    code, told, _ = _run(*place.options, "--once")
    assert code == 3 and "FORKED" not in told
    assert told.startswith("still: the log of 'production' has forked") and told.count("still:") == 1
    standing = json.loads(_run(*place.options, "--once", "--json").out.splitlines()[0])
    assert (standing["alarm"], standing["standing"]) == ("forked", True)
    place.write(place.files)
    assert _run(*place.options, "--once")[0] == 0


def test_an_alarm_that_comes_again(place: Place) -> None:
    """It has one id while it stands, and another when it comes again: a receiver may drop doubles by it."""
    _run(*place.options, "--once")
    ids = []
    for publish in (place.fork, place.fork, lambda: place.write(place.files), place.fork):
        publish()
        told = map(json.loads, _run(*place.options, "--once", "--json").out.splitlines())
        ids.append([alarm["id"] for alarm in told if "alarm" in alarm])
    [first], [second], none, [again] = ids
    assert first == second != again and none == []


def _sizes(told: str) -> str:
    return told.removeprefix("seen: ").removesuffix("\n")


def test_what_a_user_may_get_wrong(place: Place) -> None:
    """No trust file, a source that is none, another ledger's state, a time without a unit: each is told with a hint."""
    site = str(place.root / "site")
    place.root.joinpath("bad.json").write_text("{}")
    for args, complaint in {
        (site, "--data", str(place.root)): "whose logs are to be watched is not known",
        ("nowhere", "--trust", str(place.trust)): "nowhere is no folder",
        (*place.options[:3], "--state", str(place.root / "bad.json")): "is no monitor's state",
        (*place.options, "--silent-after", "2"): "is no duration",
        (*place.options, "--webhook", "alarms"): "is no web address",
    }.items():
        code, _, told = _run(*args, "--once")
        assert code == 1 and complaint in told and "tallystick: hint: " in told and "Traceback" not in told


def test_a_source_that_is_away(place: Place) -> None:
    """An address at which nobody listens ends it with 1, and is told as one alarm."""
    _, *options = place.options
    code, told, _ = _run(f"http://127.0.0.1:{free_port()}", *options, "--once", "--json")
    alarm, sizes = map(json.loads, told.splitlines())
    assert (code, alarm["alarm"], sizes) == (1, "unreachable", {"sizes": {}})
    assert _run(f"http://127.0.0.1:{free_port()}", *options, "--once").out.count("\n") == 1


def test_a_source_that_serves_html(place: Place) -> None:
    """A page where a ledger should be is one alarm, and no word of what is published; a / at an end is nothing."""
    _, *options = place.options
    with misbehaving.serving() as server:
        server.otherwise = answer(b"<html>Welcome!</html>", kind="text/html")
        code, told, _ = _run(server.address, f"{server.address}/", *options, "--once")
    assert code == 1 and told.count("\n") == 1 and "is a page of HTML" in told


def test_its_own_database(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """Without a source it watches the data folder's ledger, from its genesis on; a finding ends it with 2, once."""
    with World(fresh_database(), tmp_path / "ledger") as world:
        own = ("--data", tmp_path, "--dsn", world.dsn, "--once")
        assert _run(*own)[:2] == (0, "seen: registry 1\n")
        press = world.register_device("press-1")
        world.publish(press, Content(Privacy.PUBLIC, ContentFormat.EPCIS, b"\xff"))
        world.tick()
        world.tick()
        code, told, _ = _run(*own, "--silent-after", "1h")
    assert code == 2 and "FINDING finding on 'production', entry 1, section 0: " in told
    assert "SILENT the device press-1 is silent" in told  # the test's clock stands in 2025
    code, told, _ = _run(*own)
    assert (code, told.startswith("seen: ")) == (0, True)


def test_a_webhook(place: Place) -> None:
    """An alarm is posted once, over runs, whatever the hook says at first; one it never took is handed on later."""
    place.fork()
    honest = place.root / "honest"
    (place.root / "site").rename(place.root / "forked")
    place.write(place.files)
    (place.root / "site").rename(honest)
    options = [str(honest), str(place.root / "forked"), *place.options[1:], "--once"]
    with _hook() as hook:
        hook.fails = 1
        assert _run(*options, "--webhook", hook.address)[0] == 3
        assert [alarm["alarm"] for alarm in hook.alarms] == ["forked"]
        assert hook.alarms[0]["chain"] == "production" and hook.alarms[0]["evidence"]
        assert _run(*options, "--webhook", hook.address)[0] == 3
        assert len(hook.alarms) == 1


def test_a_webhook_that_is_down(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody took waits in the state, and the next run posts it: only once."""
    monkeypatch.setattr(webhook, "PAUSE_S", 0.01)
    _run(*place.options, "--once")
    place.fork()
    code, _, warned = _run(*place.options, "--once", "--webhook", f"http://127.0.0.1:{free_port()}/")
    assert code == 3 and "does not take an alarm" in warned
    with _hook() as hook:
        for _ in range(2):
            assert _run(*place.options, "--once", "--webhook", hook.address)[0] == 3
        assert [alarm["alarm"] for alarm in hook.alarms] == ["forked"]


def test_following(place: Place) -> None:
    """A hook that hangs does not keep it from looking; stopped, it ends with the worst that it saw."""
    with _hook() as hook:
        hook.answers.clear()
        options = [*place.options, "--every", "0.1", "--webhook", hook.address]
        child = subprocess.Popen([*_COMMAND, *options], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline().startswith("seen: ")
        place.fork()
        assert "FORKED" in child.stdout.readline()
        (place.root / "site" / "example.com/tallystick/trade/checkpoint").parent.mkdir(exist_ok=True)
        (place.root / "site" / "example.com/tallystick/trade/checkpoint").write_text("no note")
        assert any("UNREACHABLE 'trade' cannot be read" in child.stdout.readline() for _ in range(3))
        child.terminate()
        hook.answers.set()
        assert child.wait(timeout=60) == 3
