"""`tallystick ledger`: make a ledger, admit keys to it, prove and check what it holds."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ledger import command_line, names, registration
from ledger.audit.cli import audit
from ledger.backup.cli import backup, restore
from ledger.command_line import Headed, checked, examples
from ledger.errors import UserError
from ledger.log_keys.cli import rotate_key
from ledger.mirror.cli import import_, mirror
from ledger.monitor.cli import monitor
from ledger.proof.cli import prove, verify
from ledger.published.cli import export, serve
from ledger.registry import Key, Status
from ledger.rollback.cli import accept_rollback
from ledger.settings import Settings
from ledger.shred.cli import shred
from ledger.trust.cli import trust

_Command = TypeVar("_Command", bound=Callable[..., None])


def _operator(command: _Command) -> _Command:
    """The options of a command that posts an entry as the operator."""
    return command_line.data(command_line.dsn(command_line.timeout(command)))


def _about_a_device(command: _Command) -> _Command:
    """The arguments of an operator's command about a device's key."""
    return _operator(click.argument("device")(command_line.reason(required=True)(command)))


@click.command(epilog=examples("tallystick ledger init --name example.com --dsn postgresql://localhost/tally"))
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
    folder = settings.ledger
    made = genesis.init(
        folder, settings.need_dsn(), name=name, organisation=organisation, now_ms=time.time_ns() // 1_000_000
    )
    click.echo(f"ledger {made.name}: genesis {made.genesis.hex()}")
    click.echo(f"trust file: {folder.trust_file}")


@click.command(
    epilog=examples(
        "tallystick ledger register press-1/registration.json",
        "tallystick ledger register --organisation https://example.com --gs1-prefix 9506000",
    )
)
@_operator
@click.argument("file", type=click.File(), required=False)
@click.option("--organisation", metavar="URI", callback=checked(names.organisation), help="Without FILE: whom.")
@click.option("--name", help="The organisation's name. Of one that is registered: as it is.")
@click.option(
    "--gs1-prefix", "prefixes", multiple=True, metavar="DIGITS", help="A GS1 Company Prefix of it; repeat it for more."
)
def register(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    file: Any,
    organisation: str | None,
    name: str | None,
    prefixes: tuple[str, ...],
) -> None:
    """Admit the organisation or device key that FILE asks for (- for standard input), or an organisation by its URI.

    A device's file is written by 'tallystick edge init'. Compare the key with the device's holder, by a way of
    your own, before you admit it.

    An organisation's GS1 Company Prefixes say whose GTINs are whose: no label key of another organisation is for
    them, nor one of its own for others. Said again, they are those from then on.
    """
    if (file is None) == (organisation is None):
        raise UserError("name a FILE, or an organisation", "'tallystick edge init' writes a device's file")
    if file is None:
        entries = [_organisation(data, dsn, organisation or "", name, prefixes)]
    elif name is not None or prefixes:
        raise UserError("--name and --gs1-prefix go with --organisation", 'in a file stand "name" and "prefixes"')
    else:
        entries = registration.read(file.read())
    _post(data, dsn, timeout, entries)
    for entry in entries:
        own = f", GS1 Company Prefix {', '.join(entry['prefixes'])}" if "prefixes" in entry else ""
        click.echo(f"registered {entry['type']} {entry['name']}{own}")


def _organisation(
    data: Path | None, dsn: str | None, uri: str, name: str | None, prefixes: tuple[str, ...]
) -> dict[str, Any]:
    """The entry of an organisation; one that is registered keeps its name."""
    from ledger import operate

    settings = Settings.load(data, dsn=dsn)
    known = operate.published(settings.ledger, settings.need_dsn()).organisations.get(uri)
    if name is None and known is None:
        raise UserError(f"no organisation {uri!r} is registered yet", "give its --name")
    return registration.organisation_entry(uri, name or known or "", list(prefixes) or None)


@click.command(
    epilog=examples(
        'tallystick ledger revoke press-1 --reason "taken out of service"',
        'tallystick ledger revoke press-1 --reason "stolen" --disputed-from production:1041',
    )
)
@_about_a_device
@click.option(
    "--disputed-from",
    "places",
    multiple=True,
    metavar="WHERE:FROM",
    callback=lambda _ctx, _param, values: [_place(value) for value in values],
    help="From here on a thief may have signed: CHAIN:INDEX, or STREAM:SEQ for one stream. May be repeated.",
)
def revoke(
    data: Path | None, dsn: str | None, timeout: float, device: str, reason: str, places: list[tuple[str | bytes, int]]
) -> None:
    """Revoke DEVICE's key for ever. Its later statements are refused; what is in the ledger stays.

    What it signed between a theft and its report stays as well, and is disputed if that is said: trust bundles tell
    verifiers. It can be said later, too, of a key that is revoked already.
    """
    key = _key(data, dsn, device)
    if key.status is Status.REVOKED and not places:
        raise UserError(f"the key of {device} is revoked already", _STAYS[key.status])
    entry = {"type": "revocation", "kid": key.kid, "reason": reason}
    _post(data, dsn, timeout, [{**entry, "disputed": [list(place) for place in places]} if places else entry])
    click.echo(f"revoked the key of {device}")


def _place(text: str) -> tuple[str | bytes, int]:
    match = re.fullmatch("(?:([0-9a-f]{16})|([a-z0-9-]{1,32})):([0-9]{1,12})", text)
    if match is None:
        raise UserError(f"{text!r} is no place in a ledger", "write CHAIN:INDEX, or STREAM:SEQ with its 16 digits")
    stream, chain, at = match.groups()
    return bytes.fromhex(stream) if stream else chain, int(at)


@click.command(epilog=examples('tallystick ledger reinstate press-1 --reason "the clone was found"'))
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


@click.command(epilog=examples("tallystick ledger keys --data ~/tally"))
@command_line.data
@command_line.dsn
@command_line.as_json
def keys(data: Path | None, dsn: str | None, as_json: bool) -> None:
    """List the registered keys and whether they are good."""
    from ledger.database import connect
    from ledger.operate import published_registry

    settings = Settings.load(data, dsn=dsn)
    with connect(settings.need_dsn()) as connection:
        registry = published_registry(connection, settings.ledger)
    rows = [
        {"name": key.name, "role": key.role, "status": key.status, "urn": key.subject, "kid": key.kid.hex()}
        for key in registry.keys.values()
    ]
    if as_json:
        organisations = list(registry.organisations)
        click.echo(json.dumps({"keys": rows, "organisations": organisations, "gs1_prefixes": registry.prefixes}))
    else:
        for row in rows:
            click.echo(f"{row['name']:<20} {row['role']:<10} {row['status']:<10} {row['kid'][:16]}…")


def _post(data: Path | None, dsn: str | None, timeout: float, entries: list[dict[str, Any]]) -> None:
    from ledger import operate

    settings = Settings.load(data, dsn=dsn)
    operate.post(settings.ledger, settings.need_dsn(), entries, timeout_s=timeout)


def _key(data: Path | None, dsn: str | None, device: str) -> Key:
    from ledger.database import connect
    from ledger.operate import published_registry

    settings = Settings.load(data, dsn=dsn)
    with connect(settings.need_dsn()) as connection:
        key = published_registry(connection, settings.ledger).key_named(device)
    if key is None:
        raise UserError(f"no key is registered for {device!r}", "'tallystick ledger keys' lists them")
    return key


@click.group(cls=Headed)
def cli() -> None:
    """Make a ledger and keep it, prove and check what it holds, follow another's."""


