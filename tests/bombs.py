"""Messages that are made to cost: of each kind the worst that we know, each signed as it must be to get so far.

A bomb is at most so many bytes. What it costs is measured against a good message of its size (`make bench-bombs`), and
bounded by counting in the tests.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, islice

from ledger import cbor, message, senml
from ledger.cose import Sign1
from ledger.section import ContentFormat, Privacy, Section
from ledger.statement import EVENTS, LINES_MAX, TELEMETRY
from tests import cast, seeds

KIB = 1024
_BASE = f"{cast.URN}:"


def colliding(most: int) -> list[int]:
    """Integers that collide in Python's hash table, at most so many: nearly half walk over most of the others.

    The first fill consecutive places of the orbit in which the table is probed in the end (5 i + 1); each of the rest
    comes, after its own probes, to the beginning of that. Together they fill a table to its two thirds.
    """
    size = 1 << (most * 3 // 2).bit_length() - 1
    first, all_ = size * 3 // 8, size * 13 // 20
    orbit = [1]
    while len(orbit) < first:
        orbit.append(5 * orbit[-1] + 1 & size - 1)
    place = {slot: number for number, slot in enumerate(orbit)}
    walkers = (value for value in count(size) if _ends(value, size - 1, place) < first // 8)
    return orbit + list(islice(walkers, all_ - first))


def _ends(value: int, mask: int, place: dict[int, int]) -> int:
    """Where in the orbit the probing of `value` comes in, having met only what is taken (CPython, dictobject.c)."""
    slot, perturb = value & mask, value
    while perturb:
        if slot not in place:
            return mask
        perturb >>= 5
        slot = slot * 5 + perturb + 1 & mask
    return place.get(slot, mask)


@cache
def colliding_map(size: int) -> bytes:
    """A map of about `size` bytes whose keys collide, as deterministic as it must be."""
    return cbor.encode(dict.fromkeys(colliding(size // 5), 0))


def signed(*bodies: bytes, content_format: int = ContentFormat.SENML_CBOR) -> bytes:
    """A message of the cast's device with sections of these bodies."""
    sections = [Section(seeds.NONCE, body) for body in bodies]
    lines = [
        section.line(kid=cast.DEVICE.kid, privacy=Privacy.PRIVATE, content_format=content_format)
        for section in sections
    ]
    lane = EVENTS if content_format == ContentFormat.EPCIS else TELEMETRY
    statement = cast.sign(manifest=lines, lane=lane)
    return message.encode(statement.encode(), [section.encode() for section in sections])


