"""`tallystick ledger`: make a ledger, admit keys to it, prove and check what it holds."""

import json
import time
from pathlib import Path
from typing import Any

import click

from ledger import registration
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import Settings

_data = click.option("--data", type=click.Path(path_type=Path), help="Data folder (TALLYSTICK_DATA).")
_dsn = click.option("--dsn", help="PostgreSQL to use (TALLYSTICK_DSN).")
_timeout = click.option("--timeout", default=15.0, show_default=True, help="Seconds to wait until it is sealed.")


@click.group()
def cli() -> None:
    """Make a ledger, admit keys, prove and check what it holds."""


@cli.command()
@_data
@_dsn
@click.option("--name", default="example.com", show_default=True, help="The ledger's name: a domain name of yours.")
@click.option("--organisation", help="URI of the organisation that operates it. Default: https://NAME.")
def init(data: Path | None, dsn: str | None, name: str, organisation: str | None) -> None:
    """Make a ledger: its keys, its tables, and the genesis entry of its registry.

    Give <data>/ledger/trust.json to whoever shall be able to check. Take <data>/ledger/keys/root.key offline.
    """
    from ledger import genesis

    settings = Settings.load(data, dsn=dsn)
    folder = LedgerFolder(settings.data / "ledger")
    organisation = organisation or f"https://{name}"
    trust = genesis.init(
        folder, settings.need_dsn(), name=name, organisation=organisation, now_ms=time.time_ns() // 1_000_000
    )
    click.echo(f"ledger {trust.name}: genesis {trust.genesis.hex()}")
    click.echo(f"trust file: {folder.trust_file}")


@cli.command()
@_data
@_dsn
@_timeout
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


@cli.command()
@_data
@_dsn
@_timeout
@click.argument("device")
@click.option("--reason", required=True, help="Why, for the record.")
def revoke(data: Path | None, dsn: str | None, timeout: float, device: str, reason: str) -> None:
    """Revoke DEVICE's key for ever. Its later statements are refused; what is in the ledger stays."""
    _post(data, dsn, timeout, [{"type": "revocation", "kid": _kid(data, dsn, device), "reason": reason}])
    click.echo(f"revoked the key of {device}")


@cli.command()
@_data
@_dsn
@_timeout
@click.argument("device")
@click.option("--reason", required=True, help="Why, for the record.")
def reinstate(data: Path | None, dsn: str | None, timeout: float, device: str, reason: str) -> None:
    """Lift the suspension of DEVICE's key."""
    _post(data, dsn, timeout, [{"type": "reinstatement", "kid": _kid(data, dsn, device), "reason": reason}])
    click.echo(f"reinstated the key of {device}")


@cli.command()
@_data
@_dsn
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
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
        click.echo(json.dumps({"keys": rows}))
    else:
        for row in rows:
            click.echo(f"{row['name']:<20} {row['role']:<10} {row['status']:<10} {row['kid'][:16]}…")


def _post(data: Path | None, dsn: str | None, timeout: float, entries: list[dict[str, Any]]) -> None:
    from ledger import operate

    settings = Settings.load(data, dsn=dsn)
    operate.post(LedgerFolder(settings.data / "ledger"), settings.need_dsn(), entries, timeout_s=timeout)


def _kid(data: Path | None, dsn: str | None, device: str) -> bytes:
    from ledger.database import connect
    from ledger.operate import published_registry

    settings = Settings.load(data, dsn=dsn)
    with connect(settings.need_dsn()) as connection:
        key = published_registry(connection, LedgerFolder(settings.data / "ledger")).key_named(device)
    if key is None:
        raise UserError(f"no key is registered for {device!r}", "'tallystick ledger keys' lists them")
    return key.kid
