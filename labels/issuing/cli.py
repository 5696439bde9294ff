"""`tallystick labels key` and `labels issue`."""

import json
from pathlib import Path

import click

from labels import options
from ledger import command_line, names
from ledger.command_line import checked, examples
from ledger.settings import Settings


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
    from labels.issuing import issue
    from labels.signature import date_of

    settings = Settings.load(data, dsn=dsn)
    made = issue.make_key(
        options.ledger_folder(settings),
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


@click.command(
    short_help="Issue the labels of a lot.",
    epilog=examples("tallystick labels issue --gtin 09506000134352 --lot L2606A --count 24"),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@options.gtin
@options.lot
@click.option("--count", type=int, required=True, help="How many labels.")
@click.option("--lot-in-link", is_flag=True, help="Also write the lot into the links: the code is a size larger.")
@options.host
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
    from labels.issuing import issue as issuing

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    issued = issuing.issue(
        options.ledger_folder(settings),
        settings.need_dsn(),
        gtin=gtin,
        lot=lot,
        count=count,
        lot_in_link=lot_in_link,
        timeout_s=timeout,
    )
    links = [label.link(settings.labels_host or options.HOST) for label in issued.labels]
    batch = issued.batch.batch
    if as_json:
        entry = {"registry_entry": issued.batch.index, "root": batch.root.hex(), "gtin": batch.gtin, "lot": batch.lot}
        click.echo(json.dumps({**entry, "labels": links}))
        return
    for link in links:
        click.echo(link)
    told = f"{batch.size} labels of GTIN {batch.gtin}, lot {batch.lot}: registry entry {issued.batch.index}"
    click.echo(f"{told}, root {batch.root.hex()[:16]}…", err=True)