def good(size: int) -> bytes:
    """Packs of 100 readings, as many as go into about `size` bytes."""
    pack = [senml.Reading(f"{_BASE}temperature", "Cel", cast.NOW + n, 20 + n / 8) for n in range(100)]
    body = senml.encode(pack, base_name=_BASE)
    packs = size // len(body)
    if packs <= LINES_MAX:
        return signed(*[body] * max(1, packs))
    times = packs // LINES_MAX + 1
    many = [senml.Reading(f"{_BASE}temperature", "Cel", cast.NOW + n, 20 + n / 8) for n in range(100 * times)]
    return signed(*[senml.encode(many, base_name=_BASE)] * (packs // times))


# Bodies of a section, of about `size` bytes


def _nested(size: int) -> bytes:
    return b"\x81" * size + b"\x80"


def _tiny(item: bytes) -> Callable[[int], bytes]:
    def body(size: int) -> bytes:
        return b"\x9a" + (size // len(item)).to_bytes(4) + item * (size // len(item))

    return body


def _records(size: int) -> bytes:
    """The shortest records that resolve."""
    first = {senml.BN: f"{_BASE}a", senml.BT: cast.NOW}
    return cbor.encode([first | {senml.V: 0}, *[{senml.V: 0}] * (size // 3)])


def _record_names(size: int) -> bytes:
    """Records that each have a name of their own, so that none is remembered."""
    first = {senml.BN: _BASE, senml.BT: cast.NOW}
    return cbor.encode(
        [first | {senml.N: "x", senml.V: 0}, *({senml.N: f"{n:x}", senml.V: 0} for n in range(size // 8))]
    )


def _record_bases(size: int) -> bytes:
    """Records that each move the base."""
    first = {senml.BN: f"{_BASE}a", senml.BT: cast.NOW}
    return cbor.encode([first | {senml.V: 0}, *[{senml.BV: 0, senml.V: 0}] * (size // 5)])


def _record_collisions(size: int) -> bytes:
    return b"\x81" + colliding_map(size)


def _event(**more: object) -> bytes:
    return cbor.encode(seeds.EVENT | more)


def _epcs(size: int) -> bytes:
    return _event(epcList=[f"urn:x:{n}" for n in range(size // 11)])


def _sensors(size: int) -> bytes:
    element = {"sensorMetadata": {"deviceID": "urn:x:1", "startTime": "2025-06-15T15:00:00Z",
                                  "endTime": "2025-06-15T15:00:00Z"}}  # fmt: skip
    return _event(sensorElementList=[element] * (size // len(cbor.encode(element))))


def _extension(size: int) -> bytes:
    return _event(ilmd={"x": [[]] * size})


def _extension_keys(size: int) -> bytes:
    return _event(ilmd={f"{n:x}": 0 for n in range(size // 6)})


def _evicted(size: int) -> bytes:
    return cbor.encode({"type": "evicted", "lines": [[bytes(8), 0, 0]] * (size // 12)})


_BODIES: dict[str, tuple[int, Callable[[int], bytes]]] = {
    "a body of nested arrays": (ContentFormat.SENML_CBOR, _nested),
    "a body of tiny integers": (ContentFormat.SENML_CBOR, _tiny(b"\x00")),
    "a body of tiny maps": (ContentFormat.SENML_CBOR, _tiny(b"\xa0")),
    "a body of empty strings": (ContentFormat.SENML_CBOR, _tiny(b"\x60")),
    "short records": (ContentFormat.SENML_CBOR, _records),
    "records with bases": (ContentFormat.SENML_CBOR, _record_bases),
    "records with names": (ContentFormat.SENML_CBOR, _record_names),
    "a record with colliding keys": (ContentFormat.SENML_CBOR, _record_collisions),
    "many EPCs": (ContentFormat.EPCIS, _epcs),
    "many sensor elements": (ContentFormat.EPCIS, _sensors),
    "an extension of tiny arrays": (ContentFormat.EPCIS, _extension),
    "an extension of many keys": (ContentFormat.EPCIS, _extension_keys),
    "an event of colliding keys": (ContentFormat.EPCIS, colliding_map),
    "many evicted lines": (ContentFormat.STREAM, _evicted),
    "a stream section of colliding keys": (ContentFormat.STREAM, colliding_map),
}


def _statement_with(**parts: bytes) -> bytes:
    """A statement's envelope, unsigned, with other parts in it."""
    whole = {"head": b"\xa0", "unprotected": b"\xa0", "payload": b"\x80"} | parts
    wrapped = [cbor.encode(whole["head"]), whole["unprotected"], cbor.encode(whole["payload"]), cbor.encode(bytes(64))]
    return b"\xd2\x84" + b"".join(wrapped)


def _head() -> bytes:
    """A statement's own protected header."""
    return Sign1.decode(seeds.STATEMENTS[0]).protected_bytes


def _in_message(statement: bytes) -> bytes:
    return message.encode(statement, [])


def bombs(size: int) -> Iterator[tuple[str, bytes]]:
    """A name and a message of about `size` bytes, of each kind."""
    most = min(size, 64_000)
    yield "a message of nested arrays", _nested(size)
    yield "a message of tiny maps", _tiny(b"\xa0")(size)
    yield "a message of colliding keys", colliding_map(size)
    yield "sections that are tiny maps", b"\x82\x40" + _tiny(b"\xa0")(size)
    yield "a statement of tiny maps", _in_message(b"\xd2" + _tiny(b"\xa0")(most))
    yield "a statement of colliding keys", _in_message(_statement_with(unprotected=colliding_map(most)))
    yield "a header of colliding keys", _in_message(_statement_with(head=colliding_map(most)))
    yield "a header of tiny maps", _in_message(_statement_with(head=_tiny(b"\xa0")(most)))
    yield "a manifest of tiny maps", _in_message(_statement_with(head=_head(), payload=_tiny(b"\xa0")(most)))
    yield "64 sections of garbage", signed(*[b"\xff" * (size // LINES_MAX)] * LINES_MAX)
    yield "64 sections of tiny maps", signed(*[_tiny(b"\xa0")(size // LINES_MAX)] * LINES_MAX)
    yield "an integer of many bytes", b"\xc2" + cbor.encode(b"\xff" * size)
    for name, (content_format, body) in _BODIES.items():
        yield name, signed(body(size), content_format=content_format)
