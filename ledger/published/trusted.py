"""The published trust file: by it a source is known for a ledger, and for whose; it can add to what a reader has
pinned, and take nothing from it.
"""

from ledger.errors import OutsideError, SourceRefused, TrustError
from ledger.published.paths import Kind, Place
from ledger.published.reader import NotPublishedError, Reader
from ledger.terminal import printable
from ledger.trust.trust_file import Trust

_WHERE = "name where trust.json is: with 'tallystick up' it is below /log of the label service's address"


def followed(reader: Reader, trust: Trust) -> Trust:
    """`trust` with the logs' keys that have followed by now, where what is published shows it by the pinned genesis.

    Another ledger's trust file, a damaged one or none teaches nothing. Nor does one that contradicts the keys that are
    known: their checkpoints still have to hold.
    """
    try:
        return _with_keys_of(trust, _published(reader))
    except (OutsideError, UnicodeDecodeError):
        return trust


def followed_at(source: str, reader: Reader, trust: Trust) -> Trust:
    """The same from a `source` that must be the ledger's: raises SourceRefused if it is none, or another one."""
    try:
        published = _published(reader)
    except NotPublishedError as error:
        raise SourceRefused(f"{source} is no ledger: trust.json is not there", _WHERE) from error
    except (OutsideError, UnicodeDecodeError) as error:
        raise SourceRefused(f"{source} is no ledger: its trust.json is none: {printable(error)}", _WHERE) from error
    if published.genesis != trust.genesis:
        what = f"{source} is the ledger {printable(published.name)!r}, not yours: it has another genesis"
        raise SourceRefused(what, "name a source of the ledger that your trust file pins, or the other's trust file")
    try:
        return _with_keys_of(trust, published)
    except TrustError:
        return trust


def without_registry(source: str) -> SourceRefused:
    """What is wrong with a source that has a trust file, and not the log with which every ledger begins."""
    return SourceRefused(
        f"{source} shows no registry, with which every ledger begins", "name another source of it, or try again later"
    )


def _published(reader: Reader) -> Trust:
    return Trust.parse(reader.read(Place(Kind.TRUST).path).decode())


def _with_keys_of(trust: Trust, published: Trust) -> Trust:
    return trust.following(published.messages) if published.messages else trust
