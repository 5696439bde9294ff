"""Making the page of a product, a lot or an item of what was found and checked. Pure."""

from labels import words
from labels.book import IssuedBatch
from labels.judgement import UNCOUNTED, UNPUBLISHED, LabelVerdict, Standing, headline, level_of
from labels.labelled import lot_of_label
from labels.pages import history_view, product_view
from labels.pages.found import LOTS_MAX, Found
from labels.pages.history_view import HistoryMaker
from labels.pages.page import Counts, LotView, Page, Proof
from labels.signature import LabelFault, date_of


def compose(found: Found) -> Page:
    """The page of what was found."""
    maker, level = HistoryMaker(found), level_of(found.link, found.label)
    view = maker.view(_rests_on(found, maker))
    standing, reason = _overall(found.label, view.counts)
    batch, link = found.label.batch, found.link
    signer = found.label.key if found.label.is_signed else None
    label_says = headline(standing, level, found.label.fault)
    return Page(
        **view.fields,
        standing=standing,
        level=level,
        headline=product_view.headline(label_says, standing, found.described.recalls),
        label=label_says,
        reason=reason,
        recalls=tuple(product_view.recall(one, prove=maker.proof) for one in found.described.recalls),
        fault=found.label.fault or ("" if standing is not Standing.PROBLEM else "unverified"),
        gtin=link.gtin or "",
        lot=lot_of_label(link, found.label) or "",
        serial=link.serial or "",
        product=found.described.name or _product(found),
        described=product_view.product(
            found.described, found.picture, organisation=found.book.organisation, prove=maker.proof
        ),
        issued=date_of(found.label.day).isoformat() if signer and found.label.day is not None else "",
        issuer=found.book.organisation(signer.organisation) if signer else "",
        number=f"{found.label.index + 1} of {batch.batch.size}" if batch and found.label.index is not None else "",
        lots=tuple(_lot(found, issued) for issued in _lots(found)),
        meaning=tuple(_meaning(standing, found)),
        not_proven=tuple(_not_proven(found, view.counts)),
        unsigned=history_view.unsigned(link, signed=("s",)),
        redeemable=_is_redeemable(found, standing),
    )


def _rests_on(found: Found, maker: HistoryMaker) -> list[Proof]:
    """The registry's entries behind the label and what is said of the product."""
    return [
        *(maker.proof(what, checked) for what, checked in found.issue),
        *(maker.proof("recall", recalled.checked) for recalled in found.described.recalls),
        *(maker.proof(f"{said.level} description", said.checked) for said in found.described.said),
    ]


def _overall(label: LabelVerdict, counts: Counts) -> tuple[Standing, str]:
    failing = history_view.failing(counts) if label.is_signed else ""
    return (Standing.PROBLEM, failing) if failing else (label.standing, label.reason)


def _is_redeemable(found: Found, standing: Standing) -> bool:
    """Whether the label's batch has hidden codes. Without a signature the same is said of every serial of a product."""
    if standing is Standing.GENUINE and found.label.batch is not None:
        return found.label.batch.batch.hidden is not None
    link, is_unsigned = found.link, found.label.fault == LabelFault.UNSIGNED and found.link.serial is not None
    return is_unsigned and any(issued.batch.hidden is not None for issued in found.book.lots(link.gtin or ""))


def _meaning(standing: Standing, found: Found) -> list[str]:
    """What to make of a label that is not genuine."""
    label = found.label
    if standing is Standing.PROBLEM and label.is_signed:
        return ["The label itself is signed, but what is told below is not all in the ledger as it was signed."]
    if standing is Standing.PROBLEM:
        return [
            "Nothing is shown of this item, because nothing about it is proven.",
            "Scan the code on the label itself once more. If it says the same, do not rely on this label, and ask "
            "whom you have the product from.",
        ]
    if label.fault == LabelFault.UNSIGNED and standing is Standing.NOT_PROVEN:
        return [
            *(["Part of this product is recalled, as told below: look at its lot."] * bool(found.described.below)),
            "Without a label's signature this page says the same of every serial, whether there is such an item or "
            "not.",
            "Scan the code on the label: its link ends in ?s= and a long number.",
        ]
    if label.fault == UNPUBLISHED:
        return ["Wait a minute, and scan it again. If it says the same, more labels are about than were declared."]
    if label.fault == UNCOUNTED:
        return [
            "A key that may sign labels of this product has signed this one. A label too many, signed by the same key, "
            "would look the same here.",
            "The label service that issued it can count its labels: where that is still there, ask it.",
        ]
    return []


def _not_proven(found: Found, counts: Counts) -> list[str]:
    """What is said, always, on every page that says anything of an item."""
    if not found.label.is_signed:
        return []
    moved = "That the object in your hand is the labelled one: a label can be copied, or moved to another."
    return [moved, *history_view.not_proven(found, counts)]


def _lots(found: Found) -> list[IssuedBatch]:
    """The batches to be told of: where no label was shown, those of the product or lot."""
    link, label = found.link, found.label
    if label.standing is Standing.PROBLEM or not link.gtin:
        return []
    if label.batch:
        return [label.batch]
    return list(label.uncounted or found.book.lots(link.gtin, link.lot))[-LOTS_MAX:][::-1]


def _lot(found: Found, issued: IssuedBatch) -> LotView:
    batch, book = issued.batch, found.book
    signer = next((key for key in book.label_keys if key.thumbprint == batch.kid), None)
    return LotView(
        lot=batch.lot,
        labels=batch.size,
        issued=date_of(batch.day).isoformat(),
        organisation=book.organisation(signer.organisation) if signer else "",
        root=batch.root.hex(),
        entry=issued.index,
        bundle=issued.statement_hash.hex(),
        recalled=book.recalled(batch.gtin, batch.lot) is not None,
    )


def _product(found: Found) -> str:
    """The product's name, as the first proven event says that does."""
    for step in found.history.steps:
        if found.checked[step.row.source.entry_id].verdict and (name := words.product(step.row.event.document)):
            return name
    return ""
