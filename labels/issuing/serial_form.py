"""Of what form serials are, and so how many of their bits can be random at most. Pure.

Nobody sees whether a serial was drawn at random. But of a running number one sees that most of its characters are the
same in all, or that it is too short: then whoever knows one can write others.
"""

from math import log2

BITS_MIN = 48  # random bits by which a serial is an item's own (DESIGN, "The label")
_CLASSES = (("0123456789", 10), ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26), ("abcdefghijklmnopqrstuvwxyz", 26))
_OTHERS = 20  # signs that a serial may have (GS1 General Specifications, table 7.11-1)
_MANY = 64  # serials, by which the characters of each place show of what kind that is


class SerialForm:
    """The form of serials that are added one by one: nothing but what each place has had is kept."""

    def __init__(self) -> None:
        self._count, self._shortest = 0, 0
        self._places: list[set[str]] = []  # from the right, where numbers are aligned

    def add(self, serial: str) -> None:
        """Take one more serial into account."""
        self._shortest = min(self._shortest, len(serial)) if self._count else len(serial)
        self._count += 1
        while len(self._places) < len(serial):
            self._places.append(set())
        for place, character in zip(self._places, reversed(serial), strict=False):
            place.add(character)

    @property
    def bits(self) -> float:
        """How many bits of a serial can be random at most, by the form of all of them."""
        everywhere = set().union(*self._places)
        places = self._places[: self._shortest]
        told = [place if self._count >= _MANY else everywhere for place in places if self._varies(place)]
        return sum(log2(_kinds(characters)) for characters in told)

    @property
    def is_guessable(self) -> bool:
        """Whether there is no room for enough random bits."""
        return self.bits < BITS_MIN

    def _varies(self, place: set[str]) -> bool:
        return len(place) > 1 or self._count == 1


def _kinds(characters: set[str]) -> int:
    """Of how many characters one is, that is of the same kinds as these."""
    kinds = sum(size for members, size in _CLASSES if not characters.isdisjoint(members))
    known = set().union(*(members for members, _ in _CLASSES))
    return kinds + (_OTHERS if characters - known else 0)
