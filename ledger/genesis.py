"""Making a ledger: keys, schema, and entry 0 of the registry."""

import os
import uuid
from dataclasses import dataclass
from typing import Any

import psycopg

from ledger import merkle, note, read, registry, whole_file
from ledger.author import Author, Content, compose
from ledger.database import connect, migrate
from ledger.errors import NoteError, UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey, load_or_make
from ledger.log import Log
from ledger.message import decode as decode_message
from ledger.registry import CHAIN_KINDS, REGISTRY, Chain, Role
from ledger.seal import ChainWriter, NewEntry, SectionRow
from ledger.section import ContentFormat, Privacy
from ledger.statement import EVENTS, NO_PREVIOUS, STREAM_BYTES, Statement, Tally
from ledger.trust.trust_file import Trust

SERVICES = (Role.OPERATOR, Role.GATEWAY, Role.LABELS)


@dataclass(frozen=True, slots=True)
class _Keys:
    root: SigningKey
    logs: dict[str, SigningKey]
    services: dict[Role, SigningKey]

    @classmethod
    def load_or_make(cls, folder: LedgerFolder) -> "_Keys":
        return cls(
            load_or_make(folder.key_file("root"), "operator's root key: keep it offline"),
            {name: load_or_make(folder.log_key_file(name), f"signs the log {name}") for name in CHAIN_KINDS},
            {role: load_or_make(folder.key_file(role), f"signs the statements of the {role}") for role in SERVICES},
        )


def init(folder: LedgerFolder, dsn: str, *, name: str, organisation: str | None = None, now_ms: int) -> Trust:
    """Make the ledger `name` of `organisation` (a URI, https://NAME if none) in `folder` and the database.

    Returns what it gives out. Keys first, then the database, last the trust file: a run that died half-way is
    finished by the next. Raises UserError if there is a ledger already.
    """
    if folder.exists:
        raise UserError(f"{folder.path} holds a ledger already", "name another folder")
    keys = _Keys.load_or_make(folder)
    chains = _chains(name, keys)
    migrate(dsn)
    _insert_chains(dsn, chains, root=keys.root.kid)
    organisation = organisation or f"https://{name}"
    genesis_hash = _seal_genesis(folder, dsn, keys, chains, name=name, organisation=organisation, now_ms=now_ms)
    trust = Trust(name, genesis_hash, {c.name: Log(c.name, note.Verifier.parse(c.vkey)) for c in chains})
    whole_file.replace(folder.trust_file, trust.text.encode())
    return trust


def _insert_chains(dsn: str, chains: list[Chain], *, root: bytes) -> None:
    rows = [(number, chain.name, chain.origin, chain.kind) for number, chain in enumerate(chains, 1)]
    with connect(dsn) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into chain (chain_id, name, origin, kind) values (%s, %s, %s, %s) on conflict do nothing", rows
        )
        cursor.execute("select chain_id, name, origin, kind from chain order by chain_id")
        if cursor.fetchall() != rows:
            raise _another()
        _sealed_genesis(connection, root=root)  # also if a gateway writes it now


def _chains(name: str, keys: _Keys) -> list[Chain]:
    try:
        signers = {kind: note.Signer(f"{name}/tallystick/{kind}", keys.logs[kind]) for kind in CHAIN_KINDS}
    except NoteError as error:
        raise UserError(f"{name!r} cannot name a ledger: {error}", "a domain name of yours is best") from error
    return [Chain(kind, signer.name, kind, signer.vkey) for kind, signer in signers.items()]


def _seal_genesis(
    folder: LedgerFolder, dsn: str, keys: _Keys, chains: list[Chain], *, name: str, organisation: str, now_ms: int
) -> bytes:
    services: list[dict[str, Any]] = [
        {"role": str(role), "name": str(role), "urn": f"urn:uuid:{uuid.uuid4()}", "key": key.public}
        for role, key in keys.services.items()
    ]
    body = registry.genesis(name, chains=chains, root=keys.root.public, services=services, organisation=organisation)
    content = Content(Privacy.PUBLIC, ContentFormat.REGISTRY, body)
    writer = ChainWriter(dsn, chain=REGISTRY, key=keys.logs[REGISTRY], checkpoints=folder.checkpoints)
    try:
        if sealed := _sealed_genesis(writer.connection, root=keys.root.kid):
            return sealed
        tally = Tally(EVENTS, os.urandom(STREAM_BYTES), 0, NO_PREVIOUS, 0)
        author = Author(keys.root, organisation, "root")
        statement, sent = compose(author, origin=writer.origin, tally=tally, contents=[content], now=now_ms // 1000)
        [data] = decode_message(sent).sections
        sections = (SectionRow(0, Privacy.PUBLIC, ContentFormat.REGISTRY, data or b""),)
        entry = NewEntry(statement.encode(), statement.stream_key, 0, 1, sections)
        writer.seal([entry], now_ms=now_ms, registry=(0, merkle.EMPTY_ROOT))
        return statement.hash
    finally:
        writer.close()


def _sealed_genesis(connection: psycopg.Connection, *, root: bytes) -> bytes | None:
    """The hash of the genesis that an earlier run sealed, if any; UserError if it was not with these keys."""
    for stored in read.entries(connection, REGISTRY, 0, 1):
        statement = Statement.decode(stored.data)
        if statement.kid != root:
            raise _another()
        return statement.hash
    return None


def _another() -> UserError:
    return UserError("the database holds another ledger", "name another database with --dsn or TALLYSTICK_DSN")
