"""`tallystick demo`: the whole stack on this machine, fed with real readings, and a product's story told with them."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from deploy import story
from deploy.cli import Shown, interrupted_by_signals
from ledger import names
from ledger.command_line import checked, examples
from ledger.errors import UserError

if TYPE_CHECKING:
    from deploy.stack import Stack

LINE, CARGO = "line-1", "cargo-7"
MAKER, CARRIER, CARRIER_NAME = "https://example.com", "https://carrier.example.com", "Example Carriers"
DATA = Path(__file__).parent / "data"
TOLD_S_MAX = 45.0
HOST_SAMPLES = 10  # of this machine's own state, before a run with --once ends
PROGRESS_S = 3.0

Tell = Callable[[str], None]
Result = TypeVar("Result")


@click.command(epilog=examples("tallystick demo", "tallystick demo --once --json"))
@click.option("--once", is_flag=True, help="Run the story to its end, check it, and stop. Exit 1 if anything is lost.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print one JSON object, and progress to stderr.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep everything in this folder [default: a new one].")
@click.option(
    "--host",
    default="id.example.com",
    show_default=True,
    callback=checked(names.host),
    help="The host name in the labels' links.",
)
@click.option("--broker-kind", type=click.Choice(["auto", "mosquitto", "amqtt"]), default="auto", show_default=True)
def demo(once: bool, as_json: bool, data: Path | None, host: str, broker_kind: str) -> None:
    """Run everything on this machine, and tell a product's story with real readings.

    A production line makes 24 items and packs them into a case; the case goes from San Francisco to Seattle with a
    sensor on board. Temperatures are NOAA's of 2010, replayed and marked so; the line also reports this machine's
    own state, live. Then open the printed address: the page of one of the items.
    """
    from deploy.stack import Options, Stack, temporary_data

    if as_json and not once:
        raise UserError("--json goes with --once", "say both, or neither: without --once it runs until Ctrl-C")
    began = time.monotonic()

    def tell(line: str) -> None:
        click.echo(f"{time.monotonic() - began:5.1f} s  {line}", err=as_json)

    with ExitStack() as exits:
        folder = data.absolute() if data else exits.enter_context(temporary_data())
        options = Options(
            broker_kind=broker_kind,  # type: ignore[arg-type]
            labels_host=host,
            ledger="example.com",
            organisation=MAKER,
            names_ports=False,
        )
        stack = Stack(folder, options, progress=tell, on_change=Shown(tell))
        with _ended(folder, is_kept=data is not None, as_json=as_json):
            exits.enter_context(interrupted_by_signals())
            exits.enter_context(stack)
            stack.start()
            link = Demo(stack, tell, endless=not once).run()
            if once:
                _finish(stack, began, as_json, tell)
            else:
                _stay(stack, link, is_kept=data is not None)


@contextmanager
def _ended(folder: Path, *, is_kept: bool, as_json: bool) -> Iterator[None]:
    """Ctrl-C ends the block well; what went wrong is told with a hint that outlives a folder which does not."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("stopped", err=as_json)
    except UserError as error:
        if not is_kept and str(folder) in error.hint:
            raise UserError(str(error), "name a folder with --data: its logs are kept, and say more") from error
        raise


def _finish(stack: "Stack", began: float, as_json: bool, tell: Tell) -> None:
    from deploy.demo_check import check

    outcome = check(stack, [LINE, CARGO], tell)
    outcome["seconds"] = round(time.monotonic() - began, 1)
    if as_json:
        click.echo(json.dumps(outcome))
    else:
        for name, value in outcome.items():
            click.echo(f"{name:>18}  {value}")
    if not outcome["ok"]:
        raise click.exceptions.Exit(1)


def _stay(stack: "Stack", link: str, *, is_kept: bool) -> None:
    import signal

    from deploy.invocation import command_line
    from labels.printing.overview import FILE_NAME as OVERVIEW

    labels, serial = stack.data / "labels", urlsplit(link).path.rpartition("/")[2]
    click.echo()
    click.echo(f"  An item's page   {link}")
    click.echo(f"  Its label        {next(labels.glob(f'*-{serial}.png'), labels)}")
    click.echo(f"  All labels       {labels / OVERVIEW}")
    click.echo(f"  Check it all     {command_line('ledger', 'audit', '--data', str(stack.data))}")
    click.echo()
    click.echo(f"Ctrl-C stops everything{'' if is_kept else ', and removes what was made'}.")
    while True:
        signal.pause()


