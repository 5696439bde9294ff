"""Receipts and the answers that carry them: one encoding, the log's signature over a root that proves the leaf."""

import hashlib
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from nacl.signing import VerifyKey

from ledger import cbor, cose, merkle
from ledger.cose_receipt import RECEIPT_BYTES_MAX
from ledger.errors import MalformedError, ProofError, SignatureError
from ledger.merkle import Node
from ledger.receipt import ANSWER_BYTES_MAX, Answer, Range, Receipt
from tests.cast import DEVICE, LOG, NEIGHBOUR, ORIGIN, STREAM, URN, links
from tests.hostile import NASTY, briefly, bytes_near, spoiled

LAST = 2**63 - 1
STATEMENTS = links(11)
LEAVES = [merkle.leaf_hash(statement.encode()) for statement in STATEMENTS]
ROOT = merkle.root(LEAVES)


def _read(nodes: Any) -> list[bytes]:
    def at(node: Node) -> bytes:
        return merkle.root(LEAVES[node.index << node.level : (node.index + 1) << node.level])

    return [at(node) for node in nodes]


def _receipt(index: int, **changes: Any) -> Receipt:
    """The log's receipt for statement `index`."""
    plain = Receipt(
        log_kid=LOG.kid,
        origin=ORIGIN,
        subject=URN,
        size=len(LEAVES),
        kid=DEVICE.kid,
        lane=1,
        stream=STREAM,
        seq=index,
        statement_hash=STATEMENTS[index].hash,
        covers=(0, index),
        lacking=((index, 0),),
        index=index,
        path=tuple(merkle.inclusion_proof(index, len(LEAVES), _read)),
    )
    return replace(plain, **changes).issue(LOG, ROOT)


RECEIPT = _receipt(5)
DATA = RECEIPT.encode()
ENVELOPE = cose.Sign1.decode(DATA)
HEADER = ENVELOPE.protected
PROOF = [RECEIPT.size, RECEIPT.index, list(RECEIPT.path)]


def _data(header: Any = HEADER, proof: Any = PROOF, unprotected: Any = None) -> bytes:
    """A receipt's bytes with any header and any proof, the header signed well over the root."""
    beside = {396: {-1: [cbor.encode(proof)]}} if unprotected is None else unprotected
    return cose.sign1(LOG, header, ROOT, unprotected=beside, detached=True).encode()


@pytest.mark.parametrize("index", range(11))
def test_a_receipt_proves_its_statement(index: int) -> None:
    """It reads back, and leads from the statement's leaf to the root that the log has signed."""
    receipt = Receipt.decode(_receipt(index).encode())
    assert receipt == _receipt(index)
    assert receipt.verify(LOG.public, leaf=LEAVES[index]) == ROOT


def test_a_receipt_is_what_the_design_says() -> None:
    """RFC 9942: vds and the claims are protected, the proof is not, and the root is nowhere."""
    assert _data() == DATA
    assert ENVELOPE.protected == {
        1: -8,
        4: LOG.kid,
        15: {1: ORIGIN, 2: URN},
        395: 1,
        "tally-r": [1, 11, DEVICE.kid, 1, STREAM, 5, STATEMENTS[5].hash, [0, 5, [[5, 0]]]],
    }
    assert ENVELOPE.payload is None
    assert ROOT not in DATA


def test_anyone_can_check_a_receipt_without_us() -> None:
    """cbor2, SHA-256 and libsodium alone, by the words of RFC 9942 and RFC 9162."""
    protected, unprotected, payload, signature = cbor2.loads(DATA).value
    assert cbor2.loads(protected)[395] == 1
    [proof] = unprotected[396][-1]
    size, index, path = cbor2.loads(proof)
    node = hashlib.sha256(b"\x00" + STATEMENTS[5].encode()).digest()
    last = size - 1
    for sibling in path:  # RFC 9162, 2.1.3.2
        if index % 2 or index == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    assert payload is None and last == 0
    VerifyKey(LOG.public).verify(cbor2.dumps(["Signature1", protected, b"", node]), signature)


