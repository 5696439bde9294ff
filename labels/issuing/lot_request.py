"""What a program asks for when it has labels issued: a JSON object, read or refused. Pure.

{"gtin": "09506000134352", "lot": "L2606A", "count": 24}
{"gtin": "09506000134352", "lot": "L2606A", "serials": ["A-1", "A-2"], "lot_in_link": true, "hidden": true}
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from labels.issuing.order import Order, Own, Random, Source
from labels.issuing.refused import Refused, TooMany
from labels.typed import gtin_of, lot_of, product_of
from ledger import strict_json
from ledger.errors import UserError

LABELS_MAX = 100_000  # of one request: more would keep the pages waiting
BODY_BYTES_MAX = 4 * 1024 * 1024  # a hundred thousand serials of 20 characters each are 2.3 MB
KEY_CHARS_MAX = 255
_TEXT_CHARS_MAX, _COUNT_TOLD = 100, 10**12
_FIELDS = {"gtin", "lot", "count", "serials", "lot_in_link", "organisation", "hidden"}
_HINT = 'ask for {"gtin": "…", "lot": "…", "count": 24}, or "serials": ["…"] in the place of the count'
_MORE = "'tallystick labels issue' issues up to 1,000,000 at once"


def read_order(body: bytes) -> Order:
    """The order that a request's body is; raises Refused, with a plain word, for anything else."""
    fields = _fields(body)
    with _refusing():
        gtin = gtin_of(_text(fields, "gtin"))
        lot = lot_of(gtin, _text(fields, "lot"))
    organisation = _text(fields, "organisation") if "organisation" in fields else None
    lot_in_link, hidden = _choice(fields, "lot_in_link"), _choice(fields, "hidden")
    return Order(gtin, lot, _source(fields), lot_in_link, organisation, hidden=hidden)


def read_wanted(gtin: str | None, lot: str | None) -> tuple[str | None, str | None]:
    """The product, or the lot of it, of which batches are asked for; raises Refused."""
    with _refusing():
        return product_of(gtin, lot)


def digest(order: Order) -> bytes:
    """The SHA-256 of what is asked for: by it a repeated request is known for the same."""
    source = order.source
    serials = source.count if isinstance(source, Random) else [serial for _, serial in source.serials]
    asked = [order.gtin, order.lot, serials, order.lot_in_link, order.organisation]
    return sha256(json.dumps([*asked, "hidden"] if order.hidden else asked).encode()).digest()


def read_key(text: str | None) -> str | None:
    """An Idempotency-Key as a header has it, or none; raises Refused."""
    if text is None or (0 < len(text) <= KEY_CHARS_MAX and text.isascii() and text.isprintable()):
        return text
    raise Refused("this Idempotency-Key is none", f"it has 1 to {KEY_CHARS_MAX} printable characters of ASCII")


@contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with what a person writes is wrong with what a program asks for."""
    try:
        yield
    except UserError as error:
        raise error if isinstance(error, Refused) else Refused(str(error), error.hint) from error


def _fields(body: bytes) -> dict[str, Any]:
    if len(body) > BODY_BYTES_MAX:
        raise TooMany(f"a request has at most {BODY_BYTES_MAX:,} bytes", _MORE)
    try:
        fields = strict_json.loads(body)
    except ValueError as error:
        raise Refused(f"the request is not JSON: {error}", _HINT) from error
    if not isinstance(fields, dict):
        raise Refused("the request is no JSON object", _HINT)
    if unknown := sorted(fields.keys() - _FIELDS):
        raise Refused(
            f"the request has a field {unknown[0][:40]!r} that is not known", f"known: {', '.join(sorted(_FIELDS))}"
        )
    return fields


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > _TEXT_CHARS_MAX:
        raise Refused(f"{name} is a text", _HINT)
    return value


def _choice(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Refused(f"{name} is true or false", _HINT)
    return value


def _source(fields: dict[str, Any]) -> Source:
    match fields:
        case {"count": _, "serials": _}:
            raise Refused("both count and serials are there", _HINT)
        case {"count": int(count)} if not isinstance(count, bool) and abs(count) < _COUNT_TOLD:
            if count > LABELS_MAX:
                raise TooMany(f"a request is for at most {LABELS_MAX:,} labels, not {count:,}", _MORE)
            return Random(count)
        case {"serials": list(serials)}:
            if len(serials) > LABELS_MAX:
                raise TooMany(f"a request is for at most {LABELS_MAX:,} labels, not {len(serials):,}", _MORE)
            if wrong := next((n for n, serial in enumerate(serials, 1) if not isinstance(serial, str)), None):
                raise Refused(f"serial {wrong} is no text", _HINT)
            return Own(tuple(enumerate(serials, 1)), "serial")
    raise Refused("how many labels is not said", _HINT)
