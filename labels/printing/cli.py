"""`tallystick labels formats`."""

import click

from ledger.command_line import examples


@click.command(epilog=examples("tallystick labels formats"))
def formats() -> None:
    """List the sheets of labels that are known by their numbers, and which have room for a signed code and its lines.

    A printer of 203 dpi makes modules that are all of one width with --x-dimension 0.375 or 0.5: three or four dots.
    """
    from labels.options import HOST
    from labels.printing import specimen
    from labels.printing.formats import FORMATS, PAGES
    from labels.printing.pdf import fitting
    from labels.printing.renderers import fonts_for
    from labels.printing.room import told

    usual = [specimen.faces(1, host=HOST, lot="L2606A", hidden=hidden)[0] for hidden in (False, True)]
    plain, hidden = (fitting(face, fonts_for(usual, None)) for face in usual)
    pages = {size: name for name, size in PAGES.items()}
    for one in FORMATS:
        grid, room = one.grid, told(one.grid.label, plain, hidden)
        size = f"{grid.label[0]:.1f} x {grid.label[1]:.1f} mm"
        names = ", ".join(one.names) + (f"  ({room})" if room else "")
        click.echo(f"{size:18} {grid.columns} x {grid.rows:<3} {pages[grid.page]:7} {names}")
