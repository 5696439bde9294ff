"""Judging one message: every verdict and every reason, from the envelope alone."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings

from gateway.judge import OVERSIZED_READ_MAX, Admitted, Behind, Head, Refused, Streams, Verdict
from ledger import cbor, cose, message
from ledger.keys import SigningKey
from ledger.message import MESSAGE_BYTES_MAX
from ledger.refusal import Reason
from ledger.registry import Registry
from ledger.section import ContentFormat, Privacy, Section
from ledger.statement import EVENTS, NO_PREVIOUS, TELEMETRY, Statement
from ledger.topic import Topic
from tests.cast import (
    DEVICE,
    DEVICE_ENTRY,
    GATEWAY,
    ISSUER,
    NEIGHBOUR,
    ORIGIN,
    STREAM,
    URN,
    key,
    links,
    peopled,
    say,
    sign,
)
from tests.gateway.judging import judge
from tests.hostile import NASTY, briefly, bytes_near

LINE_1, LINE_2 = Topic("production", "line-1"), Topic("production", "line-2")
NOTHING = Streams({}, frozenset())
LINKS = links(5)
OTHER_STREAM = b"another!"


def _registry() -> Registry:
    """Two devices of one organisation on the chain `production`."""
    state = peopled()
    say(state, {**DEVICE_ENTRY, "name": "line-2", "urn": "urn:x:2", "key": NEIGHBOUR.public})
    return state


REGISTRY = _registry()


def _judge(
    what: Statement | bytes,
    *,
    streams: Streams = NOTHING,
    topic: Topic = LINE_1,
    origin: str = ORIGIN,
    registry: Registry = REGISTRY,
    suspended: frozenset[bytes] = frozenset(),
    sections: Sequence[bytes | None] = (None,),
) -> Verdict:
    payload = message.encode(what.encode(), sections) if isinstance(what, Statement) else what
    return judge(payload, topic=topic, origin=origin, registry=registry, suspended=suspended, streams=streams)


def _after(statement: Statement) -> Streams:
    """What the chain knows when this statement is its lane's newest."""
    head = Head(statement.tally.stream, statement.tally.seq, statement.hash)
    return Streams({(statement.kid, statement.tally.lane): head}, frozenset({statement.stream_key}))


def _said(entry: dict[str, Any]) -> Registry:
    state = _registry()
    say(state, entry)
    return state


SUSPENDED = _said({"type": "suspension", "kid": DEVICE.kid})
REVOKED = _said({"type": "revocation", "kid": DEVICE.kid})


def _answered(verdict: Verdict, reason: Reason, statement: Statement) -> None:
    """Refused for good: the answer can name the statement."""
    assert verdict == Refused(reason, statement, statement.encode())


# Admitted and behind


def test_a_stream_opens_at_seq_0() -> None:
    """The first link of an unknown stream is admitted."""
    assert _judge(LINKS[0]) == Admitted(LINKS[0], LINKS[0].encode(), (None,))


@pytest.mark.parametrize("seq", range(1, 5))
def test_the_next_link_is_admitted(seq: int) -> None:
    """By seq and by hash."""
    verdict = _judge(LINKS[seq], streams=_after(LINKS[seq - 1]))
    assert verdict == Admitted(LINKS[seq], LINKS[seq].encode(), (None,))


@pytest.mark.parametrize("newest", range(5))
def test_a_link_at_or_before_the_head_is_behind(newest: int) -> None:
    """A repeat, or a fork: who has the database decides."""
    for seq in range(newest + 1):
        verdict = _judge(LINKS[seq], streams=_after(LINKS[newest]))
        assert verdict == Behind(LINKS[seq], LINKS[seq].encode(), (None,))


def test_another_statement_at_a_used_seq_is_behind() -> None:
    """It is not admitted, and kept as evidence."""
    fork = sign(seq=2, prev=LINKS[1].hash, issued_at=1)
    assert isinstance(_judge(fork, streams=_after(LINKS[2])), Behind)
    first = sign(issued_at=1)
    assert isinstance(_judge(first, streams=_after(LINKS[2])), Behind)


def test_a_new_stream_closes_the_one_before() -> None:
    """It is admitted; what comes later in the old one is behind, never the next link."""
    opening = sign(stream=OTHER_STREAM)
    assert isinstance(_judge(opening, streams=_after(LINKS[1])), Admitted)
    head = {(DEVICE.kid, TELEMETRY): Head(OTHER_STREAM, 0, opening.hash)}
    streams = Streams(head, frozenset({LINKS[0].stream_key, opening.stream_key}))
    for late in LINKS:
        assert isinstance(_judge(late, streams=streams), Behind)
    assert isinstance(_judge(sign(stream=OTHER_STREAM, seq=1, prev=opening.hash), streams=streams), Admitted)


