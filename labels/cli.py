"""`tallystick labels`: keys, labels, their pictures, and the pages behind them."""

import click

from labels.describing.cli import describe, recall
from labels.gs1_cli import gs1
from labels.hidden.cli import redeem
from labels.issuing.cli import export, issue, key, lots, revoke_key
from labels.logistic.cli import sscc
from labels.pages.cli import serve, show, verify_page
from labels.print_cli import print_
from labels.printers.cli import printer
from labels.printing.cli import formats
from labels.read_cli import read
from labels.reconciling.cli import mark, reconcile
from ledger.command_line import Headed


@click.group(cls=Headed)
def cli() -> None:
    """Issue, print and serve signed QR labels."""


assert isinstance(cli, Headed)
cli.add(
    "Issue and print",
    {
        key: "Make a key that signs labels, and register it.",
        issue: "Issue the labels of a lot.",
        export: "Write the links of a lot's labels, for whoever prints.",
        lots: "List the batches of labels that were issued.",
        revoke_key: "Revoke a key that signs labels, for ever.",
        print_: "Print a lot's labels.",
        formats: "List the sheets of labels that are known.",
        sscc: "Number pallets, and print their labels.",
        printer: "Ask a label printer how it is.",
    },
)
cli.add(
    "What became of them",
    {
        mark: "Say that labels were applied, spoiled or returned.",
        reconcile: "Count them all, and find what does not fit.",
    },
)
cli.add(
    "Products",
    {
        describe: "Say what a product, a lot or an item is.",
        recall: "Recall a product, a lot or an item; or lift that.",
    },
)
cli.add(
    "Codes",
    {
        read: "Read photos, scans and PDFs, and say if labels are genuine.",
        gs1: "Say what a GS1 link or element string says.",
    },
)
cli.add(
    "The pages behind the labels",
    {
        serve: "Serve the pages, until stopped.",
        show: "Show an item's proven history.",
        redeem: "Redeem the code under a scratch field.",
        verify_page: "Write the page that checks proofs in a browser.",
    },
)
