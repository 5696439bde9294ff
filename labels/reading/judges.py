"""Who says whether a label is genuine: a trust bundle, a ledger, or a label service that is asked."""

from typing import Protocol

from labels import gs1
from labels.address import as_json, signed
from labels.book import Book
from labels.clock import today
from labels.judgement import LabelVerdict
from labels.reading import answered, unsigned, verdict
from labels.reading.recalls import KnownRecalls
from labels.reading.say import Said
from labels.reading.verdict import Verdict
from labels.service import Service, fields_of
from labels.signature import LabelKey
from ledger.errors import MalformedError, SourceUnreachable, UserError
from ledger.trust.trust_file import Trust

_PAGE_BYTES_MAX = 8 * 1024 * 1024


class Judge(Protocol):
    """Says of a label what it is, and of other codes whether what they name is recalled."""

    def judge(self, link: gs1.DigitalLink) -> Verdict:
        """The verdict on the label of a link, which names a product; raises UserError where it cannot be had now."""
        ...

    def unsigned(self, link: gs1.DigitalLink, what: str) -> Verdict | None:
        """That what a code, in words `what`, names is recalled, or may be; None if it is not; raises as `judge`."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


def verdict_on(said: Said, judge: Judge) -> Verdict | None:
    """The verdict on what a code says, if that is a label, was one, or names what is recalled."""
    if not said.kind.is_label:
        return judge.unsigned(said.product, said.kind.headline) if said.product is not None else None
    if said.link is None or said.link.gtin is None:
        return verdict.unreadable(said)
    return judge.judge(said.link)


class TrustJudge:
    """By a trust bundle, offline."""

    def __init__(self, trust: Trust) -> None:
        if trust.bundle is None:
            raise UserError(
                "the trust file knows no label keys: it is not a trust bundle",
                "ask the operator for one: 'tallystick ledger trust export'",
            )
        self._keys = tuple(map(LabelKey.of, trust.bundle.label_keys))
        self._known = KnownRecalls.of(trust.bundle)
        self._by = f"the trust bundle of {trust.name}, as of {self._known.as_of}"

    def judge(self, link: gs1.DigitalLink) -> Verdict:
        """As `Judge`."""
        return verdict.by_trust(link, self._keys, self._known, today=today(), by=self._by)

    def unsigned(self, link: gs1.DigitalLink, what: str) -> Verdict | None:
        """As `Judge`."""
        return unsigned.by_trust(link, self._known, what=what, by=self._by)

    def close(self) -> None:
        """Nothing is held."""


class Resolving(Protocol):
    """Finds in a ledger what it knows of a label."""

    def judge(self, link: gs1.DigitalLink) -> tuple[LabelVerdict, Book]:
        """The verdict on the label that a link was read from, and the book by which it is; UserError as `Judge`."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class LedgerJudge:
    """By the ledger of this machine."""

    def __init__(self, resolver: Resolving, name: str) -> None:
        self._resolver, self._by = resolver, name

    def judge(self, link: gs1.DigitalLink) -> Verdict:
        """As `Judge`."""
        label, book = self._resolver.judge(link)
        return verdict.by_ledger(link, label, book, by=self._by)

    def unsigned(self, link: gs1.DigitalLink, what: str) -> Verdict | None:
        """As `Judge`."""
        _, book = self._resolver.judge(link)
        return unsigned.by_ledger(link, book.catalogue, what=what, by=self._by)

    def close(self) -> None:
        """Close the sessions."""
        self._resolver.close()


class ServiceJudge:
    """By a label service, which is asked for the label's page; what it says is held against a trust bundle."""

    def __init__(self, address: str, trust: Trust) -> None:
        self._service, self._offline = Service(address), TrustJudge(trust)

    def judge(self, link: gs1.DigitalLink) -> Verdict:
        """As `Judge`."""
        checked = self._offline.judge(link)
        return answered.by_service(self._page(link), checked, by=self._service.address)

    def unsigned(self, link: gs1.DigitalLink, what: str) -> Verdict | None:
        """As `Judge`."""
        checked = self._offline.unsigned(link, what)
        return unsigned.by_service(self._page(link), link, checked, what=what, by=self._service.address)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def _page(self, link: gs1.DigitalLink) -> object:
        """A page as the service has it; None for what is none."""
        try:
            status, body = self._service.get(as_json(signed(link)), bytes_max=_PAGE_BYTES_MAX, hint=_HINT)
            if status != 200:
                raise SourceUnreachable(f"{self._service.address} answers with HTTP {status}", _HINT)
            return fields_of(body)
        except MalformedError:
            return None


_HINT = "is it a label service? without --url the signature alone is checked, offline"
