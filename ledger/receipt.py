"""Receipts: the proof, for a device, that its stream is in the tree (COSE Receipts, RFC 9942).

A receipt is cumulative: it names the stream's newest statement. Beside it, in the answer that carries it, range
proofs show that all the statements before it stand side by side in their blocks, at most 2·log n hashes a block.
"""

from dataclasses import dataclass
from typing import Any

from ledger import cbor, cose, cose_receipt
from ledger.cose_receipt import CoseReceipt, Place, hashes
from ledger.errors import MalformedError
from ledger.statement import LANES, STREAM_BYTES

TALLY_R = "tally-r"
ANSWER_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(CoseReceipt):
    """A log's word that a stream's newest statement, and so all of the stream, is in its tree.

    `kid` is the device's. Of the statements from seq `covers[0]` to `covers[1]`, `lacking` lists the (seq, line) of
    sections that did not arrive whole; of others it says nothing, or a range from another answer could make a device
    let go of a section that nobody has.
    """

    kid: bytes
    lane: int
    stream: bytes
    seq: int
    covers: tuple[int, int]
    lacking: tuple[tuple[int, int], ...]

    @classmethod
    def decode(cls, data: bytes) -> "Receipt":
        """Read a receipt in its one encoding; any bytes give a Receipt or MalformedError."""
        receipt = _from_parts(*cose_receipt.split(data))
        cose_receipt.require_one_encoding(receipt, data)
        return receipt

    @property
    def tally(self) -> dict[str, Any]:
        lacking = [*self.covers, [list(pair) for pair in self.lacking]]
        said = [1, self.size, self.kid, self.lane, self.stream, self.seq, self.statement_hash, lacking]
        return {TALLY_R: said}


@dataclass(frozen=True, slots=True)
class Range:
    """Consecutive statements of a stream, side by side in one block: `count` from `first_seq` at `first_index`."""

    first_seq: int
    first_index: int
    count: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway publishes for a lane: a receipt, the checkpoint of its size, and range proofs.

    Without a receipt it says that the lane has no stream in the ledger. `nonce` is the birth's that it answers. `root`
    is what root keys have said (`ledger.trust.succession`), for a device that may not know the log's newest key.
    """

    receipt: bytes | None
    checkpoint: str | None
    first_index: int | None
    hashes: tuple[bytes, ...]
    earlier: tuple[Range, ...]
    nonce: bytes | None = None
    root: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The CBOR map; readers ignore keys they do not know, so it can grow."""
        value: dict[int, Any] = {}
        if self.receipt is not None:
            value[1], value[2] = self.receipt, self.checkpoint
            value[3] = [self.first_index, list(self.hashes)]
        if self.earlier:
            value[4] = [[r.first_seq, r.first_index, r.count, list(r.hashes)] for r in self.earlier]
        if self.nonce is not None:
            value[5] = self.nonce
        if self.root:
            value[6] = list(self.root)
        return cbor.encode(value)

    @classmethod
    def decode(cls, data: bytes) -> "Answer":
        """Read an answer; any bytes give an Answer or MalformedError."""
        if not isinstance(data, bytes) or len(data) > ANSWER_BYTES_MAX:
            raise MalformedError("an answer over its size")
        value = cbor.decode(data, depth_max=5)
        if not isinstance(value, dict):
            raise MalformedError("an answer is a map")
        earlier, nonce = value.get(4, []), value.get(5)
        if not isinstance(earlier, list) or not isinstance(nonce, bytes | None):
            raise MalformedError("an answer's ranges or nonce are of the wrong type")
        ranges, root = tuple(_range(item) for item in earlier), _messages(value.get(6, []))
        match value:
            case {1: bytes(receipt), 2: str(checkpoint), 3: [first_index, list(path)]} if cbor.is_count(first_index):
                return cls(receipt, checkpoint, first_index, hashes(path), ranges, nonce, root)
            case {1: _} | {2: _} | {3: _}:
                raise MalformedError("an answer has a receipt, its checkpoint and its range, or none of them")
        return cls(None, None, None, (), ranges, nonce, root)


def _messages(value: Any) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not all(isinstance(item, bytes) for item in value):
        raise MalformedError("what root keys have said is a list of messages")
    return tuple(value)


def _from_parts(header: dict[Any, Any], place: Place, signature: bytes) -> Receipt:
    size, index, path = place
    match header:
        case {
            cose.KID: bytes(log_kid),
            cose.CWT_CLAIMS: {cose.ISS: str(origin), cose.SUB: str(subject)},
            "tally-r": [
                _,
                _,
                bytes(kid),
                lane,
                bytes(stream),
                seq,
                bytes(hash_),
                [first, last, list(lacking)],
            ],
        } if cbor.is_count(lane) and lane in LANES and cbor.is_count(seq) and len(stream) == STREAM_BYTES:
            if not len(log_kid) == len(kid) == len(hash_) == 32:
                raise MalformedError("a receipt's kids and hash are 32 bytes")
            return Receipt(
                log_kid=log_kid,
                origin=origin,
                subject=subject,
                size=size,
                statement_hash=hash_,
                index=index,
                path=path,
                signature=signature,
                kid=kid,
                lane=lane,
                stream=stream,
                seq=seq,
                covers=_pair([first, last]),
                lacking=tuple(_pair(pair) for pair in lacking),
            )
    raise MalformedError("the protected header is not a receipt's")


def _pair(value: Any) -> tuple[int, int]:
    match value:
        case [seq, line] if cbor.is_count(seq) and cbor.is_count(line):
            return seq, line
    raise MalformedError("lacking is [first seq, last seq, [[seq, line], …]]")


def _range(value: Any) -> Range:
    match value:
        case [first_seq, first_index, count, list(path)] if count and all(map(cbor.is_count, value[:3])):
            return Range(first_seq, first_index, count, hashes(path))
    raise MalformedError("a range is [first seq, first index, count, hashes]")
