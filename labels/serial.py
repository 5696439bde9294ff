"""Serials that cannot be guessed, and that a person can read out."""

import secrets
from collections.abc import Callable, Container

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0 and O, no 1 and I; a QR code takes it as alphanumeric
CHARACTERS = 10  # of 5 bits each
_REPEATS_MAX = 3


def new_serials(
    count: int, randomness: Callable[[int], bytes] = secrets.token_bytes, *, taken: Container[str] = ()
) -> list[str]:
    """`count` serials of 50 random bits each, all different and none of them in `taken`.

    `randomness(n)` returns n random bytes. Raises RuntimeError if it repeats itself, for a lot's serials would then
    be anyone's to guess.
    """
    serials: dict[str, None] = {}
    repeats = 0
    while len(serials) < count:
        serial = _serial(randomness(CHARACTERS))
        if serial in serials or serial in taken:
            repeats += 1
            if repeats > _REPEATS_MAX:
                raise RuntimeError("the source of randomness repeats itself")
            continue
        serials[serial] = None
    return list(serials)


def _serial(random: bytes) -> str:
    return "".join(ALPHABET[byte & 31] for byte in random)
