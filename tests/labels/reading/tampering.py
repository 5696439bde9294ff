"""Labels that are not genuine, each in another way, as somebody would make them who has genuine ones before him."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labels import gs1
from labels.batch import Label
from labels.serial import new_serials
from labels.signature import LabelSignature, decode_digits, sign_label
from ledger.keys import SigningKey
from tests.labels.story import GTIN

HOST = "id.example.com"
OTHER_GTIN = "09506000134369"
NEVER_ISSUED = "never issued"  # signed by the right key: no trust bundle can tell


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys that sign labels: the one that may, one that was revoked, one of another product, one of nobody's."""

    good: SigningKey
    revoked: SigningKey
    others: SigningKey
    foreign: SigningKey


@dataclass(frozen=True, slots=True)
class _Made:
    """What a tampered label is made of: a genuine one, its neighbour, and the keys."""

    label: Label
    neighbour: Label
    keys: Keys

    @property
    def signature(self) -> LabelSignature:
        return decode_digits(self.label.digits)

    def signed(self, key: SigningKey, path: str = "") -> str:
        path = path or self.label.path
        return _link(path, sign_label(key, self.signature.day, path))

    def with_signature(self, *, hint: bytes | None = None, day: int | None = None, signature: bytes = b"") -> str:
        was = self.signature
        made = LabelSignature(hint or was.hint, was.day if day is None else day, signature or was.signature)
        return _link(self.label.path, made.digits)


def _link(path: str, digits: str) -> str:
    return f"https://{HOST}{path}?s={digits}"


def _another_lot(made: _Made) -> str:
    path = made.label.path
    if "/10/" in path:
        return _link(path.replace("/10/", "/10/X", 1), made.label.digits)
    return _link(path.replace("/21/", "/10/XLOT/21/", 1), made.label.digits)


def _changed_digit(made: _Made) -> str:
    digits = made.label.digits
    return _link(made.label.path, f"{digits[:90]}{(int(digits[90]) + 1) % 10}{digits[91:]}")


def _never_issued(made: _Made) -> str:
    [serial] = new_serials(1)
    return made.signed(made.keys.good, gs1.item(GTIN, serial=serial).canonical_path)


def _foreign_with_our_hint(made: _Made) -> str:
    foreign = decode_digits(sign_label(made.keys.foreign, made.signature.day, made.label.path))
    return made.with_signature(signature=foreign.signature)


def _new_item(made: _Made, key: SigningKey) -> str:
    [serial] = new_serials(1)
    return made.signed(key, gs1.item(GTIN, serial=serial).canonical_path)


_WAYS: dict[str, Callable[[_Made], str]] = {
    "another serial": lambda made: _link(made.label.path[:-1] + _other(made.label.path[-1]), made.label.digits),
    "another product": lambda made: _link(made.label.path.replace(GTIN, OTHER_GTIN), made.label.digits),
    "a wrong check digit": lambda made: _link(made.label.path.replace(GTIN, f"{GTIN[:-1]}3"), made.label.digits),
    "another lot": _another_lot,
    "a changed signature": _changed_digit,
    "a signature cut short": lambda made: _link(made.label.path, made.label.digits[:-1]),
    "another label's signature": lambda made: _link(made.label.path, made.neighbour.digits),
    "another day": lambda made: made.with_signature(day=made.signature.day - 1),
    "no signature": lambda made: f"https://{HOST}{made.label.path}",
    "a foreign key": lambda made: made.signed(made.keys.foreign),
    "a foreign key under our name": _foreign_with_our_hint,
    "a revoked key": lambda made: _new_item(made, made.keys.revoked),
    "another product's key": lambda made: _new_item(made, made.keys.others),
    NEVER_ISSUED: _never_issued,
}


def tampered(labels: Sequence[Label], keys: Keys) -> list[tuple[str, str]]:
    """As many labels as there are genuine ones, none of them genuine: how, and its link."""
    ways = list(_WAYS.items())
    made = []
    for number, label in enumerate(labels):
        how, make = ways[number % len(ways)]
        made.append((how, make(_Made(label, labels[number - 1], keys))))
    return made


def _other(letter: str) -> str:
    return "A" if letter != "A" else "B"
