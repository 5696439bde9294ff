"""Every decoder of bytes or text from outside, each named once: for hypothesis (`test_decoders`) and `make fuzz`.

A target reads bytes and gives a value, or raises one of its named errors; anything else is a fault. What has a `write`
reads back what it writes; what has `one_encoding` reads nothing else.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

from edge import confirm, event_file
from edge.clock import Moment
from edge.config import Config
from edge.options import Table
from edge.sensors import Setup
from edge.sensors.csv import CsvSensor
from gateway import address
from gateway.workers import Worker
from labels import batch, gs1, signature
from labels.catalogue import picture, written
from labels.catalogue.description import Description
from labels.catalogue.recall import Lifting, Recall
from labels.gs1 import bracketed, carrier, compressed, element_string, gtin, link_uri
from labels.hidden import asked, client
from labels.hidden import code as hidden_code
from labels.hidden import keys as hidden_keys
from labels.hidden.answer import Answer as Redeemed
from labels.issuing import issuers, lot_request, serial_file
from labels.issuing.drawing import draw
from labels.issuing.order import Own
from labels.issuing.refused import Refused
from labels.issuing.spool import Spool
from labels.judgement import Standing
from labels.pages import resolve
from labels.printers.address import Address
from labels.printers.brother_status import BrotherStatus
from labels.printers.dots import Size
from labels.printers.zebra_status import ZebraStatus
from labels.reading import code as reading_code
from labels.reading import picture as reading_picture
from labels.reading import protocol, say, verdict
from ledger import (
    anchor,
    b64,
    bearer,
    cbor,
    checkpoint_file,
    epcis,
    fold,
    message,
    names,
    note,
    registration,
    registry,
    senml,
    settings,
    stream,
    tile,
)
from ledger.audit.glance import Glances
from ledger.audit.state_file import Saved
from ledger.backup import restore
from ledger.backup.manifest import Manifest
from ledger.birth import Birth
from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.cose import Sign1
from ledger.errors import (
    CheckpointError,
    MalformedError,
    NoteError,
    OutsideError,
    RegistryError,
    SignatureError,
    TrustError,
    UserError,
)
from ledger.keys import SigningKey
from ledger.log import Log
from ledger.monitor.state import State
from ledger.projection.content import Rows
from ledger.proof.bundle import Bundle
from ledger.proof.check import check
from ledger.proof.product import ProductBundle, verify_product
from ledger.proof.tlog_proof import TlogProof
from ledger.proof.transparent import EntryReceipt, Transparent, read_receipt
from ledger.proof.verify import verify
from ledger.published import blocks, content, paths, policy
from ledger.published.export_state import ExportState
from ledger.published.tokens import Tokens
from ledger.receipt import Answer, Receipt
from ledger.refusal import Refusal
from ledger.section import ContentFormat, Line, Privacy, Section, matching
from ledger.statement import Statement
from ledger.topic import Topic
from ledger.trust import succession
from ledger.trust.bundle import TrustBundle
from ledger.trust.trust_file import Trust
from tests import cast, rooted, seeds
from tests.bench.bombs import judged
from tests.labels.reading import pictures

Errors = type[Exception] | tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A decoder. `name` is the function's, with what tells two of one function apart; `seeds` are valid inputs."""

    name: str
    read: Callable[[bytes], Any]
    errors: Errors
    seeds: tuple[bytes, ...]
    write: Callable[[Any], bytes] | None = None
    one_encoding: bool = False

    @property
    def function(self) -> str:
        """The dotted name of what is called."""
        return self.name.partition(" ")[0]

    def check(self, data: bytes) -> bool:
        """Whether `data` was taken. Raises what the decoder must not, or AssertionError."""
        try:
            value = self.read(data)
        except self.errors:
            return False
        if self.write is not None:
            written = self.write(value)
            assert written == data or not self.one_encoding, f"two encodings of one value: {data!r} and {written!r}"
            assert written == data or self.read(written) == value, f"{written!r} does not read back as {value!r}"
        return True


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")  # a lone surrogate is text to Python


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def of_bytes(
    name: str,
    read: Callable[[bytes], Any],
    errors: Errors,
    *valid: bytes,
    write: Callable[[Any], bytes] | None = None,
    one_encoding: bool = True,
) -> Target:
    """A target that reads bytes."""
    return Target(name, read, errors, valid, write, write is not None and one_encoding)


def of_text(
    name: str,
    read: Callable[[str], Any],
    errors: Errors,
    *valid: str,
    write: Callable[[Any], str] | None = None,
    one_encoding: bool = True,
) -> Target:
    """A target that reads text."""
    back = None if write is None else lambda value: _bytes(write(value))
    encoded = tuple(map(_bytes, valid))
    return Target(name, lambda data: read(_text(data)), errors, encoded, back, write is not None and one_encoding)


