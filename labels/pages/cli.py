"""`tallystick labels serve`, `labels show` and `labels verify-page`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labels import options
from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.gs1 import DigitalLink
    from labels.pages.page import AnyPage, Page, UnitPage
    from labels.pages.resolve import Resolver

PORT = 8420


@click.command(epilog=examples("tallystick labels serve --port 8420 --host id.example.com"))
@command_line.data
@command_line.dsn
@click.option("--bind", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@options.host
def serve(data: Path | None, dsn: str | None, bind: str, port: int, host: str | None) -> None:
    """Serve the pages behind the labels, until stopped. It says where on standard output once it listens.

    Below /log/ it serves what the ledger publishes, as 'tallystick ledger serve' does. By POST /lots labels are issued,
    for whoever shows a token of <data>/ledger/issuers.json; by POST /redeem hidden codes are redeemed.
    """
    from labels.hidden.redeem import Redeemer
    from labels.hidden.web import Redemptions
    from labels.issuing.issuers import load_issuers
    from labels.issuing.web import Lots
    from labels.pages.resolve import Resolver
    from labels.pages.web import make_app
    from ledger.published import serve as published
    from ledger.published.tokens import Tokens
    from ledger.serving import listen, run, shown

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    folder = options.ledger_folder(settings)
    resolver = Resolver(folder, settings.need_dsn())
    readers = published.DatabaseReaders(settings.need_dsn(), folder, settings.need_public(folder.trust()))
    load_issuers(folder.issuers_file)  # made, if there is none, or said to be wrong
    log = published.make_app(readers, Tokens.load_or_make(folder.tokens_file))
    with listen(bind, port) as listener:
        host = settings.labels_host or options.HOST
        lots = Lots(folder, settings.need_dsn(), resolver.keeper, host=host)
        redemptions = Redemptions(Redeemer(folder, settings.need_dsn(), resolver.keeper))
        app = make_app(resolver, host=host, log=log, lots=lots, redemptions=redemptions)
        run(app, listener, ready=lambda: click.echo(f"serving {shown(listener)}"))
    resolver.close()
    readers.close()


@click.command(
    short_help="Show an item's proven history.",
    epilog=examples(
        "tallystick labels show 09506000134352 7K3M9QX2AB",
        'tallystick labels show "https://id.example.com/01/09506000134352/21/7K3M9Q?s=2846"',
    ),
)
@command_line.data
@command_line.dsn
@command_line.as_json
@click.argument("label", nargs=-1, required=True, metavar="LINK | GTIN [SERIAL] | SSCC")
def show(data: Path | None, dsn: str | None, as_json: bool, label: tuple[str, ...]) -> None:
    """Show an item's proven history: by its label's LINK, or by GTIN and SERIAL where the label was issued here.

    By a GTIN alone, what is said of the product. Of a pallet or a case, by its label's link or its SSCC, what the
    ledger has of it: its label is not signed.
    """
    from labels.pages.resolve import Resolver

    if len(label) > 2:
        hint = "put a link or an SSCC between quotes: it may hold spaces, & and ?"
        raise UserError("a label is a link, a GTIN and a serial, or an SSCC", hint)
    link = _link(*label) if len(label) == 1 else _item(*label)
    settings = Settings.load(data, dsn=dsn)
    resolver = Resolver(options.ledger_folder(settings), settings.need_dsn())
    try:
        page = _page(resolver, link if len(label) == 1 else resolver.labelled(link))
    finally:
        resolver.close()
    if as_json:
        click.echo(json.dumps(page.document))
    else:
        _show(page)


def _page(resolver: "Resolver", link: "DigitalLink") -> "Page | UnitPage":
    return resolver.page(link) if link.sscc is None else resolver.unit(link)


@click.command(
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


def _link(text: str) -> "DigitalLink":
    from labels.gs1 import Gs1Error
    from labels.typed import code_of
    from labels.words import mistake

    try:
        return code_of(text)
    except Gs1Error as error:
        hint = "give the whole link, as a phone reads it from the label, or a GTIN and a serial"
        raise UserError(f"that is no label's link: {mistake(error)}", hint) from error


def _item(gtin: str, serial: str) -> "DigitalLink":
    from labels.typed import gtin_of, serial_of

    return serial_of(gtin_of(gtin), serial)


def _show(page: "Page | UnitPage") -> None:
    from labels.pages.page import UnitPage

    if isinstance(page, UnitPage):
        click.echo(f"{page.headline.upper()}: {page.reason}")
        click.echo(f"  {'SSCC':<8} {page.sscc}")
    else:
        _show_label(page)
    _show_history(page)


def _show_label(page: "Page") -> None:
    from labels.pages.chart import between
    from labels.words import clipped

    if page.recalls:
        click.echo(page.headline.upper())
    for recall in page.recalls:
        mark = "" if recall.proof.verified else f" · NOT VERIFIED: {recall.proof.complaint}"
        click.echo(f"  {recall.what}, since {recall.since}: {clipped(recall.reason)}{mark}")
        for more in (recall.advice, recall.href):
            if more:
                click.echo(f"  {more}")
    click.echo(f"{page.label.upper()}: {page.reason}")
    names = {"product": page.product, "GTIN": page.gtin, "lot": page.lot, "serial": page.serial, "issued": page.issued}
    rows = [(name, clipped(value)) for name, value in names.items() if value]
    rows += [(limit.metric, f"{between(limit.low, limit.high)} {limit.unit}") for limit in page.described.limits]
    rows += [(link.rel, f"{link.title}: {link.href}") for link in page.described.links]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"  {name:<{width}}  {value}")
    if page.described.below:
        click.echo(f"  recalled of this product: {', '.join(what for what, _ in page.described.below)}")
    for said in page.described.said:
        mark = "verified" if said.proof.verified else f"NOT VERIFIED: {said.proof.complaint}"
        click.echo(f"  said of {said.what}: {said.proof.chain} {said.proof.index} · {mark}")


def _show_history(page: "AnyPage") -> None:
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
    if page.counts.total:
        click.echo(f"{page.counts.verified} of {page.counts.total} records verified, {page.counts.anchored} anchored")
