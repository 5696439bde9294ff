"""Judging a batch: what is admitted moves the heads for what comes after it."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.judge import Head
from gateway.sift import Batch, Incoming, Sieve
from ledger import message
from ledger.birth import Birth
from ledger.refusal import Reason
from ledger.statement import EVENTS, TELEMETRY, Statement
from ledger.topic import Topic
from tests.cast import DEVICE, DEVICE_ENTRY, NEIGHBOUR, ORIGIN, STREAM, key, links, peopled, say, sign
from tests.hostile import bytes_near

LINE_1, LINE_2 = Topic("production", "line-1"), Topic("production", "line-2")
LINKS = links(6)
LANE = (DEVICE.kid, TELEMETRY)


def _sieve(**changes: Any) -> Sieve:
    state = peopled()
    say(state, {**DEVICE_ENTRY, "name": "line-2", "urn": "urn:x:2", "key": NEIGHBOUR.public})
    fields: dict[str, Any] = {
        "origin": ORIGIN,
        "registry": state,
        "suspended": frozenset(),
        "heads": {},
        "known": set(),
    }
    return Sieve(**{**fields, **changes})


def _in(statement: Statement, topic: Topic = LINE_1) -> Incoming:
    return Incoming(topic, "statement", message.encode(statement.encode(), [None]))


def _seqs(batch: Batch) -> list[int]:
    return [item.statement.tally.seq for item in batch.admitted]


def _reasons(batch: Batch) -> list[Reason]:
    return [refused.reason for _, refused in batch.refused]


def test_a_stream_goes_in_link_by_link() -> None:
    """Each admitted link moves the head for the next."""
    sieve = _sieve()
    assert _seqs(sieve.sift(map(_in, LINKS))) == [0, 1, 2, 3, 4, 5]
    assert sieve.heads == {LANE: Head(STREAM, 5, LINKS[5].hash)}
    assert sieve.known == {(DEVICE.kid, TELEMETRY, STREAM)}


@pytest.mark.parametrize("cut", range(7))
def test_where_a_batch_ends_does_not_matter(cut: int) -> None:
    """Two batches admit what one does."""
    sieve = _sieve()
    first, second = sieve.sift(map(_in, LINKS[:cut])), sieve.sift(map(_in, LINKS[cut:]))
    assert _seqs(first) + _seqs(second) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_whatever_the_order_there_is_no_hole(order: tuple[int, ...]) -> None:
    """What comes too early is a gap, and admitted when it comes again; nothing is admitted twice."""
    sieve, admitted = _sieve(), list[int]()
    for _ in range(4):
        batch = sieve.sift(_in(LINKS[seq]) for seq in order)
        admitted += _seqs(batch)
        assert set(_reasons(batch)) <= {Reason.GAP}
    assert admitted == [0, 1, 2, 3]


def test_a_repeat_in_the_same_batch_is_behind() -> None:
    """It is answered, once the first is sealed."""
    batch = _sieve().sift([_in(LINKS[0]), _in(LINKS[0]), _in(LINKS[1]), _in(LINKS[0])])
    assert _seqs(batch) == [0, 1]
    assert [item.statement for _, item in batch.behind] == [LINKS[0], LINKS[0]]


def test_of_two_statements_with_one_seq_the_first_is_kept() -> None:
    """The other is behind: evidence, also within one batch."""
    fork = sign(seq=1, prev=LINKS[0].hash, issued_at=1)
    batch = _sieve().sift(map(_in, [LINKS[0], LINKS[1], fork, LINKS[2]]))
    assert _seqs(batch) == [0, 1, 2]
    assert [item.statement for _, item in batch.behind] == [fork]


def test_a_stream_that_opens_closes_the_one_before() -> None:
    """What comes late in the old one is not admitted."""
    opening = sign(stream=b"another!")
    batch = _sieve().sift(map(_in, [LINKS[0], opening, LINKS[1], sign(stream=b"another!", seq=1, prev=opening.hash)]))
    assert [item.statement.tally.stream for item in batch.admitted] == [STREAM, b"another!", b"another!"]
    assert [item.statement for _, item in batch.behind] == [LINKS[1]]


def test_lanes_and_devices_do_not_wait_for_each_other() -> None:
    """A gap in one stream holds no other."""
    event, neighbours = sign(lane=EVENTS), sign(NEIGHBOUR, subject="urn:x:2")
    batch = _sieve().sift([_in(LINKS[3]), _in(event), _in(neighbours, LINE_2), _in(LINKS[0])])
    assert [item.statement for item in batch.admitted] == [event, neighbours, LINKS[0]]
    assert _reasons(batch) == [Reason.GAP]


def test_what_is_refused_moves_nothing() -> None:
    """And stands beside its message."""
    sieve = _sieve(suspended=frozenset({DEVICE.kid}))
    source = _in(LINKS[0])
    batch = sieve.sift([source])
    assert [(message_, refused.reason) for message_, refused in batch.refused] == [(source, Reason.SUSPENDED)]
    assert (sieve.heads, sieve.known) == ({}, set())


def _birth(kid: bytes = DEVICE.kid) -> bytes:
    return Birth(kid, bytes(16), {1: (STREAM, 0)}).encode()


def test_a_birth_is_for_its_own_device() -> None:
    """A registered key's, on its own topic: it only asks, and it gets its own receipts."""
    sieve = _sieve()
    batch = sieve.sift([Incoming(LINE_1, "birth", _birth())])
    assert [birth.kid for _, birth in batch.births] == [DEVICE.kid]
    for topic, kid in ((LINE_2, DEVICE.kid), (LINE_1, NEIGHBOUR.kid), (LINE_1, key(99).kid)):
        assert _reasons(sieve.sift([Incoming(topic, "birth", _birth(kid))])) == [Reason.UNKNOWN_KEY]


def test_a_suspended_device_is_still_told_where_it_stands() -> None:
    """Its birth is answered: it learns what the ledger has."""
    sieve = _sieve()
    say(sieve.registry, {"type": "suspension", "kid": DEVICE.kid})
    assert len(sieve.sift([Incoming(LINE_1, "birth", _birth())]).births) == 1


def test_a_birth_that_is_none_is_malformed() -> None:
    """And a statement is no birth."""
    for payload in (b"", b"\xff", LINKS[0].encode(), _birth()[:-1]):
        assert _reasons(_sieve().sift([Incoming(LINE_1, "birth", payload)])) == [Reason.MALFORMED]
    assert _reasons(_sieve().sift([Incoming(LINE_1, "statement", _birth())])) == [Reason.MALFORMED]


def test_an_empty_batch_comes_to_nothing() -> None:
    """No message, no verdict."""
    assert _sieve().sift([]) == Batch()


@given(
    st.lists(
        st.tuples(st.sampled_from(["statement", "birth"]), bytes_near(_in(LINKS[0]).payload, _birth())), max_size=4
    )
)
def test_sifting_is_total(incoming: list[tuple[str, bytes]]) -> None:
    """Every message has one verdict."""
    batch = _sieve().sift(Incoming(LINE_1, what, payload) for what, payload in incoming)
    assert len(batch.admitted) + len(batch.behind) + len(batch.refused) + len(batch.births) == len(incoming)
