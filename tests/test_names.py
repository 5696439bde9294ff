"""The names that others call: there as promised, and total."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import gs1
from ledger import checkpoint, merkle, note, statement
from ledger.errors import CheckpointError, MalformedError, NoteError, OutsideError, ProofError, SignatureError

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
    raises_only(CheckpointError, lambda: checkpoint.Checkpoint.parse(value))
    raises_only(MalformedError, lambda: statement.Statement.decode(value))
    raises_only(gs1.Gs1Error, lambda: gs1.parse(value))


@given(JUNK)
def test_a_statement_verifies_under_a_key_or_raises_signature_error(key: Any) -> None:
    """Whatever is given for the public key."""
    tally = statement.Tally(0, bytes(8), 0, bytes(32), 0)
    unsigned = statement.Statement(bytes(32), "i", "s", "a", 0, tally, (), bytes(64))
    raises_only(SignatureError, lambda: unsigned.verify(key))


@pytest.mark.parametrize("size", range(1, 5))
def test_nothing_is_consistent_from_size_0(size: int) -> None:
    """A consistency proof from the empty tree is always an error."""
    with pytest.raises(ProofError):
        merkle.verify_consistency([], old_size=0, new_size=size, old_root=merkle.EMPTY_ROOT, new_root=bytes(32))


def test_every_named_error_is_an_outside_error() -> None:
    """One family for what the outside got wrong."""
    for error in (ProofError, NoteError, CheckpointError, MalformedError, SignatureError, gs1.Gs1Error):
        assert issubclass(error, OutsideError)
