"""CBOR at the border: one strict decoder, one deterministic encoder (RFC 8949, 4.2.1).

cbor2's own `canonical` sorts maps the RFC 7049 way (shorter keys first); ours sorts by the encoded key's bytes.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from io import BytesIO
from typing import Any, NoReturn, TypeGuard

import cbor2

from ledger.errors import MalformedError

DEPTH_MAX = 16
KEY_KEPT_MAX = 64
# Integers that collide in Python's hash table can be made at will, and of n the table takes n² steps: of 43,600 in one
# map two seconds. So a map of more pairs has strings for keys, whose hashes nobody can foretell.
PAIRS_MAX = 255
_SMALL_BYTES = 2048  # where n² is little
# Whole items that are neither a large map's head nor a long string: many at one stroke.
_OTHER_ITEMS = re.compile(
    rb"(?:[\x00-\x17\x20-\x37\x80-\x97\xa0-\xb7\xc0-\xd7\xe0-\xf7]|[\x18\x38\x98\xb8\xd8\xf8]."
    + b"".join(rb"|[\x%02x\x%02x].{%d}" % (0x40 + size, 0x60 + size, size) for size in range(24))
    + rb"|[\x1b\x3b\x9b\xdb\xfb].{8}|[\x1a\x3a\x9a\xda\xfa].{4}|[\x19\x39\x99\xd9\xf9]..)*+",
    re.DOTALL,
)

_PLAIN = frozenset({int, str, bytes, float, bool, type(None)})
_KEYS = frozenset({int, str, bytes})
# Tags that cbor2 would turn into objects: dates, big numbers, shared references, regular expressions, …
_KNOWN_TAGS = (
    *range(6), 25, 28, 29, 30, 35, 36, 37, 43, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799,
)  # fmt: skip


def encode(value: Any) -> bytes:
    """The one deterministic encoding of `value`: shortest forms, definite lengths, keys in byte order."""
    return cbor2.dumps(value, canonical=True, encoders={dict: _encode_map})


@lru_cache(maxsize=4096)
def bytes_head(size: int) -> bytes:
    """The head of a byte string (RFC 8949, 3.1): it and `size` bytes behind it are what `encode` makes of those."""
    return _head(0x40, size)


@lru_cache(maxsize=4096)
def array_head(count: int) -> bytes:
    """The head of an array of `count` items (RFC 8949, 3.1)."""
    return _head(0x80, count)


def _head(major: int, argument: int) -> bytes:
    """A head is a number's encoding under another major type, here in its place in the first byte."""
    first, *rest = encode(argument)
    return bytes((first | major, *rest))


def decode(data: bytes, *, depth_max: int = DEPTH_MAX, by_name: bool = False) -> Any:
    """Decode exactly one item of plain types; any bytes give a value or MalformedError.

    Refuses trailing bytes, tags, indefinite lengths, duplicate keys, simple values beyond null and booleans,
    nesting beyond `depth_max`, and integers as keys beside a map of more than 255 pairs. Integers, lengths and
    floats may still be longer than need be: whoever needs the one encoding compares `encode(value)` with the
    bytes, or calls `decode_canonical`. `by_name` says that integers are no keys at all, in no map.
    """
    value = decode_item(data, depth_max=depth_max, by_name=by_name)
    require_plain(value)
    return value


def decode_item(data: bytes, *, depth_max: int, by_name: bool = False) -> Any:
    """As `decode`, for a caller that looks at every value's type itself: values that are not plain pass."""
    stream = BytesIO(data)
    try:
        value = _load(stream, max_depth=depth_max, strict_hashable_types=by_name or _has_large_map(data))
    except Exception as error:
        raise MalformedError(f"not plain CBOR: {error}") from error
    if stream.tell() != len(data):
        raise MalformedError("bytes after the end of the CBOR item")
    return value


def decode_first(data: bytes) -> Any:
    """As `decode_item`, whatever follows: for a caller that compares all of `data` with the value's one encoding."""
    try:
        if len(data) <= _SMALL_BYTES:
            return _loads(data)
        return _loads(data, strict_hashable_types=_has_large_map(data))
    except Exception as error:
        raise MalformedError(f"not plain CBOR: {error}") from error


