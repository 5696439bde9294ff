"""Linters of North American coupons, (8110) and (8112): digits in fields, some of which say how long the next is.

Sources: the North American Coupon Application Guideline Using GS1 DataBar Expanded Symbols; GS1 AI (8112) Coupon Data
Specifications. A fault's offset is where its field begins, or 0 if nothing is left of the digits.
"""

from collections.abc import Callable

from labels.gs1.errors import Fault, Rule, excerpt
from labels.gs1.lint_dates import yymmdd

_OFFER_DIGITS = 6
_FAMILY_DIGITS = 3
_NO_PREFIX = "9"


def couponcode(text: str) -> Fault | None:
    """A coupon: who issued it, the offer, what is saved, what must be bought; then optional fields, in order."""
    return _fault(_Coupon.offer, text)


def couponposoffer(text: str) -> Fault | None:
    """A coupon of the positive offer file: its format, who funds it, the offer and a serial number."""
    return _fault(_Coupon.positive_offer, text)


class _Bad(Exception):
    def __init__(self, complaint: str, at: int) -> None:
        super().__init__(complaint)
        self.fault = Fault(Rule.COUPON, complaint, at)


def _fault(read: "Callable[[_Coupon], None]", text: str) -> Fault | None:
    if not text.isdigit():
        at = next(at for at, char in enumerate(text) if not char.isdigit())
        return Fault(Rule.CHARACTER, f"{excerpt(text[at])} cannot stand in a coupon", at)
    coupon = _Coupon(text)
    try:
        read(coupon)
        coupon.end()
    except _Bad as bad:
        return bad.fault
    return None


class _Coupon:
    """The digits, and how far they were read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def positive_offer(self) -> None:
        """The fields of (8112)."""
        self.digit("01", "format")
        self.sized("0123456", 6, "coupon funder")
        self.take(_OFFER_DIGITS, "offer code")
        self.sized("0123456789", 6, "serial number")

    def offer(self) -> None:
        """The fields of (8110)."""
        self.sized("0123456", 6, "company prefix")
        self.take(_OFFER_DIGITS, "offer code")
        self.sized("12345", 0, "save value")
        self.purchase("first")
        if self.option("1"):
            self.digit("0123", "rule of additional purchases")
            self.purchase("second")
            self.other_prefix("second")
        if self.option("2"):
            self.purchase("third")
            self.other_prefix("third")
        self.dates()
        if self.option("5"):
            self.sized("0123456789", 6, "serial number")
        if self.option("6"):
            self.sized("1234567", 6, "retailer")
        if self.option("9"):
            self.miscellaneous()

    def purchase(self, which: str) -> None:
        """A requirement, its code and a family code."""
        self.sized("12345", 0, f"{which} purchase's requirement")
        self.digit("012349", f"{which} purchase's requirement code")
        self.take(_FAMILY_DIGITS, f"{which} purchase's family code")

    def other_prefix(self, which: str) -> None:
        """Another company's prefix, or the first's again."""
        if self.text[self.at : self.at + 1] == _NO_PREFIX:
            self.at += 1
        else:
            self.sized("0123456", 6, f"{which} purchase's company prefix")

    def dates(self) -> None:
        """The last day, then the first."""
        last_at = self.at
        last = self.date("last day") if self.option("3") else None
        if self.option("4"):
            first = self.date("first day")
            if last and first > last:
                raise _Bad(f"the coupon ends on {last}, before it begins on {first}", last_at)

    def miscellaneous(self) -> None:
        """How the value is meant, what it applies to, and two flags."""
        self.digit("01256", "save value code")
        self.digit("012", "item that the value applies to")
        self.digit("0123456789", "store coupon flag")
        self.digit("01", "don't-multiply flag")

    def option(self, mark: str) -> bool:
        """Whether the optional field that begins with `mark` stands here."""
        if self.text[self.at : self.at + 1] != mark:
            return False
        self.at += 1
        return True

    def digit(self, among: str, name: str) -> str:
        """One digit of `among`."""
        found = self.text[self.at : self.at + 1]
        if not found:
            raise _Bad(f"the {name} is missing", 0)
        if found not in among:
            raise _Bad(f"{found} is no {name}", self.at)
        self.at += 1
        return found

    def sized(self, among: str, more: int, name: str) -> None:
        """A digit of `among` and as many digits as it says, and `more`."""
        size = int(self.digit(among, f"length of the {name}")) + more
        self.take(size, name)

    def take(self, size: int, name: str) -> str:
        """The next digits."""
        found = self.text[self.at : self.at + size]
        if len(found) < size:
            raise _Bad(f"the {name} has {len(found)} digits instead of {size}", self.at if found else 0)
        self.at += size
        return found

    def date(self, name: str) -> str:
        """A date's six digits."""
        at = self.at
        found = self.take(6, name)
        if fault := yymmdd(found):
            raise _Bad(f"the {name} is no date: {fault.complaint}", at)
        return found

    def end(self) -> None:
        """Nothing is left."""
        if self.at < len(self.text):
            raise _Bad(f"{excerpt(self.text[self.at :])} is more than a coupon holds", self.at)
