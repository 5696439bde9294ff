"""The Merkle tree: small and exhaustive, against the RFC's own recursions, then vectors that are not ours."""

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from math import ceil, log2
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle
from ledger.errors import ProofError
from ledger.merkle import Node

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(130)]
SIZES = range(1, 34)


# The definitions of RFC 9162, 2.1, word for word and over leaf hashes.


def mth(d: Sequence[bytes]) -> bytes:
    """2.1.1."""
    if len(d) == 1:
        return d[0]
    k = largest_power_of_two_below(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    """2.1.3.1."""
    if len(d) == 1:
        return []
    k = largest_power_of_two_below(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: Sequence[bytes], b: bool = True) -> list[bytes]:
    """2.1.4.1."""
    if m == len(d):
        return [] if b else [mth(d)]
    k = largest_power_of_two_below(len(d))
    if m <= k:
        return [*subproof(m, d[:k], b), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def largest_power_of_two_below(n: int) -> int:
    return max(1 << bit for bit in range(n.bit_length()) if 1 << bit < n)


ROOTS = [merkle.EMPTY_ROOT, *(mth(LEAVES[:size]) for size in SIZES)]


def read(nodes: Sequence[Node]) -> list[bytes]:
    """The hashes of complete subtrees over LEAVES."""
    return [mth(LEAVES[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]


def spoiled(hashes: Sequence[bytes]) -> Iterator[tuple[list[Any], str]]:
    """Every way to spoil a list of hashes, with the complaint it must meet."""
    count = rf"has \d+ hashes, not {len(hashes)}"
    yield [*hashes, LEAVES[0]], count
    yield [LEAVES[0], *hashes], count
    for i, value in enumerate(hashes):
        yield [*hashes[:i], *hashes[i + 1 :]], count
        yield [*hashes[:i], flip(value), *hashes[i + 1 :]], "another root"
        for other in (value[:31], value + b"\x00", b"", None, value.hex(), bytearray(value), [value]):
            yield [*hashes[:i], other, *hashes[i + 1 :]], "not 32 bytes"
    for i in range(len(hashes) - 1):
        yield [*hashes[:i], hashes[i + 1], hashes[i], *hashes[i + 2 :]], "another root"


def flip(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def refused(check: Callable[..., object], complaint: str, *arguments: Any, **named: Any) -> None:
    with pytest.raises(ProofError, match=complaint):
        check(*arguments, **named)


# Hashes


def test_leaf_and_node_hashes_are_apart() -> None:
    """The known answers of RFC 6962 logs for an empty entry, a leaf and a node."""
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.leaf_hash(b"").hex() == leaf
    leaf = "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert merkle.leaf_hash(b"L123456").hex() == leaf
    node = "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    assert merkle.node_hash(b"N123", b"N456").hex() == node


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_the_rfcs(size: int) -> None:
    """Computed row by row or from complete subtrees, the root is the Merkle Tree Hash."""
    assert merkle.root(LEAVES[:size]) == ROOTS[size]
    assert merkle.root_from(size, read) == ROOTS[size]


def test_the_empty_tree_has_a_root_and_reads_nothing() -> None:
    """The root of size 0 is the hash of nothing."""
    assert merkle.root([]) == merkle.root_from(0, never) == sha256().digest()


def never(nodes: Sequence[Node]) -> list[bytes]:
    raise AssertionError(nodes)


# Inclusion


def each_leaf() -> Iterator[tuple[int, int, list[bytes]]]:
    for size in SIZES:
        for index in range(size):
            yield index, size, merkle.inclusion_proof(index, size, read)


def test_an_inclusion_proof_is_the_rfcs() -> None:
    """Every leaf of every tree up to 33 has the proof that the RFC defines, and it holds."""
    for index, size, proof in each_leaf():
        assert proof == path(index, LEAVES[:size])
        merkle.verify_inclusion(proof, leaf=LEAVES[index], index=index, size=size, root=ROOTS[size])
        merkle.verify_inclusion(tuple(proof), leaf=LEAVES[index], index=index, size=size, root=ROOTS[size])


def test_a_spoiled_inclusion_proof_is_refused() -> None:
    """Every way to spoil the proof of every leaf of every tree up to 33."""
    for index, size, proof in each_leaf():
        named = {"leaf": LEAVES[index], "index": index, "size": size, "root": ROOTS[size]}
        for bad, complaint in spoiled(proof):
            refused(merkle.verify_inclusion, complaint, bad, **named)
        refused(merkle.verify_inclusion, "another root", proof, **named | {"leaf": LEAVES[40]})
        refused(merkle.verify_inclusion, "another root", proof, **named | {"root": flip(ROOTS[size])})
        for other in set(range(size)) - {index}:
            refused(merkle.verify_inclusion, "another root|hashes, not", proof, **named | {"index": other})


def test_a_leaf_outside_the_tree_has_no_proof() -> None:
    """An index at or beyond the size is refused by who makes and who checks."""
    for size in range(10):
        for index in (size, size + 1, -1):
            refused(merkle.inclusion_proof, "no such index", index, size, never)
            refused(merkle.inclusion_root, "no such index", [], leaf=LEAVES[0], index=index, size=size)


def test_a_node_is_no_leaf() -> None:
    """An inner node's hash does not pass for a leaf of a smaller tree with the same root: its size is another."""
    proof = merkle.inclusion_proof(0, 4, read)
    node = merkle.root(LEAVES[:2])
    merkle.verify_inclusion(proof[1:], leaf=node, index=0, size=2, root=ROOTS[4])
    refused(merkle.verify_inclusion, "1 hashes, not 2", proof[1:], leaf=node, index=0, size=4, root=ROOTS[4])


# Consistency


def each_pair() -> Iterator[tuple[int, int, list[bytes]]]:
    for new in SIZES:
        for old in range(1, new + 1):
            yield old, new, merkle.consistency_proof(old, new, read)


def test_a_consistency_proof_is_the_rfcs() -> None:
    """Every pair of trees up to 33 has the proof that the RFC defines, and it holds."""
    for old, new, proof in each_pair():
        assert proof == subproof(old, LEAVES[:new])
        merkle.verify_consistency(proof, old_size=old, new_size=new, old_root=ROOTS[old], new_root=ROOTS[new])


def test_a_spoiled_consistency_proof_is_refused() -> None:
    """Every way to spoil the proof of every pair of trees up to 33."""
    for old, new, proof in each_pair():
        named = {"old_size": old, "new_size": new, "old_root": ROOTS[old], "new_root": ROOTS[new]}
        for bad, complaint in spoiled(proof):
            refused(merkle.verify_consistency, complaint, bad, **named)
        refused(merkle.verify_consistency, "another root", proof, **named | {"old_root": flip(ROOTS[old])})
        refused(merkle.verify_consistency, "another root", proof, **named | {"new_root": flip(ROOTS[new])})
        for other in set(range(1, new + 1)) - {old}:
            refused(merkle.verify_consistency, "another root|hashes, not", proof, **named | {"old_size": other})


def test_equal_sizes_need_equal_roots_and_no_hashes() -> None:
    """A log that shows two roots for one size has forked."""
    named = {"old_size": 5, "new_size": 5, "old_root": ROOTS[5]}
    merkle.verify_consistency([], **named, new_root=ROOTS[5])  # type: ignore[arg-type]
    refused(merkle.verify_consistency, "another root", [], **named, new_root=ROOTS[6])
    refused(merkle.verify_consistency, "1 hashes, not 0", [ROOTS[5]], **named, new_root=ROOTS[5])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, 7), (8, 7), (1, 0)])
def test_no_proof_leads_from_nothing_or_backwards(old: int, new: int) -> None:
    """From size 0 it is always an error, and so is a shrinking tree."""
    named = {"old_size": old, "new_size": new, "old_root": ROOTS[old], "new_root": ROOTS[new]}
    refused(merkle.verify_consistency, "no proof leads", [], **named)
    refused(merkle.consistency_proof, "no proof leads", old, new, never)


# Ranges


def each_range(sizes: range = range(1, 18)) -> Iterator[tuple[int, int, int, list[bytes]]]:
    for size in sizes:
        for first in range(size):
            for last in range(first, size):
                yield first, last, size, merkle.range_proof(first, last, size, read)


def test_a_range_proof_holds_and_is_short() -> None:
    """Every range of every tree up to 17 has a proof of at most two hashes a level."""
    for first, last, size, proof in each_range():
        leaves = LEAVES[first : last + 1]
        merkle.verify_range(proof, leaves=leaves, first=first, size=size, root=ROOTS[size])
        merkle.verify_range(tuple(proof), leaves=tuple(leaves), first=first, size=size, root=ROOTS[size])
        assert len(proof) <= 2 * ceil(log2(size))


def test_a_spoiled_range_proof_is_refused() -> None:
    """Every way to spoil the proof of every range of every tree up to 17."""
    for first, last, size, proof in each_range():
        named = {"leaves": LEAVES[first : last + 1], "first": first, "size": size, "root": ROOTS[size]}
        for bad, complaint in spoiled(proof):
            refused(merkle.verify_range, complaint, bad, **named)
        refused(merkle.verify_range, "another root", proof, **named | {"root": flip(ROOTS[size])})
        for other in set(range(size)) - {first}:
            refused(merkle.verify_range, "root|hashes, not|no such index", proof, **named | {"first": other})


def test_other_leaves_are_not_in_the_range() -> None:
    """Every leaf changed, dropped, added or out of order in every range of every tree up to 17."""
    for first, last, size, proof in each_range():
        leaves = LEAVES[first : last + 1]
        for bad, complaint in spoiled(leaves):
            if "hashes, not" in complaint:
                complaint = "root|hashes, not|no such index|no leaves"
            refused(merkle.verify_range, complaint, proof, leaves=bad, first=first, size=size, root=ROOTS[size])


def test_a_range_of_one_is_an_inclusion() -> None:
    """Of one leaf, the range proof has the inclusion proof's hashes, from left to right."""
    for index, size, path_up in each_leaf():
        proof = merkle.range_proof(index, index, size, read)
        assert sorted(proof) == sorted(path_up)
        left = index.bit_count()
        before = [value for value in path_up if value in proof[:left]]
        assert proof == before[::-1] + [value for value in path_up if value not in before]
        merkle.verify_range(proof, leaves=[LEAVES[index]], first=index, size=size, root=ROOTS[size])


def test_a_range_of_all_needs_no_hash() -> None:
    """Whoever has every leaf computes the root himself."""
    for size in SIZES:
        assert merkle.range_proof(0, size - 1, size, never) == []
        assert merkle.range_root([], leaves=LEAVES[:size], first=0, size=size) == ROOTS[size]


@pytest.mark.parametrize(("first", "last", "size"), [(3, 2, 5), (0, 5, 5), (-1, 2, 5), (5, 5, 5), (0, 0, 0)])
def test_what_is_no_range_has_no_proof(first: int, last: int, size: int) -> None:
    """A range is not empty and inside the tree."""
    refused(merkle.range_proof, "no such index|no range", first, last, size, never)


def test_no_leaves_prove_nothing() -> None:
    """A proof of no leaves is an error, not a proof."""
    refused(merkle.range_root, "no leaves", [], leaves=[], first=0, size=1)


# Planning and reading


def test_a_proof_reads_once_what_it_planned() -> None:
    """Each producer asks one time for the nodes it names, each complete in the tree and none twice."""
    asked: list[list[Node]] = []

    def remember(nodes: Sequence[Node]) -> list[bytes]:
        asked.append(list(nodes))
        return read(nodes)

    merkle.inclusion_proof(9, 21, remember)
    merkle.consistency_proof(9, 21, remember)
    merkle.range_proof(9, 13, 21, remember)
    merkle.root_from(21, remember)
    assert len(asked) == 4 and asked[:2] == [merkle.inclusion_nodes(9, 21), merkle.consistency_nodes(9, 21)]
    assert len(asked[-1]) == (21).bit_count()
    for nodes in asked:
        assert len(set(nodes)) == len(nodes)
        assert all((node.index + 1) << node.level <= 21 for node in nodes)


def test_the_right_edge_is_made_of_complete_subtrees() -> None:
    """Entry 0 of 7 needs D[4:7], which is no complete subtree: nodes (1, 2) and (0, 6) make it."""
    nodes = [Node(0, 1), Node(1, 1), Node(1, 2), Node(0, 6)]
    assert merkle.inclusion_nodes(0, 7) == nodes


def test_a_reader_that_reads_too_little_is_our_fault() -> None:
    """That is no ProofError: nobody outside did it."""
    with pytest.raises(ValueError, match="shorter") as caught:
        merkle.inclusion_proof(0, 7, lambda nodes: read(nodes)[1:])
    assert not isinstance(caught.value, ProofError)


def test_the_largest_tree_can_be_proven_in() -> None:
    """Sizes up to 2**63 - 1 work: a proof there has at most 63 hashes, a range at most 124."""
    size = merkle.SIZE_MAX

    def same(nodes: Sequence[Node]) -> list[bytes]:
        return [LEAVES[0]] * len(nodes)

    assert len(merkle.inclusion_proof(0, size, same)) == 63
    proof = merkle.range_proof(2**62 - 1, 2**62, size, same)
    assert len(proof) == 124
    assert len(merkle.range_root(proof, leaves=LEAVES[:2], first=2**62 - 1, size=size)) == 32


# Totality

hashes = st.binary(min_size=32, max_size=32)
junk: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 2, 3, merkle.SIZE_MAX, merkle.SIZE_MAX + 1, 2**64, 2**5000, -1, 1.0, float("nan")]),
    st.text(max_size=3),
    st.binary(max_size=33),
    hashes,
    st.lists(hashes | st.none() | st.binary(max_size=33), max_size=4),
    st.lists(hashes, max_size=4).map(tuple),
    st.dictionaries(hashes, hashes, max_size=2),
    st.lists(hashes, max_size=3).map(iter),
)


