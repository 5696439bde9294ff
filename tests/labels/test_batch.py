"""A batch commits to each of its labels, and to no other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labels import gs1
from labels.batch import Batch, Label, Serials
from labels.signature import LabelKey, verify_label
from ledger import merkle
from ledger.errors import MalformedError, ProofError
from ledger.keys import SigningKey
from tests.labels.made import commit, sign_labels
from tests.labels.proving import prove

GTIN, LOT, DAY = "09506000134352", "L2511-A", 2151
KEY = SigningKey(bytes(range(32)))
LABELS = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=[f"S{number}" for number in range(9)])
BATCH = commit(LABELS, gtin=GTIN, lot=LOT, kid=KEY.kid, day=DAY)


@pytest.mark.parametrize("size", range(1, 10))
def test_every_label_of_a_batch_is_provable(size: int) -> None:
    """Of batches of every size, each label is proven at its own index, and no other label or index is."""
    labels = LABELS[:size]
    batch = commit(labels, gtin=GTIN, lot=LOT, kid=KEY.kid, day=DAY)
    for index, label in enumerate(labels):
        proof = prove(index, [label.leaf_hash for label in labels])
        batch.verify(label, index=index, proof=proof)
        for other in [label for label in LABELS if label != labels[index]]:
            with pytest.raises(ProofError):
                batch.verify(other, index=index, proof=proof)


def test_a_leaf_is_the_whole_signed_label() -> None:
    """The leaf is the path and the digits, without the host: its hash is known beforehand."""
    label = Label("/01/09506000134352/21/S", "1" * 169)
    assert label.leaf == b"/01/09506000134352/21/S?s=" + b"1" * 169
    assert label.leaf_hash == merkle.leaf_hash(label.leaf)
    assert Label.of(gs1.parse(label.link("ID.EXAMPLE.COM"))) == Label.of(gs1.parse(label.link("b/c"))) == label


def test_a_label_of_a_batch_is_genuine() -> None:
    """What a batch signs verifies; the lot stands in the link if it was asked for."""
    line = LabelKey(KEY.public, "https://example.com", (GTIN,), DAY, DAY)
    link = gs1.parse(LABELS[0].link("ID.EXAMPLE.COM"))
    assert (verify_label(link, [line], DAY), link.lot, link.serial) == (line, None, "S0")
    (shown,) = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=["S0"], lot_in_link=True)
    assert gs1.parse(shown.link("a")).lot == LOT


def test_an_entry_is_read_as_it_was_written() -> None:
    """The registry entry of a batch comes back as the batch."""
    assert Batch.read(BATCH.entry()) == BATCH


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("type", "device", "not the entry of a batch"),
        ("gtin", 9506000134352, "of a GTIN and a lot"),
        ("gtin", "09506000134353", "of no product"),
        ("gtin", "9506000134352", "14 digits"),
        ("lot", None, "of a GTIN and a lot"),
        ("lot", "", "of no product"),
        ("size", -1, "size is a number"),
        ("size", True, "size is a number"),
        ("day", 65536, "day is a number"),
        ("root", b"", "root is 32 bytes"),
        ("kid", "0" * 32, "kid is 32 bytes"),
    ],
)
def test_a_wrong_entry_is_refused(name: str, value: object, complaint: str) -> None:
    """Each field of an entry is checked, and each must be there."""
    with pytest.raises(MalformedError, match=complaint):
        Batch.read({**BATCH.entry(), name: value})
    with pytest.raises(MalformedError):
        Batch.read({key: value for key, value in BATCH.entry().items() if key != name})


@pytest.mark.parametrize("serials", Serials)
def test_an_entry_says_where_its_serials_are_from(serials: Serials) -> None:
    """Drawn ones are not mentioned, as it always was; of a word of later versions the least is believed."""
    batch = replace(BATCH, serials=serials)
    assert Batch.read(batch.entry()) == batch and ("serials" in batch.entry()) == (serials is not Serials.RANDOM)
    assert Batch.read({**BATCH.entry(), "serials": "something new"}).serials is Serials.GUESSABLE
    with pytest.raises(MalformedError, match="serials are a word"):
        Batch.read({**BATCH.entry(), "serials": 1})


@given(st.dictionaries(st.sampled_from(sorted(BATCH.entry())), st.none() | st.integers() | st.text() | st.binary()))
def test_reading_an_entry_is_total(changes: dict[str, object]) -> None:
    """Whatever stands in an entry, it is a batch or malformed."""
    try:
        batch = Batch.read({**BATCH.entry(), **changes})
    except MalformedError:
        return
    assert batch.entry() == {**BATCH.entry(), **changes}


def test_a_link_that_is_no_label() -> None:
    """A link without one signature of the right length is no label."""
    for query in ("", "?s=1", f"?s={'1' * 169}&s={'1' * 169}"):
        with pytest.raises(MalformedError, match="carries no label"):
            Label.of(gs1.parse(f"https://a/01/{GTIN}{query}"))
