"""The addresses of pages: which links have one; with the signature of the label that led there, and as JSON. Pure."""

from urllib.parse import quote

from labels import gs1
from ledger.errors import UserError


def page_link(uri: str) -> gs1.DigitalLink:
    """The link of a product, a lot, an item or a logistic unit.

    Gs1Error if it is no link, UserError if it is of something else.
    """
    link = gs1.parse(uri)
    if link.gtin is None and link.sscc is None:
        raise UserError(
            f"({link.keys[0][0]}) names no product",
            "there are pages for products, lots and items, (01), (10) and (21), and for pallets and cases, (00)",
        )
    return link


def signed(link: gs1.DigitalLink) -> str:
    """The path of a link's page, and what the link carries as a signature, good or not; nothing else of its query."""
    digits = next((value for name, value in link.query if name == "s"), "")
    return f"{link.canonical_path}?s={quote(digits, safe='')}" if digits else link.canonical_path


def as_json(page: str) -> str:
    """Where a page's address gives JSON."""
    return f"{page}{'&' if '?' in page else '?'}format=json"
