"""What is told of pictures: each code that was read, what it says, and whether a label is genuine. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labels.reading import verdict
from labels.reading.code import Code, Page
from labels.reading.say import Kind, Said, say_all
from labels.reading.verdict import Verdict
from labels.words import plural

GOOD, MISTAKE, NOT_GENUINE = 0, 1, 2
Alike = tuple[Verdict, str]  # what is said of good labels that differ in no more than lot and serial, and their GTIN
_TEXT_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """A code that was read. `also_in` names an earlier picture with a label of the same item."""

    page: int
    code: Code
    said: Said
    verdict: Verdict | None
    also_in: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The reading as JSON holds it."""
        elements = [{"ai": ai, "title": title, "value": value} for ai, title, value in self.said.elements]
        return {
            "page": self.page,
            "carrier": self.code.carrier,
            "symbology": self.code.symbology,
            "corners": self.code.corners,
            "kind": str(self.said.kind),
            "text": self.said.text,
            "elements": elements,
            "complaint": self.said.complaint,
            "label_page": self.said.page,
            "also_in": self.also_in,
            **(self.verdict.document if self.verdict else {"verdict": None}),
        }


@dataclass
class Report:
    """What was read of one picture: its pages so far, and why the rest of it cannot be read, if so."""

    picture: str
    pages: int = 0
    readings: list[Reading] = field(default_factory=list)
    unread: int = 0
    complaint: str = ""

    def add(self, page: Page, judge: Callable[[Said], Verdict | None], seen: dict[str, str]) -> None:
        """Add a page. `seen` has by a label's path the picture in which it was seen first, and learns of more."""
        said = list(zip(page.codes, say_all(page.codes), strict=True))
        here = Counter(_name(one) for _, one in said if one.kind is Kind.LABEL)
        for code, one in said:
            told = judge(one)
            if told is not None and here[_name(one)] > 1:
                told = verdict.seen_twice(told)
            first = seen.setdefault(_name(one), self.picture) if one.kind.is_label else self.picture
            self.readings.append(Reading(page.number, code, one, told, "" if first == self.picture else first))
        self.pages, self.unread = page.number, self.unread + page.unread

    @property
    def exit_code(self) -> int:
        """0 if it shows labels and all is good, 2 if something is not or none is there, 1 if it cannot be read."""
        told = [reading.verdict for reading in self.readings if reading.verdict is not None]
        if any(not verdict.is_good for verdict in told):
            return NOT_GENUINE
        if self.complaint:
            return MISTAKE
        return GOOD if told else NOT_GENUINE

    @property
    def document(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "picture": self.picture,
            "pages": self.pages,
            "codes": [reading.document for reading in self.readings],
            "unread": self.unread,
            "error": self.complaint,
        }


def lines(report: Report) -> Iterator[str]:
    """The report for a person. Texts in it come from others: print what `printable` leaves of it.

    Of good labels of which the same is to be said, the first is told in full, each other one in a line.
    """
    yield f"{report.picture}: {_counted(report)}"
    in_full = set[Alike]()
    for number, reading in enumerate(report.readings, 1):
        alike = _alike(reading)
        yield from (_briefly if alike in in_full else _lines)(number, reading, report.pages)
        if alike is not None:
            in_full.add(alike)
    if report.unread:
        what = plural(report.unread, "code seems to be there that", "codes seem to be there that")
        yield f"    {what} cannot be read: go nearer, hold still, or scan with more dots"


def summary(reports: Sequence[Report]) -> str:
    """All of them in a line: what the labels are, and how many; and how many other codes are of what is recalled."""
    told = [reading for report in reports for reading in report.readings if reading.verdict]
    labels = [reading.verdict for reading in told if reading.verdict and reading.said.kind.is_label]
    noted, others = sum(bool(one.notes) for one in labels), len(told) - len(labels)
    return (
        (f"{plural(len(labels), 'label')}: {_headlines(labels)}" if labels else "no label")
        + (f"; {noted:,} with a warning" if noted else "")
        + (f"; {plural(others, 'other code')} with a warning" if others else "")
    )


def _headlines(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(told.headline for told in verdicts)
    return ", ".join(f"{count:,} {name.lower()}" for name, count in counts.most_common())


def _alike(reading: Reading) -> Alike | None:
    """What a good label shares with others of its product; None for one of which there is more to say."""
    told, link = reading.verdict, reading.said.link
    if told is None or link is None or link.gtin is None or not told.is_good or reading.also_in:
        return None
    return replace(told, lot="", serial=""), link.gtin


def _briefly(number: int, reading: Reading, pages: int) -> Iterator[str]:
    told = reading.verdict
    yield f"{number:>3} {told.headline.upper()}{_where(reading, pages)}: {told.what}" if told else ""


def _lines(number: int, reading: Reading, pages: int) -> Iterator[str]:
    told, where = reading.verdict, _where(reading, pages)
    if told is None:
        yield f"{number:>3} {reading.said.kind.headline}, in a {reading.code.carrier}{where}"
    else:
        yield f"{number:>3} {told.headline.upper()}{where}"
        yield f"      {told.reason}"
        yield from (f"      ! {note}" for note in told.notes)
        yield from (f"      it is on {told.what}",) if told.what else ()
    for ai, title, value in reading.said.elements:
        yield f"      ({ai}) {value}  {title}" if len(value) < _TEXT_SHOWN else f"      ({ai}) {value[:_TEXT_SHOWN]}…"
    if told is not None and told.issuer:
        yield f"      issued {told.issued} by {told.issuer}"
    if told is not None and told.by:
        yield f"      by the word of {told.by}"
    if reading.said.complaint and told is None:
        yield f"      but {reading.said.complaint}"
    if not reading.said.elements:
        yield f"      {_shown(reading.said.text)}"
    if reading.also_in:
        yield f"      a label of the same item is in {reading.also_in}"


def _where(reading: Reading, pages: int) -> str:
    return f" (page {reading.page})" if pages > 1 else ""


def _counted(report: Report) -> str:
    if report.complaint and not report.pages:
        return f"cannot be read: {report.complaint}"
    codes = plural(len(report.readings), "code") if report.readings or report.unread else "no code found"
    pages = f" on {plural(report.pages, 'page')}" if report.pages > 1 else ""
    return f"{codes}{pages}" + (f"; the rest cannot be read: {report.complaint}" if report.complaint else "")


def _shown(text: str) -> str:
    return text if len(text) <= _TEXT_SHOWN else text[: _TEXT_SHOWN - 1] + "…"


def _name(said: Said) -> str:
    """By what a label is known again: its path, whatever host it names."""
    return said.link.canonical_path if said.link is not None else said.text