def test_a_receipt_is_for_one_leaf_and_by_one_log() -> None:
    """Another leaf leads to a root that nobody signed; another key has not signed."""
    for leaf in (LEAVES[4], bytes(32)):
        with pytest.raises(SignatureError):
            RECEIPT.verify(LOG.public, leaf=leaf)
    with pytest.raises(SignatureError):
        RECEIPT.verify(NEIGHBOUR.public, leaf=LEAVES[5])
    with pytest.raises(ProofError):
        RECEIPT.verify(LOG.public, leaf=b"")


@pytest.mark.parametrize("at", range(len(DATA)))
def test_no_byte_may_change(at: int) -> None:
    """A changed byte anywhere is malformed, or the proof or the signature fails."""
    changed = DATA[:at] + bytes([DATA[at] ^ 1]) + DATA[at + 1 :]
    with pytest.raises((MalformedError, ProofError, SignatureError)):
        Receipt.decode(changed).verify(LOG.public, leaf=LEAVES[5])


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "example.com/tallystick/trade"},
        {"subject": "urn:x:y"},
        {"size": 10},
        {"kid": NEIGHBOUR.kid},
        {"lane": 0},
        {"stream": bytes(8)},
        {"seq": 6},
        {"statement_hash": bytes(32)},
        {"covers": (1, 5)},
        {"lacking": ()},
        {"lacking": ((5, 0), (5, 1))},
        {"log_kid": NEIGHBOUR.kid},
    ],
)
def test_all_that_a_receipt_says_is_signed(changes: dict[str, Any]) -> None:
    """Nobody makes it another chain's, stream's, size's or seq's, or hides what is lacking."""
    with pytest.raises((ProofError, SignatureError)):
        Receipt.decode(replace(RECEIPT, **changes).encode()).verify(LOG.public, leaf=LEAVES[5])


def test_an_index_or_a_path_that_was_not_signed_is_no_proof() -> None:
    """They stand unprotected, and are held by the root."""
    for changes in ({"index": 4}, {"path": RECEIPT.path[:-1]}, {"path": (*RECEIPT.path, bytes(32))}):
        with pytest.raises((ProofError, SignatureError)):
            Receipt.decode(replace(RECEIPT, **changes).encode()).verify(LOG.public, leaf=LEAVES[5])


def _check(data: bytes) -> None:
    """A receipt that decodes has one encoding and is within every range; verifying raises what it says."""
    try:
        receipt = Receipt.decode(data)
    except MalformedError:
        return
    assert receipt.encode() == data
    assert len(receipt.log_kid) == len(receipt.kid) == len(receipt.statement_hash) == 32
    assert len(receipt.stream) == 8 and receipt.lane in (0, 1)
    numbers = [receipt.lane, receipt.seq, receipt.size, receipt.index, *(n for pair in receipt.lacking for n in pair)]
    assert all(cbor.is_count(number) for number in numbers)
    assert receipt.index < receipt.size
    try:
        receipt.verify(LOG.public, leaf=LEAVES[5])
    except (ProofError, SignatureError):
        return
    assert replace(receipt, signature=RECEIPT.signature) == RECEIPT or receipt.issue(LOG, ROOT) == receipt


@pytest.mark.parametrize("part", ["header", "proof", "unprotected"])
def test_nothing_odd_in_any_place(part: str) -> None:
    """Each odd value in each place of header, proof and what is beside them is refused, or within its range."""
    for odd in spoiled({"header": HEADER, "proof": PROOF, "unprotected": ENVELOPE.unprotected}[part]):
        try:
            data = _data(**{part: odd})
        except (AttributeError, TypeError):
            continue
        _check(data)


