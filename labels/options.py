"""What the commands of labels share: their options, and the ledger that they are about."""

from typing import TYPE_CHECKING

import click

from ledger import names
from ledger.command_line import checked, warn
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.folder import LedgerFolder

HOST = "id.example.com"
NOTE_CHARS_MAX = 200
gtin = click.option("--gtin", required=True, help="The product: 8, 12, 13 or 14 digits.")
lot = click.option("--lot", required=True, help="The lot: at most 20 characters, in upper case.")
host = click.option(
    "--host",
    metavar="NAME",
    callback=checked(names.host),
    help=f"The host name in the links. Default: the settings', or {HOST}.",
)


def links_host(settings: Settings) -> str:
    """The host name in links. Where nobody has said one that is warned of: what is printed leads there for good."""
    if settings.labels_host is None:
        warn(f"the links lead to {HOST}, an example: name your host with --host, or once with 'tallystick up --host'")
    return settings.labels_host or HOST


def ledger_folder(settings: Settings) -> "LedgerFolder":
    """The folder of the ledger that the settings name; UserError if there is none."""
    folder = settings.ledger
    folder.trust()  # or say that there is no ledger
    return folder
