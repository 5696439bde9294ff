"""Specimens for a test print: as large as real labels, and nobody's.

Their links lead to a host that cannot be (RFC 6761, 6.4), and are of a product that cannot be bought: GS1 keeps prefix
952 for examples. No key has signed them.
"""

from labels import gs1
from labels.batch import Label
from labels.hidden import code
from labels.printing.face import Face, human_readable
from labels.signature import DIGITS

MARK = "SPECIMEN"
_GTIN = "09520000000004"
_NOWHERE = ".invalid"


def faces(count: int, *, host: str, lot: str, title: str = "", hidden: bool = False) -> list[Face]:
    """So many faces like those of a lot whose links lead to `host`, with a second code if `hidden`."""
    host = nowhere(host)
    found = []
    for number in range(1, count + 1):
        item = gs1.item(_GTIN, serial=f"{MARK}{number:02}")
        second = code.link(host, item.canonical_path, "X" * code.CHARACTERS) if hidden else ""
        link = Label(item.canonical_path, "0" * DIGITS).link(host)
        found.append(Face(link, f"{MARK} {title}".strip(), human_readable(item, lot=lot), hidden=second))
    return found


def nowhere(host: str) -> str:
    """A host that cannot be, as long as this one if that has room for it."""
    return (MARK.lower() * 32)[: max(1, len(host) - len(_NOWHERE))][:63] + _NOWHERE
