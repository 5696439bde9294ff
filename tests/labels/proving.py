"""Proofs of a batch's labels, for tests that have all of them at hand."""

from collections.abc import Sequence

from labels import tree


def prove(index: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """The proof for label `index` of a batch, from all its leaf hashes."""
    leaves, subtrees = dict(enumerate(leaf_hashes)), tree.subtrees_of(leaf_hashes)
    return tree.prove(index, len(leaf_hashes), leaves=leaves, subtrees=subtrees)
