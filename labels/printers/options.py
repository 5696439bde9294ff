"""The options of commands that print on label printers."""

from collections.abc import Callable
from typing import TypeVar

import click

from labels.printers.dots import PER_MM

_Command = TypeVar("_Command", bound=Callable[..., None])
_OPTIONS = (
    click.option(
        "--printer",
        metavar="ADDRESS",
        help="A label printer: zebra.example.com, 192.0.2.7:9100, or a device such as /dev/usb/lp0.",
    ),
    click.option(
        "--language",
        type=click.Choice(["zpl", "ql"]),
        default="zpl",
        show_default=True,
        help="What it understands: zpl for Zebra's and their like, ql for Brother QL.",
    ),
    click.option(
        "--dpi",
        type=click.Choice(list(map(str, PER_MM))),
        default="203",
        show_default=True,
        help="The resolution of a printer for ZPL.",
    ),
    click.option("--roll", metavar="NAME", help="What is in a Brother QL: 62, 29x90, 102x152 …"),
    click.option("--no-status", is_flag=True, help="The printer answers nothing: what it takes counts as printed."),
)


def printers(command: _Command) -> _Command:
    """The options that name a printer, as `labels.printers.medium` and `printer` take them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
