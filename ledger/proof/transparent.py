"""SCITT Transparent Statements: a statement with the log's receipts in its unprotected header (RFC 9943, RFC 9942).

The receipt here is a signature of its own, over the root of a published checkpoint: whoever holds the log's key makes
it, and nobody else can. A device's receipts ("tally-r") promise which sections arrived whole; this one ("tally-p")
promises nothing but the statement's place, so that no device can take it for the other.
"""

from dataclasses import dataclass
from typing import Any

from ledger import cose, cose_receipt
from ledger.cose_receipt import CoseReceipt, Place
from ledger.errors import MalformedError
from ledger.receipt import TALLY_R, Receipt
from ledger.statement import NAME_CHARS_MAX, STATEMENT_BYTES_MAX

RECEIPTS = 394  # RFC 9942, 4
TALLY_P = "tally-p"
RECEIPTS_MAX = 8
TRANSPARENT_BYTES_MAX = STATEMENT_BYTES_MAX + RECEIPTS_MAX * cose_receipt.RECEIPT_BYTES_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReceipt(CoseReceipt):
    """A log's word that a statement is an entry of its tree."""

    @classmethod
    def decode(cls, data: bytes) -> "EntryReceipt":
        """Read a receipt in its one encoding; any bytes give one or MalformedError."""
        receipt = _from_parts(*cose_receipt.split(data))
        cose_receipt.require_one_encoding(receipt, data)
        return receipt

    @property
    def tally(self) -> dict[str, Any]:
        return {TALLY_P: [1, self.size, self.statement_hash]}


@dataclass(frozen=True, slots=True)
class Transparent:
    """A statement's bytes, and receipts of it: one at least, eight at most."""

    statement: bytes
    receipts: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The statement with its receipts in the unprotected header: its signature stays what it was."""
        head, _, payload, signature = cose.split(self.statement)
        return cose.join(head, {RECEIPTS: list(self.receipts)}, payload, signature)

    @classmethod
    def decode(cls, data: bytes) -> "Transparent":
        """Read a transparent statement in its one encoding; any bytes give one or MalformedError."""
        if not isinstance(data, bytes) or len(data) > TRANSPARENT_BYTES_MAX:
            raise MalformedError(f"a transparent statement is at most {TRANSPARENT_BYTES_MAX} bytes")
        head, unprotected, payload, signature = cose.split(data)
        match unprotected:
            case {394: [*receipts]} if len(unprotected) == 1 and 1 <= len(receipts) <= RECEIPTS_MAX:
                if all(isinstance(receipt, bytes) for receipt in receipts):
                    return cls(cose.join(head, {}, payload, signature), tuple(receipts))
        raise MalformedError(
            f"a transparent statement has 1 to {RECEIPTS_MAX} receipts, and no other unprotected header"
        )


def is_receipt(data: bytes) -> bool:
    """Whether a COSE_Sign1 is a receipt by itself: its payload is detached."""
    try:
        return cose.split(data)[2] is None
    except MalformedError:
        return False


def read_receipt(data: bytes) -> EntryReceipt | Receipt:
    """Read a log's receipt of one entry, or one that the gateway sent to a device; or MalformedError."""
    if TALLY_R in cose_receipt.split(data)[0]:
        return Receipt.decode(data)
    return EntryReceipt.decode(data)


def _from_parts(header: dict[Any, Any], place: Place, signature: bytes) -> EntryReceipt:
    size, index, path = place
    match header:
        case {
            cose.KID: bytes(log_kid),
            cose.CWT_CLAIMS: {cose.ISS: str(origin), cose.SUB: str(subject)},
            "tally-p": [_, _, bytes(hash_)],
        } if len(log_kid) == len(hash_) == 32 and 0 < len(subject) <= NAME_CHARS_MAX:
            return EntryReceipt(
                log_kid=log_kid,
                origin=origin,
                subject=subject,
                size=size,
                statement_hash=hash_,
                index=index,
                path=path,
                signature=signature,
            )
    raise MalformedError("the protected header is not that of a receipt of one entry")
