"""Valid encodings of everything that comes from outside: what a mutation starts from."""

import json
from dataclasses import replace
from io import BytesIO

from PIL import Image

from labels import gs1
from labels.hidden.answer import Answer as Redeemed
from labels.hidden.answer import Commitment, Result
from labels.hidden.asked import Asked
from labels.signature import sign_label
from ledger import anchor, cbor, cose, epcis, message, note, senml, stream
from ledger.audit.report import Part, Problem
from ledger.audit.state import State
from ledger.audit.state_file import Saved
from ledger.audit.streams import Head
from ledger.backup.manifest import File, Manifest
from ledger.birth import Birth
from ledger.block import Header
from ledger.checkpoint import Checkpoint
from ledger.frontier import Frontier
from ledger.log import Log
from ledger.proof.bundle import Anchoring, Bundle, ProvenEntry, RegistryPart
from ledger.proof.product import ProductBundle
from ledger.proof.tlog_proof import TlogProof
from ledger.proof.transparent import EntryReceipt, Transparent
from ledger.published import content
from ledger.published.blocks import Block, encode_blocks, encode_head
from ledger.published.export_state import ExportState, LogState
from ledger.receipt import Answer, Range, Receipt
from ledger.refusal import CONTENT_TYPE, Reason, Refusal
from ledger.section import ContentFormat, Line, Privacy, Section
from ledger.statement import EVENTS as EVENTS_LANE
from ledger.statement import TELEMETRY
from ledger.trust.trust_file import Trust
from tests import cast, rooted

HASH = bytes(range(32))
NONCE = bytes(range(16))
GTIN = "09506000134352"
ITEM = f"/01/{GTIN}/21/7K3M9QX2AB"

CBOR = (cbor.encode({1: [None, True, -1, 2**64 - 1, 0.5, "é", b"x", {"b": [], "a": {}}]}), b"\x80", b"\xf9\x7e\x00")

SECTION = Section(NONCE, b"\x80")
SECTIONS = (SECTION.encode(), Section(NONCE, b"").encode())
_LINES = [Line(Privacy.PUBLIC, 65001, HASH), Line(Privacy.PRIVATE, 112, HASH)]
LINKS_OF_A_STREAM = cast.links(3)
STATEMENTS = (
    *(statement.encode() for statement in LINKS_OF_A_STREAM[:2]),
    cast.sign(lane=EVENTS_LANE, manifest=_LINES).encode(),
    cast.sign(manifest=[]).encode(),
)
MESSAGES = (
    message.encode(STATEMENTS[0], [SECTION.encode()]),
    message.encode(STATEMENTS[0], [None]),
    message.encode(cast.sign(manifest=[SECTION.line(
        kid=cast.DEVICE.kid, privacy=Privacy.PRIVATE, content_format=ContentFormat.SENML_CBOR
    )]).encode(), [SECTION.encode()]),
)  # fmt: skip

_BASE = f"{cast.URN}:"
_VALUES: tuple[senml.Value, ...] = (1.5, "x", True, b"y", 2)
_READINGS = [senml.Reading(f"{_BASE}t", "Cel", 1.75e9 + n, value) for n, value in enumerate(_VALUES)]
PACKS = (
    senml.encode(_READINGS, base_name=_BASE),
    senml.encode(_READINGS[:1], base_name=""),
    cbor.encode([{-1: 10, -2: _BASE, -3: 1.75e9, -4: "Cel", -5: 1.0, 0: "t", 5: 3}, {0: "u", 2: 1, 6: -1}]),
)
EVENT = {
    "type": "ObjectEvent",
    "action": "ADD",
    "eventTime": "2025-06-15T15:06:40.5Z",
    "eventTimeZoneOffset": "+02:00",
    "epcList": [f"https://id.gs1.org{ITEM}"],
    "bizStep": "commissioning",
    "disposition": "active",
    "readPoint": {"id": "urn:x:dock"},
    "bizLocation": {"id": "urn:x:hall"},
    "ilmd": {"x": [1, 2.5, None]},
    "sensorElementList": [
        {
            "sensorMetadata": {
                "deviceID": cast.URN,
                "startTime": "2025-06-15T15:00:00Z",
                "endTime": "2025-06-15T15:06:40+00:00",
            },
            "sensorReport": [{"value": 1.5}],
        }
    ],
}
_AGGREGATION = {key: EVENT[key] for key in ("eventTime", "eventTimeZoneOffset", "bizStep")} | {
    "type": "AggregationEvent",
    "action": "OBSERVE",
    "parentID": "https://id.gs1.org/00/095060000000000015",
    "childQuantityList": [{"epcClass": f"https://id.gs1.org/01/{GTIN}", "quantity": 2}],
}
EVENTS = (epcis.encode(EVENT), epcis.encode(_AGGREGATION))
EVENT_JSON = json.dumps(EVENT)
STREAMS = (
    stream.opening("new", None),
    stream.opening("restored", (cast.STREAM, 5, HASH)),
    stream.evicted([(cast.STREAM, 5, 0), (cast.STREAM, 6, 1)]),
    stream.refused(STATEMENTS[0]),
)

