"""Whether a label is genuine, and what is said when it is not."""

from dataclasses import replace

import pytest

from labels import gs1
from labels.batch import Label, Serials
from labels.book import Book, IssuedBatch
from labels.catalogue.place import Level
from labels.judgement import UNCOUNTED, UNPUBLISHED, LabelVerdict, Membership, Standing, judge, level_of
from labels.signature import LabelFault, LabelKey, sign_label
from ledger.keys import SigningKey
from tests.labels.made import commit, sign_labels
from tests.labels.proving import prove

GTIN, LOT, DAY = "09506000134352", "L1", 2_500
KEY, OTHER = SigningKey(bytes(range(32))), SigningKey(bytes(32))
LINE = LabelKey(KEY.public, "https://example.com", (GTIN,), DAY - 5, DAY + 5)
LABELS = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=["AAAA222222", "BBBB333333", "CCCC444444"])
BATCH = commit(LABELS, gtin=GTIN, lot=LOT, kid=KEY.kid, day=DAY)
BOOK = Book(
    size=10,
    organisations={"https://example.com": "Example"},
    label_keys=(LINE,),
    batches={BATCH.root: IssuedBatch(BATCH, 7, bytes(32), 0)},
)


def find(label: Label) -> Membership | None:
    """Where a label stands in the batch."""
    if label not in LABELS:
        return None
    index = LABELS.index(label)
    return Membership(BATCH.root, index, prove(index, [label.leaf_hash for label in LABELS]))


def judged(link: str, book: Book = BOOK, *, today: int = DAY + 1) -> LabelVerdict:
    """The verdict on a link."""
    return judge(gs1.parse(link), book, today=today, find=find, is_listed=lambda _: True)


def judged_by_copy(link: str, book: Book = BOOK) -> LabelVerdict:
    """The verdict of a copy of the ledger, which has the batches and no labels."""
    return judge(gs1.parse(link), book, today=DAY + 1, find=lambda _: None, is_listed=lambda _: False)


def link(number: int = 1, host: str = "id.example.com") -> str:
    """The link of a label."""
    return LABELS[number].link(host)


def test_a_label_of_a_published_batch_is_genuine() -> None:
    """Whatever host its link names; it is told which number of which batch it is."""
    for host in ("id.example.com", "127.0.0.1:8420"):
        verdict = judged(link(1, host))
        assert (verdict.standing, verdict.fault, verdict.index) == (Standing.GENUINE, "", 1)
        assert verdict.batch is not None and verdict.batch.batch == BATCH and "Example" in verdict.reason


def test_without_a_signature_nothing_is_asked() -> None:
    """An unsigned or badly signed link never looks into the batches, so it learns nothing of what was issued."""

    def never(label: Label) -> Membership | None:
        raise AssertionError("it looked")

    unsigned = link().partition("?")[0]
    for bad in (unsigned, f"{unsigned}?s=12", link().replace("BBBB", "BBBA"), link() + "&s=1"):
        verdict = judge(gs1.parse(bad), BOOK, today=DAY, find=never, is_listed=lambda _: True)
        assert not verdict.is_signed and verdict.standing in (Standing.NOT_PROVEN, Standing.PROBLEM)


def test_a_link_of_a_product_claims_nothing() -> None:
    """Without a serial and a signature it is a page about the product, and no complaint."""
    for path in (f"/01/{GTIN}", f"/01/{GTIN}/10/{LOT}"):
        assert judged(f"https://id.example.com{path}").standing is Standing.NO_CLAIM


def test_a_lot_without_labels_is_said_to_have_none() -> None:
    """A lot that nobody issued labels for, perhaps a mistyped one, does not look like one that has some."""
    known, unknown = (judged(f"https://id.example.com/01/{GTIN}/10/{lot}").reason for lot in (LOT, "NOSUCH"))
    assert known == "This is about the lot in general: no label was shown."
    assert unknown == f"{known} No labels of this lot are published in this ledger."