@given(junk, junk, junk, junk, junk)
def test_every_check_is_total(proof: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    """Whatever it is given, a check returns or raises ProofError."""
    checks: list[Callable[[], object]] = [
        lambda: merkle.verify_inclusion(proof, leaf=a, index=b, size=c, root=d),
        lambda: merkle.inclusion_root(proof, leaf=a, index=b, size=c),
        lambda: merkle.verify_consistency(proof, old_size=a, new_size=b, old_root=c, new_root=d),
        lambda: merkle.verify_range(proof, leaves=a, first=b, size=c, root=d),
        lambda: merkle.range_root(proof, leaves=a, first=b, size=c),
    ]
    for check in checks:
        try:
            check()
        except ProofError:
            continue


@pytest.mark.parametrize("number", [True, False, -1, 2**63, 2**5000, 1.0, "1", None, b"\x01", [1]])
def test_what_is_no_number_is_refused_everywhere(number: Any) -> None:
    """A bool, a float, a text or a number out of range is neither an index nor a size."""
    leaf = LEAVES[0]
    refused(merkle.inclusion_root, "no such index", [], leaf=leaf, index=number, size=1)
    refused(merkle.inclusion_root, "a tree's size", [], leaf=leaf, index=0, size=number)
    refused(merkle.range_root, "no such index", [], leaves=[leaf], first=number, size=1)
    refused(merkle.range_root, "a tree's size", [], leaves=[leaf], first=0, size=number)
    roots = {"old_root": leaf, "new_root": leaf}
    refused(merkle.verify_consistency, "a tree's size", [], old_size=number, new_size=1, **roots)
    refused(merkle.verify_consistency, "a tree's size", [], old_size=1, new_size=number, **roots)


@pytest.mark.parametrize("value", [None, b"", bytes(31), bytes(33), "a" * 32, bytearray(32), 32])
def test_what_is_no_hash_is_refused_everywhere(value: Any) -> None:
    """A leaf hash and a root are 32 bytes."""
    leaf = LEAVES[0]
    refused(merkle.verify_inclusion, "leaf hash", [], leaf=value, index=0, size=1, root=leaf)
    refused(merkle.verify_inclusion, "root is not", [], leaf=leaf, index=0, size=1, root=value)
    refused(merkle.verify_range, "a hash is not", [], leaves=[value], first=0, size=1, root=leaf)
    refused(merkle.verify_range, "root is not", [], leaves=[leaf], first=0, size=1, root=value)
    sizes = {"old_size": 1, "new_size": 1}
    refused(merkle.verify_consistency, "old root", [], **sizes, old_root=value, new_root=leaf)
    refused(merkle.verify_consistency, "root is not", [], **sizes, old_root=leaf, new_root=value)


@pytest.mark.parametrize("proof", [None, b"", "", {}, set(), iter([]), 0, range(0)])
def test_only_a_list_or_tuple_is_a_proof(proof: Any) -> None:
    """What is empty and no list does not pass for the empty proof."""
    leaf = LEAVES[0]
    refused(merkle.verify_inclusion, "as a list", proof, leaf=leaf, index=0, size=1, root=leaf)
    refused(merkle.verify_range, "as a list", proof, leaves=[leaf], first=0, size=1, root=leaf)
    named = {"old_size": 1, "new_size": 1, "old_root": leaf, "new_root": leaf}
    refused(merkle.verify_consistency, "as a list", proof, **named)


# Vectors that are not ours

CT_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_certificate_transparency_roots(size: int) -> None:
    """The roots that implementations of Certificate Transparency test with."""
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in CT_ENTRIES[:size]]
    assert merkle.root(leaves).hex() == CT_ROOTS[size]


