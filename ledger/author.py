"""Authors: services with a key and a stream, and how they compose a statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger import message
from ledger.keys import SigningKey
from ledger.section import ContentFormat, Privacy, Section
from ledger.statement import Statement, Tally


@dataclass(frozen=True, slots=True)
class Author:
    """Who signs: the gateway, the label service, the operator, or a device."""

    key: SigningKey
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Content:
    """A section to be: its privacy, content format and body."""

    privacy: Privacy
    content_format: ContentFormat
    body: bytes


def compose(
    author: Author, *, origin: str, tally: Tally, contents: Sequence[Content], now: int
) -> tuple[Statement, bytes]:
    """The statement over `contents`, and the message that carries it with its sections. `now` is in seconds."""
    kid = author.key.kid
    sections = [Section.new(content.body) for content in contents]
    lines = [
        section.line(kid=kid, privacy=content.privacy, content_format=content.content_format)
        for section, content in zip(sections, contents, strict=True)
    ]
    signed = Statement.sign(
        author.key,
        issuer=author.issuer,
        subject=author.subject,
        audience=origin,
        issued_at=now,
        tally=tally,
        manifest=lines,
    )
    return signed, message.encode(signed.encode(), [section.encode() for section in sections])