@dataclass
class Demo:
    """The story, on a stack that runs. A data folder that has heard it already goes on where it was."""

    stack: "Stack"
    tell: Tell
    endless: bool

    def run(self) -> str:
        """Tell it; returns the loopback address of the first item's page."""
        times = self._times()
        urns = {
            name: self._persist(lambda: self._admit(name, *of))  # noqa: B023
            for name, of in _devices(times, self.endless).items()
        }
        self._persist(self._describe)
        self._persist(self._issue)
        serials = [path.rpartition("/")[2] for path, _ in self._persist(self._labels)]
        line, cargo = urns[LINE], urns[CARGO]
        self._report(LINE, story.factory_events(serials, times, line=line, cargo=cargo))
        self.tell(f"{story.FACTORY['name']}: {story.ITEMS} items of lot {story.LOT} made, packed into a case")
        self._report(CARGO, story.road_events(times, cargo=cargo))
        self.tell(f"the case travels to {story.WAREHOUSE['name']}, with a sensor on board")
        self._await_proven()
        return self._page()

    def _persist(self, step: Callable[[], Result]) -> Result:
        """Take a step, which may be taken twice, again while a part of the stack is down and coming back."""
        from deploy.persist import persist

        return persist(step, tell=self.tell)

    def _times(self) -> story.Times:
        """The story's moment: now, or when this data folder first heard it."""
        path = self.stack.data / "story.json"
        if not path.exists():
            _write_json(path, {"now": round(time.time(), 3)})
        return story.Times(json.loads(path.read_text())["now"])

    def _admit(self, name: str, organisation: str, chain: str, sensors: str) -> str:
        """Make a device, register its key, and start its agent; returns its URN."""
        folder = self.stack.data / "devices" / name
        registration = folder / "registration.json"
        if not (folder / "registered").exists():
            if not (folder / "made").exists():
                self._stop(name)
                shutil.rmtree(folder, ignore_errors=True)  # of a run that died half-way; nobody knows its key yet
                self._make(name, organisation, chain, folder)
                with (folder / "config.toml").open("a") as file:
                    file.write(sensors)
                (folder / "made").touch()
            self._register(name, organisation, registration)
            (folder / "registered").touch()
        if f"edge-{name}" not in self.stack.supervisor.names:
            self.stack.start_agent(folder)
        urn: str = json.loads(registration.read_text())["urn"]
        return urn

    def _stop(self, name: str) -> None:
        """Stop the agent that the stack found in a folder which was made half-way."""
        if f"edge-{name}" in self.stack.supervisor.names:
            self.stack.supervisor.remove(f"edge-{name}")

    def _make(self, name: str, organisation: str, chain: str, folder: Path) -> None:
        address = self.stack.add_device(name)
        secret = self.stack.data / "devices" / f"{name}.password"
        secret.parent.mkdir(exist_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(address.password or "")
        trust = self.stack.data / "ledger" / "trust.json"
        self._run("edge", "init", "--name", name, "--organisation", organisation, "--chain", chain, "--trust",
                  str(trust), "--broker", f"{address.host}:{address.port}", "--username", name, "--password-file",
                  str(secret), "--folder", str(folder))  # fmt: skip

    def _register(self, name: str, organisation: str, registration: Path) -> None:
        data = str(self.stack.data)
        known = json.loads(self._run("ledger", "keys", "--data", data, "--json"))
        if any(key["name"] == name for key in known["keys"]):
            return
        if organisation not in known["organisations"]:
            wanted = {"tallystick-registration": 1, "type": "organisation", "uri": organisation, "name": CARRIER_NAME}
            path = self.stack.data / "organisation.json"
            _write_json(path, wanted)
            self._run("ledger", "register", "--data", data, str(path))
        self._run("ledger", "register", "--data", data, str(registration))
        self.tell(f"device {name} of {organisation} registered")

    def _describe(self) -> None:
        """Say what the product is, once; its picture is drawn here."""
        from deploy import jar

        data, picture = self.stack.data, self.stack.data / "product.png"
        if (data / "described").exists():
            return
        picture.write_bytes(jar.png())
        links = [part for link in story.LINKS for part in ("--link", link)]
        self._run("labels", "describe", "--data", str(data), "--gtin", story.GTIN, "--name", story.PRODUCT, "--text",
                  story.TEXT, "--picture", str(picture), *links, "--limit", story.LIMIT)  # fmt: skip
        (data / "described").touch()
        self.tell(f"the product is described: {story.PRODUCT}")

    def _issue(self) -> None:
        data = str(self.stack.data)
        if not self._labels():
            self._issue_lot(data)
        self._run("labels", "print", "--data", data, "--gtin", story.GTIN, "--lot", story.LOT, "--title",
                  story.PRODUCT, "-o", str(self.stack.data / "labels"))  # fmt: skip
        self.tell(f"{story.ITEMS} labels issued and printed into {self.stack.data / 'labels'}")

    def _issue_lot(self, data: str) -> None:
        if not any((self.stack.data / "ledger" / "keys").glob("label-*.key")):
            self._run("labels", "key", "--data", data, "--gtin", story.GTIN)
        self._run("labels", "issue", "--data", data, "--gtin", story.GTIN, "--lot", story.LOT, "--count",
                  str(story.ITEMS))  # fmt: skip

    def _labels(self) -> list[tuple[str, str]]:
        """Path and signature of each label."""
        from ledger.database import connect

        with connect(self.stack.dsn) as connection:
            return connection.execute("select path, signature from label order by batch_root, index").fetchall()

    def _report(self, device: str, events: list[dict[str, Any]]) -> None:
        """Have the device sign and spool its events, once."""
        folder = self.stack.data / "devices" / device
        path = folder / "events.json"
        if not path.exists():
            partial = folder / "events.json.partial"
            _write_json(partial, events)
            self._run("edge", "event", "--folder", str(folder), "--privacy", "public", str(partial))
            partial.replace(path)

    def _await_proven(self) -> None:
        """Wait until the ledger has all that the story has the devices say, and they hold receipts for it."""
        began = said = time.monotonic()
        while not (self._persist(self._is_told) and all(_is_proven(self.status(name)) for name in (LINE, CARGO))):
            now = time.monotonic()
            if now > began + TOLD_S_MAX:
                self.tell("some receipts are still to come")
                return
            if now > said + PROGRESS_S:
                events, temperatures, _ = self._persist(self._entered)
                self.tell(f"in the ledger: {events} events, {temperatures} of {story.TEMPERATURES} temperatures")
                said = now
            time.sleep(0.3)
        self.tell("every reading and event has a receipt that its device has verified")

    def _is_told(self) -> bool:
        events, temperatures, loads = self._entered()
        is_all = events >= story.EVENTS and temperatures >= story.TEMPERATURES
        return is_all and (self.endless or loads >= HOST_SAMPLES)

    def _entered(self) -> tuple[int, int, int]:
        """Events, temperatures and samples of this machine's state in the database."""
        from ledger.database import connect

        with connect(self.stack.dsn) as connection:
            row: tuple[int, int, int] | None = connection.execute(
                """select (select count(*) from event),
                          (select count(*) from reading join metric using (metric_id) where name = 'temperature'),
                          (select count(*) from reading join metric using (metric_id) where name = 'load')"""
            ).fetchone()
        assert row is not None
        return row

    def status(self, device: str) -> dict[str, Any]:
        """What `edge status` says of a device."""
        folder = str(self.stack.data / "devices" / device)
        state: dict[str, Any] = json.loads(self._run("edge", "status", "--folder", folder, "--json"))
        return state

    def _page(self) -> str:
        path, signature = self._labels()[0]
        return f"{self.stack.labels_url}{path}?s={signature}"

    def _run(self, *args: str) -> str:
        from deploy.stack import run_command

        try:
            return run_command(*args)
        except UserError as error:  # its hint is for who typed that command
            raise UserError(str(error), f"the logs of all parts are in {self.stack.data / 'log'}") from error


def _is_proven(state: dict[str, Any]) -> bool:
    return bool(state["unconfirmed"] == 0 and state["sections_waiting"] == 0)


def _devices(times: story.Times, endless: bool) -> dict[str, tuple[str, str, str]]:
    """Organisation, chain and sensors of each device."""
    packs = "" if endless else f"packs = {HOST_SAMPLES // 2}\n"
    host = f'\n[[sensor]]\ntype = "host"\nprivacy = "public"\ninterval_s = 1\nsamples = 2\n{packs}'
    line = _recorded(
        "line", times.made_until, [("sf-temps.csv", "San Francisco", story.RECORDED_FROM, story.MADE_ROWS)]
    )
    cargo = _recorded(
        "cargo",
        times.received,
        [
            ("sf-temps.csv", "San Francisco", "2010-07-02T00:00", story.ROAD_ROWS),
            ("seattle-temps.csv", "Seattle", "2010-07-03T00:00", story.ARRIVAL_ROWS),
        ],
    )
    return {LINE: (MAKER, "production", line + host), CARGO: (CARRIER, "logistics", cargo)}


def _recorded(name: str, last: float, segments: list[tuple[str, str, str, int]]) -> str:
    """A csv sensor that replays recorded temperatures, its last reading re-timed to `last`."""
    head = {
        "type": "csv",
        "name": name,
        "privacy": "public",
        "metric": "temperature",
        "unit": "Cel",
        "convert": "F-to-Cel",
        "zone": story.ZONE,
        "retime": "last",
        "at": story.iso(last),
    }
    lines = ["\n[[sensor]]", *(f"{key} = {json.dumps(value)}" for key, value in head.items())]
    lines += ["pack = 6", "interval_s = 0.25", f"spacing_s = {story.HOUR}"]
    for file, place, start, rows in segments:
        lines += [
            "[[sensor.segments]]",
            f"file = {json.dumps(str(DATA / file))}",
            f"source = {json.dumps(f'NOAA, {place}')}",
            f'start = "{start}"',
            f"rows = {rows}",
        ]
    return "\n".join(lines) + "\n"


def _write_json(path: Path, value: Any) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)