def test_lanes_and_keys_have_streams_of_their_own() -> None:
    """A stream's name says nothing without its key and its lane."""
    event = sign(lane=EVENTS)
    assert isinstance(_judge(event, streams=_after(LINKS[1])), Admitted)
    neighbours = sign(NEIGHBOUR, subject="urn:x:2")
    assert isinstance(_judge(neighbours, streams=_after(LINKS[1]), topic=LINE_2), Admitted)
    second = sign(NEIGHBOUR, subject="urn:x:2", seq=2, prev=LINKS[1].hash)
    assert _judge(second, streams=_after(LINKS[1]), topic=LINE_2) == Refused(Reason.GAP)


# Never answered


@pytest.mark.parametrize("payload", [b"", b"x", LINKS[0].encode(), message.encode(b"", []), *NASTY], ids=briefly)
def test_malformed(payload: bytes) -> None:
    """What cannot be read is sent again, and never answered."""
    assert _judge(payload) == Refused(Reason.MALFORMED)


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_a_byte_changed_in_transit_is_never_answered(at: int) -> None:
    """It is malformed, unsigned, of a key that nobody knows, or a section that did not arrive whole."""
    payload = message.encode(LINKS[0].encode(), [None])
    at %= len(payload)
    verdict = _judge(payload[:at] + bytes([payload[at] ^ 4]) + payload[at + 1 :])
    assert verdict in (Refused(Reason.MALFORMED), Refused(Reason.SIGNATURE), Refused(Reason.UNKNOWN_KEY))


def test_unknown_key() -> None:
    """Registered nowhere: it may be registered later."""
    assert _judge(sign(key(99))) == Refused(Reason.UNKNOWN_KEY)


def test_signature() -> None:
    """A good key's name under another's signature, or under changed words."""
    good = LINKS[0]
    forged = Statement(
        DEVICE.kid, ISSUER, URN, ORIGIN, good.issued_at, good.tally, good.manifest, sign(NEIGHBOUR).signature
    )
    assert _judge(forged) == Refused(Reason.SIGNATURE)
    changed = Statement(DEVICE.kid, ISSUER, URN, ORIGIN, 1, good.tally, good.manifest, good.signature)
    assert _judge(changed) == Refused(Reason.SIGNATURE)


@pytest.mark.parametrize("registry", [REVOKED, SUSPENDED])
def test_a_forgery_tells_nothing_of_the_key(registry: Registry) -> None:
    """The signature is checked before the key's standing is told."""
    good = LINKS[0]
    forged = Statement(DEVICE.kid, ISSUER, URN, ORIGIN, 1, good.tally, good.manifest, good.signature)
    assert _judge(forged, registry=registry) == Refused(Reason.SIGNATURE)


@pytest.mark.parametrize("seq", [1, 2, 4])
def test_gap_in_an_unknown_stream(seq: int) -> None:
    """The opening is missing: it comes again, and then this."""
    assert _judge(LINKS[seq]) == Refused(Reason.GAP)


@pytest.mark.parametrize("seq", [2, 3, 4])
def test_gap_in_a_known_stream(seq: int) -> None:
    """What lies between is missing."""
    assert _judge(LINKS[seq], streams=_after(LINKS[0])) == Refused(Reason.GAP)


# Refused for good


def test_revoked_key() -> None:
    """With an answer, on which the agent stops."""
    _answered(_judge(LINKS[0], registry=REVOKED), Reason.REVOKED, LINKS[0])


def test_suspended_key() -> None:
    """By the registry, or by a fork that is found and not yet sealed."""
    _answered(_judge(LINKS[0], registry=SUSPENDED), Reason.SUSPENDED, LINKS[0])
    _answered(_judge(LINKS[0], suspended=frozenset({DEVICE.kid})), Reason.SUSPENDED, LINKS[0])
    assert isinstance(_judge(LINKS[0], suspended=frozenset({NEIGHBOUR.kid})), Admitted)