def of_file(name: str, load: Callable[[Path], Any], *valid: str, file: str = "file") -> Target:
    """A target that reads a file, whose path it is given."""

    def read(data: bytes) -> Any:
        path = _folder() / file
        path.write_bytes(data)
        return load(path)

    return Target(name, read, UserError, tuple(map(_bytes, valid)))


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tally-decoders-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# What is read in the company of something else

_LOG = Log("production", note.Verifier(cast.ORIGIN, cast.LOG.public))
_DEVICE = confirm.Device(cast.DEVICE.kid, cast.URN, _LOG, rooted.pin(seeds.ROOTED))
_LINE = Line(
    Privacy.PRIVATE,
    ContentFormat.SENML_CBOR,
    seeds.SECTION.digest(kid=cast.DEVICE.kid, privacy=Privacy.PRIVATE, content_format=ContentFormat.SENML_CBOR),
)


class _NothingSpooled:
    def next_seq(self, lane: int, stream: bytes) -> int | None:
        return None

    def receipt_size(self, stream: bytes) -> int:
        return 0

    def links(self, stream: bytes, first: int, count: int) -> dict[int, confirm.Link]:
        return {}


def _rows(body: bytes) -> list[Rows]:
    found = []
    for content_format in ContentFormat:
        rows, line = Rows(), Line(Privacy.PUBLIC, content_format, bytes(32))
        rows.read(cast.sign(manifest=[line]), [Section(bytes(16), body)], 1)
        found.append(rows)
    return found


def _apply(body: bytes) -> registry.Registry:
    state = cast.peopled()
    kind = registry.decode(body)["type"]
    signer = {"finding": cast.GATEWAY, "label-batch": cast.LABELS, "label-finding": cast.LABELS}.get(
        kind, cast.OPERATOR
    )
    state.apply(3, signer.kid, body)
    return state


def _found(body: bytes) -> None:
    registry.Registry().apply(0, cast.ROOT.kid, body)


def _fold(data: bytes) -> str | None:
    section = Section(bytes(16), data).encode()
    line = Section(bytes(16), data).line(
        kid=cast.OPERATOR.kid, privacy=Privacy.PUBLIC, content_format=ContentFormat.REGISTRY
    )
    statement = cast.sign(cast.OPERATOR, manifest=[line])
    return fold.apply(cast.peopled(), fold.Stored(3, statement.encode(), {0: section}))


def _csv(path: Path) -> list[Any]:
    options = Table("sensor t", {"file": str(path), "metric": "t", "pack": 100}, path)
    sensor, packs = CsvSensor(Setup("t", options, None, _NOW)), list[Any]()
    while sensor.due_ms is not None and len(packs) < 10:
        packs.append(sensor.read(_NOW))
    return packs


def _cursor(text: str) -> CsvSensor:
    path = _folder() / "cursor.csv"
    path.write_text(seeds.CSV)
    return CsvSensor(Setup("t", Table("sensor t", {"file": str(path)}, path), text, _NOW))


_NOW = Moment(1_750_000_000.0, 0)


# The targets, by folder


