"""The tree of a batch of any size: the same root and proofs as from all leaf hashes at once."""

import pytest

from labels import tree
from ledger import merkle
from ledger.errors import ProofError

LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(70_000)]
SIZES = (1, 2, 3, 255, 256, 257, 511, 512, 513, 4_000, 65_535, 65_536, 65_537, 70_000)


@pytest.mark.parametrize("size", SIZES)
def test_labels_are_proven_from_a_few_rows(size: int) -> None:
    """The first, the last and some between, each from 512 leaf hashes at most; and the root is the whole tree's."""
    growing = tree.Growing()
    for first in range(0, size, 1_000):
        growing.extend(LEAVES[first : min(first + 1_000, size)])
    root = merkle.root(LEAVES[:size])
    assert (growing.size, growing.root()) == (size, root) and len(growing.subtrees) == size // 256 * 32
    assert growing.subtrees == tree.subtrees_of(LEAVES[:size])
    for index in sorted({0, 1, 255, 256, size // 2, size - 2, size - 1} & set(range(size))):
        runs = tree.needed(index, size)
        leaves = {number: LEAVES[number] for run in runs for number in run}
        assert len(leaves) <= 512
        proof = tree.prove(index, size, leaves=leaves, subtrees=growing.subtrees)
        merkle.verify_inclusion(proof, leaf=LEAVES[index], index=index, size=size, root=root)


def test_what_is_lacking_is_no_proof() -> None:
    """A label beside it, a subtree, or the label itself."""
    leaves = dict(enumerate(LEAVES[:1_000]))
    subtrees = tree.subtrees_of(LEAVES[:1_000])
    with pytest.raises(KeyError):
        tree.prove(5, 1_000, leaves={n: leaf for n, leaf in leaves.items() if n != 4}, subtrees=subtrees)
    with pytest.raises(KeyError):
        tree.prove(5, 1_000, leaves=leaves, subtrees=subtrees[:32])
    with pytest.raises(ProofError):
        tree.prove(1_000, 1_000, leaves=leaves, subtrees=subtrees)
