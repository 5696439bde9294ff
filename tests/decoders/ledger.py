"""The vocabulary: statements and their sections, notes, checkpoints, tiles, names, keys, settings."""

from collections.abc import Iterator

from ledger import (
    anchor,
    b64,
    bearer,
    cbor,
    checkpoint_file,
    epcis,
    message,
    names,
    note,
    senml,
    settings,
    stream,
    tile,
)
from ledger.birth import Birth
from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.cose import Sign1
from ledger.errors import CheckpointError, MalformedError, NoteError, SignatureError, TrustError, UserError
from ledger.keys import SigningKey
from ledger.receipt import Answer, Receipt
from ledger.refusal import Refusal
from ledger.section import ContentFormat, Line, Privacy, Section, matching
from ledger.statement import Statement
from ledger.topic import Topic
from tests import cast, seeds
from tests.decoders.target import NOT_JSON, Target, of_bytes, of_file, of_text

_LINE = Line(
    Privacy.PRIVATE,
    ContentFormat.SENML_CBOR,
    seeds.SECTION.digest(kid=cast.DEVICE.kid, privacy=Privacy.PRIVATE, content_format=ContentFormat.SENML_CBOR),
)


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    # Values by their one encoding: a NaN is not equal to itself.
    yield of_bytes(
        "ledger.cbor.decode",
        lambda data: cbor.encode(cbor.decode(data)),
        MalformedError,
        *seeds.CBOR,
        write=bytes,
        one_encoding=False,
    )
    yield of_bytes(
        "ledger.cbor.decode_canonical", cbor.decode_canonical, MalformedError, *seeds.CBOR, write=cbor.encode
    )
    yield of_bytes(
        "ledger.cbor.decode_item", lambda data: cbor.decode_item(data, depth_max=16), MalformedError, *seeds.CBOR
    )
    yield of_bytes("ledger.cbor.decode_first", lambda data: cbor.decode_first(data), MalformedError, b"\x80x")
    yield of_bytes("ledger.cose.Sign1.decode", Sign1.decode, MalformedError, *seeds.STATEMENTS, write=Sign1.encode)
    yield of_bytes(
        "ledger.statement.Statement.decode",
        Statement.decode,
        MalformedError,
        *seeds.STATEMENTS,
        write=lambda statement: _anew(statement),
    )
    yield of_bytes(
        "ledger.message.decode",
        message.decode,
        MalformedError,
        *seeds.MESSAGES,
        write=lambda sent: message.encode(sent.statement, sent.sections),
    )
    yield of_bytes(
        "ledger.section.Section.decode", Section.decode, MalformedError, *seeds.SECTIONS, write=Section.encode
    )
    yield of_bytes(
        "ledger.section.matching", lambda data: matching(_LINE, data, kid=cast.DEVICE.kid), (), seeds.SECTION.encode()
    )
    yield of_bytes("ledger.senml.decode", lambda body: senml.decode(body, now=1.75e9), MalformedError, *seeds.PACKS)
    yield of_bytes(
        "ledger.epcis.decode",
        epcis.decode,
        MalformedError,
        *seeds.EVENTS,
        write=lambda event: epcis.encode(event.document),
        one_encoding=False,
    )
    yield of_bytes("ledger.epcis.read", lambda data: epcis.read(cbor.decode(data)), MalformedError, *seeds.EVENTS)
    yield of_bytes("ledger.stream.decode", stream.decode, MalformedError, *seeds.STREAMS)
    yield of_bytes(
        "ledger.birth.Birth.decode", Birth.decode, MalformedError, *seeds.BIRTHS, write=Birth.encode, one_encoding=False
    )
    yield of_bytes(
        "ledger.receipt.Receipt.decode", Receipt.decode, MalformedError, *seeds.RECEIPTS, write=Receipt.encode
    )
    yield of_bytes(
        "ledger.receipt.Answer.decode",
        Answer.decode,
        MalformedError,
        *seeds.ANSWERS,
        write=Answer.encode,
        one_encoding=False,
    )
    yield of_bytes(
        "ledger.refusal.Refusal.open",
        lambda data: Refusal.open(data, cast.LOG.public),
        (MalformedError, SignatureError),
        *seeds.REFUSALS,
    )
    yield of_bytes("ledger.refusal.Refusal.open signed", _signed_refusal, MalformedError, *seeds.REFUSAL_PAYLOADS)
    yield of_bytes(
        "ledger.refusal.Refusal.open_of",
        lambda data: Refusal.open_of(data, seeds.PRODUCTION),
        (MalformedError, SignatureError, TrustError),
        *seeds.REFUSALS,
    )
    yield of_bytes("ledger.refusal.Refusal.open_of signed", _signed_refusal_of, MalformedError, *seeds.REFUSAL_PAYLOADS)
    yield of_bytes("ledger.block.Header.decode", Header.decode, MalformedError, *seeds.HEADERS, write=Header.encode)
    yield of_bytes(
        "ledger.anchor.decode",
        anchor.decode,
        MalformedError,
        *seeds.ANCHORED,
        write=lambda entry: anchor.encode(*entry),
    )
    yield of_bytes(
        "ledger.tile.decode_entries",
        lambda data: tile.decode_entries(data[1:], data[0] if data else 0),
        MalformedError,
        *seeds.ENTRY_BUNDLES,
        write=lambda entries: bytes([len(entries)]) + tile.encode_entries(entries) if entries else b"",
        one_encoding=False,
    )
    yield of_text(
        "ledger.tile.parse_tile_path",
        tile.parse_tile_path,
        MalformedError,
        "tile/0/x001/x234/067.p/5",
        write=lambda found: str(found.path),
    )
    yield of_text(
        "ledger.tile.parse_entries_path",
        tile.parse_entries_path,
        MalformedError,
        "tile/entries/x001/067.p/5",
        write=lambda found: str(found.path),
    )
    yield of_text("ledger.b64.decode", b64.decode, MalformedError, "YQ==", "AAAA", write=b64.encode)
    yield of_text(
        "ledger.topic.Topic.parse",
        Topic.parse,
        MalformedError,
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
    yield of_text("ledger.note.open", lambda text: note.open(text, [seeds.PRODUCTION.verifier]), NoteError, seeds.NOTE)
    yield of_text("ledger.trust.Log.open", seeds.PRODUCTION.open, (NoteError, CheckpointError, TrustError), seeds.NOTE)
    yield of_text(
        "ledger.note.Verifier.parse",
        note.Verifier.parse,
        NoteError,
        seeds.PRODUCTION.verifier.vkey,
        write=lambda found: str(found.vkey),
    )
    for opening in (seeds.PRODUCTION.open, seeds.PRODUCTION.open_signed):
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
    yield of_text("ledger.settings.parse_broker", settings.parse_broker, UserError, "mqtt://me:p%40ss@example.com:1884")
    yield of_file(
        "ledger.settings.Settings.load",
        lambda path: settings.Settings.load(path.parent, environ={}),
        seeds.SETTINGS,
        file=settings.FILE_NAME,
    )
    yield of_text("ledger.checkpoint_file.parse", checkpoint_file.parse, CheckpointError, seeds.NOTE)
    yield of_file("ledger.keys.SigningKey.load", SigningKey.load, seeds.KEY_FILE)
    yield of_file("ledger.checkpoint_file.load", lambda path: checkpoint_file.load(path.parent, path.name), seeds.NOTE)
    yield of_text("ledger.bearer.read_tokens", bearer.read_tokens, NOT_JSON, seeds.TOKENS)


def _anew(statement: Statement) -> bytes:
    """The statement's bytes, made again from its fields: those that it was read from are remembered."""
    fields = {name: getattr(statement, name) for name in statement.__dataclass_fields__}
    return Statement(**fields).encode()


def _signed_refusal_of(payload: bytes) -> Refusal:
    return Refusal.open_of(seeds.refusal(payload), seeds.PRODUCTION)


def _signed_refusal(payload: bytes) -> Refusal:
    return Refusal.open(seeds.refusal(payload), cast.LOG.public)