def _of_ledger() -> Iterator[Target]:
    malformed = MalformedError
    # Values by their one encoding: a NaN is not equal to itself.
    yield of_bytes(
        "ledger.cbor.decode",
        lambda data: cbor.encode(cbor.decode(data)),
        malformed,
        *seeds.CBOR,
        write=bytes,
        one_encoding=False,
    )
    yield of_bytes("ledger.cbor.decode_canonical", cbor.decode_canonical, malformed, *seeds.CBOR, write=cbor.encode)
    yield of_bytes("ledger.cbor.decode_item", lambda data: cbor.decode_item(data, depth_max=16), malformed, *seeds.CBOR)
    yield of_bytes("ledger.cbor.decode_first", lambda data: cbor.decode_first(data), malformed, b"\x80x")
    yield of_bytes("ledger.cose.Sign1.decode", Sign1.decode, malformed, *seeds.STATEMENTS, write=Sign1.encode)
    yield of_bytes(
        "ledger.statement.Statement.decode",
        Statement.decode,
        malformed,
        *seeds.STATEMENTS,
        write=lambda statement: _anew(statement),
    )
    yield of_bytes("ledger.audit.glance.Glances.read", Glances().read, malformed, *seeds.STATEMENTS)
    yield of_bytes(
        "ledger.message.decode",
        message.decode,
        malformed,
        *seeds.MESSAGES,
        write=lambda sent: message.encode(sent.statement, sent.sections),
    )
    yield of_bytes("ledger.section.Section.decode", Section.decode, malformed, *seeds.SECTIONS, write=Section.encode)
    yield of_bytes(
        "ledger.section.matching", lambda data: matching(_LINE, data, kid=cast.DEVICE.kid), (), seeds.SECTION.encode()
    )
    yield of_bytes("ledger.senml.decode", lambda body: senml.decode(body, now=1.75e9), malformed, *seeds.PACKS)
    yield of_bytes(
        "ledger.epcis.decode",
        epcis.decode,
        malformed,
        *seeds.EVENTS,
        write=lambda event: epcis.encode(event.document),
        one_encoding=False,
    )
    yield of_bytes("ledger.epcis.read", lambda data: epcis.read(cbor.decode(data)), malformed, *seeds.EVENTS)
    yield of_bytes("ledger.stream.decode", stream.decode, malformed, *seeds.STREAMS)
    yield of_bytes(
        "ledger.birth.Birth.decode", Birth.decode, malformed, *seeds.BIRTHS, write=Birth.encode, one_encoding=False
    )
    yield of_bytes("ledger.receipt.Receipt.decode", Receipt.decode, malformed, *seeds.RECEIPTS, write=Receipt.encode)
    yield of_bytes(
        "ledger.receipt.Answer.decode",
        Answer.decode,
        malformed,
        *seeds.ANSWERS,
        write=Answer.encode,
        one_encoding=False,
    )
    yield of_bytes(
        "ledger.refusal.Refusal.open",
        lambda data: Refusal.open(data, cast.LOG.public),
        (malformed, SignatureError),
        *seeds.REFUSALS,
    )
    yield of_bytes("ledger.refusal.Refusal.open signed", _signed_refusal, malformed, *seeds.REFUSAL_PAYLOADS)
    yield of_bytes(
        "ledger.refusal.Refusal.open_of",
        lambda data: Refusal.open_of(data, _LOG),
        (MalformedError, SignatureError, TrustError),
        *seeds.REFUSALS,
    )
    yield of_bytes("ledger.refusal.Refusal.open_of signed", _signed_refusal_of, malformed, *seeds.REFUSAL_PAYLOADS)
    yield of_bytes("ledger.block.Header.decode", Header.decode, malformed, *seeds.HEADERS, write=Header.encode)
    yield of_bytes(
        "ledger.anchor.decode", anchor.decode, malformed, *seeds.ANCHORED, write=lambda entry: anchor.encode(*entry)
    )
    yield of_bytes("ledger.audit.state_file.Saved.decode", Saved.decode, malformed, *seeds.AUDITED, write=Saved.encode)
    yield of_bytes("ledger.proof.bundle.Bundle.decode", Bundle.decode, malformed, *seeds.BUNDLES, write=Bundle.encode)
    yield of_bytes(
        "ledger.proof.verify.verify",
        lambda data: verify(Bundle.decode(data), seeds.TRUST),
        OutsideError,
        *seeds.BUNDLES,
    )
    yield of_bytes(
        "ledger.proof.product.ProductBundle.decode",
        ProductBundle.decode,
        malformed,
        *seeds.PRODUCTS,
        write=ProductBundle.encode,
    )
    yield of_bytes(
        "ledger.proof.product.verify_product",
        lambda data: verify_product(ProductBundle.decode(data), seeds.TRUST),
        OutsideError,
        *seeds.PRODUCTS,
    )
    yield of_bytes(
        "ledger.proof.transparent.EntryReceipt.decode",
        EntryReceipt.decode,
        malformed,
        *seeds.ENTRY_RECEIPTS,
        write=EntryReceipt.encode,
    )
    yield of_bytes(
        "ledger.proof.transparent.read_receipt",
        read_receipt,
        malformed,
        *seeds.ENTRY_RECEIPTS,
        *seeds.RECEIPTS,
        write=lambda receipt: receipt.encode(),
    )
    yield of_bytes(
        "ledger.proof.transparent.Transparent.decode",
        Transparent.decode,
        malformed,
        *seeds.TRANSPARENT,
        write=Transparent.encode,
    )
    yield of_text(
        "ledger.proof.tlog_proof.TlogProof.parse",
        TlogProof.parse,
        malformed,
        *seeds.TLOG_PROOFS,
        write=lambda proof: str(proof.text),
    )
    yield of_bytes(
        "ledger.proof.check.check",
        lambda data: check(data, seeds.TRUST, statement=seeds.STATEMENTS[0], passed=lambda step: None),
        OutsideError,
        *seeds.BUNDLES,
        *seeds.PRODUCTS,
        *seeds.TRANSPARENT,
        *map(_bytes, seeds.TLOG_PROOFS),
    )
    yield of_bytes("ledger.registry.registry.decode", registry.decode, malformed, *seeds.ENTRIES)
    yield of_bytes("ledger.registry.registry.Registry.apply", _apply, (malformed, RegistryError), *seeds.ENTRIES)
    yield of_bytes("ledger.registry.registry.Registry.apply genesis", _found, (malformed, RegistryError), cast.GENESIS)
    yield of_bytes("ledger.fold.apply", _fold, (), *seeds.ENTRIES)
    yield of_bytes(
        "ledger.tile.decode_entries",
        lambda data: tile.decode_entries(data[1:], data[0] if data else 0),
        malformed,
        *seeds.ENTRY_BUNDLES,
        write=lambda entries: bytes([len(entries)]) + tile.encode_entries(entries) if entries else b"",
        one_encoding=False,
    )
    yield of_text(
        "ledger.tile.parse_tile_path",
        tile.parse_tile_path,
        malformed,
        "tile/0/x001/x234/067.p/5",
        write=lambda found: str(found.path),
    )
    yield of_text(
        "ledger.tile.parse_entries_path",
        tile.parse_entries_path,
        malformed,
        "tile/entries/x001/067.p/5",
        write=lambda found: str(found.path),
    )
    yield of_text(
        "ledger.published.paths.parse", paths.parse, malformed, *seeds.PATHS, write=lambda found: str(found.path)
    )
    yield of_text("ledger.published.policy.parse", policy.parse, OutsideError, *seeds.PATHS)
    yield of_bytes(
        "ledger.published.blocks.decode_head", blocks.decode_head, malformed, *seeds.HEADS, write=blocks.encode_head
    )
    yield of_bytes(
        "ledger.published.blocks.decode_blocks",
        lambda data: blocks.decode_blocks(data, 2),
        malformed,
        *seeds.BLOCKS,
        write=blocks.encode_blocks,
    )
    yield of_bytes(
        "ledger.published.content.decode",
        lambda data: content.decode(data, 2),
        malformed,
        *seeds.CONTENTS,
        write=content.encode,
    )
    yield of_text(
        "ledger.published.export_state.ExportState.parse",
        ExportState.parse,
        malformed,
        seeds.EXPORT_STATE,
        write=lambda found: str(found.text),
        one_encoding=False,
    )
    yield of_text("ledger.published.tokens.Tokens.parse", Tokens.parse, (ValueError, RecursionError), seeds.TOKENS)
    yield of_file("ledger.published.tokens.Tokens.load_or_make", Tokens.load_or_make, seeds.TOKENS)
    yield of_text(
        "ledger.monitor.state.State.parse",
        State.parse,
        malformed,
        State(registry=7, seen={"https://ledger.example.com": {"example.com/tallystick/trade": "a note"}}).text,
        State(told={"0f": 5}, undelivered=[{"id": "0f"}]).text,
        write=lambda state: state.text,
        one_encoding=False,
    )
    yield of_text("ledger.b64.decode", b64.decode, malformed, "YQ==", "AAAA", write=b64.encode)
    yield of_text(
        "ledger.topic.Topic.parse",
        Topic.parse,
        malformed,
        "tallystick/v1/production/line-1/receipt/0",
        write=lambda found: "/".join(map(str, found)),
    )
    yield of_text(
        "ledger.checkpoint.Checkpoint.parse",
        Checkpoint.parse,
        CheckpointError,
        seeds.CHECKPOINT.text,
        write=lambda found: str(found.text),
    )
    yield of_text("ledger.note.open", lambda text: note.open(text, [_LOG.verifier]), NoteError, seeds.NOTE)
    yield of_text("ledger.trust.Log.open", _LOG.open, (NoteError, CheckpointError, TrustError), seeds.NOTE)
    yield of_text(
        "ledger.note.Verifier.parse",
        note.Verifier.parse,
        NoteError,
        _LOG.verifier.vkey,
        write=lambda found: str(found.vkey),
    )
    yield of_text(
        "ledger.trust.trust_file.Trust.parse",
        Trust.parse,
        TrustError,
        seeds.TRUST.text,
        seeds.TRUST_FOLLOWED,
        seeds.TRUST_BUNDLE,
        write=lambda found: str(found.text),
        one_encoding=False,
    )
    yield of_text(
        "ledger.trust.bundle.TrustBundle.parse",
        TrustBundle.parse,
        TrustError,
        seeds.TRUST_BUNDLE,
        write=lambda found: str(found.note),
    )
    yield of_text(
        "ledger.trust.bundle.TrustBundle.parse of what the operator signs",
        lambda text: TrustBundle.parse(note.sign(f"{text}\n", [seeds.TRUST_SIGNER])),
        (TrustError, NoteError),
        seeds.TRUST_BUNDLE.rpartition("\n\n")[0],
    )
    yield of_bytes(
        "ledger.trust.succession.follow",
        lambda data: succession.follow(rooted.pin(seeds.ROOTED), [seeds.ROOTED[0], data]),
        TrustError,
        seeds.ROOTED[1],
    )
    for opening in (_LOG.open, _LOG.open_signed):
        yield of_text(
            f"ledger.log.Log.{opening.__name__}",
            opening,
            (NoteError, CheckpointError, TrustError),
            note.sign(seeds.CHECKPOINT.text, [note.Signer(cast.ORIGIN, cast.LOG)]),
        )
    for read, name in (
        (names.host, "[2001:db8::7]:8420"),
        (names.web_address, "https://id.example.com:1/x"),
        (names.ledger, "example.com"),
        (names.organisation, "https://example.com"),
    ):
        yield of_text(f"ledger.names.{read.__name__}", read, UserError, name, write=str)
    yield of_file("ledger.trust.trust_file.Trust.load", Trust.load, seeds.TRUST.text)
    yield of_text("ledger.registration.read", registration.read, UserError, *seeds.REGISTRATIONS)
    yield of_text("ledger.settings.parse_broker", settings.parse_broker, UserError, "mqtt://me:p%40ss@example.com:1884")
    yield of_file(
        "ledger.settings.Settings.load",
        lambda path: settings.Settings.load(path.parent, environ={}),
        seeds.SETTINGS,
        file=settings.FILE_NAME,
    )
    yield of_text(
        "ledger.backup.manifest.Manifest.parse",
        Manifest.parse,
        MalformedError,
        seeds.MANIFEST.text,
        write=lambda found: str(found.text),
        one_encoding=False,
    )
    yield of_file(
        "ledger.backup.restore.load", lambda path: restore.load(path.parent), seeds.MANIFEST.text, file="manifest.json"
    )
    yield of_text("ledger.checkpoint_file.parse", checkpoint_file.parse, CheckpointError, seeds.NOTE)
    yield of_file("ledger.keys.SigningKey.load", SigningKey.load, seeds.KEY_FILE)
    yield of_file("ledger.checkpoint_file.load", lambda path: checkpoint_file.load(path.parent, path.name), seeds.NOTE)