# What root keys say

ROOTED = rooted.stream(rooted.next_key())
_FIRST_KEYS = {chain.name: Log(chain.name, note.Verifier.parse(chain.vkey)) for chain in cast.CHAINS}
PRODUCTION = Log("production", note.Verifier(cast.ORIGIN, cast.LOG.public))
TRUST_FOLLOWED = Trust("example.com", rooted.pin(ROOTED), _FIRST_KEYS).following(ROOTED).text
TRUST_BUNDLE = rooted.bundle(ROOTED).note
TRUST_SIGNER = note.Signer("example.com/tallystick/trust", cast.OPERATOR)

# Between gateway and device

BIRTHS = (Birth(cast.DEVICE.kid, NONCE, {0: (cast.STREAM, 1), 1: (cast.STREAM, 2)}).encode(),)
_RECEIPT = Receipt(
    log_kid=cast.LOG.kid,
    origin=cast.ORIGIN,
    subject=cast.URN,
    kid=cast.DEVICE.kid,
    size=3,
    lane=TELEMETRY,
    stream=cast.STREAM,
    seq=2,
    statement_hash=LINKS_OF_A_STREAM[2].hash,
    covers=(0, 2),
    lacking=((0, 0), (2, 0)),
    index=2,
    path=(HASH,),
).issue(cast.LOG, HASH)
RECEIPTS = (_RECEIPT.encode(), replace(_RECEIPT, lacking=(), covers=(2, 2)).issue(cast.LOG, HASH).encode())
CHECKPOINT = Checkpoint(cast.ORIGIN, 3, HASH, ("an extension",))
NOTE = note.sign(Checkpoint(cast.ORIGIN, 3, HASH).text, [note.Signer(cast.ORIGIN, cast.LOG)])
ANSWERS = (
    Answer(RECEIPTS[0], NOTE, 2, (HASH,), (Range(0, 0, 2, (HASH,)),), NONCE).encode(),
    Answer(None, None, None, (), (), NONCE).encode(),
    Answer(None, None, None, (), (), NONCE, tuple(ROOTED)).encode(),
)
_REFUSAL = Refusal(cast.ORIGIN, cast.DEVICE.kid, TELEMETRY, cast.STREAM, 2, HASH, Reason.FORK, 3)
REFUSALS = (_REFUSAL.sign(cast.LOG),)
REFUSAL_PAYLOADS = (cose.Sign1.decode(REFUSALS[0]).payload or b"",)


def refusal(payload: bytes) -> bytes:
    """A refusal that the log has signed, whatever it says."""
    header = {cose.ALG: cose.EDDSA, cose.CONTENT_TYPE: CONTENT_TYPE, cose.KID: cast.LOG.kid}
    return cose.sign1(cast.LOG, header, payload).encode()


# The ledger's

