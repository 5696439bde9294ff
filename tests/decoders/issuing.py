"""A maker's serials, a program's request, and who may ask."""

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import Any

from labels.issuing import issuers, lot_request, serial_file
from labels.issuing.drawing import draw
from labels.issuing.order import Own
from labels.issuing.refused import Refused
from labels.issuing.spool import Spool
from tests import seeds
from tests.decoders.target import NOT_JSON, Target, folder, of_bytes, of_file, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    for name, column in (("", None), (" column", "sn")):
        read = partial(_serials, column)
        yield of_bytes(f"labels.issuing.serial_file.read_serials{name}", read, Refused, *seeds.SERIALS)
    yield of_bytes("labels.issuing.lot_request.read_order", _ordered, Refused, *seeds.ORDERS)
    yield of_text("labels.issuing.lot_request.read_key", lot_request.read_key, Refused, "8e03978e-40d5-43dd")
    yield of_text("labels.issuing.lot_request.read_wanted", _wanted, Refused, seeds.GTIN, f"{seeds.GTIN} L1")
    yield of_text("labels.issuing.issuers.read_issuers", issuers.read_issuers, NOT_JSON, seeds.TOKENS, seeds.ISSUERS)
    yield of_file("labels.issuing.issuers.load_issuers", issuers.load_issuers, seeds.TOKENS)


def _serials(column: str | None, data: bytes) -> Any:
    """Each serial of a file, looked at as before it is signed."""
    with Spool(folder()) as spool:
        return draw(Own(serial_file.read_serials(BytesIO(data), column)), spool, gtin=seeds.GTIN)


def _ordered(data: bytes) -> Any:
    order = lot_request.read_order(data)
    with Spool(folder()) as spool:
        return lot_request.digest(order), isinstance(order.source, Own) and draw(order.source, spool, gtin=order.gtin)


def _wanted(text: str) -> Any:
    """A product, and the lot behind it."""
    gtin, *lot = text.split(" ", 1)
    return lot_request.read_wanted(gtin, lot[0] if lot else None)
