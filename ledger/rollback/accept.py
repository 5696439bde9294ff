"""Accepting: see `ledger.rollback` for the order, and why a crash at any point is harmless."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from ledger import cbor, checkpoint_file, inbox, message, read, registry
from ledger.author import Content
from ledger.database import LOCK_CHAIN, connect
from ledger.errors import MalformedError, UserError
from ledger.folder import LedgerFolder
from ledger.registry import REGISTRY, Registry, Role
from ledger.rollback.standing import Standing, require_sound, standings
from ledger.section import ContentFormat, Privacy, Section
from ledger.statement import STREAM_BYTES

_POLL_S = 0.1
_SERVICES = (Role.OPERATOR, Role.GATEWAY, Role.LABELS)
_SHOW = "'tallystick ledger accept-rollback' without a checkpoint shows what there is to accept"


def look(folder: LedgerFolder, dsn: str) -> list[Standing]:
    """The chains on which somebody has to decide."""
    with connect(dsn) as connection:
        return [standing for standing in standings(connection, folder) if standing.why]


def accept(
    folder: LedgerFolder, dsn: str, named: Mapping[str, tuple[int, str]], *, reason: str, timeout_s: float
) -> list[Standing]:
    """Let the chains go on from the states that are `named`: by chain, (size, beginning of the root in hexadecimal).

    Returns the chains that went back. Raises UserError if one is missing, or is not the database's own newest state.
    """
    with connect(dsn) as connection:
        found = standings(connection, folder)
        connection.commit()
        _require_named(found, named)
        deciding = [standing for standing in found if standing.why]
        for standing in deciding:
            _lock(connection, standing, time.monotonic() + timeout_s)
        _require_unchanged(connection, folder, deciding)
        _post(connection, folder, deciding, reason)
        for standing in deciding:
            note = standing.head.note if standing.head else None
            checkpoint_file.go_back(folder.checkpoints, standing.chain, note, keep_in=folder.lost_checkpoints)
        return deciding


def _require_named(found: Sequence[Standing], named: Mapping[str, tuple[int, str]]) -> None:
    by_name = {standing.chain: standing for standing in found}
    for chain, (size, root) in named.items():
        if chain not in by_name:
            raise UserError(f"no chain is called {chain!r}", f"the chains are {', '.join(by_name)}")
        standing = by_name[chain]
        if size != standing.state[0] or not standing.state[1].hex().startswith(root):
            raise UserError(f"{chain}={size}:{root} is not what the database has: {standing.named}", _SHOW)
    if missing := [standing.chain for standing in found if standing.why and standing.chain not in named]:
        raise UserError(f"not all is decided: there is also {', '.join(missing)}", f"name all at once: {_SHOW}")
    if not any(standing.why for standing in found):
        raise UserError("there is nothing to accept", "every chain goes on from its published checkpoint")


def _lock(connection: psycopg.Connection, standing: Standing, deadline: float) -> None:
    """Take the chain's lock for this session. A gateway that refuses to go on has it for a moment at each try."""
    while True:
        row = connection.execute("select pg_try_advisory_lock(%s, %s)", [LOCK_CHAIN, standing.chain_id]).fetchone()
        connection.commit()
        if row == (True,):
            return
        if time.monotonic() > deadline:
            raise UserError(f"another process writes the chain {standing.chain!r}", "stop the gateway")
        time.sleep(_POLL_S)


def _require_unchanged(connection: psycopg.Connection, folder: LedgerFolder, deciding: Sequence[Standing]) -> None:
    """Under the locks: nothing was written meanwhile, and what is here is whole."""
    now = {standing.chain: standing for standing in standings(connection, folder)}
    for standing in deciding:
        if now[standing.chain] != standing:
            raise UserError(f"{standing.chain!r} has changed meanwhile", _SHOW)
        require_sound(connection, standing)
    connection.commit()


# The decision, on record


def _post(connection: psycopg.Connection, folder: LedgerFolder, deciding: Sequence[Standing], reason: str) -> None:
    state = _registry(connection)
    operator = state.key_named(Role.OPERATOR)
    assert operator is not None  # the genesis names it
    entries = [_entry(standing, reason) for standing in deciding]
    said = [*_waiting(connection, operator.kid), *map(_said, state.rollbacks)]
    new = [entry for entry in entries if not any(_same(entry, other) for other in said)]
    if not new:
        return
    for role in _SERVICES:
        _open_anew(connection, folder, state, role, [standing.chain for standing in deciding])
    author = folder.author(Role.OPERATOR, issuer=operator.issuer, subject=operator.subject)
    contents = [Content(Privacy.PUBLIC, ContentFormat.REGISTRY, cbor.encode(entry)) for entry in new]
    new_stream, now = os.urandom(STREAM_BYTES), int(time.time())
    inbox.post(connection, author, chain=REGISTRY, contents=contents, now=now, new_stream=new_stream)
    connection.commit()


def _registry(connection: psycopg.Connection) -> Registry:
    """The registry as the database has it, published or not: that is what it goes on from."""
    return read.registry(connection, read.size(connection, read.chain_id(connection, REGISTRY)))


def _entry(standing: Standing, reason: str) -> dict[str, Any]:
    return {
        "type": "rollback",
        "chain": standing.chain,
        "lost": standing.lost,
        "accepted": list(standing.state),
        "reason": reason,
    }


def _said(item: registry.Rollback) -> dict[str, Any]:
    return {"type": "rollback", "chain": item.chain, "lost": item.lost, "accepted": [item.size, item.root]}


def _same(entry: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(entry.get(name) == other.get(name) for name in ("type", "chain", "lost", "accepted"))


def _waiting(connection: psycopg.Connection, kid: bytes) -> list[dict[str, Any]]:
    """What the operator has said and nobody has sealed yet."""
    rows = connection.execute("select message from inbox where kid = %s", [kid]).fetchall()
    found = []
    for (data,) in rows:
        for section in message.decode(bytes(data)).sections:
            try:
                found.append(registry.decode(Section.decode(section or b"").body))
            except MalformedError:
                continue  # a stream's opening
    return found


def _open_anew(
    connection: psycopg.Connection, folder: LedgerFolder, state: Registry, role: Role, chains: Sequence[str]
) -> None:
    """A service whose key is here opens a new stream on the chains on which it had one."""
    key = state.key_named(role)
    if key is None or not folder.key_file(role).exists():
        return
    author = folder.author(role, issuer=key.issuer, subject=key.subject)
    for chain in chains:
        inbox.reopen(connection, author, chain=chain, now=int(time.time()), new_stream=os.urandom(STREAM_BYTES))
