"""`tallystick ledger prove | verify`: a statement's proof, made and checked."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.errors import UserError
from ledger.settings import Settings


@click.command(
    epilog=examples(
        "tallystick ledger prove --chain production --index 1 --format tlog -o first",
        "tallystick ledger prove -o item.bundle --product \\",
        "    https://id.gs1.org/01/09506000134352/21/A1",
    )
)
@command_line.data
@command_line.dsn
@command_line.statement
@click.option(
    "--product",
    metavar="URI",
    help="All with an event that names this product, by its "
    "label's link: not events of what it was packed in, and no readings.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["bundle", "cose", "tlog"]),
    default="bundle",
    show_default=True,
    help="A bundle of all that it rests on; or its place in the log only: a SCITT Transparent Statement with a COSE "
    "Receipt, signed by the log's key, which must be in the data folder; or a C2SP tlog-proof, with the statement "
    "in a file beside it.",
)
@click.option("--private", is_flag=True, help="With all its sections: for those who may see them.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), help="Default: named by its hash.")
def prove(data: Path | None, dsn: str | None, form: str, private: bool, output: Path | None, **which: Any) -> None:
    """Write the proof of one statement, with its public sections, or of all about one product.

    Whoever has a trust file can check it offline: 'tallystick ledger verify'.
    """
    from ledger.proof import proving
    from ledger.proof.inclusion import Form

    settings = Settings.load(data, dsn=dsn)
    folder = settings.ledger
    made = proving.make(settings.need_dsn(), folder, folder.trust(), form=Form(form), private=private, **which)
    for line in made.gone:
        command_line.warn(line)
    if output == Path("-") or (output is None and not sys.stdout.isatty()):
        click.echo(made.proof, nl=False)
        return
    for path, content in _named(made.files, output or Path(made.name), exact=output is not None).items():
        try:
            path.write_bytes(content)
        except OSError as error:
            raise UserError.of_system(f"cannot write {path}", error) from error
        click.echo(f"wrote {path}", err=True)


def _named(files: dict[str, bytes], output: Path, *, exact: bool) -> dict[Path, bytes]:
    """One file has the name that was given; of several, each has its end put to it."""
    if exact and len(files) == 1:
        return dict.fromkeys([output], *files.values())
    stem = output.with_suffix("") if output.suffix in files else output
    return {stem.with_name(f"{stem.name}{end}"): content for end, content in files.items()}


@click.command(
    epilog=examples(
        "tallystick ledger verify first.bundle --trust trust.json",
        "tallystick ledger verify first.tlog-proof --trust trust.json \\",
        "    --statement first.statement",
    )
)
@click.argument("proof", metavar="FILE", type=click.File("rb"))
@click.option("--statement", type=click.File("rb"), help="The statement's file, if it is not in FILE, or to compare.")
@command_line.needed_trust
@command_line.as_json
@click.pass_context
def verify(ctx: click.Context, proof: Any, statement: Any, trust: Path, as_json: bool) -> None:
    """Check the proof in FILE (- for standard input), offline: what is named here is all that is read.

    FILE is a proof bundle, a product's, a SCITT Transparent Statement or COSE Receipt, or a tlog-proof: each shows
    some steps, and those that it cannot show are named.

    \b
    It ends with
      0  the proof holds
      1  it does not, or wrong use
      2  it holds, but the operator disputes a statement: a thief may have signed it
    """
    from ledger.errors import OutsideError
    from ledger.proof import text
    from ledger.proof.check import check, recognise
    from ledger.proof.inclusion import Form
    from ledger.proof.revoked import revocations
    from ledger.proof.verify import Step
    from ledger.terminal import printable
    from ledger.trust import text as trust_text
    from ledger.trust.trust_file import Trust

    trusted, steps, form, now = Trust.load(trust), list[Step](), Form.BUNDLE, time.time()
    if expired := trust_text.warning(trusted, now):
        command_line.warn(expired)
    try:
        given = None if statement is None else _read(statement)
        data = _read(proof)
        form = recognise(data)
        found = check(data, trusted, statement=given, passed=steps.append)
    except OutsideError as error:
        failed = {"ok": False, "passed": [int(step) for step in steps], "error": str(error)}
        told = json.dumps(failed) if as_json else "\n".join(text.ticks(steps, form=form))
        click.echo(told, nl=as_json or bool(steps))
        raise UserError(printable(str(error)), _HINT if " fails: " in str(error) else _NO_PROOF) from error
    revoked = revocations(found, trusted)
    if as_json:
        of_it = {"trust": trust_text.document(trusted, now), "key_revoked": revoked.document}
        click.echo(json.dumps({"ok": True, "disputed": revoked.is_disputed, "format": form, **found.document, **of_it}))
    else:
        told_of_it = [f"{'trust':<10} {trust_text.age(trusted, now)}", *revoked.lines]
        click.echo("\n".join([*text.told(found, disputed=revoked.is_disputed), *told_of_it]))
    if revoked.is_disputed:
        ctx.exit(_DISPUTED)


_DISPUTED = 2
_NO_PROOF = "'tallystick ledger prove' writes a proof: is it this file, whole?"
_HINT = "do not rely on this statement: ask for the proof anew, and for the operator's newest trust bundle"


def _read(file: Any) -> bytes:
    """The file, or as much of it as shows that it is too long; raises MalformedError."""
    from ledger.errors import MalformedError
    from ledger.proof.check import PROOF_BYTES_MAX

    try:
        data: bytes = file.read(PROOF_BYTES_MAX + 1)
    except OSError as error:
        raise UserError.of_system(f"cannot read {file.name}", error) from error
    if len(data) > PROOF_BYTES_MAX:
        raise MalformedError(f"{file.name} is over {PROOF_BYTES_MAX} bytes: no proof is")
    return data
