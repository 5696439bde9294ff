"""`tallystick labels key`, `issue`, `export`, `lots` and `revoke-key`."""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from labels import options
from ledger import command_line, names
from ledger.command_line import checked, examples
from ledger.errors import UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.book import Book, IssuedBatch
    from labels.issuing.order import Source
    from ledger.terminal import Progress


@click.command(epilog=examples("tallystick labels key --gtin 09506000134352"))
@command_line.data
@command_line.dsn
@command_line.timeout
@click.option("--gtin", "gtins", multiple=True, help="A product that the key may sign labels of; repeat it for more.")
@click.option("--prefix", "prefixes", multiple=True, help="All products whose 14-digit GTIN begins so.")
@click.option("--days", type=click.IntRange(1, 36_500), default=3650, show_default=True, help="For how long, from now.")
@click.option(
    "--organisation",
    metavar="URI",
    callback=checked(names.organisation),
    help="Whose key it is. Default: the ledger's operator.",
)
def key(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    gtins: tuple[str, ...],
    prefixes: tuple[str, ...],
    days: int,
    organisation: str | None,
) -> None:
    """Make a key that signs labels, and register what it may sign."""
    from labels.issuing.keys import make_key
    from labels.signature import date_of

    settings = Settings.load(data, dsn=dsn)
    made = make_key(
        options.ledger_folder(settings),
        settings.need_dsn(),
        gtins=gtins,
        prefixes=prefixes,
        days=days,
        organisation=organisation,
        timeout_s=timeout,
    )
    if made.warning:
        command_line.warn(made.warning)
    click.echo(f"label key {made.line.thumbprint.hex()[:16]}… signs {', '.join(made.line.gtins)}")
    click.echo(f"from {date_of(made.line.first_day)} to {date_of(made.line.last_day)}, for {made.line.organisation}")
    click.echo(f"secret key: {made.file}")


_TOLD_EACH = 1_000
_SHOWN = 24  # of links, on a terminal: more are for a file
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    short_help="Issue the labels of a lot.",
    epilog=examples(
        "tallystick labels issue --gtin 09506000134352 --lot L2606A --count 24",
        "tallystick labels issue --gtin 09506000134352 --lot L2606B --serials mine.csv -o l.csv",
    ),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@options.gtin
@options.lot
@click.option("--count", type=int, help="How many labels, with random serials.")
@click.option(
    "--serials", "file", type=click.File("rb"), help="Your own serials: a file with one a line, or a CSV (- for stdin)."
)
@click.option("--column", metavar="NAME", help="The column of the CSV that has the serials. Default: serial.")
@click.option("--lot-in-link", is_flag=True, help="Also write the lot into the links: the code is a size larger.")
@click.option("--hidden", is_flag=True, help="With a second code each, for a scratch field: 'labels redeem'.")
@click.option("--key-file", type=_FILE, help="Sign with this key of 'labels key'. Default: one for this batch alone.")
@click.option(
    "--organisation",
    metavar="URI",
    callback=checked(names.organisation),
    help="Whose labels. Default: whose GS1 Company Prefix it is, or the operator's.",
)
@click.option("-o", "output", type=_FILE, help="Write a .csv, .json or .txt instead, for whoever prints.")
@options.host
@command_line.as_json
def issue(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    gtin: str,
    lot: str,
    count: int | None,
    file: BinaryIO | None,
    column: str | None,
    lot_in_link: bool,
    hidden: bool,
    key_file: Path | None,
    organisation: str | None,
    output: Path | None,
    host: str | None,
    as_json: bool,
) -> None:
    """Issue labels of a lot: sign them, and publish the batch. Prints their links, one a line; few on a terminal.

    Serials are drawn at random, or yours: then a serial that can be guessed makes a label of its lot, never of a
    single item. Where the operator's key is, each batch is signed by a key of its own that nobody keeps.
    """
    from labels.issuing.export import Format
    from labels.issuing.issue import issue as issue_batch
    from labels.issuing.order import Order, Told
    from labels.words import plural
    from ledger.terminal import Progress

    form = Format.of(output) if output is not None else Format.JSON if as_json else Format.LINKS
    _require_new(output)
    settings = Settings.load(data, dsn=dsn, labels_host=host)
    folder, source = options.ledger_folder(settings), _source(count, file, column)
    order = Order(gtin, lot, source, lot_in_link, organisation, key_file, hidden)
    with Progress(sys.stderr, of="labels") as progress:
        told = Told(progress, lambda text: _warn(progress, text))
        issued = issue_batch(folder, settings.need_dsn(), order, timeout_s=timeout, told=told)
    batch = issued.batch
    said = f"{plural(batch.size, 'label')} of GTIN {batch.gtin}, lot {batch.lot}: registry entry {issued.index}"
    click.echo(f"{said}, root {batch.root.hex()[:16]}…", err=True)
    _write(settings, [issued], form, output)


