"""An answer confirms exactly what it proves; every way to spoil one has its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import confirm
from edge.confirm import Ahead, Behind, Device, Flaw, Ignored, Link, NoStream, Proven
from ledger import cbor, cose, merkle, message, note
from ledger.checkpoint import Checkpoint
from ledger.keys import SigningKey
from ledger.receipt import Answer, Range, Receipt
from ledger.refusal import Reason, Refusal
from ledger.section import ContentFormat, Privacy, Section
from ledger.statement import NO_PREVIOUS, TELEMETRY, Statement, Tally
from tests.edge.simulator import ISSUER, ORIGIN, TOPIC, URN, Ledger

STREAM, OTHER = b"stream-1", b"stream-2"
NONCE = bytes(range(16))


@dataclass
class Known:
    """A view that remembers everything it is given."""

    streams: dict[bytes, list[Statement]] = field(default_factory=dict)
    held: set[tuple[bytes, int]] = field(default_factory=set)
    size: int = 0

    def next_seq(self, lane: int, stream: bytes) -> int | None:
        return len(self.streams[stream]) if lane == TELEMETRY and stream in self.streams else None

    def receipt_size(self, stream: bytes) -> int:
        return self.size

    def links(self, stream: bytes, first: int, count: int) -> Mapping[int, Link]:
        statements = self.streams.get(stream, [])
        return {
            seq: Link(item.hash, merkle.leaf_hash(item.encode()), (stream, seq) in self.held)
            for seq, item in enumerate(statements)
            if first <= seq < first + count
        }


class Scene:
    """A device with one stream of seven statements, in three blocks among a neighbour's, and the answer for it."""

    def __init__(self) -> None:
        self.ledger, self.key, self.neighbour = Ledger(), SigningKey.generate(), SigningKey.generate()
        for key in (self.key, self.neighbour):
            self.ledger.registered[key.kid] = key.public
        self.known = Known({STREAM: []})
        self.heads: dict[tuple[bytes, bytes], Statement] = {}
        for block in (2, 3, 2):
            self.put(self.neighbour, OTHER, 3)
            self.put(self.key, STREAM, block)
            self.ledger.seal()
        self.device = Device(self.key.kid, URN, self.ledger.log, bytes(32))
        self.stream_key = (self.key.kid, TELEMETRY, STREAM)
        self.answer = self.ledger.answer(self.stream_key, 0, NONCE)
        self.receipt = Receipt.decode(self.answer.receipt or b"")

    def put(self, key: SigningKey, stream: bytes, count: int) -> None:
        for _ in range(count):
            statement = self.sign(key, stream, self.heads.get((key.kid, stream)))
            self.heads[key.kid, stream] = statement
            self.ledger.receive(TOPIC.statement, message.encode(statement.encode(), [self.section.encode()]))
            if key is self.key:
                self.known.streams[stream].append(statement)
                self.known.held.add((stream, statement.tally.seq))

    section = Section(bytes(16), b"\x80")

    def sign(self, key: SigningKey, stream: bytes, after: Statement | None, *, issued_at: int = 1) -> Statement:
        seq, prev = (after.tally.seq + 1, after.hash) if after else (0, NO_PREVIOUS)
        line = self.section.line(kid=key.kid, privacy=Privacy.PUBLIC, content_format=ContentFormat.SENML_CBOR)
        tally = Tally(TELEMETRY, stream, seq, prev, 2)
        return Statement.sign(
            key, issuer=ISSUER, subject=URN, audience=ORIGIN, issued_at=issued_at, tally=tally, manifest=[line]
        )

    def judge(self, answer: Answer | bytes, lane: int = TELEMETRY) -> confirm.Verdict:
        data = answer if isinstance(answer, bytes) else answer.encode()
        return confirm.judge(data, lane=lane, device=self.device, view=self.known)

    def with_receipt(self, key: SigningKey | None = None, **changes: Any) -> Answer:
        """The answer with a changed receipt, signed all the same."""
        receipt = replace(self.receipt, **changes).issue(key or self.ledger.key, self.ledger.root)
        return replace(self.answer, receipt=receipt.encode())


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_whole_answer_proves_the_whole_stream(scene: Scene) -> None:
    """Three blocks are three ranges, and together they are all seven statements."""
    verdict = scene.judge(scene.answer)
    assert verdict == Proven(STREAM, 6, 16, ((5, 2), (0, 2), (2, 3)), frozenset(), NONCE)