def ct_node(level: int, index: int) -> bytes:
    leaves = [merkle.leaf_hash(bytes.fromhex(entry)) for entry in CT_ENTRIES]
    return mth(leaves[index << level : (index + 1) << level])


def test_certificate_transparency_proofs() -> None:
    """Proofs of the same implementations: entry 5 of 8, entry 1 of 5, size 6 to 8."""
    proof = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    leaf, root = ct_node(0, 5), bytes.fromhex(CT_ROOTS[8])
    merkle.verify_inclusion([bytes.fromhex(h) for h in proof], leaf=leaf, index=5, size=8, root=root)
    proof = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]
    leaf, root = ct_node(0, 1), bytes.fromhex(CT_ROOTS[5])
    merkle.verify_inclusion([bytes.fromhex(h) for h in proof], leaf=leaf, index=1, size=5, root=root)
    proof = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    old, new = bytes.fromhex(CT_ROOTS[6]), bytes.fromhex(CT_ROOTS[8])
    hashes = [bytes.fromhex(h) for h in proof]
    merkle.verify_consistency(hashes, old_size=6, new_size=8, old_root=old, new_root=new)


ARGON_SIZE = 961984013
ARGON_ROOT = b64decode("dwlueapdd7LaOEnX2W2Wp9v2XE+KzejHRQGHwEx0oaM=")