@click.command(
    short_help="Write the links of a lot's labels, for whoever prints.",
    epilog=examples("tallystick labels export --gtin 09506000134352 --lot L2606A -o labels.csv"),
)
@command_line.data
@command_line.dsn
@options.gtin
@options.lot
@click.option("--batch", metavar="ROOT", help="Of one batch alone: the first digits of its root.")
@click.option("-o", "output", type=_FILE, help="A .csv, .json or .txt file. Default: CSV to standard output.")
@options.host
def export(
    data: Path | None, dsn: str | None, gtin: str, lot: str, batch: str | None, output: Path | None, host: str | None
) -> None:
    """Write the links of a lot's published labels with their serials: as CSV, JSON or bare lines."""
    from labels.issuing.export import Format, batches_of
    from ledger.terminal import printable

    form = Format.CSV if output is None else Format.of(output)
    _require_new(output)
    settings = Settings.load(data, dsn=dsn, labels_host=host)
    book = _book(settings)
    batches = batches_of(book, gtin, lot, batch)
    if recall := book.recalled(batches[0].batch.gtin, batches[0].batch.lot):
        command_line.warn(f"lot {printable(lot)} is RECALLED: {printable(recall.said.reason)}")
    _write(settings, batches, form, output)


@click.command(epilog=examples("tallystick labels lots", "tallystick labels lots --gtin 09506000134352 --json"))
@command_line.data
@command_line.dsn
@click.option("--gtin", help="Of this product alone.")
@click.option("--issuer", metavar="NAME", help="Issued over HTTP by the token of this name alone.")
@command_line.as_json
def lots(data: Path | None, dsn: str | None, gtin: str | None, issuer: str | None, as_json: bool) -> None:
    """List the batches of labels that were issued, in the order of issue: GTIN, lot, how many, when, by which key."""
    from labels.issuing.listing import document, lines
    from labels.issuing.request import issuers
    from labels.typed import gtin_of
    from ledger.database import connect
    from ledger.terminal import printable

    settings = Settings.load(data, dsn=dsn)
    wanted, book = None if gtin is None else gtin_of(gtin), _book(settings)
    with connect(settings.need_dsn()) as connection:
        by = issuers(connection)
    named = [(one, by.get(one.batch.root)) for one in book.batches.values() if wanted in (None, one.batch.gtin)]
    found = [(issued, name) for issued, name in named if issuer in (None, name)]
    if as_json:
        click.echo(json.dumps({"lots": [document(book, issued, name) for issued, name in found]}))
        return
    for line in lines(book, found):
        click.echo(line)
    if not found:
        told = "of labels is published" if issuer is None else f"was issued by {printable(issuer)}"
        click.echo(f"no batch {told}", err=True)


