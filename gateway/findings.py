"""What the gateway itself says, signed, into the registry: findings, and the suspension of a cloned key."""

import os
from collections.abc import Sequence

import psycopg

from gateway.repeats import Fork
from ledger import cbor, inbox
from ledger.author import Author, Content
from ledger.folder import LedgerFolder
from ledger.projection.content import Finding
from ledger.registry import REGISTRY, Registry, Role
from ledger.section import ContentFormat, Privacy
from ledger.statement import STREAM_BYTES
from ledger.tree_store import index_of

ITEMS_MAX = 100
REASON_CHARS_MAX = 200


class Voice:
    """The gateway as an author, speaking of what it found on one chain."""

    def __init__(self, folder: LedgerFolder, registry: Registry, chain: str) -> None:
        key = registry.key_named(Role.GATEWAY)
        assert key is not None  # the genesis names it
        self._author: Author = folder.author(Role.GATEWAY, issuer=key.issuer, subject=key.subject)
        self._chain = chain

    def report(self, connection: psycopg.Connection, findings: Sequence[Finding], now: int) -> None:
        """One entry for all findings of a block, the first hundred in full."""
        if not findings:
            return
        items = [[index_of(item.entry_id), item.line, item.reason[:REASON_CHARS_MAX]] for item in findings[:ITEMS_MAX]]
        entry = {"type": "finding", "chain": self._chain, "total": len(findings), "items": items}
        self._post(connection, [entry], now)

    def report_fork(self, connection: psycopg.Connection, fork: Fork, now: int) -> None:
        """The evidence, and the key's suspension: until a registry entry says otherwise."""
        kid = fork.statement.kid
        item = [index_of(fork.entry_id), 0, "fork: the key signed another statement with this seq"]
        finding = {"type": "finding", "chain": self._chain, "total": 1, "items": [item], "evidence": fork.data}
        self._post(connection, [{"type": "suspension", "kid": kid, "reason": "fork"}, finding], now)

    def _post(self, connection: psycopg.Connection, entries: Sequence[dict[str, object]], now: int) -> None:
        contents = [Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(entry)) for entry in entries]
        new_stream = os.urandom(STREAM_BYTES)
        inbox.post(connection, self._author, chain=REGISTRY, contents=contents, now=now, new_stream=new_stream)