@pytest.mark.parametrize("first", range(7))
def test_an_answer_proves_exactly_from_where_it_was_asked(first: int, scene: Scene) -> None:
    """From whichever seq on: these statements, and no other."""
    verdict = scene.judge(scene.ledger.answer(scene.stream_key, first))
    assert isinstance(verdict, Proven)
    seqs = [seq for start, count in verdict.ranges for seq in range(start, start + count)]
    assert sorted(seqs) == list(range(first, 7))


def test_what_is_proven_already_is_not_proven_again(scene: Scene) -> None:
    """A range of which nothing waits proves nothing new; the receipt counts still, for what it says of the stream."""
    scene.known.held.clear()
    verdict = scene.judge(scene.answer)
    assert isinstance(verdict, Proven) and verdict.ranges == ()


def test_an_answer_without_a_receipt_says_that_there_is_no_stream(scene: Scene) -> None:
    """It carries the nonce that it answers."""
    assert scene.judge(Answer(None, None, None, (), (), NONCE)) == NoStream(NONCE)


def test_lacking_sections_are_told(scene: Scene) -> None:
    """What the receipt lists is what did not arrive."""
    verdict = scene.judge(scene.with_receipt(lacking=((3, 0),)))
    assert isinstance(verdict, Proven) and verdict.lacking == {(3, 0)}


def test_a_range_that_the_receipt_does_not_speak_of_proves_nothing(scene: Scene) -> None:
    """Ranges are not signed: of one that was joined to another receipt, nobody says which sections are lacking."""
    verdict = scene.judge(scene.with_receipt(covers=(2, 6)))
    assert isinstance(verdict, Proven) and verdict.ranges == ((5, 2), (2, 3))


# Spoiling


def _resize(answer: Answer, item: int, **changes: Any) -> Answer:
    ranges = list(answer.earlier)
    ranges[item] = replace(ranges[item], **changes)
    return replace(answer, earlier=tuple(ranges))


def _checkpoint(scene: Scene, key: SigningKey, **changes: Any) -> Answer:
    made = replace(Checkpoint(ORIGIN, scene.ledger.size, scene.ledger.root), **changes)
    return replace(scene.answer, checkpoint=note.sign(made.text, [note.Signer(made.origin, key)]))


def _other_log(scene: Scene) -> Answer:
    """Everything right, but by another log's key, in its own name."""
    key = SigningKey.generate()
    answer = scene.with_receipt(key, log_kid=key.kid)
    checkpoint = Checkpoint(ORIGIN, scene.ledger.size, scene.ledger.root).text
    return replace(answer, checkpoint=note.sign(checkpoint, [note.Signer(ORIGIN, key)]))


def _other_root(scene: Scene) -> Answer:
    return _checkpoint(scene, scene.ledger.key, root=bytes(32))


