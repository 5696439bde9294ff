"""The operator's entries: posted to the inbox, and awaited until the registry has published them."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from ledger import cbor, checkpoint_file, fold, inbox, read
from ledger.author import Author, Content
from ledger.database import connect
from ledger.errors import OutsideError, UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.registry import REGISTRY, Registry, Role
from ledger.section import ContentFormat, Privacy
from ledger.statement import STREAM_BYTES

_POLL_S = 0.1
_REGISTERED = "'tallystick ledger keys --json' shows what is registered; an organisation comes before its devices"


def published_registry(connection: psycopg.Connection, folder: LedgerFolder, into: Registry | None = None) -> Registry:
    """The registry as its published checkpoint has it."""
    return read.registry(connection, _published_size(folder), into=into)


def published(folder: LedgerFolder, dsn: str) -> Registry:
    """The registry as it is published, by a session of its own."""
    with connect(dsn) as connection:
        return published_registry(connection, folder)


def post(
    folder: LedgerFolder,
    dsn: str,
    entries: Sequence[dict[str, Any]],
    *,
    timeout_s: float,
    key: SigningKey | None = None,
    beside: Callable[[psycopg.Connection], None] = lambda connection: None,
) -> Registry:
    """Sign `entries` as the operator, or with another `key` of the genesis', and wait until they are published.

    What `beside` writes is written in the same transaction. Returns the registry then; raises UserError if it refuses
    an entry, or if nobody seals them in time.
    """
    with connect(dsn) as connection:
        registry = published_registry(connection, folder)
        author = _author(folder, registry, key)
        bodies = [cbor.encode(entry) for entry in entries]
        _rehearse(registry, author.key.kid, bodies)
        hashes = [
            inbox.post(
                connection,
                author,
                chain=REGISTRY,
                contents=[Content(Privacy.PUBLIC, ContentFormat.REGISTRY, body)],
                now=int(time.time()),
                new_stream=os.urandom(STREAM_BYTES),
            )
            for body in bodies
        ]
        beside(connection)
        connection.commit()
        _await_published(connection, folder, registry, set(hashes), time.monotonic() + timeout_s)
        return registry


def finish(folder: LedgerFolder, dsn: str, kid: bytes, *, timeout_s: float) -> Registry:
    """The registry once all is published that an earlier run has signed with this key; raises UserError as `post`."""
    with connect(dsn) as connection:
        rows = connection.execute("select hash from inbox where kid = %s", [kid]).fetchall()
        registry = published_registry(connection, folder)
        _await_published(connection, folder, registry, {bytes(row[0]) for row in rows}, time.monotonic() + timeout_s)
        return registry


def put_back(folder: LedgerFolder, dsn: str, *, timeout_s: float) -> Registry:
    """Give a restored registry back what root keys had said, as the trust file has it: word for word.

    Others have read it: at its place in the root key's stream nothing else may ever stand. Returns the registry then;
    raises UserError as `post`, or if trust file and registry have heard different words.
    """
    with connect(dsn) as connection:
        said, known = read.root_messages(connection), list(folder.trust().messages)
        if said[: len(known)] != known[: len(said)]:
            told = f"the registry and {folder.trust_file} have heard different words of the root key"
            raise UserError(told, "keep both as they are, they are evidence, and run 'tallystick ledger audit'")
        lost = {inbox.put(connection, chain=REGISTRY, data=data) for data in known[len(said) :]}
        connection.commit()
        registry = published_registry(connection, folder)
        _await_published(connection, folder, registry, lost, time.monotonic() + timeout_s)
        return registry


def _author(folder: LedgerFolder, registry: Registry, key: SigningKey | None) -> Author:
    holder = registry.key_named(Role.OPERATOR) if key is None else registry.key(key.kid)
    assert holder is not None  # the genesis names the operator; whoever brings a key has looked it up
    if key is None:
        return folder.author(Role.OPERATOR, issuer=holder.issuer, subject=holder.subject)
    return Author(key, holder.issuer, holder.subject)


def _published_size(folder: LedgerFolder) -> int:
    published = checkpoint_file.load(folder.checkpoints, REGISTRY)
    if published is None:
        raise UserError(f"{folder.path} has no published registry", "make a ledger with 'tallystick ledger init'")
    return published.checkpoint.size


def _rehearse(registry: Registry, kid: bytes, bodies: Sequence[bytes]) -> None:
    """Say now what the registry would refuse later."""
    trial = registry.copy()
    try:
        for body in bodies:
            trial.apply(trial.size, kid, body)
    except OutsideError as error:
        raise UserError(f"the registry would refuse this: {error}", _REGISTERED) from error


def _await_published(
    connection: psycopg.Connection, folder: LedgerFolder, registry: Registry, waiting: set[bytes], deadline: float
) -> None:
    """Fold `registry` on until it has all statements that are `waiting`. What was sealed may still have no effect."""
    while True:
        for stored in read.entries(connection, REGISTRY, registry.size, _published_size(folder)):
            fault, statement_hash = fold.apply(registry, stored), hashlib.sha256(stored.data).digest()
            if fault is not None and statement_hash in waiting:
                raise UserError(f"the registry has refused this: {fault}", "another entry came before it")
            waiting.discard(statement_hash)
        if not waiting:
            return
        _require_alive(connection, waiting)
        if time.monotonic() > deadline:
            raise UserError(
                "it is signed and in the inbox, but nobody has sealed it yet",
                "is the gateway running? 'tallystick up' or 'tallystick gateway run'",
            )
        time.sleep(_POLL_S)


def _require_alive(connection: psycopg.Connection, waiting: set[bytes]) -> None:
    """A statement leaves the inbox into the chain, or because the gateway refused it."""
    found = connection.execute(
        "select hash from inbox where hash = any(%(these)s) union"
        " select statement_hash from entry where statement_hash = any(%(these)s)",
        {"these": list(waiting)},
    ).fetchall()
    connection.commit()
    if len(found) < len(waiting):
        raise UserError("the gateway has refused this statement", "'tallystick gateway refused' counts the reasons")
