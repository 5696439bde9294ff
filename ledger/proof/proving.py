"""`ledger prove`: which statement is meant, its proof, and that the proof holds before it leaves the house."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from ledger import read
from ledger.database import connect
from ledger.errors import OutsideError, UserError
from ledger.folder import LedgerFolder
from ledger.keys import SigningKey
from ledger.log import Log
from ledger.proof.bundle import BUNDLE_BYTES_MAX, Bundle
from ledger.proof.inclusion import Form, verify_tlog_proof, verify_transparent
from ledger.proof.product import ProductBundle, verify_product
from ledger.proof.product_search import find_product
from ledger.proof.prove import Prover, find_statement
from ledger.proof.tlog_proof import TlogProof
from ledger.proof.transparent import EntryReceipt, Transparent
from ledger.proof.verify import verify
from ledger.section import Privacy
from ledger.statement import EVENTS, STREAM_BYTES, TELEMETRY, Statement
from ledger.trust.trust_file import Trust

_HINT = "name it by --statement, by --chain and --index, or by --device, --lane, --stream and --seq"
_LANES = {"events": EVENTS, "telemetry": TELEMETRY, "0": EVENTS, "1": TELEMETRY}
_AUDIT = "run 'tallystick ledger audit'"


@dataclass(frozen=True, slots=True)
class Made:
    """A proof's files by the ends of their names, the proof itself first; `name` is what comes before, by default.

    `gone` says what is not in it because it was shredded: no file can tell that from what is withheld.
    """

    name: str
    files: dict[str, bytes]
    gone: tuple[str, ...] = ()

    @property
    def proof(self) -> bytes:
        """The proof itself."""
        return next(iter(self.files.values()))


def make(
    dsn: str, folder: LedgerFolder, trust: Trust, *, form: Form = Form.BUNDLE, private: bool = False, **which: Any
) -> Made:
    """The proof of one statement, or of all about a product; raises UserError."""
    privacy = Privacy.PRIVATE if private else Privacy.PUBLIC
    asked = {name: value for name, value in which.items() if value is not None}
    with connect(dsn) as connection:
        prover = Prover(connection, folder)
        prover.require_reached()
        with _holding("its log keys' rotations"):
            trust = trust.following(read.root_messages(connection))
        if "product" in asked:
            return _product(connection, prover, trust, form, privacy, **asked)
        bundle = prover.prove(*find(connection, prover, asked), privacy)
        gone = _gone(prover, bundle)
    with _holding(f"entry {bundle.entry.index} of {bundle.chain!r}"):
        name = verify(bundle, trust).statement.hash.hex()
        return Made(name, _MAKERS[form](bundle, folder, trust), gone)


def _product(
    connection: psycopg.Connection, prover: Prover, trust: Trust, form: Form, privacy: Privacy, **asked: Any
) -> Made:
    if len(asked) > 1 or form is not Form.BUNDLE:
        raise UserError("a product's proof is one file of bundles", "give --product without the other ways to name one")
    uri, places = find_product(connection, asked["product"], privacy)
    product = ProductBundle.of(uri, [prover.prove(*place, privacy) for place in places if prover.has(*place)])
    if not product.bundles:
        raise UserError(f"nothing about {uri} is published yet", "it will be once its block is")
    if not product.is_bounded:
        raise UserError(
            f"the keys of {uri}'s statements have too long a history for one file",
            "prove single ones: --statement, or --chain with --index",
        )
    with _holding(f"what is about {uri}"):
        verify_product(product, trust)
    gone = tuple(line for bundle in product.bundles for line in _gone(prover, bundle))
    return Made("product", {".bundle": _bounded(product.encode())}, gone)


def _gone(prover: Prover, bundle: Bundle) -> tuple[str, ...]:
    index = bundle.entry.index
    where = f"entry {index} of {bundle.chain}"
    return tuple(
        f"section {line} of {where} was shredded, by registry entry {entry}: it is not in the proof"
        for line, entry in sorted(prover.shredded(bundle.chain, index).items())
    )


def _bundle(bundle: Bundle, folder: LedgerFolder, trust: Trust) -> dict[str, bytes]:
    return {".bundle": _bounded(bundle.encode())}


def _bounded(data: bytes) -> bytes:
    if len(data) > BUNDLE_BYTES_MAX:
        raise UserError(f"with its sections the bundle is over {BUNDLE_BYTES_MAX} bytes", "leave out --private")
    return data


def _tlog(bundle: Bundle, folder: LedgerFolder, trust: Trust) -> dict[str, bytes]:
    """The proof with the statement in it, and the statement as the file that other tools ask for."""
    entry = bundle.entry
    proof = TlogProof(entry.index, entry.path, bundle.checkpoint, extra=entry.statement)
    verify_tlog_proof(proof, trust, statement=entry.statement)
    return {".tlog-proof": proof.text.encode(), ".statement": entry.statement}


def _cose(bundle: Bundle, folder: LedgerFolder, trust: Trust) -> dict[str, bytes]:
    """The statement with a receipt: signed here and now, over the root that the published checkpoint names."""
    log, entry = trust.log(bundle.chain), bundle.entry
    statement, checkpoint = Statement.decode(entry.statement), log.open(bundle.checkpoint)
    key = _log_key(folder, log, checkpoint.size)
    receipt = EntryReceipt(
        log_kid=key.kid,
        origin=log.origin,
        subject=statement.subject,
        size=checkpoint.size,
        statement_hash=statement.hash,
        index=entry.index,
        path=entry.path,
    )
    transparent = Transparent(entry.statement, (receipt.issue(key, checkpoint.root).encode(),))
    verify_transparent(transparent, trust)
    return {".cose": transparent.encode()}


def _log_key(folder: LedgerFolder, log: Log, size: int) -> SigningKey:
    """The secret half of the oldest of the log's keys that hold this size: who knows only that one takes it, too."""
    key = next(key for key in log.keys if key.holds(size))
    number = 1 + log.keys.index(key)
    file = folder.log_key_file(log.chain, number)
    if not file.exists():
        raise UserError(
            f"a COSE receipt is signed by the log's key, and that of {log.chain!r} is not here: {file}",
            "ask for it where the log is written; --format tlog needs no key: the checkpoint is signed already",
        )
    secret = folder.log_key(log.chain, number)
    if secret.public != key.public_key:
        raise UserError(f"{file} is not the key of {log.origin!r}", "bring the log's own key back from a copy")
    return secret


_MAKERS = {Form.BUNDLE: _bundle, Form.TLOG: _tlog, Form.COSE: _cose}


@contextmanager
def _holding(what: str) -> Iterator[None]:
    """What is wrong in here is wrong in the ledger."""
    try:
        yield
    except OutsideError as error:
        raise UserError(f"the ledger cannot prove {what}: {error}", _AUDIT) from error


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