def _anew(statement: Statement) -> bytes:
    """The statement's bytes, made again from its fields: those that it was read from are remembered."""
    fields = {name: getattr(statement, name) for name in statement.__dataclass_fields__}
    return Statement(**fields).encode()


def _signed_refusal_of(payload: bytes) -> Refusal:
    return Refusal.open_of(seeds.refusal(payload), _LOG)


def _signed_refusal(payload: bytes) -> Refusal:
    return Refusal.open(seeds.refusal(payload), cast.LOG.public)


def _of_edge() -> Iterator[Target]:
    yield of_bytes(
        "edge.confirm.judge",
        lambda data: confirm.judge(data, lane=1, device=_DEVICE, view=_NothingSpooled()),
        (),
        *seeds.ANSWERS,
    )
    first = replace(_DEVICE, log=seeds.TRUST.log("production"))
    yield of_bytes("edge.confirm.learn", lambda data: confirm.learn(data, first), TrustError, *seeds.ANSWERS)
    yield of_bytes(
        "edge.confirm.judge_refusal",
        lambda data: confirm.judge_refusal(data, lane=1, device=_DEVICE),
        (),
        *seeds.REFUSALS,
    )
    yield of_text(
        "edge.config.Config.parse",
        lambda text: Config.parse(text, Path("/nowhere/config.toml")),
        UserError,
        seeds.CONFIG,
    )
    yield of_file("edge.config.Config.load", lambda path: Config.load(path.parent), seeds.CONFIG, file="config.toml")
    yield of_file("edge.sensors.csv.CsvSensor", _csv, seeds.CSV)
    yield of_text("edge.sensors.csv.CsvSensor cursor", _cursor, UserError, '{"row": 1, "at": 1750000000.0}')
    yield of_file("edge.event_file.read", event_file.read, seeds.EVENT_JSON, f"[{seeds.EVENT_JSON}]")
    yield of_file(
        "edge.event_file.body",
        lambda path: [event_file.body(item, 1) for item in event_file.read(path)],
        seeds.EVENT_JSON,
    )