@pytest.mark.parametrize(
    "tally",
    [
        [2, 11, DEVICE.kid, 1, STREAM, 5, bytes(32), []],
        [True, 11, DEVICE.kid, 1, STREAM, 5, bytes(32), []],
        [1, 12, DEVICE.kid, 1, STREAM, 5, bytes(32), []],
        [1, 11, DEVICE.kid, True, STREAM, 5, bytes(32), []],
        [1, 11, DEVICE.kid, 2, STREAM, 5, bytes(32), []],
        [1, 11, DEVICE.kid, 1, STREAM, True, bytes(32), []],
        [1, 11, DEVICE.kid, 1, STREAM, 2**63, bytes(32), []],
        [1, 11, DEVICE.kid, 1, STREAM, -1, bytes(32), []],
        [1, 11, DEVICE.kid, 1, STREAM[1:], 5, bytes(32), []],
        [1, 11, DEVICE.kid, 1, STREAM, 5, bytes(31), []],
        [1, 11, DEVICE.kid[1:], 1, STREAM, 5, bytes(32), []],
        [1, 11, DEVICE.kid, 1, STREAM, 5, bytes(32), [[True, 0]]],
        [1, 11, DEVICE.kid, 1, STREAM, 5, bytes(32), [[5, False]]],
        [1, 11, DEVICE.kid, 1, STREAM, 5, bytes(32), [[-1, 0]]],
        [1, 11, DEVICE.kid, 1, STREAM, 5, bytes(32), [[5]]],
        [1, 11, DEVICE.kid, 1, STREAM, 5, bytes(32)],
    ],
)
def test_what_tally_r_may_not_hold(tally: list[Any]) -> None:
    """Though the log has signed it; the size is said twice and must be one; True is not 1."""
    with pytest.raises(MalformedError):
        Receipt.decode(_data({**HEADER, "tally-r": tally}))


@pytest.mark.parametrize(
    "proof",
    [
        [11, 11, []],
        [0, 0, []],
        [11, -1, []],
        [2**63, 5, []],
        [11, True, []],
        [True, False, []],
        [11, 5, [bytes(31)]],
        [11, 5, [bytes(32)] * 129],
        [11, 5, ["x" * 32]],
        [11, 5],
        [11, 5, [], 1],
        {},
    ],
)
def test_what_an_inclusion_proof_may_not_hold(proof: Any) -> None:
    """An index has its place in a tree of this size."""
    size = proof[0] if isinstance(proof, list) else 11
    tally = [1, size, *HEADER["tally-r"][2:]]
    with pytest.raises(MalformedError):
        Receipt.decode(_data({**HEADER, "tally-r": tally}, proof))


@pytest.mark.parametrize(
    "unprotected",
    [
        {},
        {396: {}},
        {396: {-1: []}},
        {396: {-1: [cbor.encode(PROOF)] * 2}},
        {396: {-1: [cbor.encode(PROOF) + b"\0"]}},
        {396: {-1: [b"\x83\x18\x0b\x05\x80"]}},
        {396: {-1: [cbor.encode(PROOF)], -2: []}},
        {396: {-1: [cbor.encode(PROOF)]}, 1: 1},
        {395: {-1: [cbor.encode(PROOF)]}},
    ],
)
def test_a_receipt_carries_one_inclusion_proof_and_nothing_else(unprotected: Any) -> None:
    """What is not signed has no room for more."""
    with pytest.raises(MalformedError):
        Receipt.decode(_data(unprotected=unprotected))


def test_a_receipt_carries_no_root() -> None:
    """An attached payload would be nobody's word for the leaf."""
    attached = cose.sign1(LOG, HEADER, ROOT, unprotected=ENVELOPE.unprotected).encode()
    with pytest.raises(MalformedError, match="one encoding"):
        Receipt.decode(attached)


@settings(max_examples=300)
@given(bytes_near(DATA, _receipt(10, lacking=()).encode()))
def test_decoding_a_receipt_is_total(data: bytes) -> None:
    """Any bytes give a receipt that re-encodes to them, or MalformedError."""
    _check(data)