cli.add(
    "The operator's",
    {
        init: "Make a ledger: its keys, its tables, its first entry.",
        register: "Admit the key of an organisation or a device.",
        revoke: "Revoke a device's key, for ever.",
        reinstate: "Lift the suspension of a device's key.",
        keys: "List the registered keys, and whether they are good.",
    },
)
cli.add(
    "Whose signatures count",
    {
        rotate_key: "Give a log a new key, by the root key's signature.",
        trust: "Write, show and update trust bundles.",
    },
)
cli.add(
    "Keeping and deleting",
    {
        backup: "Write a backup, while the gateway goes on.",
        restore: "Restore a backup into an empty database.",
        accept_rollback: "Let a ledger go on from an older state.",
        shred: "Delete what statements say, for ever; proofs hold.",
    },
)
cli.add(
    "Anybody's",
    {
        prove: "Write the proof of a statement, or of all about a product.",
        verify: "Check a proof, offline.",
        audit: "Rebuild all of a ledger from its entries, and check it.",
    },
)
cli.add(
    "Published, and followed",
    {
        export: "Write what the ledger publishes into a folder.",
        serve: "Serve what the ledger publishes over HTTP.",
        mirror: "Follow another's ledger into a folder, and verify it.",
        import_: "Fill an empty database from a mirror or an export.",
        monitor: "Watch logs, and tell of forks, silence and findings.",
    },
)