def _of_gateway() -> Iterator[Target]:
    yield of_text("gateway.address.parse_address", address.parse_address, UserError, "127.0.0.1:8421", "[::1]:0")
    yield of_text("gateway.workers.Worker.parse", Worker.parse, ValueError, "0/2", write=str, one_encoding=False)
    yield of_bytes("gateway.judge.opened", judged, (), *seeds.MESSAGES)
    yield of_bytes(
        "ledger.projection.content.Rows.read", _rows, (), *seeds.PACKS, *seeds.EVENTS, *seeds.STREAMS, *seeds.ENTRIES
    )


def _of_labels() -> Iterator[Target]:
    yield of_text(
        "labels.gs1.digital_link.parse",
        gs1.parse,
        gs1.Gs1Error,
        *seeds.LINKS,
        write=lambda link: str(link.build(link.host, scheme=link.scheme, path_prefix=link.path_prefix)),
        one_encoding=False,
    )
    for read, write in (
        (gs1.read, lambda message: str(message.bracketed)),
        (element_string.parse, lambda message: str(message.element_string)),
        (bracketed.parse, lambda message: str(message.bracketed)),
        (carrier.parse, lambda message: f"]d2{message.element_string}"),
        (gtin.parse, lambda message: str(message.gtin)),
    ):
        yield of_text(
            f"{read.__module__}.{read.__name__}",
            read,
            gs1.Gs1Error,
            *seeds.GS1_MESSAGES,
            *seeds.LINKS,
            write=write,
            one_encoding=False,
        )
    yield of_text(
        "labels.gs1.read.read_together",
        lambda text: gs1.read_together(text.split("\n")),
        gs1.Gs1Error,
        "\n".join(seeds.GS1_MESSAGES[:3]),
    )
    yield of_text(
        "labels.gs1.read.read_apart",
        lambda text: gs1.read_apart(text.split("\n")),
        gs1.Gs1Error,
        "\n".join(seeds.GS1_MESSAGES[:3]),
    )
    yield of_text(
        "labels.gs1.compressed.decode",
        lambda text: compressed.decode(text, ordered=True),
        compressed.NotCompressed,
        *seeds.COMPRESSED,
    )
    yield of_text("labels.gs1.link_uri.decode", lambda text: link_uri.decode(text, "10", 0), gs1.Gs1Error, "a%2Fb")
    yield of_text("labels.pages.resolve.product_link", resolve.product_link, (gs1.Gs1Error, UserError), *seeds.LINKS)
    yield of_text(
        "labels.signature.decode_digits",
        signature.decode_digits,
        signature.LabelError,
        seeds.DIGITS,
        write=lambda found: str(found.digits),
    )
    yield of_text(
        "labels.signature.signature_of",
        lambda text: signature.signature_of(gs1.parse(text)),
        (gs1.Gs1Error, signature.LabelError),
        *seeds.LINKS,
    )
    yield of_text(
        "labels.batch.Label.of",
        lambda text: batch.Label.of(gs1.parse(text)),
        (gs1.Gs1Error, MalformedError),
        *seeds.LINKS,
    )
    zebra = (MalformedError, seeds.HOST_STATUS)
    yield of_bytes("labels.printers.zebra_status.ZebraStatus.parse", ZebraStatus.parse, *zebra)
    yield of_bytes(
        "labels.printers.brother_status.BrotherStatus.parse", BrotherStatus.parse, MalformedError, *seeds.BROTHER
    )
    addresses = ("zebra.example.com:9100", "[2001:db8::7]:9100", "/dev/usb/lp0")
    yield of_text(
        "labels.printers.address.Address.of", Address.of, UserError, *addresses, write=str, one_encoding=False
    )
    yield of_text("labels.printers.dots.Size.of", Size.of, UserError, "50x30", "57.5x32", write=str, one_encoding=False)
    yield of_bytes(
        "labels.batch.Batch.read", lambda data: batch.Batch.read(registry.decode(data)), MalformedError, *seeds.ENTRIES
    )
    yield from _of_the_catalogue()
    yield from _of_issuing()
    yield from _of_hidden_codes()
    yield from _of_reading()