HEADERS = (
    Header(cast.ORIGIN, 0, 0, 3, HASH, bytes(32), 1_750_000_000_000, (4, HASH)).encode(),
    Header(cast.ORIGIN, 1, 3, 5, HASH, HASH, 1_750_000_000_000, (4, HASH)).encode(),
)
ANCHORED = (anchor.encode(anchor.Kind.HEADER, HEADERS[0]), anchor.encode(anchor.Kind.CHECKPOINT, NOTE.encode()))
_BLOCK = Block(HEADERS[0], NOTE)
HEADS = (encode_head(_BLOCK),)
BLOCKS = (encode_blocks([_BLOCK, _BLOCK]),)
CONTENTS = (
    content.encode(
        [
            content.Content(None, (content.Shown(0, 0, 65001, SECTION.encode()), content.Shown(2, 2, 112, None))),
            content.Content(content.Held(HASH, TELEMETRY, bytes(8), 7, 1, HASH), ()),
        ]
    ),
    content.encode([content.Content(None, (content.Shown(0, 2, 112, b"x" * size),)) for size in (24, 300)]),
)
EXPORT_STATE = ExportState(
    HASH,
    "public",
    frozenset({"production"}),
    3,
    {cast.ORIGIN: LogState({f"{cast.ORIGIN}/tile/0/000.p/5"}, set(), 5, set(), 0, {0}, {(3, 0)})},
).text
ISSUERS = '{"erp": {"token": "0123456789abcdef", "gtins": ["0950"], "organisation": "urn:x", "reads": "all"}}'
TOKENS = '{"partners": "0123456789abcdef", "private": "fedcba9876543210"}'
PATHS = (
    "trust.json",
    f"{cast.ORIGIN}/checkpoint",
    f"{cast.ORIGIN}/head",
    f"{cast.ORIGIN}/tile/2/x001/x234/067.p/5",
    f"{cast.ORIGIN}/tile/entries/x001/067",
    f"{cast.ORIGIN}/blocks/000.p/255",
    f"{cast.ORIGIN}/content/001",
)
ENTRIES = tuple(
    cbor.encode(entry)
    for entry in (
        cast.ORGANISATION_ENTRY | {"uri": "https://other.example.com"},
        cast.DEVICE_ENTRY | {"name": "line-2", "urn": "urn:x:2", "key": cast.NEIGHBOUR.public},
        {"type": "label-key", "key": HASH, "organisation": cast.ISSUER, "gtins": [GTIN], "first_day": 1, "last_day": 2},
        {
            "type": "label-key", "key": cast.key(60).public, "organisation": cast.ISSUER, "gtins": [GTIN],
            "first_day": 2, "last_day": 2, "lot": "A1", "batch": HASH,
        },
        {"type": "organisation", "uri": "https://third.example.com", "name": "Third", "prefixes": ["9506000", "0614"]},
        {"type": "revocation", "kid": cast.DEVICE.kid},
        {"type": "suspension", "kid": cast.DEVICE.kid, "reason": "fork"},
        {"type": "reinstatement", "kid": cast.DEVICE.kid},
        {"type": "finding", "chain": "production", "total": 1, "items": [[1, 0, "x"]]},
        {"type": "label-batch", "gtin": GTIN, "lot": "A1", "size": 1, "root": HASH, "kid": HASH, "day": 2000},
        {
            "type": "label-batch", "gtin": GTIN, "lot": "A1", "size": 1, "root": HASH, "kid": cast.key(60).kid,
            "day": 2000, "serials": "own", "hidden": HASH,
        },
        {"type": "label-finding", "root": HASH, "finding": "seen-spoiled", "reason": "1 label: seen"},
        {
            "type": "product",
            "organisation": cast.ISSUER,
            "gtin": GTIN,
            "lot": "A1",
            "name": "Honey",
            "picture": HASH,
            "links": [{"rel": "gs1:pip", "href": "https://example.com/honey", "title": "Honey", "lang": "en"}],
            "limits": {"temperature": ["Cel", 2, 8.5]},
        },
        {"type": "recall", "organisation": cast.ISSUER, "gtin": GTIN, "reason": "glass", "since": "2026-11-26"},
        {"type": "recall-lifting", "organisation": cast.ISSUER, "gtin": GTIN, "serial": "S1", "reason": "an error"},
        {"type": "shredding", "chain": "production", "items": [[7, 0], [7, 1]], "reason": "a court's order"},
        {"type": "rollback", "chain": "production", "lost": NOTE, "accepted": [5, HASH], "reason": "a lost disk"},
    )
)  # fmt: skip
SERIALS = (
    b"S-1\nS-2\n\nS,3\n",
    b'\xef\xbb\xbfname;Serial;sn\r\n"a;b";S1;X1\r\n\r\nc;S2;X2\r\n',
    b'serial\tsn\n"S""1"\tX\n',
    b"sn,serial\nA,B\n",
)
ORDERS = (
    b'{"gtin": "%s", "lot": "L1", "count": 24}' % GTIN.encode(),
    b'{"gtin": "9506000134352", "lot": "L1", "serials": ["A-1", "B/2"], "lot_in_link": true, "organisation": "x"}',
)
CATALOGUES = (
    b'[{"gtin": "%s", "name": "Honey", "limits": {"t": ["Cel", 2, 8]}, "links": ["pip=https://e.com"]}]'
    % GTIN.encode(),
    b'gtin,lot,name,link,link,limit\r\n%s,A1,"Honey, 250 g",pip=https://e.com,faqs=https://e.com/f,t=..5 1\r\n'
    % GTIN.encode(),
)


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (8, 6), colour: object = 0) -> bytes:
    """A picture of one colour, as a file of this kind."""
    out = BytesIO()
    Image.new(mode, size, colour).save(out, kind)  # type: ignore[arg-type]
    return out.getvalue()


