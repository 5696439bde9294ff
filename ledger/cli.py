"""`tallystick ledger`: make a ledger, admit keys to it, prove and check what it holds."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ledger import command_line, names, registration
from ledger.command_line import checked, examples
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import Key, Status, is_text
from ledger.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., None])


def _operator(command: _Command) -> _Command:
    """The options of a command that posts an entry as the operator."""
    return command_line.data(command_line.dsn(command_line.timeout(command)))


def _about_a_device(command: _Command) -> _Command:
    """The arguments of an operator's command about a device's key."""
    reason = click.option("--reason", required=True, callback=checked(_reason), help="Why, for the record.")
    return _operator(click.argument("device")(reason(command)))


def _reason(text: str) -> str:
    if not is_text(text):
        raise UserError(
            "a reason is one line of 1 to 256 characters", "say in a line why: it stands in the ledger for ever"
        )
    return text


@click.group()
def cli() -> None:
    """Make a ledger, admit keys, prove and check what it holds."""


@cli.command(epilog=examples("tallystick ledger init --name example.com --dsn postgresql://localhost/tally"))
@command_line.data
@command_line.dsn
@click.option(
    "--name",
    default=names.LEDGER,
    show_default=True,
    callback=checked(names.ledger),
    help="The ledger's name: a domain name of yours.",
)
@click.option(
    "--organisation",
    metavar="URI",
    callback=checked(names.organisation),
    help="The organisation that operates it. Default: https://NAME.",
)
def init(data: Path | None, dsn: str | None, name: str, organisation: str | None) -> None:
    """Make a ledger: its keys, its tables, and the genesis entry of its registry.

    Give <data>/ledger/trust.json to whoever shall be able to check. Take <data>/ledger/keys/root.key offline.
    """
    from ledger import genesis

    settings = Settings.load(data, dsn=dsn)
    folder = LedgerFolder(settings.data / "ledger")
    trust = genesis.init(
        folder, settings.need_dsn(), name=name, organisation=organisation, now_ms=time.time_ns() // 1_000_000
    )
    click.echo(f"ledger {trust.name}: genesis {trust.genesis.hex()}")
    click.echo(f"trust file: {folder.trust_file}")


@cli.command(epilog=examples("tallystick ledger register press-1/registration.json"))
@_operator
@click.argument("file", type=click.File())
def register(data: Path | None, dsn: str | None, timeout: float, file: Any) -> None:
    """Admit the organisation or device key that FILE asks for (- for standard input).

    A device's file is written by 'tallystick edge init'. Compare the key with the device's holder, by a way of
    your own, before you admit it.
    """
    entries = registration.read(file.read())
    _post(data, dsn, timeout, entries)
    for entry in entries:
        click.echo(f"registered {entry['type']} {entry['name']}")


@cli.command(epilog=examples('tallystick ledger revoke press-1 --reason "stolen from the hall"'))
@_about_a_device
def revoke(data: Path | None, dsn: str | None, timeout: float, device: str, reason: str) -> None:
    """Revoke DEVICE's key for ever. Its later statements are refused; what is in the ledger stays."""
    key = _key(data, dsn, device)
    if key.status is Status.REVOKED:
        raise UserError(f"the key of {device} is revoked already", _STAYS[key.status])
    _post(data, dsn, timeout, [{"type": "revocation", "kid": key.kid, "reason": reason}])
    click.echo(f"revoked the key of {device}")


@cli.command(epilog=examples('tallystick ledger reinstate press-1 --reason "the clone was found"'))
@_about_a_device
def reinstate(data: Path | None, dsn: str | None, timeout: float, device: str, reason: str) -> None:
    """Lift the suspension of DEVICE's key."""
    key = _key(data, dsn, device)
    if key.status is not Status.SUSPENDED:
        raise UserError(f"the key of {device} is not suspended: it is {key.status}", _STAYS[key.status])
    _post(data, dsn, timeout, [{"type": "reinstatement", "kid": key.kid, "reason": reason}])
    click.echo(f"reinstated the key of {device}")


_STAYS = {
    Status.GOOD: "it needs nothing: what it signs is taken",
    Status.REVOKED: "that is for ever: make the device anew with 'tallystick edge init', and register it",
}


@cli.command(epilog=examples("tallystick ledger keys --data ~/tally"))
@command_line.data
@command_line.dsn
@command_line.as_json
def keys(data: Path | None, dsn: str | None, as_json: bool) -> None:
    """List the registered keys and whether they are good."""
    from ledger.database import connect
    from ledger.operate import published_registry

    settings = Settings.load(data, dsn=dsn)
    with connect(settings.need_dsn()) as connection:
        registry = published_registry(connection, LedgerFolder(settings.data / "ledger"))
    rows = [
        {"name": key.name, "role": key.role, "status": key.status, "urn": key.subject, "kid": key.kid.hex()}
        for key in registry.keys.values()
    ]
    if as_json:
        click.echo(json.dumps({"keys": rows, "organisations": list(registry.organisations)}))
    else:
        for row in rows:
            click.echo(f"{row['name']:<20} {row['role']:<10} {row['status']:<10} {row['kid'][:16]}…")


def _post(data: Path | None, dsn: str | None, timeout: float, entries: list[dict[str, Any]]) -> None:
    from ledger import operate

    settings = Settings.load(data, dsn=dsn)
    operate.post(LedgerFolder(settings.data / "ledger"), settings.need_dsn(), entries, timeout_s=timeout)


