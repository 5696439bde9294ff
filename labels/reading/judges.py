"""Who says whether a label is genuine: a trust bundle, a ledger, or a label service that is asked."""

import json
from typing import Protocol

import httpx

from labels import gs1
from labels.address import as_json, signed
from labels.book import Book
from labels.clock import today
from labels.judgement import LabelVerdict
from labels.reading import verdict
from labels.reading.say import Said
from labels.reading.verdict import Verdict
from labels.signature import LabelKey
from ledger.errors import SourceUnreachable, UserError, said
from ledger.published.http import web_address
from ledger.trust.trust_file import Trust

_ANSWER_BYTES_MAX = 8 * 1024 * 1024
_TIMEOUT_S = 20.0


class Judge(Protocol):
    """Says of a label what it is."""

    def judge(self, link: gs1.DigitalLink) -> Verdict:
        """The verdict on the label of a link, which names a product; raises UserError where it cannot be had now."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


def verdict_on(said: Said, judge: Judge) -> Verdict | None:
    """The verdict on what a code says, if that is a label or was one."""
    if said.complaint and (said.link is None or said.link.gtin is None):
        return verdict.unreadable(said) if said.kind.is_label else None
    return judge.judge(said.link) if said.link is not None and said.kind.is_label else None


class TrustJudge:
    """By a trust bundle, offline."""

    def __init__(self, trust: Trust) -> None:
        if trust.bundle is None:
            raise UserError(
                "the trust file knows no label keys: it is not a trust bundle",
                "ask the operator for one: 'tallystick ledger trust export'",
            )
        self._keys = tuple(map(LabelKey.of, trust.bundle.label_keys))
        self._by = f"the trust bundle of {trust.name}"

    def judge(self, link: gs1.DigitalLink) -> Verdict:
        """As `Judge`."""
        return verdict.by_trust(link, self._keys, today=today(), by=self._by)

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

    def close(self) -> None:
        """Close the sessions."""
        self._resolver.close()


class ServiceJudge:
    """By a label service, which is asked for the label's page; what it says is held against a trust bundle."""

    def __init__(self, address: str, trust: Trust) -> None:
        self._address, self._offline = web_address(address).rstrip("/"), TrustJudge(trust)
        headers = {"accept": "application/json", "user-agent": "tallystick"}
        self._client = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, headers=headers)

    def judge(self, link: gs1.DigitalLink) -> Verdict:
        """As `Judge`."""
        checked = self._offline.judge(link)
        return verdict.by_service(self._page(link), checked, by=self._address)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _page(self, link: gs1.DigitalLink) -> object:
        url = as_json(f"{self._address}{signed(link)}")
        try:
            with self._client.stream("GET", url) as response:
                if response.status_code != 200:
                    raise SourceUnreachable(f"{self._address} answers with HTTP {response.status_code}", _HINT)
                return _json(response)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise SourceUnreachable(f"{self._address} cannot be asked: {said(error)}", _HINT) from error


_HINT = "is it a label service? without --url the signature alone is checked, offline"


def _json(response: httpx.Response) -> object:
    """A page as the service has it; None for what is none."""
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > _ANSWER_BYTES_MAX:
            return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
