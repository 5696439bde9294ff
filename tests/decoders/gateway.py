"""What a gateway reads."""

from collections.abc import Iterator

from gateway import address
from gateway.workers import Worker
from ledger.errors import UserError
from tests import seeds
from tests.bench.bombs import judged
from tests.decoders.target import Target, of_bytes, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_text("gateway.address.parse_address", address.parse_address, UserError, "127.0.0.1:8421", "[::1]:0")
    yield of_text("gateway.workers.Worker.parse", Worker.parse, ValueError, "0/2", write=str, one_encoding=False)
    yield of_bytes("gateway.judge.opened", judged, (), *seeds.MESSAGES)
