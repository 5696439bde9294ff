"""How long ago each device was last heard: the newest statement of each key, by the time of its block."""

from collections.abc import Iterable

import psycopg

from ledger.registry import Registry, Role, Status
from ledger.tree_store import INDEX_BITS


class Ages:
    """Of one chain. Bounded by the registry: only its devices' keys get anything in."""

    def __init__(self, registry: Registry, heard_ms: dict[bytes, int]) -> None:
        self._registry, self._heard_ms = registry, heard_ms

    @classmethod
    def load(cls, connection: psycopg.Connection, chain_id: int, registry: Registry) -> "Ages":
        """What the ledger knows; so a device's age goes on over a restart."""
        rows = connection.execute(
            """select s.kid, max(b.time_ms)
                 from (select distinct on (kid, lane) stream_id, kid
                         from stream where chain_id = %(chain)s order by kid, lane, stream_id desc) s
                cross join lateral (select entry_id from entry
                                     where stream_id = s.stream_id order by seq desc limit 1) e
                cross join lateral (select time_ms from block
                                     where chain_id = %(chain)s and size > e.entry_id & %(mask)s
                                     order by size limit 1) b
                group by s.kid""",
            {"chain": chain_id, "mask": (1 << INDEX_BITS) - 1},
        )
        return cls(registry, {bytes(kid): time_ms for kid, time_ms in rows})

    def heard(self, kids: Iterable[bytes], now_ms: int) -> None:
        """Statements of these keys were sealed now."""
        self._heard_ms.update(dict.fromkeys(kids, now_ms))

    def seconds(self, now_ms: int) -> dict[str, float]:
        """The age of each registered device that was ever heard and is not revoked, by its name. From any thread."""
        ages: dict[str, float] = {}
        for kid, heard_ms in self._heard_ms.copy().items():
            key = self._registry.key(kid)
            if key is not None and key.role is Role.DEVICE and key.status is not Status.REVOKED:
                age = (now_ms - heard_ms) / 1000
                ages[key.name] = min(age, ages.get(key.name, age))
        return ages
