"""Making the page of a logistic unit, such as a pallet, of what was found and checked. Pure.

Its label is not signed: a label key signs for GTINs, and an SSCC has none. So the page tells what public events say of
the unit with this number, and nothing of the label. What was printed on the label as its content is not told either.
"""

from labels.judgement import Standing
from labels.pages import history_view
from labels.pages.found import Trail
from labels.pages.history_view import HistoryMaker
from labels.pages.page import UnitPage

NOUN = "unit"
_HEADLINES = {Standing.NO_CLAIM: "A pallet or a case", Standing.PROBLEM: "Problem"}
_TOLD = "This is what the ledger has of the unit with this number."
_UNKNOWN = "The ledger has no public event of a unit with this number."
_LABEL = "A pallet's label is not signed, so nothing is proven of the label itself."
_NOT_PROVEN = (
    "That this label belongs to the unit with this number: anybody can print one.",
    "What is on the unit: that stands on its label. The labels of the products on it can be checked one by one.",
)


def compose(found: Trail) -> UnitPage:
    """The page of what was found of a unit; a plain one, if nothing was."""
    view = HistoryMaker(found).view()
    failing = history_view.failing(view.counts)
    standing = Standing.PROBLEM if failing else Standing.NO_CLAIM
    told = failing or (_TOLD if view.steps else _UNKNOWN)
    return UnitPage(
        **view.fields,
        standing=standing,
        headline=_HEADLINES[standing],
        reason=f"{told} {_LABEL}",
        not_proven=(*_NOT_PROVEN, *history_view.not_proven(found, view.counts)),
        unsigned=history_view.unsigned(found.link),
        sscc=found.link.sscc or "",
    )
