"""The answer to a redemption: signed over the asker's nonce, so that the service can be held to it. Pure.

The label service signs the deterministic CBOR of

    ["tallystick-redeemed/1", nonce, canonical path, code, result, answered (ms), redeemed (ms) or null]

and nothing else that it signs begins so. To a code that is right the answer has the secret bytes as well, and the
Merkle proof that the batch's registry entry committed to this code before anybody had scratched.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, TypeGuard

from labels import words
from labels.batch import Batch
from labels.hidden.asked import Asked
from labels.hidden.code import SECRET_BYTES, commitment
from ledger import b64, cbor, ed25519, merkle
from ledger.errors import MalformedError
from ledger.keys import SigningKey

_CONTEXT = "tallystick-redeemed/1"
_PROOF_HASHES_MAX = 64
_MS_MAX = 253_402_300_799_999  # the end of the year 9999


class Result(StrEnum):
    """What is said of a code."""

    FIRST = "first"  # right, and never redeemed before
    AGAIN = "again"  # right, and redeemed before
    WRONG = "wrong"  # not this label's: or no such label was issued, or it has no hidden code
    LATER = "later"  # too many wrong ones were tried for this label: nothing is said for a while


@dataclass(frozen=True, slots=True)
class Commitment:
    """What proves a right code: its batch's registry entry by its statement's hash, and its place under the root."""

    entry: bytes
    index: int
    secret: bytes
    proof: tuple[bytes, ...]

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        hashes = [digest.hex() for digest in self.proof]
        return {"entry": self.entry.hex(), "index": self.index, "secret": self.secret.hex(), "proof": hashes}

    @classmethod
    def read(cls, fields: Any) -> Self:
        """Read it, or raise MalformedError."""
        match fields:
            case {"entry": str(entry), "index": int(index), "secret": str(secret), "proof": [*hashes]}:
                if 0 <= index <= merkle.SIZE_MAX and len(hashes) <= _PROOF_HASHES_MAX:
                    proof = tuple(_hex(digest, merkle.HASH_BYTES) for digest in hashes)
                    return cls(_hex(entry, merkle.HASH_BYTES), index, _hex(secret, SECRET_BYTES), proof)
        raise MalformedError("what a batch committed to has the fields entry, index, secret and proof")

    def verify(self, batch: Batch, asked: Asked) -> None:
        """Check that the batch committed to this label's code; ProofError if it did not."""
        leaf = merkle.leaf_hash(commitment(self.secret, asked.path, asked.code))
        root = batch.hidden or merkle.EMPTY_ROOT
        merkle.verify_inclusion(self.proof, leaf=leaf, index=self.index, size=batch.size, root=root)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the label service says of a code; times in milliseconds since 1970, `redeemed_ms` that of the first time."""

    result: Result
    answered_ms: int
    redeemed_ms: int | None
    signature: bytes
    commitment: Commitment | None = None

    @classmethod
    def sign(
        cls,
        key: SigningKey,
        asked: Asked,
        result: Result,
        *,
        answered_ms: int,
        redeemed_ms: int | None = None,
        commitment: Commitment | None = None,
    ) -> Self:
        """The signed answer."""
        signature = key.sign(_message(asked, result, answered_ms, redeemed_ms))
        return cls(result, answered_ms, redeemed_ms, signature, commitment)

    def verify(self, public_key: bytes, asked: Asked) -> None:
        """Check that the label service with this key said so, of what was asked and to who asked; SignatureError."""
        ed25519.verify(public_key, self.signature, _message(asked, self.result, self.answered_ms, self.redeemed_ms))

    @property
    def redeemed(self) -> str:
        """The time of the first redemption, as a person reads it; or nothing."""
        return "" if self.redeemed_ms is None else words.moment(self.redeemed_ms / 1000)

    @property
    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "result": self.result.value,
            "answered_ms": self.answered_ms,
            "redeemed_ms": self.redeemed_ms,
            "signature": b64.encode(self.signature),
            "commitment": self.commitment and self.commitment.document(),
        }

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """Read an answer's JSON object, or raise MalformedError. What else is in it is not looked at."""
        result, signature = fields.get("result"), fields.get("signature")
        answered, redeemed, committed = (fields.get(name) for name in ("answered_ms", "redeemed_ms", "commitment"))
        if not (isinstance(result, str) and result in set(Result) and isinstance(signature, str)):
            raise MalformedError("an answer has a result and a signature")
        if not _is_time(answered) or not (redeemed is None or _is_time(redeemed)):
            raise MalformedError("an answer's times are milliseconds since 1970")
        if (result in (Result.FIRST, Result.AGAIN)) != (redeemed is not None and committed is not None):
            raise MalformedError("an answer has a time of redemption, and a commitment, if the code is right")
        said = None if committed is None else Commitment.read(committed)
        return cls(Result(result), answered, redeemed, b64.decode(signature), said)


def _message(asked: Asked, result: Result, answered_ms: int, redeemed_ms: int | None) -> bytes:
    return cbor.encode([_CONTEXT, asked.nonce, asked.path, asked.code, result.value, answered_ms, redeemed_ms])


def _is_time(value: Any) -> TypeGuard[int]:
    return cbor.is_count(value) and value <= _MS_MAX


def _hex(text: Any, size: int) -> bytes:
    try:
        data = bytes.fromhex(text)
    except (TypeError, ValueError) as error:
        raise MalformedError("not hexadecimal") from error
    if len(data) != size or data.hex() != text:
        raise MalformedError(f"not {size} bytes in hexadecimal")
    return data