ANSWERS = [
    Answer(None, None, None, (), (), bytes(16)),
    Answer(DATA, "checkpoint\n", 5, (), (), None),
    Answer(DATA, "checkpoint\n", 3, (bytes(32),), (Range(0, 0, 2, ()), Range(2, 7, LAST, (bytes(32),) * 9)), bytes(16)),
    Answer(None, None, None, (), (), None),
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_reads_back(answer: Answer) -> None:
    """With a receipt and without."""
    assert Answer.decode(answer.encode()) == answer


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_can_grow(answer: Answer) -> None:
    """A reader ignores keys that it does not know."""
    value = cbor.decode(answer.encode())
    assert Answer.decode(cbor.encode({**value, 7: [1], "x": None, -1: b""})) == answer


@pytest.mark.parametrize(
    "changes",
    [
        {1: None},
        {1: "x"},
        {2: b"x"},
        {3: None},
        {3: [True, []]},
        {3: [-1, []]},
        {3: [2**63, []]},
        {3: [1, [bytes(31)]]},
        {3: [1, [bytes(32)] * 129]},
        {3: [1]},
        {4: {}},
        {4: None},
        {4: [[0, 0, 0, []]]},
        {4: [[0, 0, True, []]]},
        {4: [[True, 0, 1, []]]},
        {4: [[0, False, 1, []]]},
        {4: [[-1, 0, 1, []]]},
        {4: [[0, 2**63, 1, []]]},
        {4: [[0, 0, 1]]},
        {4: [[0, 0, 1, {}]]},
        {4: [1]},
        {5: "x"},
        {5: 1},
        {5: [b""]},
    ],
)
def test_what_is_no_answer_is_refused(changes: dict[int, Any]) -> None:
    """Each field that we know is of its type and range; True is not 1."""
    with pytest.raises(MalformedError):
        Answer.decode(cbor.encode({**cbor.decode(ANSWERS[2].encode()), **changes}))


@pytest.mark.parametrize("key", [1, 2, 3])
def test_a_receipt_comes_with_its_checkpoint_and_its_range(key: int) -> None:
    """All three or none."""
    value = cbor.decode(ANSWERS[1].encode())
    del value[key]
    with pytest.raises(MalformedError, match="or none of them"):
        Answer.decode(cbor.encode(value))


def _check_answer(data: bytes) -> None:
    try:
        answer = Answer.decode(data)
    except MalformedError:
        return
    assert Answer.decode(answer.encode()) == answer
    numbers = [answer.first_index or 0, *(n for r in answer.earlier for n in (r.first_seq, r.first_index, r.count))]
    assert all(cbor.is_count(number) for number in numbers)


def test_nothing_odd_in_any_place_of_an_answer() -> None:
    """Each odd value in each place is refused, ignored, or within its range."""
    for answer in ANSWERS:
        for odd in spoiled(cbor.decode(answer.encode())):
            _check_answer(cbor.encode(odd))


@given(bytes_near(*(answer.encode() for answer in ANSWERS)))
def test_decoding_an_answer_is_total(data: bytes) -> None:
    """Any bytes give an answer that reads back, or MalformedError."""
    _check_answer(data)


@pytest.mark.parametrize("data", NASTY, ids=briefly)
def test_the_nasty_ones(data: bytes) -> None:
    """None is a receipt or an answer; nor as a receipt's header or proof."""
    for decode in (Receipt.decode, Answer.decode):
        with pytest.raises(MalformedError):
            decode(data)
    with pytest.raises(MalformedError):
        Receipt.decode(cose.Sign1(data, {}, {396: {-1: [cbor.encode(PROOF)]}}, None, bytes(64)).encode())
    with pytest.raises(MalformedError):
        Receipt.decode(_data(unprotected={396: {-1: [data]}}))


def test_both_are_bounded() -> None:
    """Before they are parsed."""
    for decode, most in ((Receipt.decode, RECEIPT_BYTES_MAX), (Answer.decode, ANSWER_BYTES_MAX)):
        for data in (bytes(most + 1), None):
            with pytest.raises(MalformedError, match="over its size"):
                decode(data)  # type: ignore[arg-type]
