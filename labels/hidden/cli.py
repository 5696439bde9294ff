"""`tallystick labels redeem`."""

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labels import options
from ledger import command_line
from ledger.command_line import examples
from ledger.errors import MalformedError, UserError
from ledger.settings import Settings

if TYPE_CHECKING:
    from labels.hidden.answer import Answer
    from labels.hidden.asked import Asked


@click.command(
    short_help="Redeem the code under a label's scratch field.",
    epilog=examples(
        "tallystick labels redeem https://id.example.com/01/09506000134352/21/7K3M9QX2AB \\",
        '    "7K3M 9QX2 ABCD EFGH" --url https://id.example.com --trust trust.json',
    ),
)
@command_line.data
@command_line.dsn
@click.option("--url", metavar="URL", help="The label service to ask. Default: the ledger on this machine.")
@click.option(
    "--trust", "trust_file", type=click.Path(path_type=Path, dir_okay=False), help="With --url: the operator's file."
)
@click.option("--nonce", metavar="HEX", help="16 to 64 bytes, to ask again after no answer came. Default: new ones.")
@command_line.as_json
@click.argument("link")
@click.argument("code", required=False)
def redeem(
    data: Path | None,
    dsn: str | None,
    url: str | None,
    trust_file: Path | None,
    nonce: str | None,
    as_json: bool,
    link: str,
    code: str | None,
) -> None:
    """Redeem the hidden CODE of the label with this LINK, once for ever: the code, or a link that ends in #h=CODE.

    The answer is verified: the label service signed it for this question, under the trust file, and a right code is
    one that the batch's registry entry committed to.

    \b
    Exit codes:
      0  the first time
      1  an error
      2  redeemed before, not this label's code, or too many wrong ones were tried
    """
    from labels.hidden.answer import Result

    asked = _asked(link.strip(), code, nonce)
    if url is None:
        if trust_file is not None:
            raise UserError("--trust is for the answers of a service", "name the service with --url")
        answer = _here(asked, Settings.load(data, dsn=dsn))
    else:
        answer = _there(asked, url, trust_file)
    _tell(asked, answer, as_json=as_json)
    if answer.result is not Result.FIRST:
        click.get_current_context().exit(2)


def _asked(link: str, code: str | None, nonce: str | None) -> "Asked":
    from labels.hidden import asked
    from labels.hidden.code import in_link

    code = code or in_link(link)
    if not code:
        raise UserError("no code is given", "write the 16 characters under the scratch field after the link")
    try:
        return asked.read(link, code, asked.read_nonce(nonce) if nonce is not None else asked.new_nonce())
    except MalformedError as error:
        raise UserError(str(error), "give the label's link, and the code as it stands under the field") from error


def _here(asked: "Asked", settings: Settings) -> "Answer":
    """By the ledger on this machine."""
    from labels.hidden.redeem import Redeemer
    from labels.keeper import BookKeeper

    folder = options.ledger_folder(settings)
    return Redeemer(folder, settings.need_dsn(), BookKeeper(folder)).redeem(asked)


def _there(asked: "Asked", url: str, trust_file: Path | None) -> "Answer":
    from labels.hidden import client
    from labels.service import Service
    from ledger.trust.trust_file import Trust

    if trust_file is None:
        raise UserError("the answer would be anybody's word", "name the operator's trust file with --trust")
    with closing(Service(url)) as service:
        return client.redeem(service, asked, Trust.load(trust_file))


def _tell(asked: "Asked", answer: "Answer", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"label": asked.path, "nonce": asked.nonce.hex(), **answer.document}))
        return
    click.echo(
        {
            "first": f"first time: redeemed on {answer.redeemed}",
            "again": f"already redeemed on {answer.redeemed}: if that was not you, this may be a copy",
            "wrong": "not this label's code: nothing was redeemed",
            "later": "too many wrong codes were tried for this label: try again in some minutes",
        }[answer.result]
    )