@click.command(
    "revoke-key",
    epilog=examples(
        'tallystick labels revoke-key 3f2a9c01 --reason "stolen"',
        'tallystick labels revoke-key --gtin 09506000134352 --lot L2606A --reason "stolen"',
    ),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@click.argument("kid", required=False)
@click.option("--gtin", help="All keys that may sign labels of this product.")
@click.option("--lot", help="With --gtin: the keys of this lot's batches alone.")
@command_line.reason(required=True)
def revoke_key(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    kid: str | None,
    gtin: str | None,
    lot: str | None,
    reason: str,
) -> None:
    """Revoke a label key for ever: by the first digits of its key id KID, or those of a product.

    Labels of batches that were published before stay genuine, for the batch's root says which they are; no other label
    that the key has signed is. To withdraw labels themselves, recall their lot.
    """
    from labels.issuing.revoke import revoke

    if (kid is None) == (gtin is None) or (lot is not None and gtin is None):
        raise UserError("name a key id, or a product", "write KID, or --gtin, and --lot for one lot's keys alone")
    settings = Settings.load(data, dsn=dsn)
    lines = revoke(
        options.ledger_folder(settings),
        settings.need_dsn(),
        kid=kid,
        gtin=gtin,
        lot=lot,
        reason=reason,
        timeout_s=timeout,
    )
    for line in lines:
        of_lot = f", lot {line.lot}" if line.lot is not None else ""
        click.echo(f"revoked the label key {line.thumbprint.hex()[:16]}… for {', '.join(line.gtins)}{of_lot}")


def _require_new(output: Path | None) -> None:
    """UserError if there is something in the place of the file that is to be written."""
    from labels.printing.folder import require_new

    if output is not None:
        require_new(output)


def _warn(progress: "Progress", text: str) -> None:
    progress.clear()
    command_line.warn(text)


def _source(count: int | None, file: BinaryIO | None, column: str | None) -> "Source":
    """Where the serials are from."""
    from labels.issuing.order import Own, Random
    from labels.issuing.serial_file import read_serials

    if count is not None and file is not None:
        raise UserError("--count and --serials are both given", "a file has as many labels as it has serials")
    if count is None and file is None:
        raise UserError("how many labels is not said", "give --count for random serials, or --serials for your own")
    if file is not None:
        return Own(read_serials(file, column))
    if column is not None:
        raise UserError("--column is of a file of serials", "give --serials with it")
    return Random(count or 0)


def _book(settings: Settings) -> "Book":
    from labels.keeper import BookKeeper
    from ledger.database import connect

    folder = options.ledger_folder(settings)
    with connect(settings.need_dsn()) as connection:
        return BookKeeper(folder).book(connection)


def _write(settings: Settings, batches: "list[IssuedBatch]", form: str, output: Path | None) -> None:
    """The labels of batches to a file or to standard output, as they are read."""
    from labels.issuing.export import Format, lines
    from ledger import whole_file
    from ledger.database import connect
    from ledger.terminal import Progress

    with connect(settings.need_dsn()) as connection, Progress(sys.stderr, of="labels") as progress:
        found: Iterator[str] = lines(
            connection,
            batches,
            Format(form),
            host=options.links_host(settings),
            warn=lambda text: _warn(progress, text),
        )
        labels = sum(one.batch.size for one in batches)
        if output is None:
            is_read = form == Format.LINKS and sys.stdout.isatty()
            for text in islice(found, _SHOWN if is_read else None):
                click.echo(text, nl=False)
            if is_read and labels > _SHOWN:
                click.echo(f"… and {labels - _SHOWN:,} more: 'tallystick labels export' writes all of them", err=True)
            return
        whole_file.put_lines(output, _telling(found, progress, labels))
    click.echo(f"wrote {output}", err=True)


def _telling(pieces: Iterator[str], progress: "Progress", labels: int) -> Iterator[str]:
    """The same pieces of text, of which each has one label or none."""
    for number, piece in enumerate(pieces):
        if number % _TOLD_EACH == 0:
            progress("writing", min(number, labels), labels)
        yield piece
