"""The application identifiers (AIs): what each one's value is made of, and which others it needs or excludes.

    AI or range  flags  components  attributes  # title

is an entry of GS1's Barcode Syntax Dictionary: `syntax_dictionary/` holds it and says what the parts mean.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TypeAlias

from labels.gs1.format import Format, compile_format
from labels.gs1.syntax_dictionary import ENTRY_LINES

_SPEC_BEGINS = frozenset("NXYZ[")

Rows: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Need:
    """One `req`: any of `ais` must be there too, or all of the AIs of one of the `groups`: each is any of a set."""

    text: str
    ais: frozenset[str]
    groups: tuple[tuple[frozenset[str], ...], ...]

    def met_by(self, present: frozenset[str]) -> bool:
        """Whether these AIs are enough."""
        return not self.ais.isdisjoint(present) or any(
            not any(member.isdisjoint(present) for member in group) for group in self.groups
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One application identifier.

    `size` is its value's length if that is predefined, so that no FNC1 follows. `attribute`: whether a link's query
    may hold it. `qualifiers` are None unless it is a link's primary key; then rows, of each of which some may stand
    behind it, in order.
    """

    ai: str
    title: str
    size: int | None
    attribute: bool
    format: Format
    needs: tuple[Need, ...]
    excludes: frozenset[str]
    qualifiers: Rows | None


def _entry_words(line: str) -> tuple[list[str], str, str, list[str], str]:
    """The AIs of an entry's line, its flags, specification, attributes and title."""
    body, _, title = line.partition("#")
    ais, *words = body.split()
    flags = "" if words[0][0] in _SPEC_BEGINS else words.pop(0)
    spec = [word for word in words if word[0] in _SPEC_BEGINS]
    first, _, last = ais.partition("-")
    numbers = range(int(first), int(last or first) + 1)
    return [str(ai).zfill(len(first)) for ai in numbers], flags, " ".join(spec), words[len(spec) :], title.strip()


_WORDS = {ai: words for words in map(_entry_words, ENTRY_LINES) for ai in words[0]}


@cache
def _matching(pattern: str) -> frozenset[str]:
    """The AIs of a pattern such as 310n."""
    head = pattern.rstrip("n")
    return frozenset(
        {pattern} if head == pattern else (ai for ai in _WORDS if len(ai) == len(pattern) and ai.startswith(head))
    )


@cache
def _need(text: str) -> Need:
    groups = [tuple(map(_matching, group.split("+"))) for group in text.split(",")]
    alone = frozenset[str]().union(*(group[0] for group in groups if len(group) == 1))
    return Need(text, alone, tuple(group for group in groups if len(group) > 1))


@cache
def _excluded(text: str) -> frozenset[str]:
    return frozenset[str]().union(*map(_matching, text.split(",")))


def _values(attributes: Iterable[str], name: str) -> Iterator[str]:
    yield from (value for word in attributes for key, _, value in [word.partition("=")] if key == name)


def _rows(text: str) -> Rows:
    return tuple(tuple(filter(None, row.split(","))) for row in text.split("|"))


def _entry(ai: str) -> Entry:
    _, flags, spec, attributes, title = _WORDS[ai]
    form = compile_format(spec)
    return Entry(
        ai=ai,
        title=title,
        size=form.longest if "*" in flags else None,
        attribute="?" in flags,
        format=form,
        needs=tuple(map(_need, _values(attributes, "req"))),
        excludes=frozenset[str]().union(*map(_excluded, _values(attributes, "ex"))) - {ai},
        qualifiers=next(map(_rows, _values(attributes, "dlpkey")), None),
    )


ENTRIES = {ai: _entry(ai) for ai in _WORDS}

# The first two digits of an AI say how many there are.
AI_DIGITS = {ai[:2]: len(ai) for ai in ENTRIES}

# Primary keys; for each the qualifiers it takes, in order, any of them absent. More than one row: take one of them.
QUALIFIERS: dict[str, Rows] = {ai: rows for ai, entry in ENTRIES.items() if (rows := entry.qualifiers) is not None}


def _sequences() -> Iterator[tuple[str, ...]]:
    for key, rows in QUALIFIERS.items():
        for row in rows:
            for count in range(len(row) + 1):
                yield from ((key, *some) for some in combinations(row, count))


# What may stand in a link's path: a primary key and some of its qualifiers.
SEQUENCES = frozenset(_sequences())


def _joining(path: tuple[str, ...]) -> Iterator[str]:
    """The AIs that could stand in this path, too, behind its key."""
    for longer in SEQUENCES:
        if len(longer) == len(path) + 1 and longer[0] == path[0]:
            more = [ai for ai in longer if ai not in path]
            if len(more) == 1 and tuple(ai for ai in longer if ai not in more) == path:
                yield from more


# For each of them, the AIs that could stand in it, too: they cannot be attributes beside it.
JOINING = {path: frozenset(_joining(path)) for path in SEQUENCES}
