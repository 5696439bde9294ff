"""The labels of a lot on one page, to open from the folder that they were printed into, and to print.

A label's code holds its signature, which nobody types: on a screen, the whole link stands beside the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from labels.printing.face import Face
from labels.templating import environment

FILE_NAME = "index.html"
_MARK = b'<meta name="generator" content="Tallystick labels print">'  # as the template has it


@dataclass(frozen=True, slots=True)
class Shown:
    """A label on the page: its picture's file name, the link to its page on this machine, and what it shows."""

    picture: str
    link: str
    face: Face

    @property
    def source(self) -> str:
        """The picture's address, relative to the page."""
        return quote(self.picture)


def overview(labels: Sequence[Shown], *, gtin: str, lot: str, title: str = "") -> str:
    """The page, as HTML that needs nothing but the pictures beside it."""
    host = next((urlsplit(label.face.link).hostname for label in labels), None)  # which a phone goes to
    template = environment().get_template("overview.html")
    return template.render(labels=labels, gtin=gtin, lot=lot, title=title, host=host)


def is_ours(page: bytes) -> bool:
    """Whether a page is one of these."""
    return _MARK in page
