"""What root keys say in the tests: the cast's genesis and its logs' next keys, as messages, and bundles of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from ledger import cbor, message, note
from ledger.author import Author, Content, compose
from ledger.fold import Stored
from ledger.keys import SigningKey
from ledger.registry import REGISTRY, LabelScope, Recalled
from ledger.section import ContentFormat, Privacy
from ledger.statement import EVENTS, NO_PREVIOUS, Statement, Tally
from ledger.trust.bundle import TrustBundle
from ledger.trust.parts import Revoked
from tests import cast

ORIGIN = f"example.com/tallystick/{REGISTRY}"
ISSUED, EXPIRES = 1_750_000_000, 1_757_776_000
SCOPE = LabelScope(cast.key(40).public, cast.ISSUER, ("09506000",), 1_900, 2_300)
RECALLED = Recalled("09506000134352", "L1", "", cast.ISSUER, "glass in it", "2025-06-01", 6)

REVOKED = Revoked(cast.DEVICE.kid, "line-1", 5, (("production", 40), (cast.STREAM, 7)))


def genesis(vkey: str) -> bytes:
    """The cast's genesis, but for the key of its log production."""
    body: dict[str, Any] = cbor.decode(cast.GENESIS, depth_max=6)
    chains = [{**chain, "vkey": vkey} if chain["name"] == "production" else chain for chain in body["chains"]]
    return cbor.encode({**body, "chains": chains})


def next_key(number: int = 50, *, chain: str = "production", first: int = 100, until: int = 200) -> dict[str, Any]:
    """The entry that names a log's next key, from a fixed seed."""
    vkey = note.Signer(f"example.com/tallystick/{chain}", cast.key(number)).vkey
    return {"type": "log-key", "chain": chain, "vkey": vkey, "first": first, "until": until}


def say(
    body: bytes | Mapping[str, Any],
    before: bytes | None = None,
    *,
    signer: SigningKey = cast.ROOT,
    whole: bool = True,
    **changes: Any,
) -> bytes:
    """The root key's next message after `before`; the genesis if there is none. `changes` are made to its tally."""
    last = None if before is None else Statement.decode(message.decode(before).statement)
    tally = Tally(EVENTS, cast.STREAM, last.tally.seq + 1 if last else 0, last.hash if last else NO_PREVIOUS, 0)
    content = Content(
        Privacy.PUBLIC, ContentFormat.REGISTRY, body if isinstance(body, bytes) else cbor.encode(dict(body))
    )
    author = Author(signer, cast.OPERATOR_ORGANISATION, "root")
    signed, data = compose(author, origin=ORIGIN, tally=tally._replace(**changes), contents=[content], now=cast.NOW)
    return data if whole else message.encode(signed.encode(), [None])


def stream(*entries: Mapping[str, Any]) -> list[bytes]:
    """The genesis, and these after it."""
    messages = [say(cast.GENESIS)]
    for entry in entries:
        messages.append(say(entry, messages[-1]))
    return messages


def stored(index: int, data: bytes) -> Stored:
    """A message as an entry of the registry."""
    sent = message.decode(data)
    return Stored(index, sent.statement, {line: body for line, body in enumerate(sent.sections) if body is not None})


def pin(messages: Sequence[bytes]) -> bytes:
    """The hash by which a trust file pins the genesis."""
    return Statement.decode(message.decode(messages[0]).statement).hash


def bundle(messages: Sequence[bytes], **changes: Any) -> TrustBundle:
    """A trust bundle of the cast's operator."""
    fields = {
        "key": cast.OPERATOR,
        "revoked": [REVOKED],
        "label_keys": [SCOPE],
        "recalls": [RECALLED],
        "registry": (7, bytes(32)),
        "issued_at": ISSUED,
        "expires_at": EXPIRES,
        **changes,
    }
    return TrustBundle.issue(pin(messages), messages, **fields)
