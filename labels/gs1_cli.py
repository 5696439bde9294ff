"""`tallystick labels gs1`: what a code says, in whichever of GS1's syntaxes."""

import json
from typing import TYPE_CHECKING

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError

if TYPE_CHECKING:
    from labels.gs1 import Elements, Syntax


@click.command(
    short_help="Say what a GS1 link or element string says.",
    epilog=examples(
        'tallystick labels gs1 "(01)09506000134352(17)270630(10)ABC123"',
        'tallystick labels gs1 "https://id.example.com/01/09506000134352/21/7K3M9Q"',
    ),
)
@command_line.as_json
@click.argument("text")
def gs1(as_json: bool, text: str) -> None:
    """Say what TEXT says, application identifier by application identifier, checked by GS1's rules.

    TEXT is a GS1 Digital Link, a GTIN, an element string in brackets, or one as a scanner transmits it; if it begins
    with ^, that is FNC1 wherever it stands. What is wrong is told with the identifier, the place and the rule.
    """
    from labels.gs1 import Gs1Error, read, syntax_of
    from labels.typed import mistyped_gtin

    mistyped = mistyped_gtin(text)
    try:
        message = read(text)
    except Gs1Error as error:
        if mistyped:
            raise UserError(mistyped, f"as an element string it is none either: {error}") from error
        raise UserError(str(error), f"this is against GS1's rule {error.rule.value!r}") from error
    if mistyped:
        command_line.warn(f"{mistyped}; it is read as an element string")
    syntax = syntax_of(text)
    assert syntax is not None
    if as_json:
        click.echo(json.dumps(_document(message, syntax)))
    else:
        _tell(message, syntax)


def _tell(message: "Elements", syntax: "Syntax") -> None:
    click.echo(f"{syntax}:")
    width = max(len(title) for _, title, _ in message.titled)
    for ai, title, value in message.titled:
        click.echo(f"  {f'({ai})':6} {title:{width}}  {value}".rstrip())


def _document(message: "Elements", syntax: "Syntax") -> dict[str, object]:
    """All forms of it; `link` is null if it can be none."""
    from labels.gs1 import Gs1Error, link_of

    try:
        link = link_of(message)
    except Gs1Error:
        uri = None
    else:
        uri = link.build(link.host)
    return {
        "syntax": syntax,
        "elements": [{"ai": ai, "title": title, "value": value} for ai, title, value in message.titled],
        "bracketed": message.bracketed,
        "element_string": message.element_string,
        "link": uri,
    }