def _of_hidden_codes() -> Iterator[Target]:
    """What redeems a code, what is answered, and what a person typed."""
    path, code = "/01/09506000134352/21/7K3M9QX2AB", "7K3M9QX2ABCDEFGH"
    said = {"label": path, "code": "7K3M 9QX2 ABCD EFGH", "nonce": "00" * 16}
    form = f"label=https://id.example.com{path}&code={code}&nonce={'0a' * 64}"
    yield of_text("labels.hidden.code.read", hidden_code.read, MalformedError, code, "7k3m-9qx2 abcd efgh")
    yield of_text("labels.hidden.asked.read_nonce", asked.read_nonce, MalformedError, "00" * 16, write=bytes.hex)
    yield of_text("labels.hidden.asked.read", lambda text: asked.read(text, code, b""), MalformedError, path)
    yield of_bytes("labels.hidden.asked.read_json", asked.read_json, MalformedError, json.dumps(said).encode())
    yield of_bytes("labels.hidden.asked.read_form", asked.read_form, MalformedError, form.encode())
    yield of_text("labels.hidden.keys.read", hidden_keys.read, MalformedError, f"# of\n{seeds.HIDDEN_KEY}\n")
    yield of_bytes(
        "labels.hidden.answer.Answer.read",
        _redeemed,
        MalformedError,
        *seeds.REDEEMED,
        write=lambda answer: json.dumps(answer.document).encode(),
        one_encoding=False,
    )


