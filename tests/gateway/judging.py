"""One message alone, as the gateway judges it."""

from typing import cast

from gateway.judge import Streams, Verdict
from gateway.sift import Incoming, Sieve
from ledger.registry import Registry
from ledger.statement import StreamKey
from ledger.topic import Topic


def judge(
    payload: bytes,
    *,
    topic: Topic,
    origin: str,
    registry: Registry,
    suspended: frozenset[bytes] = frozenset(),
    streams: Streams,
) -> Verdict:
    """The verdict of a chain's sieve on a message that came on `topic`."""
    known = set(cast("frozenset[StreamKey]", streams.known))
    batch = Sieve(origin, registry, suspended, dict(streams.heads), known).sift([Incoming(topic, "statement", payload)])
    found: list[Verdict] = [*batch.admitted]
    found += [verdict for _, verdict in batch.behind]
    found += [verdict for _, verdict in batch.refused]
    assert len(found) == 1
    return found[0]