def test_an_inclusion_proof_of_a_living_log() -> None:
    """Google's argon2020 log, with 961,984,013 entries, proves its entry 10,000."""
    proof = """
        T46AmJsuOM/gFiGlUp+IJJebp+1Z5qratFNW7U0JyOQ= 9Jj1Feodn42uRYEfffkV4HF/EIPFQ5Zo9IwkxbQ2uhk=
        D53/1oCNebF4J59HHgioovKZxrmrKcVuCVhy3Izg8Ck= wSFDgGSrsXRPA+1c8WHoAFCsWeUv8NDyP/Q/SgsyVyY=
        516/RcwsgdwdzHn18v1dJHqBkgFUbNhmCIWOGjsMJaE= naTFY2ajLFgrgs5XUl+zJYZnnlJksLGsA1VYwpLfqbY=
        mKBRJo6qao+0Kdh/rhGkZUbHUAxMhrtrclrTpIbNjIg= Co4ueOFE7lpifLio94irxxsv1wFMMaK3tPu2ZQkHlro=
        yRgy800K6JMYCC05sWfqF2kvCg2riT/pVM+nEa6V5+0= n2O38XJZC8/Wpbwi9HhgVizlUyeUHVZvYyQB1607MRc=
        go3tAjuNfNSCj87y2Rg1xOroDknGN1eaf3cgvzObf7Q= 8D0Mj3/J7ySSnFb0afIHYXv6rlOhECnsebY6XKi1IR8=
        6rcez46ZU8M5vPiWVMAUfJfAOV0pPP/mch/lYzZhj/M= 2rtIeXrPvSdUyHc5maIgSAVB2BzaKaupWxSAiVayDE4=
        nniW/IMFQPN5xw8UsHFn7CRStYbm1gLu7NNa6kkRqJQ= mRPPi7sQS22MduIEyvcNzCNFqIt6kLwYPkNKrVtIcu8=
        JvTivzESNS9wHI8aph5a7uieVmtS/p9PciMZ5D6GyOo= UTyQd+Ym0wY4zG+qK806bBORwi1CSVvFQ/KknnqoZj8=
        hXODrqN+ff+U6zPqRQ+ZQKs6im1fPcxIerDSfNwflhE= II6GE+WY/DrpZzfHztLwkR46o37zVkNLCyPYlf68zA0=
        d609kWWcNBllbA8Jb/ad4XAVVGnScLRmtP8FYyr+Dck= rikBsP0G0gioXRpBFED2CzQdSLrGPvRd0bEcbEZw1rI=
        GXIElfmnRuWfbA4z7ubV/UwlpSRUbUeec7oL5HDDnh0= pR0SH/NYP6s9+8azWwaeUXA4Ze/3WCIgMfh5YW6wvcE=
        f3GuAKYVrF8RBg3s15jvA/YvV9oAliWtzP/imwPhQVA= WHn8zDxlVgkV+lSlmzaOdfSBrTHoRr5nT3d76q0KKWE=
        f2uV2ZxVgULzLPKuZcowRY3ZY7fRlX59iDBjV1R8kNQ= NzQVjJsvQwbi7WStMr9oFkh9VbHfK7LB6o7WwAqwNTs=
        C0LttBeYHZHgL+032JIcJC3CTBIyza/hsbmJUgJfmDI= nixU5CWTFVDlF4BGdcU6kA7WSYurEpe9jRWc+F/7sOc=
    """
    leaf = b64decode("nCs3mfIydh9x4CKyQ+u2xtmpxmFggA5MLymHwNQSlLg=")
    hashes = [b64decode(line) for line in proof.split()]
    merkle.verify_inclusion(hashes, leaf=leaf, index=10000, size=ARGON_SIZE, root=ARGON_ROOT)


