"""`tallystick labels`: keys, labels, their pictures, and the pages behind them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger import command_line, names
from ledger.command_line import checked, examples
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.page import Page

HOST, PORT = "id.example.com", 8420
_gtin = click.option("--gtin", required=True, help="The product: 8, 12, 13 or 14 digits.")
_lot = click.option("--lot", required=True, help="The lot: at most 20 characters, in upper case.")
_host = click.option(
    "--host",
    metavar="NAME",
    callback=checked(names.host),
    help=f"The host name in the links. Default: the settings', or {HOST}.",
)


@click.group()
def cli() -> None:
    """Issue, print and serve signed QR labels."""


@cli.command(epilog=examples("tallystick labels key --gtin 09506000134352"))
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
    from labels import issue
    from labels.signature import date_of

    settings = Settings.load(data, dsn=dsn)
    made = issue.make_key(
        _folder(settings),
        settings.need_dsn(),
        gtins=gtins,
        prefixes=prefixes,
        days=days,
        organisation=organisation,
        timeout_s=timeout,
    )
    click.echo(f"label key {made.line.thumbprint.hex()[:16]}… signs {', '.join(made.line.gtins)}")
    click.echo(f"from {date_of(made.line.first_day)} to {date_of(made.line.last_day)}, for {made.line.organisation}")
    click.echo(f"secret key: {made.file}")


@cli.command(
    short_help="Issue the labels of a lot.",
    epilog=examples("tallystick labels issue --gtin 09506000134352 --lot L2606A --count 24"),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@_gtin
@_lot
@click.option("--count", type=int, required=True, help="How many labels.")
@click.option("--lot-in-link", is_flag=True, help="Also write the lot into the links: the code is a size larger.")
@_host
@command_line.as_json
def issue(
    data: Path | None,
    dsn: str | None,
    timeout: float,
    gtin: str,
    lot: str,
    count: int,
    lot_in_link: bool,
    host: str | None,
    as_json: bool,
) -> None:
    """Issue labels of a lot: draw serials, sign, and publish the batch. Prints their links, one a line."""
    from labels import issue as issuing

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    issued = issuing.issue(
        _folder(settings),
        settings.need_dsn(),
        gtin=gtin,
        lot=lot,
        count=count,
        lot_in_link=lot_in_link,
        timeout_s=timeout,
    )
    links = [label.link(settings.labels_host or HOST) for label in issued.labels]
    batch = issued.batch.batch
    if as_json:
        entry = {"registry_entry": issued.batch.index, "root": batch.root.hex(), "gtin": batch.gtin, "lot": batch.lot}
        click.echo(json.dumps({**entry, "labels": links}))
        return
    for link in links:
        click.echo(link)
    told = f"{batch.size} labels of GTIN {batch.gtin}, lot {batch.lot}: registry entry {issued.batch.index}"
    click.echo(f"{told}, root {batch.root.hex()[:16]}…", err=True)


@cli.command("print", epilog=examples("tallystick labels print --gtin 09506000134352 --lot L2606A -o labels --sheet"))
@command_line.data
@command_line.dsn
@_gtin
@_lot
@click.option("-o", "out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where to write.")
@click.option("--sheet", is_flag=True, help="Sheets of forty as well.")
@click.option("--title", default="", metavar="TEXT", help="What stands beside the code: the product's name.")
@_host
def print_(
    data: Path | None, dsn: str | None, gtin: str, lot: str, out: Path, sheet: bool, title: str, host: str | None
) -> None:
    """Print a lot's labels as PNG files, one a label. Prints each file, and where its page is on this machine.

    Where the label service runs on this machine, index.html beside them shows all, each with its link.
    """
    import sys
    from functools import partial

    from labels import printing
    from ledger.terminal import Progress

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    labels = printing.published_labels(_folder(settings), settings.need_dsn(), gtin=gtin, lot=lot)
    address = settings.labels_url.rstrip("/") if settings.labels_url else None
    faces = printing.faces(labels, host=settings.labels_host or HOST, lot=lot, address=address, title=title)
    with Progress(sys.stderr, of="labels") as progress:
        printing.write_labels(labels, faces, out, tell=partial(progress, "printing"))
    for label in labels:
        page = f"  {printing.link_at(address, label)}" if address else ""
        click.echo(f"{out / printing.name_of(label)}.png{page}")
    if address:
        click.echo(printing.write_overview(labels, faces, out, gtin=gtin, lot=lot, address=address, title=title))
    for file in printing.write_sheets(faces, out) if sheet else ():
        click.echo(str(file))


@cli.command(epilog=examples("tallystick labels serve --port 8420 --host id.example.com"))
@command_line.data
@command_line.dsn
@click.option("--bind", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@_host
def serve(data: Path | None, dsn: str | None, bind: str, port: int, host: str | None) -> None:
    """Serve the pages behind the labels, until stopped. It says where on standard output once it listens.

    Below /log/ it serves what the ledger publishes, as 'tallystick ledger serve' does.
    """
    from labels.resolve import Resolver
    from labels.web import make_app
    from ledger.published import serve as published
    from ledger.published.tokens import Tokens
    from ledger.serving import listen, run, shown

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    folder = _folder(settings)
    resolver = Resolver(folder, settings.need_dsn())
    readers = published.DatabaseReaders(settings.need_dsn(), folder, settings.need_public(folder.trust()))
    log = published.make_app(readers, Tokens.load_or_make(folder.tokens_file))
    with listen(bind, port) as listener:
        app = make_app(resolver, host=settings.labels_host or HOST, log=log)
        run(app, listener, ready=lambda: click.echo(f"serving {shown(listener)}"))
    resolver.close()
    readers.close()


@cli.command(
    short_help="Show an item's proven history.",
    epilog=examples(
        "tallystick labels show 09506000134352 7K3M9QX2AB",
        'tallystick labels show "https://id.example.com/01/09506000134352/21/7K3M9Q?s=2846"',
    ),
)
@command_line.data
@command_line.dsn
@command_line.as_json
@click.argument("label", nargs=-1, required=True, metavar="LINK | GTIN SERIAL")
def show(data: Path | None, dsn: str | None, as_json: bool, label: tuple[str, ...]) -> None:
    """Show an item's proven history: by its label's LINK, or by GTIN and SERIAL where the label was issued here."""
    from labels.resolve import Resolver

    if len(label) > 2:
        raise UserError("a label is a link, or a GTIN and a serial", "put a link between quotes: it may hold & and ?")
    link = _link(*label) if len(label) == 1 else _item(*label)
    settings = Settings.load(data, dsn=dsn)
    resolver = Resolver(_folder(settings), settings.need_dsn())
    try:
        page = resolver.page(link if len(label) == 1 else resolver.labelled(link))
    finally:
        resolver.close()
    if as_json:
        click.echo(json.dumps(page.document))
    else:
        _show(page)


@cli.command(
    "verify-page",
    short_help="Write the page that checks proofs in a browser.",
    epilog=examples("tallystick labels verify-page -o verify.html"),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    default=Path("verify.html"),
    show_default=True,
    help="The file to write (- for standard output).",
)
def verify_page(output: Path) -> None:
    """Write the page that checks proofs in a browser, as one file to be opened from a disk, offline.

    It is what 'labels serve' gives out as /verify. Its SHA-256 is printed, for whoever gets it by another way.
    """
    from hashlib import sha256

    from labels.verify_page import html

    page = html().encode()
    if output == Path("-"):
        click.echo(page, nl=False)
        return
    try:
        output.write_bytes(page)
    except OSError as error:
        raise UserError.of_system(f"cannot write {output}", error) from error
    click.echo(f"{sha256(page).hexdigest()}  {output}")


def _link(text: str) -> Any:
    from labels.gs1 import Gs1Error
    from labels.resolve import product_link
    from labels.words import mistake

    try:
        return product_link(text)
    except Gs1Error as error:
        hint = "give the whole link, as a phone reads it from the label, or a GTIN and a serial"
        raise UserError(f"that is no label's link: {mistake(error)}", hint) from error


def _item(gtin: str, serial: str) -> Any:
    from labels.issue import gtin_of, serial_of

    return serial_of(gtin_of(gtin), serial)


def _show(page: "Page") -> None:
    from labels.words import clipped

    click.echo(f"{page.headline.upper()}: {page.reason}")
    names = {"product": page.product, "GTIN": page.gtin, "lot": page.lot, "serial": page.serial, "issued": page.issued}
    for name, value in names.items():
        if value:
            click.echo(f"  {name:<8} {clipped(value)}")
    for step in page.steps:
        mark = "verified" if step.proof.verified else f"NOT VERIFIED: {step.proof.complaint}"
        where = f" · {step.place}" if step.place else ""
        click.echo(f"{step.number:>3} {step.title}{where} · {step.when}")
        click.echo(f"      {step.proof.device} · {step.proof.chain} {step.proof.index} · {mark}")
    for series in page.series:
        span = f"{series.lowest:g} to {series.highest:g} {series.unit}"
        click.echo(f"  {series.metric}: {series.readings} readings, {span}")
    for note in page.replayed:
        click.echo(f"  {note}")
    click.echo(f"{page.counts.verified} of {page.counts.total} records verified, {page.counts.anchored} anchored")


def _folder(settings: Settings) -> LedgerFolder:
    folder = settings.ledger
    folder.trust()  # or say that there is no ledger
    return folder
