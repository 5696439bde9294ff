"""Whether a label is genuine: its signature, its key's scope, and the batch that published it. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from labels import gs1
from labels.batch import Batch, Label, Serials
from labels.book import Book, IssuedBatch
from labels.catalogue.place import Level
from labels.signature import LabelError, LabelFault, LabelKey, signature_of, verify_label
from ledger.errors import OutsideError


class Standing(StrEnum):
    """What a page says at a glance."""

    GENUINE = "genuine"
    SIGNED = "signed"  # and its batch is published, but which labels are in that is not known here
    NOT_PROVEN = "not-proven"
    PROBLEM = "problem"
    NO_CLAIM = "no-claim"  # the page of a product or a lot, of which no label was shown


@dataclass(frozen=True, slots=True)
class Membership:
    """A label's place in a batch, and the proof of it."""

    batch_root: bytes
    index: int
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """What is to be said of a link's label.

    `fault` is a LabelFault's value, `unpublished`, `uncounted`, `unlisted`, or "" for a genuine one; `day` the issue
    day that it claims. `uncounted` are the published batches of which it may be one: their labels are not listed here.
    """

    standing: Standing
    reason: str
    fault: str = ""
    key: LabelKey | None = None
    day: int | None = None
    batch: IssuedBatch | None = None
    index: int | None = None
    uncounted: tuple[IssuedBatch, ...] = ()

    @property
    def is_signed(self) -> bool:
        """A key that may sign this label signed it: who shows it has held it, or a copy."""
        return self.standing is Standing.GENUINE or self.fault in (UNPUBLISHED, UNCOUNTED, UNLISTED)

    @property
    def is_of_its_lot_alone(self) -> bool:
        """The label's serial can be guessed: it is good for its lot, and nothing is said of an item."""
        return self.batch is not None and self.batch.batch.serials is Serials.GUESSABLE


UNPUBLISHED = "unpublished"
UNCOUNTED = "uncounted"
UNLISTED = "unlisted"
LOTS_TOLD = 5
RECALLED, PERHAPS_RECALLED = "Recalled: do not use", "Perhaps recalled: do not use"  # said of it at a glance instead
REVOKED = "Revoked key: do not rely on it"
_GUESSABLE = "Its maker's serial can be guessed: this is a label of its lot, and says nothing of a single item."
_UNCOUNTED_REVOKED = (
    "Its key was revoked, and this copy of the ledger has no list of the labels by which older ones could be told."
)
_UNLISTED_REVOKED = "Its key was revoked. Only the ledger can say whether a batch published before that has this label."
_HEADLINES = {
    (Standing.GENUINE, Level.ITEM): "Genuine label",
    (Standing.GENUINE, Level.LOT): "Genuine lot label",
    (Standing.GENUINE, Level.PRODUCT): "Genuine product label",
    (Standing.SIGNED, Level.ITEM): "Signed, but not counted here",
    (Standing.NOT_PROVEN, Level.ITEM): "Not proven",
    (Standing.PROBLEM, Level.ITEM): "Problem",
    (Standing.NO_CLAIM, Level.LOT): "A lot",
    (Standing.NO_CLAIM, Level.PRODUCT): "A product",
}
_REASONS = {
    LabelFault.MALFORMED: "The link was changed or cut short: what should be its signature is none.",
    LabelFault.UNKNOWN_KEY: "It is signed by no key that this ledger knows.",
    LabelFault.BAD_SIGNATURE: "The link was changed after it was signed, or the signature was made up.",
    LabelFault.WRONG_GTIN: "It is signed by a key that may not sign labels of this product.",
    LabelFault.WRONG_LOT: "It is signed by a key that was made for another lot alone.",
    LabelFault.WRONG_DAY: "It is signed by a key that was not to sign labels on that day.",
    LabelFault.FUTURE: "It says that it was issued on a day that is still to come.",
    LabelFault.REVOKED: "Its key was revoked, and no batch published before that has this label.",
}


def level_of(link: gs1.DigitalLink, label: LabelVerdict | None = None) -> Level:
    """Whether a product's link names an item, a lot, or no more than the product; an item as far as its serial can."""
    if link.serial is not None:
        return Level.LOT if label is not None and label.is_of_its_lot_alone else Level.ITEM
    return Level.LOT if link.lot is not None else Level.PRODUCT