def _key(data: Path | None, dsn: str | None, device: str) -> Key:
    from ledger.database import connect
    from ledger.operate import published_registry

    settings = Settings.load(data, dsn=dsn)
    with connect(settings.need_dsn()) as connection:
        key = published_registry(connection, LedgerFolder(settings.data / "ledger")).key_named(device)
    if key is None:
        raise UserError(f"no key is registered for {device!r}", "'tallystick ledger keys' lists them")
    return key


@cli.command(
    epilog=examples(
        "tallystick ledger prove --chain production --index 1 -o first.bundle",
        "tallystick ledger prove --device press-1 --lane events \\",
        "    --stream 90f3c1d2a4b5e6f7 --seq 0 -o made.bundle",
    )
)
@command_line.data
@command_line.dsn
@click.option("--statement", "statement_hash", metavar="HASH", help="By its SHA-256, 64 hexadecimal digits.")
@click.option("--chain", help="By its chain, with --index.")
@click.option("--index", type=int, help="Its place on the chain, from 0.")
@click.option("--device", metavar="NAME", help="By its stream, with --lane, --stream and --seq.")
@click.option("--lane", type=click.Choice(["events", "telemetry", "0", "1"]), help="The stream's lane.")
@click.option("--stream", metavar="HEX", help="The stream's id, 16 hexadecimal digits.")
@click.option("--seq", type=int, help="Its number in the stream, from 0.")
@click.option("--private", is_flag=True, help="With all its sections: for those who may see them.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), help="Default: <hash>.bundle.")
def prove(data: Path | None, dsn: str | None, private: bool, output: Path | None, **which: Any) -> None:
    """Write the proof bundle of one statement, with its public sections.

    Whoever has a trust file can check it offline: 'tallystick ledger verify'.
    """
    from ledger import proving

    settings = Settings.load(data, dsn=dsn)
    folder = LedgerFolder(settings.data / "ledger")
    trust = folder.trust()
    bundle, name = proving.make(settings.need_dsn(), folder, trust, private=private, **which)
    if output is None and sys.stdout.isatty():
        output = Path(f"{name}.bundle")
    if output is None or output == Path("-"):
        click.echo(bundle, nl=False)
    else:
        try:
            output.write_bytes(bundle)
        except OSError as error:
            raise UserError.of_system(f"cannot write {output}", error) from error
        click.echo(f"wrote {output}", err=True)


@cli.command(epilog=examples("tallystick ledger verify first.bundle --trust trust.json"))
@click.argument("bundle", type=click.File("rb"))
@click.option("--trust", required=True, type=click.Path(path_type=Path), help="The operator's trust file.")
@command_line.as_json
def verify(bundle: Any, trust: Path, as_json: bool) -> None:
    """Check the proof bundle BUNDLE (- for standard input), offline: it and the trust file are all that is read."""
    from ledger import proof_text
    from ledger.bundle import BUNDLE_BYTES_MAX, Bundle
    from ledger.errors import OutsideError
    from ledger.trust import Trust
    from ledger.verify import Step
    from ledger.verify import verify as verify_bundle

    trusted, steps, hint = (
        Trust.load(trust),
        list[Step](),
        "'tallystick ledger prove' writes a bundle: is it this file?",
    )
    try:
        proof = Bundle.decode(bundle.read(BUNDLE_BYTES_MAX + 1))
        hint = "do not rely on this statement: ask for the bundle anew, and see that the trust file is the operator's"
        verdict = verify_bundle(proof, trusted, passed=steps.append)
    except OutsideError as error:
        failed = {"ok": False, "passed": [int(step) for step in steps], "error": str(error)}
        click.echo(json.dumps(failed) if as_json else "\n".join(proof_text.ticks(steps)), nl=as_json or bool(steps))
        raise UserError(proof_text.printable(str(error)), hint) from error
    if as_json:
        click.echo(json.dumps({"ok": True, **verdict.document}))
    else:
        click.echo("\n".join([*proof_text.ticks(steps, anchored=verdict.anchored), "", *proof_text.lines(verdict)]))


@cli.command(epilog=examples("tallystick ledger audit --data ~/tally", "tallystick ledger audit --json"))
@command_line.data
@command_line.dsn
@command_line.as_json
@click.pass_context
def audit(ctx: click.Context, data: Path | None, dsn: str | None, as_json: bool) -> None:
    """Rebuild everything from the entries, and check every signature, key, stream, tree, block and the anchor."""
    from ledger import audit_text, proof_text
    from ledger.audit import audit as audit_source
    from ledger.audit_store import DatabaseSource
    from ledger.database import connect

    settings = Settings.load(data, dsn=dsn)
    folder = LedgerFolder(settings.data / "ledger")
    trust = folder.trust()
    with connect(settings.need_dsn()) as connection, audit_text.Progress(sys.stderr) as progress:
        report = audit_source(DatabaseSource(connection, folder), trust, tell=progress)
    if as_json:
        click.echo(json.dumps(report.document))
        ctx.exit(0 if report.ok else 1)
    click.echo("\n".join(audit_text.lines(report)))
    if not report.ok:
        first = proof_text.printable(report.problems[0])
        raise UserError(
            f"the audit found {report.count('problems')} problems; the first: {first}",
            "keep this database and its checkpoints as they are: they are evidence",
        )
