"""Who may issue labels over HTTP: a file of tokens by name, one for each program that does, and what each may.

{"default": "…", "acme": {"token": "…", "gtins": ["0950600", "09501101530003"], "organisation": "URI", "reads": "all"}}

A token alone issues labels of all GTINs that keys here may sign, and reads the batches that it issued. `gtins` bounds
it to GTINs of 14 digits, or to those that begin so; `organisation` to that one's labels. With `reads` "all" it reads
whatever was issued within these bounds, by whom ever.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labels.book import Book, IssuedBatch
from labels.issuing.order import Order
from labels.issuing.refused import Foreign
from labels.typed import gtin_of
from ledger import bearer
from ledger.errors import UserError
from ledger.names import is_uri

DEFAULT = "default"
_NAME_CHARS_MAX, _GTIN_DIGITS = 64, 14
_FIELDS = {"token", "gtins", "organisation", "reads"}
_READS = ("own", "all")
_PART = re.compile("[0-9]{4,14}")
_HINT = 'it holds {"default": "…"}, a token for each name: mend it, or remove it and have a new one made'
_ASK = "ask the operator: the file of issuers says what each token may"


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who holds a token, and what it may: no `gtins` are all, and no `organisation` any."""

    name: str
    gtins: tuple[str, ...] = ()
    organisation: str | None = None
    reads_all: bool = False

    def ordered(self, order: Order) -> Order:
        """What is asked for, as labels of the organisation that the token is for; Foreign if it may not have them."""
        if not self._covers(order.gtin):
            raise Foreign(f"this token may not have labels of GTIN {order.gtin} issued", _ASK)
        if order.organisation not in (None, self.organisation or order.organisation):
            raise Foreign(f"this token may have labels of {self.organisation} issued alone", _ASK)
        return replace(order, organisation=self.organisation or order.organisation)

    def may_read(self, issued: IssuedBatch, book: Book, by: str | None) -> bool:
        """Whether it may see a batch that this issuer had issued; None is whoever issues without a token."""
        if by == self.name or not self.reads_all:
            return by == self.name
        return self._covers(issued.batch.gtin) and self.organisation in (None, book.labels_of(issued.batch.kid))

    def _covers(self, gtin: str) -> bool:
        return not self.gtins or gtin.startswith(self.gtins)


def read_issuers(text: str) -> dict[bytes, Issuer]:
    """The issuers by their tokens; ValueError if it is no file of them."""
    held = bearer.named(text)
    if not all(0 < len(name) <= _NAME_CHARS_MAX and name.isprintable() for name in held):
        raise ValueError(f"a name has 1 to {_NAME_CHARS_MAX} characters")
    found = dict(_issuer(name, value) for name, value in held.items())
    if len(found) != len(held):
        raise ValueError("two names have one token")
    return found


def load_issuers(path: Path) -> dict[bytes, Issuer]:
    """As `read_issuers`, of the file, which is made if there is none; raises UserError."""
    try:
        if not path.exists():
            bearer.make(path, [DEFAULT])
        return read_issuers(path.read_text("utf-8"))
    except OSError as error:
        raise UserError.of_system(f"cannot read {path}", error) from error
    except ValueError as error:
        raise UserError(f"{path} is no file of tokens: {error}", _HINT) from error


def _issuer(name: str, value: Any) -> tuple[bytes, Issuer]:
    """A name's token, and what is said of it."""
    fields: Mapping[str, Any] = value if isinstance(value, dict) else {"token": value}
    if unknown := sorted(fields.keys() - _FIELDS):
        raise ValueError(f"{name} has a field {unknown[0][:40]!r}, known are {', '.join(sorted(_FIELDS))}")
    token = bearer.token_of(fields.get("token"))
    organisation, reads = fields.get("organisation"), fields.get("reads", "own")
    if "organisation" in fields and not (isinstance(organisation, str) and is_uri(organisation)):
        raise ValueError(f"the organisation of {name} is no URI")
    if reads not in _READS:
        raise ValueError(f"{name} reads own or all")
    gtins = _gtins(name, fields["gtins"]) if "gtins" in fields else ()
    return token.encode(), Issuer(name, gtins, organisation, reads == "all")


def _gtins(name: str, value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, list) else []
    if not parts or not all(isinstance(part, str) and _PART.fullmatch(part) for part in parts):
        raise ValueError(f"the gtins of {name} are a list of GTINs of 14 digits, or of 4 to 13 that such begin with")
    try:
        return tuple(gtin_of(part) if len(part) == _GTIN_DIGITS else part for part in parts)
    except UserError as error:
        raise ValueError(str(error)) from error