def decode_canonical(
    data: bytes, *, depth_max: int = DEPTH_MAX, by_name: bool = False, items_max: int | None = None
) -> Any:
    """Decode one item that must be in its one encoding (RFC 8949, 4.2.1), or raise MalformedError.

    Of more than `items_max` items in all none is made: a byte of a file may be an item, and an object sixty bytes.
    """
    if items_max is not None:
        _require_few(data, items_max)
    value = decode(data, depth_max=depth_max, by_name=by_name)
    if encode(value) != data:
        raise MalformedError("CBOR is not in its one encoding")
    return value


def is_count(value: Any) -> TypeGuard[int]:
    """Whether `value` is an integer from 0 to 2**63 - 1. A bool is an int to Python, but not to us."""
    return type(value) is int and 0 <= value < 2**63


def _encode_map(encoder: cbor2.CBOREncoder, value: Mapping[Any, Any]) -> None:
    encoder.encode_length(5, len(value))
    for key, item in sorted((_encode_key(key), item) for key, item in value.items()):
        encoder.write(key)
        encoder.encode(item)


def _encode_key(key: Any) -> bytes:
    """Our keys are few and short. Garbage has others, which nobody shall make us remember."""
    return encode(key) if isinstance(key, str | bytes) and len(key) > KEY_KEPT_MAX else _encoded_key(key)


@lru_cache(maxsize=4096, typed=True)
def _encoded_key(key: Any) -> bytes:
    return encode(key)


def _has_large_map(data: bytes) -> bool:
    """Whether an item has a map of more than `PAIRS_MAX` pairs, if it is not small: a walk over its heads."""
    if len(data) <= _SMALL_BYTES or not _may_have_large_map(data):
        return False
    at, end = 0, len(data)
    while at < end:
        major, count, at = _head_at(data, at)
        if major == 5 and count > PAIRS_MAX:
            return True
        at += count if major in (2, 3) else 0
        others = _OTHER_ITEMS.match(data, at)
        at = others.end() if others else end
    return False


def _require_few(data: bytes, items_max: int) -> None:
    """Raise MalformedError if there are more items: a walk over so many heads at most."""
    at, end = 0, len(data)
    for _ in range(items_max):
        if at >= end:
            return
        major, count, at = _head_at(data, at)
        at += count if major in (2, 3) else 0
    if at < end:
        raise MalformedError(f"more than {items_max} CBOR items")


def _head_at(data: bytes, at: int) -> tuple[int, int, int]:
    """An item's major type and argument (RFC 8949, 3), and where its head ends."""
    major, count = data[at] >> 5, data[at] & 0x1F
    at += 1
    if 24 <= count < 28:
        width = 1 << count - 24
        at, count = at + width, int.from_bytes(data[at : at + width])
    return major, count, at


def _may_have_large_map(data: bytes) -> bool:
    """Whether any bytes are like the head of a large map (RFC 8949, 3) that has room: a pair takes two at least."""
    if b"\xba\x00" in data or b"\xbb\x00" in data:
        return True
    at, most = data.find(b"\xb9"), len(data) // 2
    while at >= 0:
        if PAIRS_MAX < int.from_bytes(data[at + 1 : at + 3]) <= most:
            return True
        at = data.find(b"\xb9", at + 1)
    return False


def _refuse_tag(*_: Any) -> NoReturn:
    raise ValueError("tags are not read here")


_STRICT: dict[str, Any] = {
    "allow_indefinite": False,
    "allow_duplicate_keys": False,
    "tag_hook": _refuse_tag,
    "semantic_decoders": dict.fromkeys(_KNOWN_TAGS, _refuse_tag),
}
_load: Callable[..., Any] = partial(cbor2.load, **_STRICT)
_loads: Callable[..., Any] = partial(cbor2.loads, max_depth=DEPTH_MAX, **_STRICT)


def require_plain(value: Any) -> None:
    """Raise MalformedError unless `value` is made of the plain types alone."""
    pending = [value]
    for item in pending:  # which grows by what is found inside
        kind = type(item)
        if kind is list:
            pending += item
        elif kind is dict:
            if not _KEYS.issuperset(map(type, item)):  # a bool would hide an equal integer
                raise MalformedError("a map's key is not an integer or a string")
            pending += item.values()
        elif kind not in _PLAIN:
            raise MalformedError(f"{kind.__name__} is not a plain value")
