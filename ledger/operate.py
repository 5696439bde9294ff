"""The operator's entries: posted to the inbox, and awaited until the registry's writer has sealed them."""

import copy
import os
import time
from collections.abc import Sequence
from typing import Any

import psycopg

from ledger import cbor, checkpoint_file, inbox, read
from ledger.author import Content
from ledger.checkpoint import Checkpoint
from ledger.database import connect
from ledger.errors import OutsideError, UserError
from ledger.folder import LedgerFolder
from ledger.registry import REGISTRY, Registry, Role
from ledger.section import ContentFormat, Privacy
from ledger.statement import STREAM_BYTES

_POLL_S = 0.1


def published_registry(connection: psycopg.Connection, folder: LedgerFolder, into: Registry | None = None) -> Registry:
    """The registry as its published checkpoint has it."""
    text = checkpoint_file.read(folder.checkpoints, REGISTRY)
    if text is None:
        raise UserError(f"{folder.path} has no published registry", "make a ledger with 'tallystick ledger init'")
    size = Checkpoint.parse(text.split("\n\n")[0] + "\n").size
    return read.registry(connection, size, into=into)


def post(folder: LedgerFolder, dsn: str, entries: Sequence[dict[str, Any]], *, timeout_s: float) -> Registry:
    """Sign `entries` as the operator, and wait until the registry has them; returns the registry then.

    Raises UserError if the registry would refuse one, or if nobody seals them in time.
    """
    with connect(dsn) as connection:
        registry = published_registry(connection, folder)
        operator = registry.key_named(Role.OPERATOR)
        assert operator is not None  # the genesis names it
        bodies = [cbor.encode(entry) for entry in entries]
        _rehearse(registry, operator.kid, bodies)
        author = folder.author(Role.OPERATOR, issuer=operator.issuer, subject=operator.subject)
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
        connection.commit()
        _await_sealed(connection, hashes, time.monotonic() + timeout_s)
        return published_registry(connection, folder)


def _rehearse(registry: Registry, kid: bytes, bodies: Sequence[bytes]) -> None:
    """Say now what the registry would refuse later."""
    trial = copy.deepcopy(registry)
    try:
        for body in bodies:
            trial.apply(trial.size, kid, body)
    except OutsideError as error:
        raise UserError(f"the registry would refuse this: {error}") from error


def _await_sealed(connection: psycopg.Connection, hashes: Sequence[bytes], deadline: float) -> None:
    while True:
        row = connection.execute("select count(*) from inbox where hash = any(%s)", [list(hashes)]).fetchone()
        connection.commit()
        if row == (0,):
            return
        if time.monotonic() > deadline:
            raise UserError(
                "it is signed and in the inbox, but nobody has sealed it yet",
                "is the gateway running? 'tallystick up' or 'tallystick gateway run'",
            )
        time.sleep(_POLL_S)
