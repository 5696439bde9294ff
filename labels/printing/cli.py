"""`tallystick labels formats`."""

import click

from ledger.command_line import examples


@click.command(epilog=examples("tallystick labels formats"))
def formats() -> None:
    """List the sheets of labels that are known by their numbers, and which have room for a signed code."""
    from labels.printing.formats import FORMATS, PAGES
    from labels.printing.layout import EDGE_MM, X_DIMENSION_MM

    pages = {size: name for name, size in PAGES.items()}
    code = 53 * X_DIMENSION_MM + 2 * EDGE_MM
    for one in FORMATS:
        grid = one.grid
        size = f"{grid.label[0]:.1f} x {grid.label[1]:.1f} mm"
        told = f"{size:18} {grid.columns} x {grid.rows:<3} {pages[grid.page]:7} {', '.join(one.names)}"
        click.echo(told + ("" if code <= min(grid.label) else "  (too small for a code of 21 mm)"))
