"""`tallystick ledger accept-rollback`."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger import command_line
from ledger.command_line import examples
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.rollback.standing import Standing

_STATE = re.compile(r"([a-z0-9-]{1,32})=([0-9]{1,13}):([0-9a-f]{16,64})")


class _State(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has none
    """A chain and the state of it that is accepted: `CHAIN=SIZE:ROOT`, the root's first 16 digits or more."""

    name = "state"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int, str]:
        found = _STATE.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is not CHAIN=SIZE:ROOT, with at least 16 hexadecimal digits of the root.", param, ctx)
        return found[1], int(found[2]), found[3]


@click.command(
    "accept-rollback",
    epilog=examples(
        "tallystick ledger accept-rollback --data ~/tally",
        "tallystick ledger accept-rollback --checkpoint production=812:9f3ac01d5b7e2a44 \\",
        '    --reason "the disk is gone, the newest backup is of Monday"',
    ),
)
@command_line.data
@command_line.dsn
@command_line.timeout
@click.option("--checkpoint", "states", type=_State(), multiple=True, metavar="CHAIN=SIZE:ROOT", help="Each chain's.")
@command_line.reason(required=False)
def accept_rollback(
    data: Path | None, dsn: str | None, timeout: float, states: tuple[tuple[str, int, str], ...], reason: str | None
) -> None:
    """Let a ledger go on from an older state than was published, or from a restored backup.

    Without a checkpoint it shows what there is to decide, and changes nothing. What was published and is not here any
    more is kept as evidence, and a signed entry in the registry says what you decided.
    """
    from ledger.rollback import accept as work

    settings = Settings.load(data, dsn=dsn)
    folder, where = settings.ledger, settings.need_dsn()
    if not states:
        _show(work.look(folder, where), data)
        return
    why = command_line.need_reason(reason)
    named = {chain: (size, root) for chain, size, root in states}
    accepted = work.accept(folder, where, named, reason=why, timeout_s=timeout)
    for standing in accepted:
        click.echo(f"{standing.named}: it goes on from there")
    click.echo("The entry that says so waits in the registry's inbox: the gateway seals it first.")
    if list(folder.lost_checkpoints.glob("*")):
        click.echo(f"What was published before is kept in {folder.lost_checkpoints}: it is evidence, do not delete it.")
    _warn(accepted)


def _show(deciding: list["Standing"], data: Path | None) -> None:
    if not deciding:
        click.echo("There is nothing to accept: every chain goes on from its published checkpoint.")
        return
    for standing in deciding:
        click.echo(f"{standing.chain}: {standing.why}")
    where = [] if data is None else ["--data", str(data)]
    named = [word for standing in deciding for word in ("--checkpoint", standing.named)]
    click.echo("If there is no newer copy of this ledger, it can go on from where it is:")
    click.echo(f"  {shlex.join(['tallystick', 'ledger', 'accept-rollback', *where, *named])} --reason …")
    click.echo(
        "What was published since is then lost, and whoever holds a receipt or a checkpoint of it can show that."
    )
    _warn(deciding)


def _warn(deciding: list["Standing"]) -> None:
    """What goes with lost registry entries, which nobody else would tell: a lost revocation revokes nothing."""
    from ledger.registry import REGISTRY

    for standing in deciding:
        if standing.chain == REGISTRY:
            count = standing.lost_count
            lost = f"{count} registry entries are lost" if count != 1 else "1 registry entry is lost"
            known = lost if count else "What the registry said since, if anything, is lost"
            click.echo(f"{known}: revocations, registrations, new log keys and shreddings since then hold no more.")
            click.echo("Say them again; a trust bundle or a mirror of that time names them.")
