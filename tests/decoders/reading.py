"""Codes read back from pictures."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from labels import gs1
from labels.judgement import Standing
from labels.reading import answered, code, picture, protocol, say, unsigned, verdict
from ledger.errors import MalformedError
from tests import seeds
from tests.decoders.target import NOT_JSON, Target, of_bytes, of_text
from tests.labels.reading import pictures

_SMALL = code.Limits(bytes_max=1 << 20, pixels_max=1 << 20, pages_max=4)
_SIGNED = verdict.Verdict(Standing.SIGNED, "Signed", "The label is signed.")
_PRODUCT = gs1.item("09506000134352")


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    kinds = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "PPM", "WEBP", "PDF")
    shown = code.Code("QR Code", "]Q1", seeds.LINKS[0], ((1, 2), (9, 2), (9, 9), (1, 9)))
    yield of_bytes(
        "labels.reading.picture.pages",
        lambda data: [page.size for _, page in picture.pages(data, _SMALL)],
        code.PictureError,
        *(pictures.encoded(pictures.label(seeds.LINKS[0], module_px=1), kind) for kind in kinds),
    )
    yield of_bytes(
        "labels.reading.protocol.read_line",
        protocol.read_line,
        (MalformedError, code.PictureError),
        protocol.page_line(code.Page(1, 2, (10, 10), (shown,), 1)),
        protocol.done_line(),
    )
    for symbology, valid in (("]Q1", seeds.LINKS[0]), ("]d2", "0109506000134352"), ("]C1", "00095060001343520011")):
        yield of_text(f"labels.reading.say.say {symbology}", partial(_say, symbology), (), valid)
    yield of_bytes(
        "labels.reading.answered.by_service",
        lambda data: answered.by_service(json.loads(data), _SIGNED, by="https://id.example.com"),
        NOT_JSON,
        json.dumps(_SIGNED.document).encode(),
    )
    yield of_bytes(
        "labels.reading.unsigned.by_service",
        lambda data: unsigned.by_service(
            json.loads(data), _PRODUCT, None, what="GS1 data", by="https://id.example.com"
        ),
        NOT_JSON,
        json.dumps(
            _SIGNED.document | {"described": {"below": [["lot L1", f"{_PRODUCT.canonical_path}/10/L1"]]}}
        ).encode(),
    )


def _say(symbology: str, text: str) -> Any:
    return say.say(code.Code("", symbology, text, ((0, 0), (0, 0), (0, 0), (0, 0))))