def _redeemed(data: bytes) -> Redeemed:
    """An answer in a body: what is JSON, of whatever shape, is given on."""
    return Redeemed.read(client.fields_of(data))


def _read_entry(kind: Any, data: bytes) -> Any:
    return kind.read(registry.decode(data))


def _of_issuing() -> Iterator[Target]:
    """A maker's serials, a program's request, and who may ask."""
    for name, column in (("", None), (" column", "sn")):
        read = partial(_serials, column)
        yield of_bytes(f"labels.issuing.serial_file.read_serials{name}", read, Refused, *seeds.SERIALS)
    yield of_bytes("labels.issuing.lot_request.read_order", _ordered, Refused, *seeds.ORDERS)
    yield of_text("labels.issuing.lot_request.read_key", lot_request.read_key, Refused, "8e03978e-40d5-43dd")
    broken = (ValueError, RecursionError)
    yield of_text("ledger.bearer.read_tokens", bearer.read_tokens, broken, seeds.TOKENS)
    yield of_text("labels.issuing.issuers.read_issuers", issuers.read_issuers, broken, seeds.TOKENS)
    yield of_file("labels.issuing.issuers.load_issuers", issuers.load_issuers, seeds.TOKENS)


def _serials(column: str | None, data: bytes) -> Any:
    """Each serial of a file, looked at as before it is signed."""
    with Spool(_folder()) as spool:
        return draw(Own(serial_file.read_serials(BytesIO(data), column)), spool, gtin=seeds.GTIN)


def _ordered(data: bytes) -> Any:
    order = lot_request.read_order(data)
    with Spool(_folder()) as spool:
        return lot_request.digest(order), isinstance(order.source, Own) and draw(order.source, spool, gtin=order.gtin)


def _of_the_catalogue() -> Iterator[Target]:
    kinds: tuple[Any, ...] = (Description, Recall, Lifting)
    for kind in kinds:
        yield of_bytes(
            f"{kind.__module__}.{kind.__name__}.read",
            partial(_read_entry, kind),
            MalformedError,
            *seeds.ENTRIES,
            write=lambda found: cbor.encode(found.entry()),
            one_encoding=False,
        )
    yield of_bytes("labels.catalogue.picture.prepare", picture.prepare, MalformedError, *seeds.PICTURES)
    yield of_bytes(
        "labels.catalogue.written.changes_of",
        lambda data: written.changes_of("file", data),
        UserError,
        *seeds.CATALOGUES,
    )
    yield of_text("labels.catalogue.written.link_of", written.link_of, UserError, "gs1:pip=https://example.com/;A;en")
    yield of_text("labels.catalogue.written.limit_of", written.limit_of, UserError, "temperature=-2.5..8 Cel")


def _of_reading() -> Iterator[Target]:
    kinds = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "PPM", "WEBP", "PDF")
    shown = reading_code.Code("QR Code", "]Q1", seeds.LINKS[0], ((1, 2), (9, 2), (9, 9), (1, 9)))
    yield of_bytes(
        "labels.reading.picture.pages",
        lambda data: [page.size for _, page in reading_picture.pages(data, _SMALL)],
        reading_code.PictureError,
        *(pictures.encoded(pictures.label(seeds.LINKS[0], module_px=1), kind) for kind in kinds),
    )
    yield of_bytes(
        "labels.reading.protocol.read_line",
        protocol.read_line,
        (MalformedError, reading_code.PictureError),
        protocol.page_line(reading_code.Page(1, 2, (10, 10), (shown,), 1)),
        protocol.done_line(),
    )
    for symbology, valid in (("]Q1", seeds.LINKS[0]), ("]d2", "0109506000134352"), ("]C1", "00095060001343520011")):
        yield of_text(f"labels.reading.say.say {symbology}", partial(_say, symbology), (), valid)
    yield of_bytes(
        "labels.reading.verdict.by_service",
        lambda data: verdict.by_service(json.loads(data), _SIGNED, by="https://id.example.com"),
        (ValueError, RecursionError),  # of json.loads
        json.dumps(_SIGNED.document).encode(),
    )


_SMALL = reading_code.Limits(bytes_max=1 << 20, pixels_max=1 << 20, pages_max=4)
_SIGNED = verdict.Verdict(Standing.SIGNED, "Signed", "The label is signed.")


def _say(symbology: str, text: str) -> Any:
    return say.say(reading_code.Code("", symbology, text, ((0, 0), (0, 0), (0, 0), (0, 0))))


