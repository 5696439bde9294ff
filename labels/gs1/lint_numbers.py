"""Linters of numbers, and of what stands for one."""

from labels.gs1.errors import Fault, Rule, excerpt

_LATITUDE_MAX = 180 * 10**7  # ten-millionths of a degree, north of the South Pole
_LONGITUDE_MAX = 360 * 10**7  # and east of 180° W


def zero(text: str) -> Fault | None:
    """Nothing but zeros."""
    return Fault(Rule.ZERO, f"{excerpt(text)} must be 0") if text.strip("0") else None


def nonzero(text: str) -> Fault | None:
    """Not zero."""
    return None if text.strip("0") else Fault(Rule.ZERO, f"{excerpt(text)} must not be 0")


def nozeroprefix(text: str) -> Fault | None:
    """A number without leading zeros."""
    return Fault(Rule.ZERO, f"{excerpt(text)} begins with a zero") if text[0] == "0" else None


def hasnondigit(text: str) -> Fault | None:
    """Not digits alone."""
    return Fault(Rule.CHARACTER, f"{excerpt(text)} is digits alone") if text.isdigit() else None


def hyphen(text: str) -> Fault | None:
    """Nothing but hyphens: the minus of a temperature."""
    return Fault(Rule.CHARACTER, f"{excerpt(text)} must be a hyphen") if text.strip("-") else None


def pieceoftotal(text: str) -> Fault | None:
    """Piece number and total, in two halves: neither is zero, the first is not beyond the second."""
    half = len(text) // 2
    piece, total = int(text[:half]), int(text[half:])
    if 0 < piece <= total:
        return None
    return Fault(Rule.PIECE, f"{piece} of {total} is no piece of a total", half if piece and not total else 0)


def posinseqslash(text: str) -> Fault | None:
    """A position in a sequence, a slash, and where the sequence ends: 2/3."""
    position, slash, end = text.partition("/")
    if not (slash and position.isdigit() and end.isdigit()):
        return Fault(Rule.PIECE, f"{excerpt(text)} is not two numbers with a slash between them")
    if position[0] == "0":
        return Fault(Rule.ZERO, f"{excerpt(position)} begins with a zero")
    if end[0] == "0":
        return Fault(Rule.ZERO, f"{excerpt(end)} begins with a zero", len(position) + 1)
    return Fault(Rule.PIECE, f"{position} is beyond {end}") if int(position) > int(end) else None


def latitude(text: str) -> Fault | None:
    """Ten-millionths of a degree from the South Pole, ten digits."""
    return _at_most(text, _LATITUDE_MAX, "latitude")


def longitude(text: str) -> Fault | None:
    """Ten-millionths of a degree eastwards from 180° W, ten digits."""
    return _at_most(text, _LONGITUDE_MAX, "longitude")


def _at_most(text: str, most: int, what: str) -> Fault | None:
    return Fault(Rule.RANGE, f"{text} is beyond {most}, the greatest {what}") if int(text) > most else None


def importeridx(text: str) -> Fault | None:
    """One character of the URL-safe base 64 alphabet."""
    good = len(text) == 1 and (text.isalnum() or text in "-_")
    return None if good else Fault(Rule.CHARACTER, f"{excerpt(text)} is no importer index")


def cset64(text: str) -> Fault | None:
    """URL-safe base 64. If padded, GS1's linter wants a multiple of three characters, with one or two at their end."""
    bare = text.rstrip("=")
    padding = len(text) - len(bare)
    if padding > 2 or (padding and len(text) % 3):
        return Fault(Rule.CHARACTER, f"{excerpt(text)} is not padded as base 64", len(bare))
    at = bare.find("=")
    return Fault(Rule.CHARACTER, f"'=' cannot stand in {excerpt(text)}", at) if at >= 0 else None