PICTURES = (picture("PNG"), picture("PNG", "RGBA"), picture("PNG", "P"), picture("JPEG"), picture("WEBP"))
ENTRY_BUNDLES = (b"\x02\x00\x03abc\x00\x00", b"\x01\x00\x01a")
_GENESIS = cast.sign(cast.ROOT, manifest=[])
TRUST = Trust("example.com", _GENESIS.hash, _FIRST_KEYS)
BUNDLE = Bundle(
    chain="production",
    entry=ProvenEntry(2, STATEMENTS[0], (SECTION.encode(), None), (HASH,)),
    checkpoint=NOTE,
    header=HEADERS[0],
    consistency=(HASH,),
    anchor=Anchoring(3, (HASH, HASH), NOTE),
    registry=RegistryPart(NOTE, (), (ProvenEntry(0, _GENESIS.encode(), (SECTION.encode(),), (HASH,)),)),
)
BUNDLES = (BUNDLE.encode(), replace(BUNDLE, anchor=None).encode())
PRODUCTS = (
    ProductBundle("urn:x:y", (BUNDLE,)).encode(),
    ProductBundle("urn:x:y", (BUNDLE, replace(BUNDLE, entry=replace(BUNDLE.entry, index=3), anchor=None))).encode(),
)
ENTRY_RECEIPTS = (
    EntryReceipt(
        log_kid=cast.LOG.kid,
        origin=cast.ORIGIN,
        subject=cast.URN,
        size=3,
        statement_hash=LINKS_OF_A_STREAM[2].hash,
        index=2,
        path=(HASH,),
    )
    .issue(cast.LOG, HASH)
    .encode(),
)
TRANSPARENT = (
    Transparent(STATEMENTS[0], ENTRY_RECEIPTS).encode(),
    Transparent(STATEMENTS[1], (*RECEIPTS, *ENTRY_RECEIPTS)).encode(),
)
TLOG_PROOFS = (
    TlogProof(2, (HASH,), NOTE, STATEMENTS[0]).text,
    TlogProof(0, (), NOTE).text,
)

# Files

