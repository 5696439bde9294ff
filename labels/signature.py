"""The 70 bytes that make a label genuine, and the 169 digits in which they are printed.

    key id 4 ‖ issue day 2 ‖ Ed25519 64

The key id is the beginning of the key's thumbprint (RFC 9679): a hint only, every key that matches is tried. The
day counts from 2020-01-01 UTC, big-endian. The signature is over "TALLYSTICK-LABEL/1" ‖ the full thumbprint ‖ the
day ‖ the canonical path; so it says nothing of the host, nor of anything else in the query.

As a decimal number the bytes go into a QR code at 3⅓ bits a digit, less than any other text takes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

from labels import gs1
from ledger import ed25519
from ledger.errors import OutsideError, SignatureError
from ledger.keys import SigningKey, thumbprint
from ledger.registry import LabelScope

DIGITS = 169
KEY_ENTRY_TYPE = "label-key"
DAY_0 = date(2020, 1, 1)
DAYS_MAX = 0xFFFF
_BYTES, _HINT_BYTES, _DAY_BYTES = 70, 4, 2
_CONTEXT = b"TALLYSTICK-LABEL/1"


class LabelFault(StrEnum):
    """Why a label is not taken for genuine. The value is also a metric's label."""

    UNSIGNED = "unsigned"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown-key"
    BAD_SIGNATURE = "bad-signature"
    WRONG_GTIN = "wrong-gtin"
    WRONG_LOT = "wrong-lot"
    WRONG_DAY = "wrong-day"
    FUTURE = "future"
    REVOKED = "revoked"


class LabelError(OutsideError):
    """A label is not genuine. `key` is the one that signed it, where one did.

    If the fault is REVOKED, nothing else is wrong: then the batch decides, whose root was published before.
    """

    def __init__(self, fault: LabelFault, complaint: str, key: "LabelKey | None" = None) -> None:
        super().__init__(complaint)
        self.fault = fault
        self.key = key


@dataclass(frozen=True, slots=True)
class LabelKey(LabelScope):
    """A line of a trust bundle: whose key it is and what it may sign.

    `gtins` are GTINs of 14 digits, or what such GTINs begin with; days count from 2020-01-01, both ends included. A key
    that was made for one batch names its lot and root: whatever else it signs is not of that.
    """

    thumbprint: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "thumbprint", thumbprint(self.public_key))

    @classmethod
    def of(cls, scope: LabelScope) -> Self:
        """The line for a label key as the registry has it."""
        days = scope.first_day, scope.last_day
        return cls(scope.public_key, scope.organisation, scope.gtins, *days, scope.revoked, scope.lot, scope.batch)

    def entry(self) -> dict[str, Any]:
        """The registry entry of this key, as a map."""
        batch = {} if self.lot is None or self.batch is None else {"lot": self.lot, "batch": self.batch}
        return {
            "type": KEY_ENTRY_TYPE,
            "key": self.public_key,
            "organisation": self.organisation,
            "gtins": list(self.gtins),
            "first_day": self.first_day,
            "last_day": self.last_day,
            **batch,
        }

    def covers(self, gtin: str) -> bool:
        """Whether this key may sign labels of `gtin` (14 digits)."""
        return any(part and gtin.startswith(part) for part in self.gtins)

    def covers_lot(self, lot: str | None) -> bool:
        """Whether this key may sign labels of `lot`, or ones that name none."""
        return self.lot is None or lot in (None, self.lot)


@dataclass(frozen=True, slots=True)
class LabelSignature:
    """What the digits say: a hint at the key, the issue day, and the Ed25519 signature."""

    hint: bytes
    day: int
    signature: bytes

    @property
    def digits(self) -> str:
        """The 169 digits."""
        value = self.hint + self.day.to_bytes(_DAY_BYTES, "big") + self.signature
        return str(int.from_bytes(value, "big")).zfill(DIGITS)


def day_of(moment: date) -> int:
    """The day number of a date in UTC; ValueError if two bytes cannot hold it."""
    day = (moment - DAY_0).days
    if not 0 <= day <= DAYS_MAX:
        raise ValueError(f"{moment} cannot be a label's issue day")
    return day


def date_of(day: int) -> date:
    """The date of a day number."""
    return DAY_0 + timedelta(days=day)


def sign_label(key: SigningKey, day: int, path: str) -> str:
    """Sign a canonical path; returns the 169 digits.

    Raises Gs1Error unless `path` is a canonical path, ValueError unless it names a GTIN and `day` is good.
    """
    link = gs1.parse(f"https://{gs1.GS1_HOST}{path}")
    if link.canonical_path != path or link.gtin is None:
        raise ValueError(f"{path!r} is not the canonical path of a product")
    if not 0 <= day <= DAYS_MAX:
        raise ValueError(f"day {day} cannot be a label's issue day")
    return sign_path(key, day, path)