TARGETS: dict[str, Target] = {
    target.name: target for of in (_of_ledger, _of_edge, _of_gateway, _of_labels) for target in of()
}

# What is named like a decoder and reads nothing from outside, or only by way of those above.
OTHERS = {
    "edge.sensors.load": "makes a sensor of what Config has read",
    "edge.sensors.csv.CsvSensor.read": "gives what was read when it was made",
    "edge.sensors.host.HostSensor.read": "reads the machine",
    "edge.sensors.Sensor.read": "a protocol",
    "edge.signer.Signer.restore": "opens a stream",
    "edge.spool.Spool.open_stream": "reads our own database",
    "edge.status.read": "reads our own database",
    "gateway.ages.Ages.load": "reads our own database",
    "gateway.chain.GatewayChain.judge": "hands on to judge",
    "gateway.kept.read": "reads our own database",
    "gateway.record.Record.of": "of chains that we name",
    "gateway.replays.Replayed.of": "judged again, as when it came",
    "labels.gs1.digital_link.of": "takes what elements has checked",
    "labels.catalogue.limit.Limit.read": "by Description.read",
    "labels.catalogue.limit.read_limits": "by Description.read",
    "labels.catalogue.link.Link.read": "by Description.read",
    "labels.catalogue.pictures.load": "reads our own database",
    "labels.catalogue.place.Place.read": "by Description.read",
    "labels.hidden.answer.Commitment.read": "by Answer.read",
    "labels.judgement.judge": "takes what gs1.parse has read",
    "labels.issuing.export.Format.of": "of a name that a user gives",
    "labels.judgement.judge_signature": "takes what gs1.parse has read",
    "labels.pages.resolve.Resolver.judge": "takes what gs1.parse has read",
    "labels.pages.web._Site.read": "hands on to the process that decodes",
    "labels.reading.apart.Decoder.read": "hands on to the process that decodes, by read_line",
    "labels.reading.cli.read": "by Decoder.read",
    "labels.reading.judges.Judge.judge": "a protocol",
    "labels.reading.judges.LedgerJudge.judge": "takes what gs1.parse has read",
    "labels.reading.judges.ServiceJudge.judge": "by by_service",
    "labels.reading.judges.TrustJudge.judge": "takes what gs1.parse has read",
    "labels.signature.LabelKey.of": "takes what the registry has read",
    "ledger.backup.backup.read_heads": "reads our own database",
    "ledger.backup.cli.restore": "by restore.restore",
    "ledger.backup.restore.restore": "by Manifest.parse",
    "ledger.audit.database.DatabaseAt.open": "opens our own database",
    "ledger.audit.histories.Histories.read": "takes what a source has read",
    "ledger.audit.resume.load": "by Saved.decode",
    "ledger.audit.rows.SourceAt.open": "a protocol",
    "ledger.audit.published.PublishedAt.open": "opens what PublishedLog reads",
    "ledger.checkpoint_file.read": "gives a file's text",
    "ledger.genesis._Keys.load_or_make": "by SigningKey.load",
    "ledger.mirror.store.Store.read": "by FolderReader.read",
    "ledger.monitor.state_file.load": "by State.parse",
    "ledger.proof.bundle.Bundle.of": "by Bundle.decode",
    "ledger.proof.bundle.read_checkpoint": "by Bundle.decode",
    "ledger.proof.bundle.read_entry": "by Bundle.decode",
    "ledger.proof.checkpoints.Checkpoints.open": "by Log.open",
    "ledger.proof.product.ProductBundle.of": "takes bundles",
    "ledger.published.database.DatabaseReader.read": "reads a path by policy.parse",
    "ledger.published.writer.FolderWriter.read": "gives a file of our own",
    "ledger.published.folder.FolderReader.read": "reads a path by policy.parse",
    "ledger.published.http.HttpReader.read": "gives the bytes of a path read by paths.parse",
    "ledger.published.policy.LimitedReader.read": "reads a path by policy.parse",
    "ledger.published.policy.Policy.of": "of chains that we name",
    "ledger.published.reader.Reader.read": "a protocol",
    "ledger.published.serve.DatabaseReaders.read": "reads a path by policy.parse",
    "ledger.published.serve.FolderReaders.read": "reads a path by policy.parse",
    "ledger.published.serve.Readers.read": "a protocol",
    "ledger.keys.load_or_make": "by SigningKey.load",
    "ledger.seal.ChainWriter.read_nodes": "reads our own database",
    "ledger.trust.parts.Revoked.of": "takes what the registry has read",
    "ledger.trust.bundle.read_messages": "by Trust.parse",
    "ledger.settings._File.read": "by Settings.load",
}
