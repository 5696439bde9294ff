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
from ledger.folder import LedgerFolder
from ledger.settings import Settings


@click.command(
    epilog=examples(
        "tallystick ledger prove --chain production --index 1 -o first.bundle",
        "tallystick ledger prove --device press-1 --lane events \\",
        "    --stream 90f3c1d2a4b5e6f7 --seq 0 -o made.bundle",
    )
)
@command_line.data
@command_line.dsn
@command_line.statement
@click.option("--private", is_flag=True, help="With all its sections: for those who may see them.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), help="Default: <hash>.bundle.")
def prove(data: Path | None, dsn: str | None, private: bool, output: Path | None, **which: Any) -> None:
    """Write the proof bundle of one statement, with its public sections.

    Whoever has a trust file can check it offline: 'tallystick ledger verify'.
    """
    from ledger.proof import proving

    settings = Settings.load(data, dsn=dsn)
    folder = LedgerFolder(settings.data / "ledger")
    trust = folder.trust()
    bundle, name = proving.make(settings.need_dsn(), folder, trust, private=private, **which)
    if output is None and sys.stdout.isatty():
        output = Path(f"{name}.bundle")
    if output is None or output == Path("-"):
        click.echo(bundle, nl=False)
    else:
        try:
            output.write_bytes(bundle)
        except OSError as error:
            raise UserError.of_system(f"cannot write {output}", error) from error
        click.echo(f"wrote {output}", err=True)


@click.command(epilog=examples("tallystick ledger verify first.bundle --trust trust.json"))
@click.argument("bundle", type=click.File("rb"))
@click.option("--trust", required=True, type=click.Path(path_type=Path), help="The operator's trust file.")
@command_line.as_json
def verify(bundle: Any, trust: Path, as_json: bool) -> None:
    """Check the proof bundle BUNDLE (- for standard input), offline: it and the trust file are all that is read."""
    from ledger import trust_text
    from ledger.errors import OutsideError
    from ledger.proof import text
    from ledger.proof.bundle import BUNDLE_BYTES_MAX, Bundle
    from ledger.proof.verify import Step
    from ledger.proof.verify import verify as verify_bundle
    from ledger.trust import Trust

    trusted, steps, now = Trust.load(trust), list[Step](), time.time()
    hint = "'tallystick ledger prove' writes a bundle: is it this file?"
    if expired := trust_text.warning(trusted, now):
        click.echo(f"warning: {expired}", err=True)
    try:
        proof = Bundle.decode(bundle.read(BUNDLE_BYTES_MAX + 1))
        hint = "do not rely on this statement: ask for the bundle anew, and for the operator's newest trust bundle"
        verdict = verify_bundle(proof, trusted, passed=steps.append)
    except OutsideError as error:
        failed = {"ok": False, "passed": [int(step) for step in steps], "error": str(error)}
        click.echo(json.dumps(failed) if as_json else "\n".join(text.ticks(steps)), nl=as_json or bool(steps))
        raise UserError(text.printable(str(error)), hint) from error
    revoked = trust_text.said_of(trusted, verdict.statement, verdict.chain, verdict.index)
    if as_json:
        told_of_it = {"trust": trust_text.document(trusted, now), "key_revoked": revoked and revoked[1]}
        click.echo(json.dumps({"ok": True, **verdict.document, **told_of_it}))
    else:
        told = [f"{'trust':<10} {trust_text.age(trusted, now)}"]
        told += [f"{'revoked':<10} {revoked[0]}"] if revoked else []
        click.echo("\n".join([*text.ticks(steps, anchored=verdict.anchored), "", *text.lines(verdict), *told]))