SPOILED: dict[str, tuple[Flaw, Callable[[Scene], Answer]]] = {
    "another device's": (Flaw.KID, lambda s: s.with_receipt(kid=s.neighbour.kid)),
    "another subject's": (Flaw.SUBJECT, lambda s: s.with_receipt(subject="urn:uuid:2")),
    "another lane's": (Flaw.LANE, lambda s: s.with_receipt(lane=0)),
    "another origin's": (Flaw.ORIGIN, lambda s: s.with_receipt(origin="example.com/tallystick/trade")),
    "another log's": (Flaw.LOG_KEY, _other_log),
    "signed by another key": (Flaw.SIGNATURE, lambda s: s.with_receipt(SigningKey.generate())),
    "signed by the device": (Flaw.SIGNATURE, lambda s: s.with_receipt(s.key)),
    "not signed": (Flaw.SIGNATURE, lambda s: replace(s.answer, receipt=s.receipt.encode()[:-64] + bytes(64))),
    "a checkpoint by another key": (Flaw.CHECKPOINT, lambda s: _checkpoint(s, SigningKey.generate())),
    "a checkpoint of another log": (Flaw.CHECKPOINT, lambda s: _checkpoint(s, s.ledger.key, origin="e/other")),
    "a checkpoint of another size": (Flaw.SIZE, lambda s: _checkpoint(s, s.ledger.key, size=17)),
    "a checkpoint of another root": (Flaw.ROOT, _other_root),
    "no checkpoint": (Flaw.CHECKPOINT, lambda s: replace(s.answer, checkpoint="")),
    "a path too short": (Flaw.PROOF, lambda s: s.with_receipt(path=s.receipt.path[:-1])),
    "a path too long": (Flaw.PROOF, lambda s: s.with_receipt(path=(*s.receipt.path, bytes(32)))),
    "another index": (Flaw.SIGNATURE, lambda s: s.with_receipt(index=s.receipt.index - 1)),
    "an index beyond the tree": (Flaw.MALFORMED, lambda s: s.with_receipt(index=16)),
    "a newest range one shorter": (Flaw.RANGE, lambda s: replace(s.answer, first_index=15)),
    "a newest range one longer": (Flaw.RANGE, lambda s: replace(s.answer, first_index=13)),
    "a newest range of nothing": (Flaw.RANGE, lambda s: replace(s.answer, first_index=16)),
    "a newest range from nowhere": (Flaw.MALFORMED, lambda s: replace(s.answer, first_index=-1)),
    "a newest range before seq 0": (Flaw.RANGE, lambda s: replace(s.answer, first_index=0)),
    "a newest range with a hash less": (Flaw.RANGE, lambda s: replace(s.answer, hashes=s.answer.hashes[1:])),
    "a newest range with a hash more": (Flaw.RANGE, lambda s: replace(s.answer, hashes=(*s.answer.hashes, bytes(32)))),
    "an earlier range one longer": (Flaw.RANGE, lambda s: _resize(s.answer, 0, count=3)),
    "an earlier range one shorter": (Flaw.RANGE, lambda s: _resize(s.answer, 0, count=1)),
    "an earlier range elsewhere": (Flaw.RANGE, lambda s: _resize(s.answer, 0, first_index=4)),
    "an earlier range of other statements": (Flaw.RANGE, lambda s: _resize(s.answer, 0, first_seq=1)),
    "an earlier range beyond the receipt": (Flaw.RANGE, lambda s: _resize(s.answer, 1, first_seq=5)),
    "an earlier range of far too many": (Flaw.RANGE, lambda s: _resize(s.answer, 0, count=2**62)),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_answer_is_ignored_with_its_reason(name: str, scene: Scene) -> None:
    """Each way to spoil an answer has its name, and proves nothing."""
    flaw, spoil = SPOILED[name]
    verdict = scene.judge(spoil(scene))
    assert isinstance(verdict, Ignored)
    assert verdict.flaw == flaw, verdict.detail


def test_an_answer_on_the_other_lanes_topic_is_ignored(scene: Scene) -> None:
    """The lane in the receipt is that of the topic."""
    assert scene.judge(scene.answer, lane=0) == Ignored(Flaw.LANE, "a receipt for 1, not 0")


def test_an_older_receipt_proves_nothing(scene: Scene) -> None:
    """A receipt of a smaller tree than one that counted proves nothing new; the same size again is harmless."""
    scene.known.size = 17
    verdict = scene.judge(scene.answer)
    assert isinstance(verdict, Behind) and (verdict.size, verdict.seq) == (16, 6)
    scene.known.size = 16
    assert isinstance(scene.judge(scene.answer), Proven)


def test_no_flipped_bit_proves_more(scene: Scene) -> None:
    """Every single bit flipped in a whole answer leaves it ignored, or proving no more than it did."""
    data = scene.answer.encode()
    whole = scene.judge(data)
    assert isinstance(whole, Proven)
    for position in range(len(data) * 8):
        spoiled = bytearray(data)
        spoiled[position // 8] ^= 1 << position % 8
        verdict = scene.judge(bytes(spoiled))
        if isinstance(verdict, Proven):
            assert set(verdict.ranges) <= set(whole.ranges)
            assert (verdict.stream, verdict.seq, verdict.lacking) == (STREAM, 6, frozenset())
        else:
            assert isinstance(verdict, Ignored | NoStream)


def _encoded(value: Any) -> bytes:
    return cbor.encode({1: value, 2: value, 3: value})


SCENE = Scene()
ITEMS = st.recursive(st.integers(-9, 9) | st.text(max_size=9) | st.binary(max_size=9), st.lists, max_leaves=9)


@given(st.binary(max_size=300) | ITEMS.map(_encoded))
def test_any_bytes_give_a_verdict(data: bytes) -> None:
    """Whatever comes from the broker, the judge returns."""
    assert isinstance(SCENE.judge(data), Ignored | NoStream)
    assert isinstance(confirm.judge_refusal(data, lane=0, device=SCENE.device), Ignored)


# Ahead


def test_a_later_seq_of_ours_means_that_the_ledger_is_ahead(scene: Scene) -> None:
    """A spool that lost its last statements proves what it still can, and is told where the ledger is."""
    last = scene.known.streams[STREAM].pop()
    verdict = scene.judge(scene.answer)
    assert isinstance(verdict, Ahead)
    assert (verdict.stream, verdict.seq, verdict.hash, verdict.is_ours) == (STREAM, 6, last.hash, True)
    assert verdict.proven.ranges == ((0, 2), (2, 3))  # the newest block's range needs a leaf that is gone


def test_another_hash_at_our_seq_means_that_the_ledger_is_ahead(scene: Scene) -> None:
    """Another statement with our seq is in the ledger: this one must not be sent as if nothing were."""
    statements = scene.known.streams[STREAM]
    statements[6] = scene.sign(scene.key, STREAM, statements[5], issued_at=2)
    verdict = scene.judge(scene.answer)
    assert isinstance(verdict, Ahead) and verdict.is_ours
    assert verdict.hash != statements[6].hash
    assert verdict.proven.ranges == ((0, 2), (2, 3))  # what is the same on both sides is proven all the same


def test_a_stream_that_is_not_ours_is_told(scene: Scene) -> None:
    """The key was used elsewhere: the stream's name comes back, and it is known not to be ours."""
    scene.put(scene.key, STREAM, 0)
    del scene.known.streams[STREAM]
    verdict = scene.judge(scene.answer)
    assert isinstance(verdict, Ahead)
    assert (verdict.is_ours, verdict.proven.ranges, verdict.nonce) == (False, (), NONCE)


@pytest.mark.parametrize("key", ["device", "other"])
def test_nobody_but_the_log_says_that_it_is_ahead(key: str, scene: Scene) -> None:
    """An unsigned word would make the agent open streams without end."""
    del scene.known.streams[STREAM]
    forger = scene.key if key == "device" else SigningKey.generate()
    verdict = scene.judge(scene.with_receipt(forger))
    assert isinstance(verdict, Ignored) and verdict.flaw is Flaw.SIGNATURE


def test_a_receipt_for_what_was_forgotten_is_old(scene: Scene) -> None:
    """A seq that was ours and proven so long ago that its hash is gone proves nothing; but it is signed."""
    scene.known.links = lambda stream, first, count: {}  # type: ignore[method-assign]
    verdict = scene.judge(scene.answer)
    assert isinstance(verdict, Behind) and (verdict.size, verdict.seq) == (16, 6)
    verdict = scene.judge(scene.with_receipt(SigningKey.generate()))
    assert isinstance(verdict, Ignored) and verdict.flaw is Flaw.SIGNATURE


# Refusals


def _forged(refusal: Refusal, log: SigningKey, forger: SigningKey) -> bytes:
    """The refusal under another key that claims to be the log's."""
    honest = cose.Sign1.decode(refusal.sign(log))
    assert honest.payload is not None
    return cose.sign1(forger, honest.protected, honest.payload).encode()


def _refusal(scene: Scene, **changes: Any) -> Refusal:
    statement = scene.known.streams[STREAM][0]
    made = Refusal(ORIGIN, scene.key.kid, TELEMETRY, STREAM, 0, statement.hash, Reason.ENVELOPE, 16)
    return replace(made, **changes)


def test_a_refusal_by_the_log_counts(scene: Scene) -> None:
    """Signed by the pinned log, for this device and lane."""
    refusal = _refusal(scene)
    data = refusal.sign(scene.ledger.key)
    assert confirm.judge_refusal(data, lane=TELEMETRY, device=scene.device) == refusal


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"audience": "example.com/tallystick/trade"}, Flaw.ORIGIN),
        ({"kid": bytes(32)}, Flaw.KID),
        ({"lane": 0}, Flaw.LANE),
    ],
)
def test_a_refusal_for_another_is_ignored(changes: dict[str, Any], flaw: Flaw, scene: Scene) -> None:
    """Each has its name."""
    data = _refusal(scene, **changes).sign(scene.ledger.key)
    verdict = confirm.judge_refusal(data, lane=TELEMETRY, device=scene.device)
    assert isinstance(verdict, Ignored) and verdict.flaw is flaw


def test_a_refusal_by_anyone_else_is_ignored(scene: Scene) -> None:
    """Else a broker could stop a device."""
    data = _forged(_refusal(scene), scene.ledger.key, scene.key)
    verdict = confirm.judge_refusal(data, lane=TELEMETRY, device=scene.device)
    assert isinstance(verdict, Ignored) and verdict.flaw is Flaw.SIGNATURE
    data = _refusal(scene).sign(SigningKey.generate())
    assert isinstance(confirm.judge_refusal(data, lane=TELEMETRY, device=scene.device), Ignored)


def test_what_the_judge_reads_is_a_cose_receipt(scene: Scene) -> None:
    """The receipt in the answer is a COSE_Sign1 with the root detached, under the log's key."""
    envelope = cose.Sign1.decode(scene.answer.receipt or b"")
    assert envelope.payload is None
    envelope.verify(scene.ledger.key.public, detached=scene.ledger.root)
    assert isinstance(scene.answer.earlier[0], Range)