REGISTRATIONS = (
    json.dumps({"tallystick-registration": 1, **cast.DEVICE_ENTRY, "key": cast.DEVICE.public.hex()}),
    json.dumps([{"tallystick-registration": 1, **cast.ORGANISATION_ENTRY}]),
)
MANIFEST = Manifest(
    ledger="example.com",
    genesis="ab" * 32,
    made_at="2026-11-26T18:00:00+00:00",
    postgres=18,
    timescale="2.29.0",
    chains={"production": (7, "cd" * 32)},
    files={"ledger/trust.json": File(812, "ef" * 32)},
)
SETTINGS = """
[ledger]
public = ["logistics"]

[database]
dsn = "host=/tmp dbname=x"
[broker]
host = "localhost"
port = 1883
username = "u"
password_file = "tallystick.toml"  # a file that is there
[labels]
url = "http://localhost:8000"
host = "id.example.com"
"""
CONFIG = f"""
[device]
name = "line-1"
urn = "{cast.URN}"
organisation = "{cast.ISSUER}"
chain = "production"
privacy = "private"
[broker]
host = "localhost"
port = 1883
username = "line-1"
password_file = "password"
[ledger]
trust = "trust.json"
[spool]
bytes_max = 268435456
window = 64
[[sensor]]
type = "host"
interval_s = 10
[[sensor]]
type = "csv"
name = "t"
privacy = "public"
file = "t.csv"
"""
KEY_FILE = "# a comment\nTALLYSTICK-SECRET-KEY-1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
CSV = 'date,temp\n2010-07-01T00:00,21.5\n2010-07-01 01:00:00,"22"\n2010-07-01T02:00,23e0\n'

# Labels

DIGITS = sign_label(cast.LABELS, 2000, ITEM)
HOST_STATUS = (
    b"\x02030,0,0,1245,000,0,0,0,000,0,0,0\x03\r\n\x02001,0,0,0,1,2,6,0,00000000,1,000\x03\r\n\x021234,0\x03\r\n"
)
BROTHER = (
    bytes.fromhex("8020423430300000 00003e0a00003f00 0000000000000000 0000000000000000"),
    bytes.fromhex("8020423436300000 02101d0b00003f00 005a020100010000 0000000000000000"),
)
COMPRESSED = ("AQnYUc1gmiERBhQ0ytiyZuAGOLc1TQ",)
GS1_MESSAGES = (
    "]d2010950600013435217270630\x1d10ABC123\x1d21S1",
    "]E09506000134352|]e010ABC123",
    "]Q1https://id.example.com/01/09506000134352",
    "^010950600013435210A^310300019539220299",
    "(01)09506000134352(10)A\\(B(17)270630",
    "9506000134352",
)
LINKS = (
    f"https://id.example.com{ITEM}?s={DIGITS}",
    "HTTPS://ID.EXAMPLE.COM/x/01/9506000134352/10/A%2F1/21/1?17=270630&linkType=all#f",
    f"https://{gs1.GS1_HOST}/00/095060000000000015",
    f"http://[::1]:8000/01/{GTIN}/22/V1?3103=000195",
)

_TREE = Frontier(3, [[HASH] * 3])
_HEADER = replace(Header.decode(HEADERS[0]), root=_TREE.root())
AUDITED = (
    Saved(bytes(32)).encode(),
    Saved(
        bytes(32),
        {
            "production": State(
                size=_TREE.size,
                rows=_TREE.rows,
                header=_HEADER,
                registry=_HEADER.registry[0],
                heads={(bytes(32), 1): Head(bytes(8), 3, bytes(32))},
                known={(bytes(32), 1, bytes(8))},
                lacking={(bytes(32), bytes(8), 3, 0)},
                counts={"entries": _TREE.size},
                problems=(Problem(None, "it is missing", 1, 0),),
                notes=(Problem(None, "it opens a stream and does not say why", 0),),
                parts=(Part(_TREE.size, 1_750_000_000_000),),
            )
        },
    ).encode(),
)
HIDDEN_KEY = f"TALLYSTICK-HIDDEN-KEY-1:{'A' * 42}A="
_ASKED = Asked("/01/09506000134352/21/7K3M9QX2AB", "7K3M9QX2ABCDEFGH", bytes(16))
REDEEMED = (
    json.dumps(Redeemed.sign(cast.LABELS, _ASKED, Result.WRONG, answered_ms=1_750_000_000_000).document).encode(),
    json.dumps(
        Redeemed.sign(
            cast.LABELS,
            _ASKED,
            Result.FIRST,
            answered_ms=1_750_000_000_000,
            redeemed_ms=1_750_000_000_000,
            commitment=Commitment(bytes(32), 3, bytes(16), (bytes(32),)),
        ).document
    ).encode(),
)
