"""The published trust file: it can add to what a reader has pinned, and take nothing from it."""

from ledger.errors import OutsideError
from ledger.published.paths import Kind, Place
from ledger.published.reader import Reader
from ledger.trust.trust_file import Trust


def followed(reader: Reader, trust: Trust) -> Trust:
    """`trust` with the logs' keys that have followed by now, where what is published shows it by the pinned genesis.

    Another ledger's trust file, a damaged one or none teaches nothing. Nor does one that contradicts the keys that are
    known: their checkpoints still have to hold.
    """
    try:
        published = Trust.parse(reader.read(Place(Kind.TRUST).path).decode())
        return trust.following(published.messages) if published.messages else trust
    except (OutsideError, UnicodeDecodeError):
        return trust
