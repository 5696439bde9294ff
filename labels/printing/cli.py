"""`tallystick labels print`."""

from pathlib import Path

import click

from labels import options
from ledger import command_line
from ledger.command_line import examples
from ledger.settings import Settings


@click.command("print", epilog=examples("tallystick labels print --gtin 09506000134352 --lot L2606A -o labels --sheet"))
@command_line.data
@command_line.dsn
@options.gtin
@options.lot
@click.option("-o", "out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where to write.")
@click.option("--sheet", is_flag=True, help="Sheets of forty as well.")
@click.option("--title", default="", metavar="TEXT", help="What stands beside the code: the product's name.")
@options.host
def print_(
    data: Path | None, dsn: str | None, gtin: str, lot: str, out: Path, sheet: bool, title: str, host: str | None
) -> None:
    """Print a lot's labels as PNG files, one a label. Prints each file, and where its page is on this machine.

    Where the label service runs on this machine, index.html beside them shows all, each with its link.
    """
    import sys
    from functools import partial

    from labels.printing import files as printing
    from ledger.terminal import Progress

    settings = Settings.load(data, dsn=dsn, labels_host=host)
    labels = printing.published_labels(options.ledger_folder(settings), settings.need_dsn(), gtin=gtin, lot=lot)
    address = settings.labels_url.rstrip("/") if settings.labels_url else None
    faces = printing.faces(labels, host=settings.labels_host or options.HOST, lot=lot, address=address, title=title)
    with Progress(sys.stderr, of="labels") as progress:
        printing.write_labels(labels, faces, out, tell=partial(progress, "printing"))
    for label in labels:
        page = f"  {printing.link_at(address, label)}" if address else ""
        click.echo(f"{out / printing.name_of(label)}.png{page}")
    if address:
        click.echo(printing.write_overview(labels, faces, out, gtin=gtin, lot=lot, address=address, title=title))
    for file in printing.write_sheets(faces, out) if sheet else ():
        click.echo(str(file))
