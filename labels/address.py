"""The addresses of pages: with the signature of the label that led there, and as JSON. Pure."""

from urllib.parse import quote

from labels import gs1


def signed(link: gs1.DigitalLink) -> str:
    """The path of a link's page, and what the link carries as a signature, good or not; nothing else of its query."""
    digits = next((value for name, value in link.query if name == "s"), "")
    return f"{link.canonical_path}?s={quote(digits, safe='')}" if digits else link.canonical_path


def as_json(page: str) -> str:
    """Where a page's address gives JSON."""
    return f"{page}{'&' if '?' in page else '?'}format=json"
