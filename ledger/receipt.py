"""Receipts: the proof, for a device, that its stream is in the tree (COSE Receipts, RFC 9942).

A receipt is cumulative: it names the stream's newest statement. Beside it, in the answer that carries it, range
proofs show that all the statements before it stand side by side in their blocks, at most 2·log n hashes a block.
"""

from dataclasses import dataclass, replace
from typing import Any

from ledger import cbor, cose, merkle
from ledger.errors import MalformedError
from ledger.keys import SigningKey
from ledger.statement import LANES, STREAM_BYTES

VDS, VDP = 395, 396  # RFC 9942, 4
RFC9162_SHA256 = 1
INCLUSION = -1
TALLY_R = "tally-r"
RECEIPT_BYTES_MAX = 64 * 1024
ANSWER_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """A log's word, under its key, that a statement is entry `index` of its tree of `size`.

    `kid` is the device's; `log_kid` the log's. Of the statements from seq `covers[0]` to `covers[1]`, `lacking` lists
    the (seq, line) of sections that did not arrive whole; of others it says nothing, or a range from another answer
    could make a device let go of a section that nobody has.
    """

    log_kid: bytes
    origin: str
    subject: str
    size: int
    kid: bytes
    lane: int
    stream: bytes
    seq: int
    statement_hash: bytes
    covers: tuple[int, int]
    lacking: tuple[tuple[int, int], ...]
    index: int
    path: tuple[bytes, ...]
    signature: bytes = bytes(64)

    def issue(self, key: SigningKey, root: bytes) -> "Receipt":
        """This receipt, signed by the log's key over `root`."""
        signed = cose.sign1(key, self._header, root, detached=True)
        return replace(self, signature=signed.signature)

    def encode(self) -> bytes:
        """The COSE Receipt: a tagged COSE_Sign1 with the root detached and the inclusion proof unprotected."""
        proof = cbor.encode([self.size, self.index, list(self.path)])
        head = cbor.encode(self._header)
        return cose.Sign1(head, {}, {VDP: {INCLUSION: [proof]}}, None, self.signature).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Receipt":
        """Read a receipt in its one encoding; any bytes give a Receipt or MalformedError."""
        if not isinstance(data, bytes) or len(data) > RECEIPT_BYTES_MAX:
            raise MalformedError("a receipt over its size")
        envelope = cose.Sign1.decode(data)
        receipt = _from_header(envelope.protected, envelope.signature, _inclusion(envelope.unprotected))
        if receipt.encode() != data:
            raise MalformedError("a receipt is not in its one encoding")
        return receipt

    def verify(self, log_key: bytes, *, leaf: bytes) -> bytes:
        """The root that `log_key` signed for, with the statement's `leaf` hash proven in it.

        Raises SignatureError or ProofError.
        """
        root = merkle.inclusion_root(self.path, leaf=leaf, index=self.index, size=self.size)
        head = cbor.encode(self._header)
        cose.Sign1(head, {}, {}, None, self.signature).verify(log_key, detached=root)
        return root

    @property
    def _header(self) -> dict[Any, Any]:
        lacking = [*self.covers, [list(pair) for pair in self.lacking]]
        tally = [1, self.size, self.kid, self.lane, self.stream, self.seq, self.statement_hash, lacking]
        return {
            cose.ALG: cose.EDDSA,
            cose.KID: self.log_kid,
            cose.CWT_CLAIMS: {cose.ISS: self.origin, cose.SUB: self.subject},
            VDS: RFC9162_SHA256,
            TALLY_R: tally,
        }


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
    is what root keys have said (`ledger.succession`), for a device that may not know the log's newest key.
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
            case {1: bytes(receipt), 2: str(checkpoint), 3: [first_index, list(hashes)]} if cbor.is_count(first_index):
                return cls(receipt, checkpoint, first_index, _hashes(hashes), ranges, nonce, root)
            case {1: _} | {2: _} | {3: _}:
                raise MalformedError("an answer has a receipt, its checkpoint and its range, or none of them")
        return cls(None, None, None, (), ranges, nonce, root)


def _messages(value: Any) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not all(isinstance(item, bytes) for item in value):
        raise MalformedError("what root keys have said is a list of messages")
    return tuple(value)


def _from_header(header: dict[Any, Any], signature: bytes, inclusion: tuple[int, int, tuple[bytes, ...]]) -> Receipt:
    size, index, path = inclusion
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
            covers, pairs = _pair([first, last]), tuple(_pair(pair) for pair in lacking)
            # Versions, algorithm, vds and the size's second mention are held against the one encoding by decode.
            return Receipt(
                log_kid, origin, subject, size, kid, lane, stream, seq, hash_, covers, pairs, index, path, signature
            )
    raise MalformedError("the protected header is not a receipt's")


def _inclusion(unprotected: dict[Any, Any]) -> tuple[int, int, tuple[bytes, ...]]:
    match unprotected:
        case {396: {-1: [bytes(proof)]}}:
            match cbor.decode_canonical(proof, depth_max=3):
                case [size, index, list(path)] if cbor.is_count(size) and cbor.is_count(index) and index < size:
                    return size, index, _hashes(path)
    raise MalformedError("a receipt carries one inclusion proof (RFC 9942, 5.2)")


def _pair(value: Any) -> tuple[int, int]:
    match value:
        case [seq, line] if cbor.is_count(seq) and cbor.is_count(line):
            return seq, line
    raise MalformedError("lacking is [first seq, last seq, [[seq, line], …]]")


def _range(value: Any) -> Range:
    match value:
        case [first_seq, first_index, count, list(hashes)] if count and all(map(cbor.is_count, value[:3])):
            return Range(first_seq, first_index, count, _hashes(hashes))
    raise MalformedError("a range is [first seq, first index, count, hashes]")


def _hashes(values: list[Any]) -> tuple[bytes, ...]:
    if len(values) > 128 or not all(isinstance(value, bytes) and len(value) == 32 for value in values):
        raise MalformedError("a proof is a list of at most 128 hashes of 32 bytes")
    return tuple(values)
