"""Every decoder of bytes or text from outside, each named once: for hypothesis (`test_decoders`) and `make fuzz`.

A module for each part of the product gives its `targets`; `others` says of the rest why it is none.
"""

from tests.decoders import (
    catalogue,
    edge,
    gateway,
    gs1,
    hidden,
    issuing,
    labels,
    ledger,
    operating,
    printers,
    proof,
    published,
    reading,
    registry,
    trust,
)
from tests.decoders.others import OTHERS
from tests.decoders.target import Target

__all__ = ["OTHERS", "TARGETS", "Target"]

_OF_LEDGER = (ledger, registry, trust, proof, published, operating)
_OF_LABELS = (labels, gs1, catalogue, issuing, hidden, printers, reading)
TARGETS: dict[str, Target] = {
    target.name: target for part in (*_OF_LEDGER, edge, gateway, *_OF_LABELS) for target in part.targets()
}
