"""An operator who lies with his own keys."""

from dataclasses import dataclass

from ledger.audit.database import DatabaseSource
from ledger.audit.walk import audit
from ledger.database import connect
from ledger.seal import NewEntry
from ledger.statement import TELEMETRY, Statement
from tests.world import Device, World


@dataclass
class Rogue:
    """A world whose operator seals what he likes."""

    world: World
    press: Device

    def seal(
        self, *statements: Statement, chain: str = "production", registry: tuple[int, bytes] | None = None
    ) -> None:
        """Seal statements that nobody judged, and anchor them."""
        writer = self.world.writer(chain)
        entries = [NewEntry(s.encode(), s.stream_key, s.tally.seq, len(s.manifest)) for s in statements]
        state = registry or self.registry_state()
        writer.seal(entries, now_ms=self.world.now_ms, registry=state)
        writer.close()
        self.world.anchor.take()

    def registry_state(self, height: int | None = None) -> tuple[int, bytes]:
        """The registry's newest state, or that of a block."""
        with connect(self.world.dsn) as connection:
            row = connection.execute(
                """select size, root from block where chain_id = 4 and height = coalesce(%s, height)
                    order by height desc limit 1""",
                [height],
            ).fetchone()
        assert row is not None
        return row[0], bytes(row[1])

    def next(self, device: Device | None = None, *, chain: str = "production") -> Statement:
        """The next link of a device's telemetry stream, as it would sign it."""
        device = device or self.press
        statement, _ = self.world.sign(
            device, [device.readings(1.0)], tally=device.next_tally(chain, TELEMETRY), chain=chain
        )
        return statement

    def problems(self) -> list[str]:
        """What an audit tells."""
        with connect(self.world.dsn) as connection:
            return [str(p) for p in audit(DatabaseSource(connection, self.world.folder), self.world.trust).problems]
