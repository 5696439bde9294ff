"""The names that others call: there as promised, and total."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import gs1
from ledger import b64, checkpoint, merkle, note, statement
from ledger.errors import CheckpointError, MalformedError, NoteError, OutsideError, ProofError, SignatureError
from ledger.keys import SigningKey

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=3), st.none()), max_size=4),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.builds(object),
)

HASH = merkle.leaf_hash(b"entry")
SIGNER = note.Signer("example.com/log", SigningKey.generate())
NOTE = note.sign(f"example.com/log\n1\n{b64.encode(HASH)}\n", [SIGNER])
OPENED = note.open(NOTE, [SIGNER.verifier])
TALLY = statement.Tally(0, bytes(8), 0, bytes(32), 0)
UNSIGNED = statement.Statement(bytes(32), "i", "s", "a", 0, TALLY, (), bytes(64))


class One(IntEnum):
    """An int that is none."""

    ONE = 1


@dataclass
class Fake:
    """What has a key's name and id, of whatever types, but cannot check a signature."""

    name: Any = SIGNER.name
    key_id: Any = SIGNER.key_id


class NamedOnly:
    """A verifier in name alone."""

    name = SIGNER.name


ODD: tuple[Any, ...] = (
    *(None, True, False, One.ONE, 0, 1, -1, 5, 2**63, 2**64, -(2**70), 1.0, float("nan"), float("inf"), 1j, object()),
    *(
        "",
        "x",
        "\n",
        "\n\n",
        "\ud800",
        "+",
        "++",
        "n+00000000+AQ==",
        "—",
        "x" * 1_000_001,
        "http://[",
        "http://a:b/01/1",
    ),
    *(b"", b"x", bytes(32), b"\xff" * 33, bytearray(32), memoryview(bytes(32)), bytes(1_000_001)),
    *([], [None], ["text"], [bytes(32)], [bytes(32), "x"], ["x", bytes(32)], [[]], [bytes(31)], [b"", b""], (), ({},)),
    *({}, {"a": 1}, {bytes(32)}, {1}, range(3), range(10**13), range(10**30), int, len, Ellipsis, NotImplemented),
    *(SIGNER, SIGNER.verifier, [SIGNER], [SIGNER.verifier] * 2, [NamedOnly()], [Fake()], [Fake(None, None)], Fake),
    *([Fake([], {})], [Fake(key_id="text")], [Fake(), SIGNER.verifier], OPENED, UNSIGNED, HASH, NOTE),
)

GOOD: Mapping[str, tuple[type[Exception], Callable[..., Any], Mapping[str, Any]]] = {
    "leaf_hash": (ProofError, merkle.leaf_hash, {"entry": b"entry"}),
    "node_hash": (ProofError, merkle.node_hash, {"left": HASH, "right": HASH}),
    "root": (ProofError, merkle.root, {"leaf_hashes": [HASH, HASH]}),
    "verify_inclusion": (
        ProofError,
        merkle.verify_inclusion,
        {"proof": [HASH], "leaf": HASH, "index": 1, "size": 2, "root": merkle.node_hash(HASH, HASH)},
    ),
    "verify_consistency": (
        ProofError,
        merkle.verify_consistency,
        {
            "proof": [HASH],
            "old_size": 1,
            "new_size": 2,
            "old_root": HASH,
            "new_root": merkle.node_hash(HASH, HASH),
        },
    ),
    "Verifier.parse": (NoteError, note.Verifier.parse, {"vkey": SIGNER.vkey}),
    "note.open": (NoteError, note.open, {"text": NOTE, "verifiers": [SIGNER.verifier]}),
    "Checkpoint.parse": (CheckpointError, checkpoint.Checkpoint.parse, {"text": OPENED.text}),
    "Statement.decode": (MalformedError, statement.Statement.decode, {"data": UNSIGNED.encode()}),
    "Statement.verify": (SignatureError, UNSIGNED.verify, {"public_key": SIGNER.key.public}),
    "gs1.parse": (gs1.Gs1Error, gs1.parse, {"uri": "https://id.example.com/01/09506000134352/21/7K3M"}),
}


def raises_only(error: type[Exception], call: Callable[[], Any]) -> None:
    """Whatever comes of the call, nothing but `error` is raised."""
    with contextlib.suppress(error):
        call()


@given(JUNK, JUNK, JUNK, JUNK, JUNK)
def test_merkle_functions_raise_proof_error_only(a: Any, b: Any, c: Any, d: Any, e: Any) -> None:
    """Of the Merkle functions, whatever they are given."""
    raises_only(ProofError, lambda: merkle.leaf_hash(a))
    raises_only(ProofError, lambda: merkle.node_hash(a, b))
    raises_only(ProofError, lambda: merkle.root(a))
    raises_only(ProofError, lambda: merkle.verify_inclusion(a, leaf=b, index=c, size=d, root=e))
    raises_only(ProofError, lambda: merkle.verify_consistency(a, old_size=b, new_size=c, old_root=d, new_root=e))


@given(JUNK)
def test_parsers_raise_their_named_error_only(value: Any) -> None:
    """Of every parser, whatever it is given."""
    raises_only(NoteError, lambda: note.Verifier.parse(value))
    raises_only(NoteError, lambda: note.open(value, []))
    raises_only(NoteError, lambda: note.open(NOTE, value))
    raises_only(CheckpointError, lambda: checkpoint.Checkpoint.parse(value))
    raises_only(MalformedError, lambda: statement.Statement.decode(value))
    raises_only(gs1.Gs1Error, lambda: gs1.parse(value))


@pytest.mark.parametrize(
    ("name", "argument"), [(name, argument) for name, (_, _, arguments) in GOOD.items() for argument in arguments]
)
def test_one_odd_argument_raises_the_named_error_only(name: str, argument: str) -> None:
    """Where all other arguments are right, so that no earlier check is in its way."""
    error, call, arguments = GOOD[name]
    if name != "Statement.verify":
        call(**arguments)
    for odd in ODD:
        raises_only(error, lambda odd=odd: call(**{**arguments, argument: odd}))  # type: ignore[misc]


@pytest.mark.parametrize("verifiers", [None, 5, [], ["text"], [None], [SIGNER], SIGNER.verifier, [Fake()], NOTE])
def test_a_note_that_is_opened_with_no_verifier_is_not_opened(verifiers: Any) -> None:
    """What is no list of verifiers opens nothing."""
    with pytest.raises(NoteError):
        note.open(NOTE, verifiers)


@given(JUNK)
def test_a_statement_verifies_under_a_key_or_raises_signature_error(key: Any) -> None:
    """Whatever is given for the public key."""
    raises_only(SignatureError, lambda: UNSIGNED.verify(key))


@pytest.mark.parametrize("size", range(1, 5))
def test_nothing_is_consistent_from_size_0(size: int) -> None:
    """A consistency proof from the empty tree is always an error."""
    with pytest.raises(ProofError):
        merkle.verify_consistency([], old_size=0, new_size=size, old_root=merkle.EMPTY_ROOT, new_root=bytes(32))


def test_every_named_error_is_an_outside_error() -> None:
    """One family for what the outside got wrong."""
    for error in (ProofError, NoteError, CheckpointError, MalformedError, SignatureError, gs1.Gs1Error):
        assert issubclass(error, OutsideError)
