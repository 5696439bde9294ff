"""What root keys have said, read without the registry: link by link from the pin, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger import fold, message
from ledger.errors import RegistryError, TrustError
from ledger.keys import SigningKey
from ledger.registry import Registry
from ledger.statement import NO_PREVIOUS, TELEMETRY, Statement
from ledger.trust import succession
from tests import cast, rooted
from tests.rooted import next_key, pin, say, stored, stream

FIRST, SECOND = next_key(), next_key(51, first=300, until=350)
ELSEWHERE = next_key(52, chain="anchor", first=1, until=0)
MESSAGES = stream(FIRST, ELSEWHERE, SECOND)


def keys(registry: Registry, chain: str = "production") -> list[tuple[int, int | None]]:
    return [(key.first, key.last) for key in succession.logs(registry.chains)[chain].keys]


def test_the_logs_keys_follow() -> None:
    """Each rotation counts for its log alone; a prefix of the stream is an older state."""
    assert keys(succession.follow(pin(MESSAGES), MESSAGES)) == [(0, 200), (100, 350), (300, None)]
    assert keys(succession.follow(pin(MESSAGES), MESSAGES), "anchor") == [(0, 0), (1, None)]
    assert keys(succession.follow(pin(MESSAGES), MESSAGES[:2])) == [(0, 200), (100, None)]
    assert keys(succession.follow(pin(MESSAGES), MESSAGES[:1])) == [(0, None)]


def test_what_the_rules_refuse_has_no_effect() -> None:
    """As in the registry: the entry is a link of the stream, and the keys stay."""
    refused = next_key(53, first=50, until=60)
    messages = stream(FIRST, refused, SECOND)
    assert keys(succession.follow(pin(messages), messages)) == [(0, 200), (100, 350), (300, None)]
    state = cast.founded()
    cast.say(state, FIRST, cast.ROOT)
    with pytest.raises(RegistryError):
        cast.say(state, refused, cast.ROOT)


SPOILED: dict[str, tuple[str, Callable[[], list[bytes]]]] = {
    "nothing": ("the genesis first", list),
    "another ledger's genesis": ("message 0 .*not the one that is pinned", lambda: stream(FIRST)),
    "one left out": ("message 2 .*not the next link", lambda: [*MESSAGES[:2], MESSAGES[3]]),
    "two turned round": ("message 1 .*not the next link", lambda: [MESSAGES[0], MESSAGES[2], MESSAGES[1]]),
    "one twice": ("message 2 .*not the next link", lambda: [*MESSAGES[:2], MESSAGES[1]]),
    "the genesis again": ("message 1 .*not the next link", lambda: [MESSAGES[0], MESSAGES[0]]),
    "another's word": (
        "message 1 .*not the next link", lambda: [MESSAGES[0], say(FIRST, MESSAGES[0], signer=cast.OPERATOR)]
    ),
    "another stream": (
        "message 1 .*not the next link", lambda: [MESSAGES[0], say(FIRST, MESSAGES[0], stream=bytes(8))]
    ),
    "another lane": ("message 1 .*not the next link", lambda: [MESSAGES[0], say(FIRST, MESSAGES[0], lane=TELEMETRY)]),
    "a bit of the signature": ("message 1 .*signature", lambda: [MESSAGES[0], _forged(MESSAGES[1])]),
    "without its section": (
        "message 1 .*section 0 is not whole", lambda: [MESSAGES[0], say(FIRST, MESSAGES[0], whole=False)]
    ),
    "another section": ("message 1 .*section 0 is not whole", lambda: [MESSAGES[0], _swapped()]),
    "no message": ("message 1", lambda: [MESSAGES[0], b"\x82"]),
    "too many": ("1 to 1000 messages", lambda: [MESSAGES[0]] * 1_001),
}  # fmt: skip


def _forged(data: bytes) -> bytes:
    sent = message.decode(data)
    statement = sent.statement[:-1] + bytes([sent.statement[-1] ^ 1])
    return message.encode(statement, sent.sections)


def _swapped() -> bytes:
    first, second = (message.decode(data) for data in MESSAGES[1:3])
    return message.encode(first.statement, second.sections)


@pytest.mark.parametrize("what", SPOILED)
def test_anything_else_is_refused(what: str) -> None:
    """Another ledger's, a gap, another order, another's signature, half of it: each by its number."""
    complaint, make = SPOILED[what]
    with pytest.raises(TrustError, match=complaint):
        succession.follow(pin(MESSAGES), make())


@pytest.mark.parametrize("known", range(1, 5))
@pytest.mark.parametrize("found", range(1, 5))
def test_of_two_states_the_newer_counts(known: int, found: int) -> None:
    """Whichever comes first: what is old takes nothing back."""
    one, other = (succession.logs(succession.follow(pin(MESSAGES), MESSAGES[:end]).chains) for end in (known, found))
    newest = succession.logs(succession.follow(pin(MESSAGES), MESSAGES[: max(known, found)]).chains)
    assert succession.merged(one, other) == newest


def test_two_truths_are_evidence() -> None:
    """A root key that named two next keys in one place, or two ledgers: refused, whichever is known."""
    other = [MESSAGES[0], say(next_key(54), MESSAGES[0])]
    assert Statement.decode(message.decode(other[1]).statement).tally.seq == 1
    one, two = (succession.logs(succession.follow(pin(MESSAGES), said).chains) for said in (MESSAGES, other))
    for known, found in ((one, two), (two, one)):
        with pytest.raises(TrustError, match="keep both"):
            succession.merged(known, found)
    with pytest.raises(TrustError, match="another ledger"):
        succession.merged(one, {name: log for name, log in one.items() if name != "trade"})


@pytest.mark.parametrize("elsewhere", [{"stream": bytes(8), "seq": 0, "prev": NO_PREVIOUS}, {"lane": TELEMETRY}])
def test_the_registry_hears_the_root_where_its_followers_do(elsewhere: dict[str, Any]) -> None:
    """What the root key says in another stream counts for nobody: neither in the registry, nor by the pin."""
    sent = [MESSAGES[0], say(FIRST, MESSAGES[0], **elsewhere), MESSAGES[2]]
    registry, entries = Registry(), [stored(index, data) for index, data in enumerate(sent)]
    faults = [fold.apply(registry, entry) for entry in entries]
    assert faults == [None, "the root key speaks in the genesis' stream alone", None]
    assert keys(registry) == [(0, None)] and keys(registry, "anchor") == [(0, 0), (1, None)]
    assert succession.messages_of(entries) == [sent[0], sent[2]]


REFUSED: dict[str, tuple[SigningKey, dict[str, object], str]] = {
    "another signer": (cast.OPERATOR, {}, "is not for operator"),
    "a chain that there is not": (cast.ROOT, {"chain": "other"}, "a log that the genesis names"),
    "another origin": (cast.ROOT, {"chain": "trade"}, "another origin"),
    "no key": (cast.ROOT, {"vkey": "x"}, "no verifier key"),
    "the key that it has": (cast.ROOT, {"vkey": cast.CHAINS[0].vkey}, "a key signs one kind of thing"),
    "before the one before": (cast.ROOT, {"first": 0, "until": 0}, "begins after"),
    "a gap": (cast.ROOT, {"first": 100, "until": 98}, "at the latest when that ends"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_registry_refuses(what: str) -> None:
    """Whoever is not the root, and what makes no sequence of keys; nothing changes."""
    signer, changes, complaint = REFUSED[what]
    state = cast.peopled()
    before = dict(state.chains)
    with pytest.raises(RegistryError, match=complaint):
        cast.say(state, {**rooted.next_key(), **changes}, signer)
    assert state.chains == before


def test_a_logs_key_signs_nothing_else() -> None:
    """Once it is a log's, no device and no label can have it, also when it is retired; and no log a second time."""
    state = cast.peopled()
    for entry in (FIRST, SECOND):
        cast.say(state, entry, cast.ROOT)
    device = {**cast.DEVICE_ENTRY, "name": "line-2", "urn": "urn:x:2", "key": cast.key(50).public}
    for entry, signer in ((device, cast.OPERATOR), ({**FIRST, "first": 900, "until": 900}, cast.ROOT)):
        with pytest.raises(RegistryError, match="a key signs one kind of thing"):
            cast.say(state, entry, signer)