def test_a_revoked_key_is_revoked_before_it_is_anything_else() -> None:
    """Else an agent would go on in a new stream for ever."""
    assert REVOKED.key(DEVICE.kid) is not None
    misaddressed = sign(audience="example.com/tallystick/trade")
    for registry, reason in ((REVOKED, Reason.REVOKED), (SUSPENDED, Reason.SUSPENDED)):
        _answered(_judge(misaddressed, registry=registry), reason, misaddressed)
    both = _judge(LINKS[0], registry=REVOKED, suspended=frozenset({DEVICE.kid}))
    _answered(both, Reason.REVOKED, LINKS[0])


def test_a_reinstated_key_goes_on() -> None:
    """Where it stopped."""
    state = _said({"type": "suspension", "kid": DEVICE.kid})
    say(state, {"type": "reinstatement", "kid": DEVICE.kid})
    assert isinstance(_judge(LINKS[1], streams=_after(LINKS[0]), registry=state), Admitted)


@pytest.mark.parametrize(
    ("statement", "topic", "origin"),
    [
        (sign(issuer="https://other.example.com"), LINE_1, ORIGIN),
        (sign(subject="urn:x:2"), LINE_1, ORIGIN),
        (sign(audience="example.com/tallystick/trade"), LINE_1, ORIGIN),
        (sign(audience="example.org/tallystick/production"), LINE_1, ORIGIN),
        (sign(), LINE_2, ORIGIN),
        (sign(), Topic("production", "unknown"), ORIGIN),
        (sign(), LINE_1, "example.com/tallystick/trade"),
        (sign(NEIGHBOUR), LINE_1, ORIGIN),
        (sign(NEIGHBOUR), LINE_2, ORIGIN),
        (sign(NEIGHBOUR, subject="urn:x:2"), LINE_1, ORIGIN),
    ],
)
def test_envelope(statement: Statement, topic: Topic, origin: str) -> None:
    """Nobody speaks for a neighbour, on a neighbour's topic, or into another chain or ledger."""
    _answered(_judge(statement, topic=topic, origin=origin), Reason.ENVELOPE, statement)


def test_role() -> None:
    """A device writes to the chains that it is registered for."""
    for chain in ("trade", "registry"):
        origin = f"example.com/tallystick/{chain}"
        statement = sign(audience=origin)
        _answered(_judge(statement, topic=Topic(chain, "line-1"), origin=origin), Reason.ROLE, statement)


def test_a_service_writes_to_the_registry() -> None:
    """By the same rules as everyone."""
    origin = "example.com/tallystick/registry"
    statement = sign(GATEWAY, issuer="https://operator.example.com", subject="urn:x:gateway", audience=origin)
    assert isinstance(_judge(statement, topic=Topic("registry", "gateway"), origin=origin), Admitted)


@pytest.mark.parametrize("prev", [LINKS[0].hash, bytes([1] * 32)])
def test_link(prev: bytes) -> None:
    """The next seq with another predecessor than the ledger's: the device has lost its way, and must open anew."""
    wrong = sign(seq=2, prev=prev)
    _answered(_judge(wrong, streams=_after(LINKS[1])), Reason.LINK, wrong)


def _large(size: int, statement: Statement = LINKS[0]) -> bytes:
    overhead = len(message.encode(statement.encode(), [bytes(100_000)])) - 100_000
    return message.encode(statement.encode(), [bytes(size - overhead)])


def test_oversized() -> None:
    """Answered while the statement can be read; beyond that not worth the work."""
    assert isinstance(_judge(_large(MESSAGE_BYTES_MAX)), Admitted)
    _answered(_judge(_large(MESSAGE_BYTES_MAX + 1)), Reason.OVERSIZED, LINKS[0])
    _answered(_judge(_large(OVERSIZED_READ_MAX)), Reason.OVERSIZED, LINKS[0])
    assert _judge(_large(OVERSIZED_READ_MAX + 1)) == Refused(Reason.OVERSIZED)
    assert _judge(bytes(MESSAGE_BYTES_MAX + 1)) == Refused(Reason.OVERSIZED)


def test_what_else_is_wrong_is_told_before_the_size() -> None:
    """An oversized message of a revoked key stops it; one of nobody is not answered."""
    _answered(_judge(_large(MESSAGE_BYTES_MAX + 1), registry=REVOKED), Reason.REVOKED, LINKS[0])
    assert _judge(_large(MESSAGE_BYTES_MAX + 1, sign(key(99)))) == Refused(Reason.UNKNOWN_KEY)