def test_a_consistency_proof_of_a_living_log() -> None:
    """The same log proves that it only grew from 3,654,490 entries on."""
    proof = """
        80Sfbj6UQEdVSZCSIgh9NMPj3vCBzcc1A48B2crJSWg= FZcrgAHUk6nNPviJZq8kEK6jCG1d18pJOFE45ZDc1TQ=
        Q67reWXmPBo1UfmwBap4Xi9PMPfFdUSSw3WGlRZdG7k= eJ7CyhR4PxzBxDIsWgrVYW1eFUb9ndgf46tFmiqVrxA=
        QrDwp062Grm5WY8KdrhFsBuuNjGzRox2Jb8PmVL5OYw= XM4YMjMEdLH/XJam/ZWyaP14k3cmsOtnPsOWQ54lW1s=
        SGiBh+jOTGccXU48ZzgQ88lRcBmtB4wz4oSDndv2QTg= WAS6txqNLYKGL1GdBdpqmV42TTfn6cJsuDsqLXuTCNI=
        QFmRS0rirUA7ZN3lxFjDncV+E1OCrn3NUB4RCp+5fzc= Hdbp7It2XBNZmNDBpCN/KPd7vfVqxgzwOosqVIaEA9E=
        mxvHL0ZiblBdD7j7pIa1jlfB0gSqfJ6oX0UGo7L0VsU= q5hjyvoW6TL/PThgcitpDcSTrnKX2p1+aqscqH2euRA=
        jTOWDqt3IHj2NVFeezyBz2ofpru+ztEywqKUAfFclKI= GIRn0w3HqJdvU9j1WVD//eR6lk2AaTVjyzjsJNP8U88=
        x52GJvxG81fnQBrgOTbll1A5tz95/LXK0Ag1NhB0r1I= 6/0OqrcTgc3o5dD5PymmoC96lB9yLPFuTHVvLy8fSGk=
        Gf+iKLfcXO5l4JEFmsZvSdG5q1uEeWPfYLrds6pmjz0= DGuaco+McyM3AfRSF6qX7RwSetwe2ieYJmxw5e9rVx0=
        2tQJ9V32hnYp+fdpP6TcjmgJmLeNVOMKM0Ml1kk4cNU= 3PapK+IkyJr8I9yAErAmzuZezzLMzsg+PfeRCgNW8NQ=
        s6xiYeejb+wtqHA+URJZ2I/SCPyIW8coP6aB00FJbMY= z9lSpmdTcr5M5ZzKlc4EPh3SrSypKFdk6JUF/UccaZU=
        GXIElfmnRuWfbA4z7ubV/UwlpSRUbUeec7oL5HDDnh0= pR0SH/NYP6s9+8azWwaeUXA4Ze/3WCIgMfh5YW6wvcE=
        f3GuAKYVrF8RBg3s15jvA/YvV9oAliWtzP/imwPhQVA= WHn8zDxlVgkV+lSlmzaOdfSBrTHoRr5nT3d76q0KKWE=
        f2uV2ZxVgULzLPKuZcowRY3ZY7fRlX59iDBjV1R8kNQ= NzQVjJsvQwbi7WStMr9oFkh9VbHfK7LB6o7WwAqwNTs=
        C0LttBeYHZHgL+032JIcJC3CTBIyza/hsbmJUgJfmDI= nixU5CWTFVDlF4BGdcU6kA7WSYurEpe9jRWc+F/7sOc=
    """
    hashes = [b64decode(line) for line in proof.split()]
    old_root = b64decode("AuIZ5V6sDUj1vn3Y1K85oOaQ7y+FJJKtyRTl1edIKBQ=")
    merkle.verify_consistency(hashes, old_size=3654490, new_size=ARGON_SIZE, old_root=old_root, new_root=ARGON_ROOT)