@pytest.mark.parametrize(
    ("book", "today", "fault"),
    [
        (replace(BOOK, label_keys=()), DAY, LabelFault.UNKNOWN_KEY),
        (replace(BOOK, label_keys=(replace(LINE, gtins=("0001",)),)), DAY, LabelFault.WRONG_GTIN),
        (replace(BOOK, label_keys=(replace(LINE, last_day=DAY - 1),)), DAY, LabelFault.WRONG_DAY),
        (BOOK, DAY - 1, LabelFault.FUTURE),
    ],
)
def test_a_key_out_of_its_scope_is_a_problem(book: Book, today: int, fault: LabelFault) -> None:
    """Unknown, of another brand, of other days, or from the future."""
    verdict = judged(link(), book, today=today)
    assert (verdict.standing, verdict.fault) == (Standing.PROBLEM, fault) and not verdict.is_signed


def test_a_label_in_no_batch_is_not_proven() -> None:
    """A good signature over a serial that no batch declared: perhaps one too many."""
    path = f"/01/{GTIN}/21/DDDD555555"
    verdict = judged(f"https://id.example.com{path}?s={sign_label(KEY, DAY, path)}")
    assert (verdict.standing, verdict.fault) == (Standing.NOT_PROVEN, UNPUBLISHED) and verdict.is_signed


def test_a_copy_says_that_it_cannot_count() -> None:
    """It knows the batch and not its labels: neither genuine nor one too many, whichever of the two it is."""
    path = f"/01/{GTIN}/21/DDDD555555"
    for each in (link(), f"https://id.example.com{path}?s={sign_label(KEY, DAY, path)}"):
        verdict = judged_by_copy(each)
        assert (verdict.standing, verdict.fault) == (Standing.SIGNED, UNCOUNTED) and verdict.is_signed
        assert [issued.batch for issued in verdict.uncounted] == [BATCH] and verdict.batch is None
        assert "3 labels of its key and day are published (lot L1)" in verdict.reason


@pytest.mark.parametrize("change", [{"gtin": "09506000134369"}, {"kid": OTHER.kid}, {"day": DAY - 1}])
def test_a_copy_knows_a_label_that_can_be_in_no_batch(change: dict[str, object]) -> None:
    """Of another product, key or day none is missing."""
    batch = replace(BATCH, **change)  # type: ignore[arg-type]
    assert judged_by_copy(link(), replace(BOOK, batches={batch.root: IssuedBatch(batch, 7, bytes(32), 0)})).fault == (
        UNPUBLISHED
    )


def test_a_copy_takes_no_label_of_a_revoked_key() -> None:
    """Whether it was issued before cannot be told there, and that is what is said."""
    book = replace(BOOK, label_keys=(replace(LINE, revoked=True),), revoked_at={KEY.kid: 8})
    verdict = judged_by_copy(link(), book)
    assert (verdict.standing, verdict.fault) == (Standing.PROBLEM, LabelFault.REVOKED) and not verdict.is_signed
    assert "no list of the labels" in verdict.reason


def test_a_batch_that_the_registry_has_not_does_not_count() -> None:
    """The database may hold a batch that is not published yet."""
    assert judged(link(), replace(BOOK, batches={})).fault == UNPUBLISHED


@pytest.mark.parametrize("change", [{"gtin": "09506000134369"}, {"kid": OTHER.kid}, {"root": bytes(32)}, {"size": 2}])
def test_a_batch_of_another_product_key_or_root_does_not_count(change: dict[str, object]) -> None:
    """The batch must be of this product and this key, and its root must commit to the label."""
    batch = replace(BATCH, **change)  # type: ignore[arg-type]
    verdict = judged(link(), replace(BOOK, batches={BATCH.root: IssuedBatch(batch, 7, bytes(32), 0)}))
    assert verdict.fault == UNPUBLISHED