def test_every_reason_has_its_place() -> None:
    """Those that judging gives, and those of whoever has a topic, or the database."""
    elsewhere = {Reason.TOPIC, Reason.FORK, Reason.CLOSED_STREAM}
    tested = {
        Reason.MALFORMED, Reason.UNKNOWN_KEY, Reason.SIGNATURE, Reason.GAP, Reason.REVOKED, Reason.SUSPENDED,
        Reason.ENVELOPE, Reason.ROLE, Reason.LINK, Reason.OVERSIZED,
    }  # fmt: skip
    assert tested | elsewhere == set(Reason)


# Sections


def _with_sections() -> tuple[Statement, list[bytes]]:
    sections = [Section(bytes([n] * 16), b"body") for n in range(3)]
    lines = [s.line(kid=DEVICE.kid, privacy=Privacy.PUBLIC, content_format=ContentFormat.EPCIS) for s in sections]
    return sign(manifest=lines), [section.encode() for section in sections]


STATEMENT, SECTIONS = _with_sections()


@pytest.mark.parametrize(
    ("sent", "here"),
    [
        (SECTIONS, [0, 1, 2]),
        ([], []),
        (SECTIONS[:1], [0]),
        ([None, SECTIONS[1], None], [1]),
        ([SECTIONS[1], SECTIONS[0], SECTIONS[2]], [2]),
        ([SECTIONS[0], SECTIONS[1] + b"\0", SECTIONS[2]], [0, 2]),
        ([SECTIONS[0], b"", SECTIONS[2][:-1]], [0]),
        ([*SECTIONS, SECTIONS[0], b"more"], [0, 1, 2]),
        (list(NASTY[:3]), []),
    ],
)
def test_what_did_not_arrive_whole_does_not_stop_the_statement(sent: list[bytes | None], here: list[int]) -> None:
    """A section that is missing, damaged or in another's slot is None; the stream goes on."""
    verdict = _judge(STATEMENT, sections=sent)
    assert isinstance(verdict, Admitted)
    assert [line for line, section in enumerate(verdict.sections) if section is not None] == here
    assert len(verdict.sections) == 3


def test_a_repeat_brings_its_sections() -> None:
    """Those that the ledger lacks can come later."""
    verdict = _judge(STATEMENT, sections=[None, SECTIONS[1]], streams=_after(STATEMENT))
    assert isinstance(verdict, Behind)
    assert [section is None for section in verdict.sections] == [True, False, True]


def test_a_statement_needs_no_sections() -> None:
    """An empty manifest is a statement too."""
    assert _judge(sign(manifest=()), sections=[]) == Admitted(sign(manifest=()), sign(manifest=()).encode(), ())


# Totality

Pair = tuple[SigningKey, Callable[[], Registry]]


@settings(max_examples=300)
@given(bytes_near(message.encode(STATEMENT.encode(), list(SECTIONS)), message.encode(LINKS[1].encode(), [None])))
def test_judging_is_total(payload: bytes) -> None:
    """Any bytes give a verdict; what is admitted is signed by its key, word for word."""
    verdict = _judge(payload, streams=_after(LINKS[0]))
    if isinstance(verdict, Admitted | Behind):
        assert Statement.decode(verdict.data) == verdict.statement
        verdict.statement.verify(DEVICE.public)
        assert verdict.statement in (STATEMENT, LINKS[1])


def test_content_that_makes_no_sense_is_admitted() -> None:
    """What is admitted depends on the envelope alone: a stream in the ledger has no holes."""
    section = Section(bytes(16), b"\xff\xff not CBOR at all")
    line = section.line(kid=DEVICE.kid, privacy=Privacy.PUBLIC, content_format=ContentFormat.SENML_CBOR)
    verdict = _judge(sign(manifest=[line]), sections=[section.encode()])
    assert isinstance(verdict, Admitted) and verdict.sections == (section,)


def test_an_algorithm_that_is_only_named_otherwise_is_another_statement() -> None:
    """-19 is taken as -8 is, and its bytes are its own."""
    plain = cose.Sign1.decode(sign().encode())
    other = cose.sign1(DEVICE, {**plain.protected, cose.ALG: cose.ED25519}, plain.payload or b"").encode()
    verdict = _judge(message.encode(other, []))
    assert isinstance(verdict, Admitted) and verdict.data == other
    assert cbor.decode(plain.protected_bytes)[cose.ALG] == cose.EDDSA
    assert verdict.statement.tally.prev == NO_PREVIOUS and verdict.statement.tally.stream == STREAM
