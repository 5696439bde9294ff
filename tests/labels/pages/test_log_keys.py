"""The label service goes on when a log's key changes: it reads the registry anyway, and asks nobody."""

from pathlib import Path

from labels.keeper import BookKeeper
from labels.pages.verdicts import Checker
from ledger.database import connect
from ledger.proof.prove import Prover, find_statement
from tests.ledger.log_keys.test_rotation import change, fill
from tests.world import World


def test_statements_are_proven_after_the_key_has_changed(postgres_dsn: str, tmp_path: Path) -> None:
    """Those before, and those after the first key retired; without the registry's word the latter are not."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        press = world.register_device("press-1")
        statements = [world.publish(press, press.readings(20.0))]
        world.tick()
        fill(world, press, "production", change(world).until)
        statements.append(world.publish(press, press.readings(21.0)))
        world.tick()
        keeper, knowing, ignorant = BookKeeper(world.folder), Checker(world.trust), Checker(world.trust)
        with connect(world.dsn) as connection:
            knowing.know(keeper.book(connection).chains)
            prover = Prover(connection, world.folder)
            for statement in statements:
                place = find_statement(connection, statement.hash)
                assert knowing.check(prover.prove, *place, anchor_size=1).verdict
                assert "no known key signed" in ignorant.check(prover.prove, *place, anchor_size=1).complaint
