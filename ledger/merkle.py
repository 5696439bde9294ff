"""The Merkle tree of a log: its hashes, its proofs, and what must be read to make one (RFC 9162, 2.1).

The tree is that of RFC 6962, too. A *leaf hash* is an entry's hash. A tree is never an object here, only a *size*
and a *root*. A *node* is a complete subtree: its hash never changes again, whatever is appended. A *span* is a
subtree of the tree of one size, D[start:end] in the RFC's words; on the right edge it may be incomplete, and is
then made of a few nodes.

A proof is a list of hashes, and each is the hash of a span. Which spans those are follows from the numbers alone
(index and sizes), so all work has one plan: who makes a proof turns the spans into nodes, reads those once, and
is pure from there on; who checks it knows how many hashes must come and on which side each belongs.

    inclusion    one leaf is in the tree           the siblings from the leaf up to the root
    consistency  the new tree begins with the old  one span that ends at the old size, and its siblings upwards
    range        a run of leaves is in the tree    all that is left of it, and all that is right, left to right

A proof is exactly right or a ProofError: one hash too many is as invalid as one wrong hash. Every check is total:
whatever it is given, it returns or raises ProofError. Hashes are `bytes` of 32; proofs and runs of leaf hashes
are lists or tuples of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from hashlib import sha256
from typing import NamedTuple

from ledger.errors import ProofError

HASH_BYTES = 32
SIZE_MAX = 2**63 - 1

EMPTY_ROOT = sha256().digest()


@dataclass(frozen=True, slots=True)
class Node:
    """A complete subtree: the leaves from `index << level` on, 2**level of them."""

    level: int
    index: int


Read = Callable[[Sequence[Node]], Sequence[bytes]]
"""Gives the hashes of complete subtrees, in the order asked for."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a tree with this one entry (RFC 9162, 2.1.1). Raises ProofError if it is not bytes."""
    return _sha256(b"\x00", entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the subtree that has these two below it (RFC 9162, 2.1.1).

    Raises ProofError if they are not bytes.
    """
    return _sha256(b"\x01", left, right)


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The Merkle Tree Hash of a whole tree, from its leaf hashes (RFC 9162, 2.1.1).

    Raises ProofError if they are not hashes.
    """
    row = _list(leaf_hashes) or [EMPTY_ROOT]
    _require_hash(row[0], "a leaf hash")
    while len(row) > 1:
        pairs = _pairs(row)
        row = [*pairs, row[-1]] if len(row) % 2 else pairs
    return row[0]


def _pair(left: bytes, right: bytes) -> bytes:
    """`node_hash` of two that are known to be hashes."""
    return sha256(b"\x01" + left + right).digest()


def _pairs(row: list[bytes]) -> list[bytes]:
    """The node hash of each two side by side: `node_hash` at less than half its cost, for a tile has 255 of them."""
    try:
        return [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)]
    except TypeError as error:
        raise ProofError("what is hashed is bytes") from error


def _sha256(*parts: bytes) -> bytes:
    try:
        return sha256(b"".join(parts)).digest()
    except TypeError as error:
        raise ProofError("what is hashed is bytes") from error


def _list(values: Iterable[bytes]) -> list[bytes]:
    try:
        return list(values)
    except (TypeError, OverflowError, MemoryError) as error:  # not iterable, or like range(10**30)
        raise ProofError("hashes come as a list") from error


# Checking a proof


def verify_inclusion(proof: Sequence[bytes], *, leaf: bytes, index: int, size: int, root: bytes) -> None:
    """Check that `leaf` is entry `index` of the tree of `size` under `root` (RFC 9162, 2.1.3.2).

    `leaf` is the entry's leaf hash. Raises ProofError unless the proof is exactly right.
    """
    _require_equal(inclusion_root(proof, leaf=leaf, index=index, size=size), root)


def inclusion_root(proof: Sequence[bytes], *, leaf: bytes, index: int, size: int) -> bytes:
    """The root that an inclusion proof leads to, for whoever has only a signature over it (RFC 9942).

    Raises ProofError if the proof has not the shape that `index` and `size` ask for.
    """
    _require_index(index, size)
    _require_hash(leaf, "the leaf hash")
    # Below the level where this leaf's path and the last leaf's meet, a bit of the index says on which side the sibling
    # stands; above it there are siblings on the left only, one for each bit that is set.
    meeting = (index ^ size - 1).bit_length()
    node = leaf
    for level, sibling in enumerate(_require_hashes(proof, meeting + (index >> meeting).bit_count())):
        is_left = level >= meeting or index >> level & 1
        node = _pair(sibling, node) if is_left else _pair(node, sibling)
    return node