def sign_path(key: SigningKey, day: int, path: str) -> str:
    """As `sign_label`, of a path that is known to be canonical and a day that is known to be good: many are signed."""
    return LabelSignature(key.kid[:_HINT_BYTES], day, key.sign(_message(key.kid, day, path))).digits


def decode_digits(digits: str) -> LabelSignature:
    """Read the digits of `s`, or raise LabelError, whatever they are."""
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise LabelError(LabelFault.MALFORMED, f"a label's signature is exactly {DIGITS} digits")
    value = int(digits)
    if value >> (8 * _BYTES):
        raise LabelError(LabelFault.MALFORMED, f"a label's signature is a number below 2^{8 * _BYTES}")
    data = value.to_bytes(_BYTES, "big")
    body = _HINT_BYTES + _DAY_BYTES
    return LabelSignature(data[:_HINT_BYTES], int.from_bytes(data[_HINT_BYTES:body], "big"), data[body:])


def signature_of(link: gs1.DigitalLink) -> LabelSignature:
    """The signature that a link carries as `s`, not yet checked; LabelError if there is not exactly one."""
    found = [value for name, value in link.query if name == "s"]
    if not found:
        raise LabelError(LabelFault.UNSIGNED, "the link carries no signature")
    if len(found) > 1:
        raise LabelError(LabelFault.MALFORMED, "the link carries more than one signature")
    return decode_digits(found[0])


def verify_label(link: gs1.DigitalLink, keys: Sequence[LabelKey], today: int | None = None) -> LabelKey:
    """Check the label that `link` was read from; returns the key that makes it genuine, or raises LabelError.

    `today` is a day number; without one, a label from the future passes. A label without a serial is of its lot,
    not of an item: ask `link.serial`.
    """
    # (1) Exactly one `s`, of 70 bytes.
    signature = signature_of(link)
    # (2) A key of that hint has signed the path.
    signers = _signers(link.canonical_path, signature, keys)
    # (3) It may sign this GTIN: a good key of one brand must not sign another's goods.
    gtin = link.gtin or ""
    scoped = [key for key in signers if key.covers(gtin)]
    if not scoped:
        complaint = f"{signers[0].organisation}'s key may not sign for GTIN {gtin or 'none'}"
        raise LabelError(LabelFault.WRONG_GTIN, complaint, signers[0])
    # (4) It may sign this lot, if the link names one.
    fitting = [key for key in scoped if key.covers_lot(link.lot)]
    if not fitting:
        complaint = f"{scoped[0].organisation}'s key signs lot {scoped[0].lot} alone"
        raise LabelError(LabelFault.WRONG_LOT, complaint, scoped[0])
    # (5) It was the key of that day, and the day has come.
    dated = [key for key in fitting if key.first_day <= signature.day <= key.last_day]
    when = date_of(signature.day).isoformat()
    if not dated:
        raise LabelError(LabelFault.WRONG_DAY, f"the key was not to sign labels on {when}", scoped[0])
    if today is not None and signature.day > today:
        raise LabelError(LabelFault.FUTURE, f"the label says it was issued on {when}, which is to come", dated[0])
    # (6) It is not revoked, in any line.
    if revoked := next((key for key in signers if key.revoked), None):
        raise LabelError(LabelFault.REVOKED, f"{revoked.organisation} has revoked the label's key", dated[0])
    return dated[0]


def _signers(path: str, signature: LabelSignature, keys: Sequence[LabelKey]) -> list[LabelKey]:
    """The lines of the key that signed; it may have several, one a batch."""
    hinted = [key for key in keys if key.thumbprint.startswith(signature.hint)]
    if not hinted:
        raise LabelError(LabelFault.UNKNOWN_KEY, "no known key has signed this label")
    signers = [key for key in hinted if _signed(path, signature, key)]
    if not signers:
        raise LabelError(LabelFault.BAD_SIGNATURE, "the signature does not hold for this label")
    return signers


def _signed(path: str, signature: LabelSignature, key: LabelKey) -> bool:
    try:
        ed25519.verify(key.public_key, signature.signature, _message(key.thumbprint, signature.day, path))
    except SignatureError:
        return False
    return True


def _message(thumbprint: bytes, day: int, path: str) -> bytes:
    return _CONTEXT + thumbprint + day.to_bytes(_DAY_BYTES, "big") + path.encode("ascii")
