"""The parts of a link's URI that are not GS1's alone: scheme and host, the segments of its path, percent-encoding."""

import re

from labels.gs1.dictionary import ENTRIES, QUALIFIERS
from labels.gs1.errors import Gs1Error, Rule, excerpt

CHARACTERS_MAX = 8191

_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_SCHEME = re.compile(r"(https?|HTTPS?)://")
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_NOT_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")


def require_host(host: str, place: int = 0) -> None:
    """Raise Gs1Error unless this, in lower case, can be a host and port."""
    if not _HOST.fullmatch(host):
        raise Gs1Error(Rule.HOST, f"{excerpt(host)} is no host name", place=place)


def head(uri: str) -> tuple[str, str, int]:
    """Scheme and host, in lower case, and the offset at which the path begins."""
    if len(uri) > CHARACTERS_MAX:
        raise Gs1Error(Rule.URI, f"a link has at most {CHARACTERS_MAX} characters")
    good = _URI.match(uri)
    if good is None or good.end() != len(uri):
        at = good.end() if good else 0
        raise Gs1Error(Rule.URI, f"{excerpt(uri[at])} cannot stand in a URI (RFC 3986, 2)", place=at)
    scheme = _SCHEME.match(uri)
    if scheme is None:
        raise Gs1Error(Rule.SCHEME, f"{excerpt(uri)} begins with neither https:// nor http://")
    slash = uri.find("/", scheme.end())
    end = len(uri) if slash < 0 else slash
    host = uri[scheme.end() : end].lower()
    require_host(host, scheme.end())
    return scheme[1].lower(), host, end


def key_index(segments: list[str]) -> int | None:
    """Which segment of a path is the last primary key, or None.

    A prefix may look like anything, so GS1 has the path read from its end, in pairs.
    """
    first = len(segments) - 2
    while first > 0 and segments[first] not in QUALIFIERS and segments[first] in ENTRIES:
        first -= 2
    return first if first > 0 and segments[first] in QUALIFIERS else None


def decode(encoded: str, ai: str, place: int) -> str:
    """Percent-encoding undone; each octet is one character, for no value holds others."""
    if "%" not in encoded:
        return encoded
    if wrong := _NOT_AN_ESCAPE.search(encoded):
        complaint = "% is not followed by two hexadecimal digits"
        raise Gs1Error(Rule.ENCODING, complaint, ai=ai, place=place + wrong.start())
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), encoded)


def encoded_offset(encoded: str, at: int) -> int:
    """Where the character at `at` of the decoded text begins."""
    offset = 0
    for _ in range(at):
        offset += 3 if encoded[offset] == "%" else 1
    return offset
