"""COSE Receipts (RFC 9942): what all of a log's receipts share, whatever else their protected headers say.

A receipt is a COSE_Sign1 by the log's key over a Merkle root that it does not carry: whoever has the leaf computes
the root by the inclusion proof in the unprotected header. The RFC leaves that proof's size and index unsigned; a
protected header of ours repeats the size.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from ledger import cbor, cose, merkle
from ledger.errors import MalformedError
from ledger.keys import SigningKey
from ledger.merkle import HASH_BYTES

VDS, VDP = 395, 396  # RFC 9942, 4
RFC9162_SHA256 = 1
INCLUSION = -1
RECEIPT_BYTES_MAX = 64 * 1024
HASHES_MAX = 128

Place = tuple[int, int, tuple[bytes, ...]]
"""Where an entry stands: tree size, index, and its inclusion proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoseReceipt:
    """A log's word, under its key `log_kid`, that a statement is entry `index` of its tree of `size`.

    `origin` is the log's, `subject` the statement's.
    """

    log_kid: bytes
    origin: str
    subject: str
    size: int
    statement_hash: bytes
    index: int
    path: tuple[bytes, ...]
    signature: bytes = bytes(64)

    @property
    def tally(self) -> dict[str, Any]:
        """What this kind of receipt says in its protected header, by its own label; the size is in it."""
        raise NotImplementedError

    def issue(self, key: SigningKey, root: bytes) -> Self:
        """This receipt, signed by the log's key over `root`."""
        return replace(self, signature=cose.sign1(key, self._header, root, detached=True).signature)

    def encode(self) -> bytes:
        """The COSE Receipt: a tagged COSE_Sign1 with the root detached and the inclusion proof unprotected."""
        proof = cbor.encode([self.size, self.index, list(self.path)])
        return cose.Sign1(cbor.encode(self._header), {}, {VDP: {INCLUSION: [proof]}}, None, self.signature).encode()

    def verify(self, log_key: bytes, *, leaf: bytes) -> bytes:
        """The root that `log_key` signed for, with the statement's `leaf` hash proven in it.

        Raises SignatureError or ProofError.
        """
        root = merkle.inclusion_root(self.path, leaf=leaf, index=self.index, size=self.size)
        cose.Sign1(cbor.encode(self._header), {}, {}, None, self.signature).verify(log_key, detached=root)
        return root

    @property
    def _header(self) -> dict[Any, Any]:
        return {
            cose.ALG: cose.EDDSA,
            cose.KID: self.log_kid,
            cose.CWT_CLAIMS: {cose.ISS: self.origin, cose.SUB: self.subject},
            VDS: RFC9162_SHA256,
            **self.tally,
        }


def split(data: bytes) -> tuple[dict[Any, Any], Place, bytes]:
    """The protected header, the place and the signature of a COSE Receipt, or MalformedError.

    Whether all that is in its one encoding is its caller's to see, who knows what the header may hold.
    """
    if not isinstance(data, bytes) or len(data) > RECEIPT_BYTES_MAX:
        raise MalformedError("a receipt over its size")
    envelope = cose.Sign1.decode(data)
    return envelope.protected, _place(envelope.unprotected), envelope.signature


def require_one_encoding(receipt: CoseReceipt, data: bytes) -> None:
    """Raise MalformedError unless `data` is what `receipt` encodes to: so versions, algorithm and vds are ours, too."""
    if receipt.encode() != data:
        raise MalformedError("a receipt is not in its one encoding")


def hashes(values: list[Any]) -> tuple[bytes, ...]:
    """The hashes of a proof that was decoded, or MalformedError."""
    if len(values) > HASHES_MAX or not all(isinstance(value, bytes) and len(value) == HASH_BYTES for value in values):
        raise MalformedError("a proof is a list of at most 128 hashes of 32 bytes")
    return tuple(values)


def _place(unprotected: dict[Any, Any]) -> Place:
    match unprotected:
        case {396: {-1: [bytes(proof)]}}:
            match cbor.decode_canonical(proof, depth_max=3):
                case [size, index, list(path)] if cbor.is_count(size) and cbor.is_count(index) and index < size:
                    return size, index, hashes(path)
    raise MalformedError("a receipt carries one inclusion proof (RFC 9942, 5.2)")
