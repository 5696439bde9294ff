"""Who speaks in the tests: keys from fixed seeds, and statements that they sign."""

from collections.abc import Mapping, Sequence
from typing import Any

from ledger import cbor, registry
from ledger.keys import SigningKey
from ledger.note import Signer
from ledger.registry import CHAIN_KINDS, Chain, Registry, Role
from ledger.section import Line, Privacy
from ledger.statement import NO_PREVIOUS, TELEMETRY, Statement, Tally

ORIGIN = "example.com/tallystick/production"
ISSUER = "https://maker.example.com"
URN = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301"
STREAM = bytes(range(8))
NOW = 1_700_000_000


def key(number: int) -> SigningKey:
    """A key of its own for each number from 0 to 255."""
    return SigningKey(bytes([number]) * 32)


DEVICE, NEIGHBOUR, LOG, ROOT, OPERATOR, GATEWAY, LABELS = (key(number) for number in range(1, 8))


def sign(
    signer: SigningKey = DEVICE,
    *,
    seq: int = 0,
    prev: bytes = NO_PREVIOUS,
    lane: int = TELEMETRY,
    stream: bytes = STREAM,
    issuer: str = ISSUER,
    subject: str = URN,
    audience: str = ORIGIN,
    issued_at: int = NOW,
    manifest: Sequence[Line] = (Line(Privacy.PRIVATE, 112, bytes(32)),),
) -> Statement:
    """A statement as the device signs it, or with one thing otherwise."""
    tally = Tally(lane, stream, seq, prev, 2)
    return Statement.sign(
        signer,
        issuer=issuer,
        subject=subject,
        audience=audience,
        issued_at=issued_at,
        tally=tally,
        manifest=manifest,
    )


def links(count: int, signer: SigningKey = DEVICE, **rest: str) -> list[Statement]:
    """The first `count` links of one stream."""
    chain = [sign(signer, **rest)]  # type: ignore[arg-type]
    while len(chain) < count:
        chain.append(sign(signer, seq=len(chain), prev=chain[-1].hash, **rest))  # type: ignore[arg-type]
    return chain


# The registry's cast: a ledger of five logs, its services, and one device.

CHAINS = [
    Chain(name, f"example.com/tallystick/{name}", name, Signer(f"example.com/tallystick/{name}", key(10 + number)).vkey)
    for number, name in enumerate(CHAIN_KINDS)
]
OPERATOR_ORGANISATION = "https://operator.example.com"
SERVICES = [
    {"role": str(role), "name": str(role), "urn": f"urn:x:{role}", "key": signer.public}
    for role, signer in ((Role.OPERATOR, OPERATOR), (Role.GATEWAY, GATEWAY), (Role.LABELS, LABELS))
]
GENESIS = registry.genesis(
    "example.com", chains=CHAINS, root=ROOT.public, services=SERVICES, organisation=OPERATOR_ORGANISATION
)
ORGANISATION_ENTRY = {"type": "organisation", "uri": ISSUER, "name": "Maker"}
DEVICE_ENTRY = {
    "type": "device",
    "name": "line-1",
    "urn": URN,
    "organisation": ISSUER,
    "chains": ["production"],
    "key": DEVICE.public,
}


def founded() -> Registry:
    """A registry after its genesis."""
    state = Registry()
    state.apply(0, ROOT.kid, GENESIS)
    return state


def say(state: Registry, entry: Mapping[str, Any], signer: SigningKey = OPERATOR) -> None:
    """The next entry."""
    state.apply(state.size, signer.kid, cbor.encode(entry))


def peopled() -> Registry:
    """A registry with an organisation and its device."""
    state = founded()
    say(state, ORGANISATION_ENTRY)
    say(state, DEVICE_ENTRY)
    return state
