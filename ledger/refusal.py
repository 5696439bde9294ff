"""A signed refusal: the gateway's word that a statement will never be admitted, and why."""

import enum
from dataclasses import dataclass
from typing import Any

from ledger import cbor, cose
from ledger.errors import MalformedError
from ledger.keys import SigningKey, thumbprint
from ledger.log import Log
from ledger.statement import LANES, STREAM_BYTES

CONTENT_TYPE = "application/vnd.tallystick.refusal+cbor"
REFUSAL_BYTES_MAX = 4096


class Reason(enum.StrEnum):
    """Why a statement or message is not admitted; also the label under which it is counted.

    The first group is refused for good, with an answer. The second is never answered, and sent again.
    """

    SUSPENDED = "suspended-key"
    REVOKED = "revoked-key"
    ENVELOPE = "envelope"
    ROLE = "role"
    LINK = "broken-link"
    CLOSED_STREAM = "closed-stream"
    FORK = "fork"
    OVERSIZED = "oversized"

    TOPIC = "topic"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "signature"
    GAP = "gap"

    @property
    def stops_the_key(self) -> bool:
        """Whether the agent stops and keeps its spool, rather than go on in a new stream."""
        return self in (Reason.SUSPENDED, Reason.REVOKED, Reason.FORK)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`statement_hash` is the SHA-256 of the refused bytes; `size` the tree's when it was refused."""

    audience: str
    kid: bytes
    lane: int
    stream: bytes
    seq: int
    statement_hash: bytes
    reason: Reason
    size: int

    def sign(self, key: SigningKey) -> bytes:
        """A COSE_Sign1 under the log's key."""
        payload = [
            self.audience, self.kid, self.lane, self.stream, self.seq, self.statement_hash, str(self.reason), self.size,
        ]  # fmt: skip
        return cose.sign1(key, _header(key.kid), cbor.encode(payload)).encode()

    @classmethod
    def open(cls, data: bytes, log_key: bytes) -> "Refusal":
        """Read a refusal that `log_key` signed; raises MalformedError or SignatureError."""
        envelope = _envelope(data)
        if envelope.protected != _header(thumbprint(log_key)):
            raise MalformedError("a refusal says that it is one, and by which key")
        envelope.verify(log_key)
        return _read(envelope.payload or b"")

    @classmethod
    def open_of(cls, data: bytes, log: Log) -> "Refusal":
        """Read a refusal of the log's; raises MalformedError, SignatureError, or TrustError for a key without a say."""
        envelope = _envelope(data)
        match envelope.protected.get(cose.KID):
            case bytes(kid):
                refusal = _read(envelope.payload or b"")
                return cls.open(data, log.key(kid, refusal.size).public_key)
        raise MalformedError("a refusal says that it is one, and by which key")


def _envelope(data: bytes) -> cose.Sign1:
    if not isinstance(data, bytes) or len(data) > REFUSAL_BYTES_MAX:
        raise MalformedError("a refusal over its size")
    envelope = cose.Sign1.decode(data)
    if envelope.payload is None or envelope.unprotected:
        raise MalformedError("a refusal says that it is one, and by which key")
    return envelope


def _header(log_kid: bytes) -> dict[Any, Any]:
    return {cose.ALG: cose.EDDSA, cose.CONTENT_TYPE: CONTENT_TYPE, cose.KID: log_kid}


def _read(payload: bytes) -> Refusal:
    match cbor.decode_canonical(payload, depth_max=2):
        case [str(audience), bytes(kid), lane, bytes(stream), seq, bytes(hash_), str(why), size] if (
            len(kid) == len(hash_) == 32
            and len(stream) == STREAM_BYTES
            and all(map(cbor.is_count, (lane, seq, size)))
            and lane in LANES
            and why in tuple(Reason)
        ):
            return Refusal(audience, kid, lane, stream, seq, hash_, Reason(why), size)
    raise MalformedError("a refusal is [aud, kid, lane, stream, seq, hash, reason, size]")
