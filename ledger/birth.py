"""The birth message: on connecting, an agent announces its heads and asks for current receipts."""

from collections.abc import Mapping
from dataclasses import dataclass

from ledger import cbor
from ledger.errors import MalformedError
from ledger.statement import LANES

BIRTH_BYTES_MAX = 1024
NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Birth:
    """`unconfirmed` gives, for a lane with a stream, (stream, the first seq without a receipt)."""

    kid: bytes
    nonce: bytes
    unconfirmed: Mapping[int, tuple[bytes, int]]

    def encode(self) -> bytes:
        """CBOR `[kid, nonce, {lane: [stream, seq]}]`."""
        return cbor.encode([self.kid, self.nonce, {lane: list(head) for lane, head in self.unconfirmed.items()}])

    @classmethod
    def decode(cls, data: bytes) -> "Birth":
        """Read a birth; any bytes give a Birth or MalformedError. It proves nothing: it only asks."""
        if not isinstance(data, bytes) or len(data) > BIRTH_BYTES_MAX:
            raise MalformedError("a birth over its size")
        match cbor.decode(data, depth_max=3):
            case [bytes(kid), bytes(nonce), dict(heads)] if len(kid) == 32 and len(nonce) == NONCE_BYTES:
                return cls(kid, nonce, {_lane(lane): _head(head) for lane, head in heads.items()})
        raise MalformedError("a birth is [kid, nonce, {lane: [stream, seq]}]")


def _lane(value: object) -> int:
    if value not in LANES or not isinstance(value, int):
        raise MalformedError("a birth names a lane that there is not")
    return value


def _head(value: object) -> tuple[bytes, int]:
    match value:
        case [bytes(stream), seq] if len(stream) == 8 and cbor.is_count(seq):
            return stream, seq
    raise MalformedError("a birth's head is [stream, seq]")
