"""The leaves of one file of a log: each entry held against its leaf hash, and what stands beside it against the entry.

Pure. An entry that is not shown, or erased, is known by its leaf hash alone. Whatever does not fit is a SourceRefused.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ledger import merkle
from ledger.errors import MalformedError, SourceRefused
from ledger.mirror.heads import LYING
from ledger.published.content import Content, Shown
from ledger.section import matching
from ledger.statement import Statement

Gone = Mapping[int, Collection[int]]
"""Sections that are shredded: lines by entry index."""


class Leaf(NamedTuple):
    """A leaf hash; its entry, None if it is erased or not shown; its content, None if that is not shown."""

    hash: bytes
    entry: bytes | None
    content: Content | None


def check(leaf: Leaf, name: str) -> None:
    """Raise SourceRefused unless what is shown of a leaf is true: `name` is "entry 7 of 'production'"."""
    fault = _fault(leaf)
    if fault is not None:
        raise SourceRefused(f"{name}: {fault}", LYING)


def _fault(leaf: Leaf) -> str | None:
    if leaf.entry is not None and merkle.leaf_hash(leaf.entry) != leaf.hash:
        return "it is not the entry that its leaf hash is of"
    if leaf.content is None:
        return None
    if leaf.entry is None:
        return None if leaf.content.held else "it is erased, and nothing is said of its place in a stream"
    if leaf.content.held:
        return "it is shown as erased, and is not"
    return _content_fault(leaf.entry, leaf.content)


def _content_fault(entry: bytes, shown: Content) -> str | None:
    try:
        statement = Statement.decode(entry)
    except MalformedError as error:
        return f"it is no statement: {error}"
    for line, privacy, content_format, data in shown.sections:
        of = statement.manifest[line] if line < len(statement.manifest) else None
        if of is None or (of.privacy, of.content_format) != (privacy, content_format):
            return f"section {line} is not one of its manifest"
        if data is not None and matching(of, data, kid=statement.kid) is None:
            return f"section {line} is not the one that its manifest names"
    return None


def lacks(leaf: Leaf) -> bool:
    """Whether a section has not come whole yet, and still may."""
    if leaf.entry is None or leaf.content is None:
        return False
    return len(leaf.content.sections) < len(Statement.decode(leaf.entry).manifest)


def is_erased(leaf: Leaf) -> bool:
    """Whether the entry was said to be erased, which nothing proves; one that is hidden, with all others, is not."""
    return leaf.content is not None and (leaf.entry is None or leaf.content.held is not None)


def settled(ours: Leaf, theirs: Leaf) -> Leaf:
    """An entry that is here, as it is; of an erased one, what they say, with its leaf hash, and no sections yet."""
    if not is_erased(ours) or theirs.content is None:
        return ours
    entry = theirs.entry or ours.entry
    place = None if entry else theirs.content.held
    return ours if ours.content and place and place == ours.content.held else Leaf(ours.hash, entry, Content(place, ()))


def merge(ours: Content, theirs: Content) -> Content:
    """What both have of one entry: a section that is here stays, one that is not comes from there."""
    sections: dict[int, Shown] = {shown.line: shown for shown in theirs.sections}
    sections |= {shown.line: shown for shown in ours.sections if shown.data is not None or shown.line not in sections}
    return Content(ours.held, tuple(sections[line] for line in sorted(sections)))


def without(content: Content, lines: Collection[int]) -> Content:
    """The content without the bytes of the sections of these lines."""
    return Content(content.held, tuple(s._replace(data=None) if s.line in lines else s for s in content.sections))


def contents_of(held: Sequence[Leaf]) -> list[Content]:
    """What stands beside these leaves: of all of them, or of none if it is not shown."""
    return [leaf.content for leaf in held if leaf.content is not None]
