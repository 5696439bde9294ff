"""`tallystick ledger monitor`."""

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.monitor.alarm import Alarm
    from ledger.monitor.state import State
    from ledger.published.reader import Reader
    from ledger.trust.trust_file import Trust

OWN = "the own database"


@click.command(
    epilog=examples(
        "tallystick ledger monitor https://ledger.example.com --trust trust.json --once",
        "tallystick ledger monitor --silent-after 2h --webhook https://alarms.example.com/tally",
    )
)
@click.argument("sources", metavar="[SOURCE]…", nargs=-1)
@command_line.data
@command_line.dsn
@command_line.trust
@command_line.token
@click.option("--state", type=click.Path(path_type=Path), help="What is remembered. Default: <data>/monitor.json.")
@click.option("--once", is_flag=True, help="Look once, and end; else until stopped.")
@command_line.every
@click.option("--silent-after", type=command_line.Duration(), help="Watch for devices that say nothing for so long.")
@click.option("--stalled-after", type=command_line.Duration(), help="Watch for logs that seal nothing for so long.")
@click.option("--webhook", metavar="URL", help="Where each alarm is posted, once, as a JSON object.")
@command_line.as_json_lines
@click.pass_context
def monitor(
    ctx: click.Context,
    sources: tuple[str, ...],
    data: Path | None,
    dsn: str | None,
    trust: Path | None,
    token_file: Path | None,
    state: Path | None,
    once: bool,
    every: float,
    silent_after: float | None,
    stalled_after: float | None,
    webhook: str | None,
    as_json: bool,
) -> None:
    """Watch the logs of a ledger at each SOURCE, an address or a folder; without one, in the own database.

    Told are: logs that fork or are rewound, since the last look or from source to source; devices that are silent;
    logs that stall; new findings, suspensions and revocations. Each is told once for as long as it stands; a later
    run says in a line that it still does. The trust file is needed once: it is kept with what was seen.

    \b
    It ends with the worst it has seen:
      0  nothing is the matter
      1  wrong use, or a source could not be read
      2  a warning: silence, a stalled log, a finding, a suspension or revocation
      3  a log has forked, or was rewound
    """
    from ledger.monitor import state_file
    from ledger.monitor.alarm import exit_code
    from ledger.monitor.running import Monitor
    from ledger.monitor.watch import Limits, Watch

    settings = Settings.load(data, dsn=dsn)
    file = state or settings.data / "monitor.json"
    remembered = state_file.load(file)
    remembered.trust = _trust(trust, remembered, settings.ledger)
    watch = Watch(remembered.trust, remembered, Limits(silent_after, stalled_after))
    with _opened(sources, settings, token_file) as readers, _stoppable():
        tell, remind, grown = _JSON if as_json else _TEXT
        following = Monitor(
            watch,
            remembered,
            file,
            tell=tell,
            remind=remind,
            grown=grown,
            warn=command_line.warn,
            webhook=webhook,
        )
        try:
            if once:
                following.round(readers, time.time_ns() // 1_000_000)
                grown(watch.sizes)
            else:
                following.follow(readers, every_s=every)
        except KeyboardInterrupt:
            pass
        finally:
            following.close()
    ctx.exit(exit_code(following.kinds))


def _trust(given: Path | None, remembered: "State", own: LedgerFolder) -> "Trust":
    from ledger.trust.trust_file import Trust

    trust = Trust.load(given) if given else remembered.trust or (own.trust() if own.exists else None)
    if trust is None:
        hint = "name the operator's trust file with --trust, or your own ledger's data folder with --data"
        raise UserError("whose logs are to be watched is not known", hint)
    if remembered.trust is not None and remembered.trust.genesis != trust.genesis:
        raise UserError("the state is of another ledger than the trust file", "name another file with --state")
    return trust.joined(remembered.trust) if remembered.trust is not None else trust


@contextmanager
def _opened(sources: tuple[str, ...], settings: Settings, token_file: Path | None) -> "Iterator[dict[str, Reader]]":
    from ledger.database import connect
    from ledger.published import location
    from ledger.published.database import DatabaseReader

    token = location.token_in(token_file)
    with ExitStack() as exits:
        readers: dict[str, Reader] = {_plain(s): exits.enter_context(location.reading(s, token)) for s in sources}
        if not sources:
            connection = exits.enter_context(connect(settings.need_dsn(), autocommit=True))
            readers[OWN] = DatabaseReader(connection, settings.ledger)
        yield readers


def _plain(source: str) -> str:
    """A source's name in the state, by which it is known again: the / at its end means nothing."""
    return source.rstrip("/") or source


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends the watching as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(alarm: "Alarm") -> None:
    from ledger.terminal import printable

    click.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {str(alarm.kind).upper()} {printable(alarm.text)}")


def _remind(alarm: "Alarm") -> None:
    from ledger.terminal import printable

    click.echo(f"still: {printable(alarm.text)}")


def _tell_json(alarm: "Alarm") -> None:
    click.echo(json.dumps(alarm.document))


def _remind_json(alarm: "Alarm") -> None:
    click.echo(json.dumps({**alarm.document, "standing": True}))


def _tell_sizes(sizes: Mapping[str, int]) -> None:
    if sizes:  # of a source that cannot be read, there is an alarm
        click.echo(f"seen: {', '.join(f'{chain} {size:,}' for chain, size in sizes.items())}")


def _tell_sizes_json(sizes: Mapping[str, int]) -> None:
    click.echo(json.dumps({"sizes": dict(sizes)}))


_TEXT = _tell, _remind, _tell_sizes
_JSON = _tell_json, _remind_json, _tell_sizes_json