def subtrees() -> Iterator[tuple[int, int]]:
    """The valid subtrees of draft-ietf-plants-merkle-tree-certs up to 130, in its test vectors' order."""
    for end in range(131):
        for start in range(end + 1):
            if start == 0 or start == end or start % (1 << (end - start - 1).bit_length()) == 0:
                yield start, end


def test_accumulated_subtree_hashes() -> None:
    """One hash over the roots of all subtrees up to 130, as draft-ietf-plants-merkle-tree-certs gives it."""
    total = sha256()
    for start, end in subtrees():
        total.update(f"[{start}, {end}) {merkle.root(LEAVES[start:end]).hex()}\n".encode())
    assert total.hexdigest() == "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"


def test_accumulated_inclusion_proofs() -> None:
    """One hash over the inclusion proofs of every leaf of all subtrees up to 130, from the same draft."""
    known = {Node(level, i): read([Node(level, i)])[0] for level in range(8) for i in range(130 >> level)}

    def read_from(start: int) -> merkle.Read:
        return lambda nodes: [known[Node(n.level, n.index + (start >> n.level))] for n in nodes]

    total = sha256()
    for start, end in subtrees():
        for index in range(start, end):
            proof = merkle.inclusion_proof(index - start, end - start, read_from(start))
            words = [f"{index} [{start}, {end})", *(value.hex() for value in proof)]
            total.update(f"{' '.join(words)}\n".encode())
    assert total.hexdigest() == "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"