def judge(
    link: gs1.DigitalLink,
    book: Book,
    *,
    today: int,
    find: Callable[[Label], Membership | None],
    is_listed: Callable[[Batch], bool],
) -> LabelVerdict:
    """Judge the label that `link` was read from.

    `find` looks up a label in the batches that were issued; it is asked only if the signature is good, so that a
    link without one learns nothing of which serials exist. `is_listed` says whether all labels of a batch are known.
    """
    checked = _checked(link, book.label_keys, today)
    if isinstance(checked, LabelVerdict):
        return _with_labels(checked, link, book)
    key, revoked = checked
    day, label = signature_of(link).day, Label.of(link)
    published = _published(label, key, link, book, find(label))
    if published is not None and not (revoked and published[0].index > book.revoked_at.get(key.thumbprint, -1)):
        how = ", and its batch was published before its key was revoked" if revoked else ""
        reason = f"The label is signed by {book.organisation(key.organisation)}, as one of a published batch{how}."
        told = f"{reason} {_GUESSABLE}" if published[0].batch.serials is Serials.GUESSABLE else reason
        return LabelVerdict(Standing.GENUINE, told, "", key, day, *published)
    uncounted = tuple(issued for issued in _possible(day, key, link, book) if not is_listed(issued.batch))
    if revoked:
        reason = _UNCOUNTED_REVOKED if uncounted else _REASONS[LabelFault.REVOKED]
        return LabelVerdict(Standing.PROBLEM, reason, LabelFault.REVOKED, key, day)
    if uncounted:
        return LabelVerdict(Standing.SIGNED, _uncounted(uncounted), UNCOUNTED, key, day, uncounted=uncounted)
    reason = "The signature is good, but the label is in no published batch: it may be too new, or one too many."
    return LabelVerdict(Standing.NOT_PROVEN, reason, UNPUBLISHED, key, day)


def judge_signature(link: gs1.DigitalLink, keys: Sequence[LabelKey], *, today: int) -> LabelVerdict:
    """Judge the label that `link` was read from by its signature alone, as a trust bundle can.

    At best it is SIGNED: a bundle has no list of the labels that were issued.
    """
    checked = _checked(link, keys, today)
    if isinstance(checked, LabelVerdict):
        return checked
    (key, revoked), day = checked, signature_of(link).day
    if revoked:
        return LabelVerdict(Standing.PROBLEM, _UNLISTED_REVOKED, LabelFault.REVOKED, key, day)
    reason = (
        f"The label is signed by {key.organisation}, for this product. Whether it is one of the labels that were "
        "declared, only the ledger can say."
    )
    return LabelVerdict(Standing.SIGNED, reason, UNLISTED, key, day)


def headline(standing: Standing, level: Level, fault: str = "") -> str:
    """What is to be said of a label in a few words: one whose key was revoked need not be forged."""
    if standing is Standing.PROBLEM and fault == LabelFault.REVOKED:
        return REVOKED
    return _HEADLINES.get((standing, level), _HEADLINES.get((standing, Level.ITEM), ""))


def _checked(link: gs1.DigitalLink, keys: Sequence[LabelKey], today: int) -> tuple[LabelKey, bool] | LabelVerdict:
    """The key that signed, and whether it is revoked; or the verdict, where that is all that can be said."""
    try:
        return verify_label(link, keys, today), False
    except LabelError as error:
        if error.fault is LabelFault.UNSIGNED:
            return _unsigned(link)
        if error.fault is not LabelFault.REVOKED or error.key is None:
            return LabelVerdict(Standing.PROBLEM, _REASONS[error.fault], error.fault, error.key)
        return error.key, True


def _with_labels(verdict: LabelVerdict, link: gs1.DigitalLink, book: Book) -> LabelVerdict:
    """The verdict on a product or lot; one that has no labels, perhaps a mistyped one, is said to have none."""
    if verdict.standing is not Standing.NO_CLAIM or book.lots(link.gtin or "", link.lot):
        return verdict
    return replace(verdict, reason=f"{verdict.reason} No labels of this {level_of(link)} are published in this ledger.")


def _unsigned(link: gs1.DigitalLink) -> LabelVerdict:
    if level_of(link) is Level.ITEM:
        reason = "The link carries no signature, so nothing is said of a single item. Scan the code on the label."
        return LabelVerdict(Standing.NOT_PROVEN, reason, LabelFault.UNSIGNED)
    reason = f"This is about the {level_of(link)} in general: no label was shown."
    return LabelVerdict(Standing.NO_CLAIM, reason, LabelFault.UNSIGNED)


def _possible(day: int, key: LabelKey, link: gs1.DigitalLink, book: Book) -> list[IssuedBatch]:
    """The published batches that a label of this product, key and day may be in."""
    lots = book.lots(link.gtin or "", link.lot)
    return [issued for issued in lots if (issued.batch.kid, issued.batch.day) == (key.thumbprint, day)]


def _uncounted(possible: Sequence[IssuedBatch]) -> str:
    lots = ", ".join(dict.fromkeys(issued.batch.lot for issued in possible[:LOTS_TOLD]))
    labels = sum(issued.batch.size for issued in possible)
    count = "1 label of its key and day is" if labels == 1 else f"{labels:,} labels of its key and day are"
    return (
        f"The signature is good, and {count} published (lot {lots}). This copy of the ledger has no list of them: it "
        "cannot say whether this is one of those."
    )


def _published(
    label: Label, key: LabelKey, link: gs1.DigitalLink, book: Book, found: Membership | None
) -> tuple[IssuedBatch, int] | None:
    """The batch that commits to the label, of this product, lot and key; and the label's number in it."""
    issued = book.batches.get(found.batch_root) if found else None
    if found is None or issued is None:
        return None
    batch = issued.batch
    if (batch.gtin, batch.kid) != (link.gtin, key.thumbprint) or link.lot not in (None, batch.lot):
        return None
    if key.batch not in (None, batch.root) or not key.covers_lot(batch.lot):
        return None
    try:
        batch.verify(label, index=found.index, proof=found.proof)
    except OutsideError:
        return None
    return issued, found.index