def test_another_lot_in_the_link_does_not_count() -> None:
    """A link that names a lot must name the batch's."""
    path = f"/01/{GTIN}/10/L2/21/BBBB333333"
    label = Label(path, sign_label(KEY, DAY, path))
    batch = commit([label], gtin=GTIN, lot=LOT, kid=KEY.kid, day=DAY)
    book = replace(BOOK, batches={batch.root: IssuedBatch(batch, 7, bytes(32), 0)})
    place = Membership(batch.root, 0, [])
    found = judge(gs1.parse(label.link("h")), book, today=DAY, find=lambda _: place, is_listed=lambda _: True)
    assert found.fault == UNPUBLISHED


@pytest.mark.parametrize(("fell_at", "standing"), [(8, Standing.GENUINE), (6, Standing.PROBLEM)])
def test_after_a_revocation_the_batch_decides(fell_at: int, standing: Standing) -> None:
    """A batch published before its key fell stays good; one published after it never was."""
    book = replace(BOOK, label_keys=(replace(LINE, revoked=True),), revoked_at={KEY.kid: fell_at})
    assert judged(link(), book).standing is standing


def test_a_label_of_a_revoked_key_in_no_batch_is_a_problem() -> None:
    """Whoever has the key cannot add to what was published."""
    path = f"/01/{GTIN}/21/DDDD555555"
    book = replace(BOOK, label_keys=(replace(LINE, revoked=True),), revoked_at={KEY.kid: 99})
    verdict = judged(f"https://id.example.com{path}?s={sign_label(KEY, DAY, path)}", book)
    assert (verdict.standing, verdict.fault) == (Standing.PROBLEM, LabelFault.REVOKED) and not verdict.is_signed


def test_a_signed_label_without_a_serial_is_of_its_lot() -> None:
    """It is genuine as a lot's label, never as an item's."""
    path = f"/01/{GTIN}/10/{LOT}"
    label = Label(path, sign_label(KEY, DAY, path))
    batch = commit([label], gtin=GTIN, lot=LOT, kid=KEY.kid, day=DAY)
    book = replace(BOOK, batches={batch.root: IssuedBatch(batch, 7, bytes(32), 0)})
    link, place = gs1.parse(label.link("h")), Membership(batch.root, 0, [])
    found = judge(link, book, today=DAY, find=lambda _: place, is_listed=lambda _: True)
    assert found.standing is Standing.GENUINE and level_of(link) is Level.LOT


def test_a_serial_that_can_be_guessed_is_of_its_lot_alone() -> None:
    """The label is genuine, and says nothing of an item; the maker's own others are an item's."""
    for serials, level in ((Serials.GUESSABLE, Level.LOT), (Serials.OWN, Level.ITEM), (Serials.RANDOM, Level.ITEM)):
        batch = replace(BATCH, serials=serials)
        verdict = judged(link(), replace(BOOK, batches={batch.root: IssuedBatch(batch, 7, bytes(32), 0)}))
        assert verdict.standing is Standing.GENUINE and level_of(gs1.parse(link()), verdict) is level
        assert ("says nothing of a single item" in verdict.reason) == (level is Level.LOT)


@pytest.mark.parametrize(("lot", "batch", "fault"), [
    (LOT, BATCH.root, ""), (LOT, bytes(32), UNPUBLISHED), ("OTHER", BATCH.root, UNPUBLISHED),
])  # fmt: skip
def test_a_key_for_one_batch_is_for_no_other(lot: str, batch: bytes, fault: str) -> None:
    """Whatever else it signed and was published does not count."""
    line = replace(LINE, lot=lot, batch=batch)
    assert judged(link(), replace(BOOK, label_keys=(line,))).fault == fault


def test_the_maker_of_such_a_key_reads_its_lot_in_the_link() -> None:
    """A link that names another lot is a problem, before any batch is asked for."""
    (label,) = sign_labels(KEY, DAY, gtin=GTIN, lot="OTHER", serials=["AAAA222222"], lot_in_link=True)
    book = replace(BOOK, label_keys=(replace(LINE, lot=LOT, batch=BATCH.root),))
    verdict = judged(label.link("id.example.com"), book)
    assert (verdict.standing, verdict.fault) == (Standing.PROBLEM, LabelFault.WRONG_LOT)
