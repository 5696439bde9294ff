"""Hidden codes: 80 bits that a person can read out, and what a batch commits to of each. Pure.

The codes of a batch are made of its *hidden key*, 32 random bytes in a file, by BLAKE2b of a label's canonical path;
so they can be printed, and printed once more, while nobody keeps a list of them. Each has 16 *secret bytes* beside it,
made likewise. A code's *commitment* is

    SHA-256("tallystick-hidden/1" ‖ 16 secret bytes ‖ canonical path ‖ code)

with code and path as ASCII. A batch's registry entry has the Merkle root of its labels' commitments, in the order of
issue. The database has secret bytes and commitments: from both nobody finds 80 bits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b, sha256

from labels.serial import ALPHABET
from ledger.errors import MalformedError

CHARACTERS = 16  # of 5 bits each
SECRET_BYTES = 16
KEY_BYTES = 32
_GROUP = 4
_CONTEXT = b"tallystick-hidden/1"
MARK = "#h="
_TEXT_CHARS_MAX = 64


@dataclass(frozen=True, slots=True)
class Hidden:
    """A label's hidden code, and the 16 secret bytes that its commitment is made with."""

    code: str
    secret: bytes


def make(key: bytes, path: str) -> Hidden:
    """The hidden code of the label with this canonical path, by its batch's hidden key."""
    size, person = CHARACTERS + SECRET_BYTES, b"tally-hidden/1"
    made = blake2b(path.encode("ascii"), digest_size=size, key=key, person=person).digest()
    return Hidden("".join(ALPHABET[byte & 31] for byte in made[:CHARACTERS]), made[CHARACTERS:])


def commitment(secret: bytes, path: str, code: str) -> bytes:
    """What a batch commits to: 32 bytes. As `secret` has 16 bytes and `code` 16 characters, no two read the same."""
    return sha256(_CONTEXT + secret + path.encode("ascii") + code.encode("ascii")).digest()


def read(text: str) -> str:
    """A code as a person typed it, in groups or not, in whatever case; MalformedError if it is none."""
    code = "".join(char for char in text[: _TEXT_CHARS_MAX + 1] if char not in " -\t\r\n").upper()
    if len(text) > _TEXT_CHARS_MAX or len(code) != CHARACTERS or not set(code) <= set(ALPHABET):
        raise MalformedError(f"a hidden code has {CHARACTERS} characters: digits 2 to 9, and letters without I and O")
    return code


def groups(code: str) -> list[str]:
    """A code as it is read out: four groups of four."""
    return [code[at : at + _GROUP] for at in range(0, len(code), _GROUP)]


def link(host: str, path: str, code: str) -> str:
    """The text of the code in the scratch field: the part behind # never leaves a browser by itself."""
    return f"https://{host}{path}{MARK}{code}"


def in_link(text: str) -> str:
    """The hidden code that a link carries, or ""."""
    return text.partition(MARK)[2]


def commitments(key: bytes, paths: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """For each label the secret bytes and the commitment."""
    made = ((path, make(key, path)) for path in paths)
    return [(hidden.secret, commitment(hidden.secret, path, hidden.code)) for path, hidden in made]
