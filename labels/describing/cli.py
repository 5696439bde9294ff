"""`tallystick labels describe` and `labels recall`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labels import options
from ledger import command_line, names
from ledger.command_line import checked, examples
from ledger.errors import UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.catalogue.catalogue import Entered
    from labels.catalogue.description import Description
    from labels.describing.written import Change

CLEARED = ("name", "text", "picture", "links", "limits")
_gtin = click.option("--gtin", "gtins", multiple=True, help="The product; repeat it to say the same of several.")
_organisation = click.option(
    "--organisation",
    metavar="URI",
    callback=checked(names.organisation),
    help="Whose product it is. Default: who it was before, or the ledger's operator.",
)
_serial = click.option("--serial", help="One item, by its serial.")


@click.command(
    short_help="Say what a product, a lot or an item is.",
    epilog=examples(
        "tallystick labels describe --gtin 09506000134352 --name Honey --limit temperature=2..8",
        "tallystick labels describe --file catalogue.csv",
    ),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@_gtin
@click.option("--lot", help="One lot of it.")
@_serial
@click.option("--name", help="What it is called.")
@click.option("--text", help="What it is, in up to 1,000 characters.")
@click.option("--picture", metavar="FILE", help="A PNG, JPEG or WebP; it is made small, and no camera's data stays.")
@click.option(
    "--link", "links", metavar="REL=URL[;TITLE]", multiple=True, help="Where more is said; REL is GS1's: pip."
)
@click.option("--limit", "limits", metavar="METRIC=LOW..HIGH", multiple=True, help="Between what readings are good.")
@click.option("--clear", multiple=True, type=click.Choice(CLEARED), help="Say this no longer; repeat it for more.")
@click.option("--file", type=click.Path(path_type=Path), help="Many products, as CSV or JSON; pictures lie beside it.")
@_organisation
@command_line.as_json
def describe(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    gtins: tuple[str, ...],
    lot: str | None,
    serial: str | None,
    file: Path | None,
    organisation: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """Say what a product, a lot of it or an item is: name, text, picture, links and limits.

    It is signed and public, and stands on the pages of its labels. What a lot or an item does not say, it has from
    its product. What is not named here stays as it was; links and limits are said as a whole.
    """
    from labels.describing import describe as describing
    from labels.describing.written import changes_of

    if file is not None and (gtins or lot or serial or any(value not in (None, ()) for value in said.values())):
        raise UserError("--file says all by itself", "put what you say of a product into the file, or name no file")
    changes = _changes(gtins, lot, serial, said) if file is None else changes_of(file.name, _bytes(file))
    settings = Settings.load(data, dsn=dsn)
    entered = describing.describe(
        options.ledger_folder(settings),
        settings.need_dsn(),
        changes,
        pictures_in=file.parent if file else Path(),
        organisation=organisation,
        timeout_s=timeout,
    )
    if as_json:
        click.echo(json.dumps({"products": [_document(one) for one in entered]}))
        return
    for one in entered:
        click.echo(f"{one.said.place.words}: registry entry {one.index}")


@click.command(
    short_help="Recall a product, a lot or an item; or lift that.",
    epilog=examples(
        'tallystick labels recall --gtin 09506000134352 --lot L2606A --reason "glass"',
        'tallystick labels recall --lift --gtin 09506000134352 --lot L2606A --reason "none"',
    ),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@options.gtin
@click.option("--lot", help="One lot of it.")
@_serial
@command_line.reason(required=True)
@click.option("--since", metavar="DAY", help="Since when, as 2026-11-26. Default: today.")
@click.option("--advice", help="What who has it is to do.")
@click.option("--link", metavar="URL", help="Where more is said, https alone.")
@click.option("--lift", is_flag=True, help="Lift the recall: it may be used again.")
@_organisation
@command_line.as_json
def recall(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    gtin: str,
    lot: str | None,
    serial: str | None,
    reason: str,
    since: str | None,
    advice: str | None,
    link: str | None,
    lift: bool,
    organisation: str | None,
    as_json: bool,
) -> None:
    """Recall a product, one lot of it or one item: its pages say so in red, and no label of it is issued or printed.

    A recall is signed and public. --lift ends the one of the same product, lot or item.
    """
    from labels.describing import describe as describing
    from labels.describing.written import place_of

    more = {"since": since, "advice": advice, "href": link}
    said = {name: value for name, value in more.items() if value}
    if lift and said:
        raise UserError("a recall that is lifted needs no more than a reason", "leave out --since, --advice and --link")
    place = place_of(gtin, lot, serial)
    settings = Settings.load(data, dsn=dsn)
    folder, address = options.ledger_folder(settings), settings.need_dsn()
    if lift:
        describing.lift(folder, address, place, reason=reason, organisation=organisation, timeout_s=timeout)
        told: dict[str, Any] = {"lifted": True, **place.entry(), "reason": reason}
    else:
        said = {"since": datetime.now(UTC).date().isoformat(), "organisation": organisation or ""} | said
        entered = describing.recall(folder, address, place, reason=reason, timeout_s=timeout, **said)
        told = {"recalled": True, "registry_entry": entered.index, **entered.said.entry()}
        if not describing.is_labelled(folder, address, place):
            command_line.warn(f"no labels of {place.words} were issued here: is it written right?")
    if as_json:
        click.echo(json.dumps(told))
    elif lift:
        click.echo(f"{place.words} is no longer recalled")
    else:
        click.echo(f"{place.words} is recalled: registry entry {told['registry_entry']}")


def _changes(gtins: tuple[str, ...], lot: str | None, serial: str | None, said: dict[str, Any]) -> "list[Change]":
    from labels.describing.written import said_of

    if not gtins:
        raise UserError("of which product is not said", "name it with --gtin, or many with --file")
    if len(gtins) > 1 and (lot or serial):
        raise UserError("a lot or an item is of one product", "name one --gtin")
    return [said_of(gtin, lot, serial, **said) for gtin in dict.fromkeys(gtins)]


def _bytes(file: Path) -> bytes:
    from labels.describing.written import FILE_BYTES_MAX

    try:
        with file.open("rb") as open_file:
            return open_file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UserError.of_system(f"cannot read {file}", error) from error


def _document(entered: "Entered[Description]") -> dict[str, Any]:
    """A description and its registry entry, as JSON has them."""
    entry = entered.said.entry()
    picture = {"picture": entry["picture"].hex()} if "picture" in entry else {}
    return {"registry_entry": entered.index, **entry, **picture}
