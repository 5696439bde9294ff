"""The registry's devices, and when each was last heard on the chains that can be read."""

import hashlib
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from typing import Any

from ledger import cbor, fold
from ledger.errors import MalformedError, TrustError
from ledger.fold import Stored
from ledger.monitor.alarm import Alarm, Kind
from ledger.monitor.proven import Entry, entries, newest_blocks
from ledger.published.log import Head, PublishedLog
from ledger.registry import REGISTRY, Key, Registry, Role, Status, is_text
from ledger.section import ContentFormat
from ledger.statement import Statement

FINDINGS_MAX = 20  # of one entry that are told one by one


class Devices:
    """Who is registered since when, and heard when: times in milliseconds, of the blocks that hold the entries."""

    def __init__(self) -> None:
        self._registry = Registry()
        self._untold: list[tuple[int, Alarm]] = []
        self._registered: dict[bytes, int] = {}
        self._heard: dict[bytes, int] = {}
        self._read: dict[str, int] = {}  # how many entries of each chain were listened to
        self._deaf: set[str] = set()

    def take_registry(self, log: PublishedLog, head: Head, genesis: bytes) -> list[tuple[int, Alarm]]:
        """Fold on what the registry's log has; what its entries say that a monitor tells, each with its index.

        Raises TrustError if it does not begin with the pinned genesis, or hides what an entry says, SignatureError if
        an entry is not its key's, and what `entries` raises. What was read before that is told the next time.
        """
        first = self._registry.size
        if first < head.size:
            for entry in entries(log, head, newest_blocks(log, head, until=lambda header: header.first <= first)):
                if entry.stored.index >= first:
                    self._untold += [(entry.stored.index, alarm) for alarm in self._take(entry, genesis)]
            self._require_next(head.size)
        alarms, self._untold = self._untold, []
        return alarms

    def _require_next(self, index: int) -> None:
        """Raise TrustError if an entry before this one was left out: an erased one is not among those that come."""
        if index != self._registry.size:
            raise TrustError(f"entry {self._registry.size} of {REGISTRY!r}: {fold.ERASED}")

    def _take(self, entry: Entry, genesis: bytes) -> Iterator[Alarm]:
        stored = entry.stored
        self._require_next(stored.index)
        if stored.index == 0 and hashlib.sha256(stored.data).digest() != genesis:
            raise TrustError("its first entry is not the genesis that the trust file pins")
        if (hidden := fold.unsaid(stored)) is not None:
            raise TrustError(f"entry {stored.index} of {REGISTRY!r}: {hidden}")
        statement = Statement.decode(stored.data)
        signer = self._registry.key(statement.kid)
        if signer is not None:
            statement.verify(signer.public_key)
        if fold.apply(self._registry, stored) is None:
            for kid in self._registry.keys.keys() - self._registered.keys():
                self._registered[kid] = entry.time_ms
            for said in _said(statement, stored):
                yield from self._alarms(stored.index, said)

    def _alarms(self, index: int, said: dict[str, Any]) -> Iterator[Alarm]:
        match said:
            case {"type": "finding", "chain": str(chain), "items": [*items]}:
                for about, line, reason in items[:FINDINGS_MAX]:
                    text = f"finding on {chain!r}, entry {about}, section {line}: {reason}"
                    facts = {"registry_entry": index, "chain": chain, "entry": about, "section": line, "reason": reason}
                    yield Alarm(Kind.FINDING, f"{index} {about} {line}", text, facts)
            case {"type": "label-finding", "root": bytes(root), "reason": str(reason)}:
                text = f"finding on the label batch {root.hex()[:16]}…: {reason}"
                facts = {"registry_entry": index, "batch_root": root.hex(), "reason": reason}
                yield Alarm(Kind.FINDING, f"{index}", text, facts)
            case {"type": ("suspension" | "revocation") as what, "kid": bytes(kid)}:
                key = self._registry.key(kid)
                name, why = key.name if key else "a label key", said.get("reason")
                reason = why if is_text(why) else None  # no rule says what it is, and not all of CBOR can be told
                facts = {"registry_entry": index, "name": name, "kid": kid.hex(), "reason": reason}
                yield Alarm(Kind(what), f"{index}", f"{what} of the key of {name}: {reason}", facts)

    # Listening

    def hear(self, log: PublishedLog, head: Head, *, since_ms: int) -> None:
        """Take note of who said something on a chain since then, or since the last time."""
        chain, first = log.log.chain, self._read.get(log.log.chain, 0)
        if first >= head.size:
            return
        blocks = newest_blocks(log, head, until=lambda header: header.time_ms < since_ms or header.first <= first)
        for entry in entries(log, head, blocks):
            kid = Statement.decode(entry.stored.data).kid
            self._heard[kid] = max(entry.time_ms, self._heard.get(kid, 0))
        self._read[chain] = head.size
        self._deaf.discard(chain)

    def is_deaf(self, chain: str) -> None:
        """The entries of a chain are not for us: nothing is said of devices that may speak there."""
        self._deaf.add(chain)

    def silent(self, now_ms: int, limit_s: float, *, before: Container[str]) -> Iterator[Alarm]:
        """The good devices that were not heard for so long, nor registered within it.

        Also, once, those that were silent `before`, by their alarms' keys, and speak again.
        """
        for kid, key in self._registry.keys.items():
            if key.role is not Role.DEVICE or key.status is not Status.GOOD or key.chains & self._deaf:
                continue
            heard, registered = self._heard.get(kid), self._registered.get(kid, now_ms)
            since_ms = max(0, now_ms - int(limit_s * 1000))
            if max(heard or 0, registered) < since_ms:
                since = f"{_time(since_ms)} or before" if heard is None else _time(heard)
                yield _heard(Kind.SILENT, key, f"is silent, since {since}", heard)
            elif _heard(Kind.SILENT, key, "", heard).key in before:
                yield _heard(Kind.HEARD, key, "speaks again", heard)


def _heard(kind: Kind, key: Key, what: str, heard_ms: int | None) -> Alarm:
    facts = {"device": key.name, "urn": key.subject, "chains": sorted(key.chains), "heard_ms": heard_ms}
    return Alarm(kind, key.kid.hex(), f"the device {key.name} {what}", facts)


def _time(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _said(statement: Statement, stored: Stored) -> Iterator[dict[str, Any]]:
    for line, of in enumerate(statement.manifest):
        body = stored.body(line)
        if of.content_format == ContentFormat.REGISTRY and body is not None:
            try:
                said = cbor.decode(body, depth_max=6)
            except MalformedError:
                continue
            if isinstance(said, dict):
                yield said
