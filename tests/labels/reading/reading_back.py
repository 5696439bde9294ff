"""Sheets of labels read back by two readers, and what is said of each label: as the test and the bench do it.

One ledger, real and served over HTTP, issues labels; as many are tampered with. Each is printed on a sheet, which is
turned, blurred, scaled and made noisy, and read by zxing-cpp, as `labels read` does, and by Debian's zbar.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx

import tallystick
from labels.batch import Label
from labels.clock import today
from labels.issuing.keys import make_key
from labels.judgement import Standing
from labels.printing import qr
from labels.reading.code import Code
from labels.reading.decode import codes_on
from labels.reading.judges import Judge, TrustJudge, verdict_on
from labels.reading.say import say
from ledger.keys import SigningKey
from ledger.trust.trust_file import Trust
from tests.labels.reading.printed import STATES, sheets
from tests.labels.reading.tampering import HOST, NEVER_ISSUED, OTHER_GTIN, Keys, tampered
from tests.labels.reading.zbar import Zbar
from tests.labels.serving import served
from tests.labels.story import GTIN, issue_lot, while_ticking
from tests.world import ORGANISATION, World

READERS = ("zxing-cpp", "zbar")


@dataclass(frozen=True, slots=True)
class Issued:
    """Labels that were issued, as many that are tampered with (how, and the link), and whom to ask about them."""

    labels: tuple[Label, ...]
    tampered: tuple[tuple[str, str], ...]
    address: str
    trust: Trust

    @property
    def links(self) -> list[str]:
        """The genuine labels' links."""
        return [label.link(HOST) for label in self.labels]


@contextmanager
def issued(dsn: str, folder: Path, count: int) -> Iterator[Issued]:
    """A ledger below `folder` that issues `count` labels, half of them with their lot in the link, and serves them."""
    world = World(dsn, folder / "ledger")
    good = while_ticking(world, lambda: make_key(world.folder, dsn, gtins=[GTIN], days=30, timeout_s=20))
    halves = (count // 2, False), (count - count // 2, True)
    labels: list[Label] = []
    for size, in_link in halves:
        labels += issue_lot(world, size, lot="L2606A", lot_in_link=in_link, key_file=good.file).labels
    secret = SigningKey.load(good.file)
    keys = Keys(secret, *(SigningKey.generate() for _ in range(3)))
    world.operator_says(_registered(keys.revoked, GTIN), _registered(keys.others, OTHER_GTIN))
    world.operator_says({"type": "revocation", "kid": keys.revoked.kid, "reason": "stolen"})
    bundle = folder / "example.trust"
    assert tallystick.run(["ledger", "trust", "export", "-o", str(bundle), "--data", str(folder), "--dsn", dsn]) == 0
    with served(folder, dsn) as address:
        yield Issued(tuple(labels), tuple(tampered(labels, keys)), address, Trust.load(bundle))
    world.close()


def _registered(key: SigningKey, gtin: str) -> dict[str, Any]:
    entry = {"type": "label-key", "key": key.public, "organisation": ORGANISATION, "gtins": [gtin]}
    return entry | {"first_day": today() - 5, "last_day": today() + 5}


def read_back(links: Sequence[str], dpi: int, states: Sequence[str], seed: int) -> dict[tuple[str, str], set[str]]:
    """The texts that each reader reads off the sheets of these links, by (state, reader)."""
    found: dict[tuple[str, str], set[str]] = {(state, reader): set() for state in states for reader in READERS}
    zbar = Zbar()
    for number, (some, sheet) in enumerate(sheets(links, dpi)):
        for state in states:
            page = STATES[state](sheet, dpi, Random(f"{seed} {number} {dpi} {state}"))
            found[state, "zxing-cpp"] |= {code.text for code in codes_on(page)[0]}
            found[state, "zbar"] |= set(zbar.texts(page, len(some)))
    return found


class Verdicts:
    """What is said of a code's text, online and offline; each is asked about once."""

    def __init__(self, made: Issued) -> None:
        self._judge: Judge = TrustJudge(made.trust)
        self._client = httpx.Client(base_url=made.address, timeout=60)
        self._known: dict[str, tuple[str, str]] = {}

    def of(self, text: str) -> tuple[str, str]:
        """The service's verdict, and the trust bundle's; "unreadable" for what is no link, "" for no label."""
        if text not in self._known:
            self._known[text] = self._online(text), self._offline(text)
        return self._known[text]

    def right(self, read: set[str], links: Sequence[str]) -> dict[str, int]:
        """Of genuine labels: how many are read, and how many of them are called what they are."""
        found = [self.of(qr.printed(link)) for link in links if qr.printed(link) in read]
        return {
            "read": len(found),
            "misread": len(read - set(map(qr.printed, links))),
            "online": sum(online == Standing.GENUINE for online, _ in found),
            "offline": sum(offline == Standing.SIGNED for _, offline in found),
        }

    def wrong(self, read: set[str], made: Sequence[tuple[str, str]]) -> Mapping[str, int]:
        """Of tampered labels: how many are read, and how many of them are called good, which none may be.

        An item that was never issued, signed by the right key, is one that offline only looks signed: told apart.
        """
        found = [(how, *self.of(qr.printed(link))) for how, link in made if qr.printed(link) in read]
        good = [(how, offline) for how, _, offline in found if offline in (Standing.GENUINE, Standing.SIGNED)]
        return {
            "read": len(found),
            "misread": len(read - {qr.printed(link) for _, link in made}),
            "online genuine": sum(online == Standing.GENUINE for _, online, _ in found),
            "offline genuine": sum(offline == Standing.GENUINE for _, _, offline in found),
            "offline signed": sum(how != NEVER_ISSUED for how, _ in good),
            "offline signed, never issued": sum(how == NEVER_ISSUED for how, _ in good),
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _online(self, text: str) -> str:
        path = text.partition("://")[2].partition("/")[2]
        answer = self._client.get(f"/{path}", headers={"accept": "application/json"})
        return str(answer.json().get("verdict", "unreadable"))

    def _offline(self, text: str) -> str:
        verdict = verdict_on(say(Code("QR Code", "]Q1", text, ((0, 0), (0, 0), (0, 0), (0, 0)))), self._judge)
        return str(verdict.standing) if verdict else ""