def verify_consistency(
    proof: Sequence[bytes], *, old_size: int, new_size: int, old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree of `new_size` begins with all of the tree of `old_size` (RFC 9162, 2.1.4.2).

    Equal sizes need equal roots and an empty proof. Nothing can be proven of the empty tree: an old size of 0
    is an error. Raises ProofError unless the proof is exactly right.
    """
    _require_sizes(old_size, new_size)
    _require_hash(old_root, "the old root")
    # The seed is the largest complete subtree that the old tree ends in; from there upwards as in `inclusion_root`.
    height = (old_size & -old_size).bit_length() - 1
    last, is_seed_listed = old_size - 1 >> height, old_size != 1 << height and old_size != new_size
    meeting = (last ^ new_size - 1 >> height).bit_length()
    count = 0 if old_size == new_size else meeting + (last >> meeting).bit_count()
    listed = _require_hashes(proof, count + is_seed_listed)
    old = new = listed.pop(0) if is_seed_listed else old_root
    for level, sibling in enumerate(listed):
        if level >= meeting or last >> level & 1:
            old, new = _pair(sibling, old), _pair(sibling, new)
        else:
            new = _pair(new, sibling)
    _require_equal(old, old_root)
    _require_equal(new, new_root)


def verify_range(proof: Sequence[bytes], *, leaves: Sequence[bytes], first: int, size: int, root: bytes) -> None:
    """Check that `leaves` stand side by side, from index `first` on, in the tree of `size` under `root`.

    `leaves` are leaf hashes, one at least. The proof has at most two hashes a level of the tree; of one leaf it
    holds what an inclusion proof holds, in its own order (`range_proof`). Raises ProofError unless the proof is
    exactly right.
    """
    _require_equal(range_root(proof, leaves=leaves, first=first, size=size), root)


def range_root(proof: Sequence[bytes], *, leaves: Sequence[bytes], first: int, size: int) -> bytes:
    """The root that a range proof leads to. Raises ProofError if the proof has not the shape it must have."""
    run = _require_hashes(leaves)
    _require_index(first, size)
    end = first + len(run)
    spans = _range_spans(first, end - 1, size)
    # Both the spans and the walk below go from left to right.
    hashes = iter(_require_hashes(proof, len(spans)))

    def walk(span: _Span) -> bytes:
        if span.end <= first or end <= span.start:
            return next(hashes)
        if first <= span.start and span.end <= end:
            return root(run[span.start - first : span.end - first])
        left, right = span.halves()
        return node_hash(walk(left), walk(right))

    return walk(_Span(0, size))


# Making a proof. Each of these raises ProofError if no such proof exists.


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """What `inclusion_proof` reads."""
    return _nodes(_inclusion_spans(index, size))


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """The proof that entry `index` is in the tree of `size`, from the leaf up (RFC 9162, 2.1.3.1)."""
    return _read_spans(_inclusion_spans(index, size), read)


def consistency_nodes(old_size: int, new_size: int) -> list[Node]:
    """What `consistency_proof` reads."""
    return _nodes(_listed(_consistency_spans(old_size, new_size)))


def consistency_proof(old_size: int, new_size: int, read: Read) -> list[bytes]:
    """The proof that the tree of `new_size` begins with that of `old_size` (RFC 9162, 2.1.4.1)."""
    return _read_spans(_listed(_consistency_spans(old_size, new_size)), read)


def range_proof(first: int, last: int, size: int, read: Read) -> list[bytes]:
    """The proof that entries `first` to `last`, both included, stand there in the tree of `size`.

    Its hashes are those of the largest subtrees that hold none of these entries, in the tree's order from left
    to right: first what lies before the entries, largest first, then what lies after, smallest first.
    """
    return _read_spans(_range_spans(first, last, size), read)


def root_from(size: int, read: Read) -> bytes:
    """The root of the tree of `size`. It reads one node for each bit that is set in `size`, largest first."""
    _require_size(size)
    return _read_spans([_Span(0, size)], read)[0] if size else EMPTY_ROOT


# The plan


class _Span(NamedTuple):
    """A subtree of the tree of one size: the leaves D[start:end]."""

    start: int
    end: int

    def halves(self) -> tuple["_Span", "_Span"]:
        """The two subtrees below: the left one has the largest power of two of leaves that leaves some over."""
        middle = self.start + (1 << (self.end - self.start - 1).bit_length() - 1)
        return _Span(self.start, middle), _Span(middle, self.end)

    def nodes(self) -> list[Node]:
        """The complete subtrees that it is made of, from left to right: each is smaller than the one before."""
        nodes, start = [], self.start
        while start < self.end:
            level = (self.end - start).bit_length() - 1
            nodes.append(Node(level, start >> level))
            start += 1 << level
        return nodes


def _siblings(target: _Span, size: int) -> list[_Span]:
    """What stands beside the path from the subtree `target` up to the root of the tree of `size`."""
    span, siblings = _Span(0, size), []
    while span != target:
        left, right = span.halves()
        span, sibling = (left, right) if target.start < right.start else (right, left)
        siblings.append(sibling)
    return siblings[::-1]


def _inclusion_spans(index: int, size: int) -> list[_Span]:
    _require_index(index, size)
    return _siblings(_Span(index, index + 1), size)


def _consistency_spans(old_size: int, new_size: int) -> list[_Span]:
    """The spans that rebuild both roots: the largest that ends where the old tree does, and its siblings."""
    _require_sizes(old_size, new_size)
    start = 0 if old_size == new_size else old_size & (old_size - 1)
    seed = _Span(start, old_size)
    return [seed, *_siblings(seed, new_size)]


def _listed(spans: list[_Span]) -> list[_Span]:
    """Those spans that a consistency proof lists: not the first, if it is the whole old tree.

    Its hash is then the old root, which the verifier has.
    """
    return spans if spans[0].start else spans[1:]


def _range_spans(first: int, last: int, size: int) -> list[_Span]:
    before = [span for span in _inclusion_spans(first, size) if span.start < first]
    after = [span for span in _inclusion_spans(last, size) if span.start > last]
    if first > last:
        raise ProofError(f"entries {first} to {last} are no range")
    return before[::-1] + after


def _nodes(spans: Sequence[_Span]) -> list[Node]:
    return [node for span in spans for node in span.nodes()]


def _read_spans(spans: Sequence[_Span], read: Read) -> list[bytes]:
    """The hashes of `spans`: everything is read at once."""
    nodes = _nodes(spans)
    known = dict(zip(nodes, read(nodes) if nodes else (), strict=True))
    return [_join([known[node] for node in span.nodes()]) for span in spans]


def _join(hashes: Sequence[bytes]) -> bytes:
    """The hash of a span from those of its nodes."""
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))


# What is asked of numbers and hashes. A bool is an int to Python, but not to us.


def _require_size(size: int) -> None:
    if type(size) is not int or not 0 <= size <= SIZE_MAX:
        raise ProofError("a tree's size is a number from 0 to 2**63 - 1")


def _require_sizes(old_size: int, new_size: int) -> None:
    _require_size(new_size)
    _require_size(old_size)
    if not 0 < old_size <= new_size:
        raise ProofError(f"no proof leads from a tree of size {old_size} to one of {new_size}")


def _require_index(index: int, size: int) -> None:
    _require_size(size)
    if type(index) is not int or not 0 <= index < size:
        raise ProofError(f"no such index in a tree of size {size}")


def _require_hash(value: bytes, name: str) -> None:
    if type(value) is not bytes or len(value) != HASH_BYTES:
        raise ProofError(f"{name} is not {HASH_BYTES} bytes")


def _require_hashes(values: Sequence[bytes], count: int | None = None) -> list[bytes]:
    if not isinstance(values, list | tuple):
        raise ProofError("hashes come as a list")
    if count is not None and len(values) != count:
        raise ProofError(f"the proof has {len(values)} hashes, not {count}")
    if count is None and not values:
        raise ProofError("there are no leaves to prove")
    for value in values:
        _require_hash(value, "a hash")
    return list(values)


def _require_equal(computed: bytes, given: bytes) -> None:
    _require_hash(given, "the root")
    if computed != given:
        raise ProofError("the proof leads to another root")
