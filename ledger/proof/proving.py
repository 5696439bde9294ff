"""`ledger prove`: which statement is meant, its bundle, and that the bundle holds before it leaves the house."""

from typing import Any

import psycopg

from ledger import read
from ledger.database import connect
from ledger.errors import OutsideError, UserError
from ledger.folder import LedgerFolder
from ledger.proof.bundle import BUNDLE_BYTES_MAX
from ledger.proof.prove import Prover, find_statement
from ledger.proof.verify import verify
from ledger.section import Privacy
from ledger.statement import EVENTS, STREAM_BYTES, TELEMETRY
from ledger.trust import Trust

_HINT = "name it by --statement, by --chain and --index, or by --device, --lane, --stream and --seq"
_LANES = {"events": EVENTS, "telemetry": TELEMETRY, "0": EVENTS, "1": TELEMETRY}


def make(dsn: str, folder: LedgerFolder, trust: Trust, *, private: bool, **which: Any) -> tuple[bytes, str]:
    """The bundle's bytes, and the statement's hash in hexadecimal; raises UserError."""
    with connect(dsn) as connection:
        prover = Prover(connection, folder)
        chain, index = find(connection, prover, {name: value for name, value in which.items() if value is not None})
        bundle = prover.prove(chain, index, Privacy.PRIVATE if private else Privacy.PUBLIC)
        said = read.root_messages(connection)
    try:
        verdict = verify(bundle, trust.following(said))
    except OutsideError as error:
        raise UserError(f"the ledger cannot prove entry {index} of {chain!r}: {error}", _AUDIT) from error
    data = bundle.encode()
    if len(data) > BUNDLE_BYTES_MAX:
        raise UserError(f"with its sections the bundle is over {BUNDLE_BYTES_MAX} bytes", "leave out --private")
    return data, verdict.statement.hash.hex()


_AUDIT = "run 'tallystick ledger audit'"


def find(connection: psycopg.Connection, prover: Prover, which: dict[str, Any]) -> tuple[str, int]:
    """Chain and index of the statement that the options `command_line.statement` name; raises UserError."""
    match which:
        case {"statement_hash": str(text), **rest} if not rest:
            return find_statement(connection, _hex(text, 32, "a statement's hash"))
        case {"chain": str(chain), "index": int(index), **rest} if not rest:
            return chain, index
        case {"device": str(name), "lane": str(lane), "stream": str(stream), "seq": int(seq), **rest} if not rest:
            return prover.find(name, lane=_LANES[lane], stream=_hex(stream, STREAM_BYTES, "a stream's id"), seq=seq)
    raise UserError("which statement is meant is not clear", _HINT)


def _hex(text: str, size: int, name: str) -> bytes:
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != size:
        raise UserError(f"{name} is {2 * size} hexadecimal digits", _HINT)
    return value
