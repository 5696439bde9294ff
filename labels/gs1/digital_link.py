"""GS1 Digital Link URIs (URI syntax 1.6): read, written, and made one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.table import NOT_ATTRIBUTES, QUALIFIERS, REQUIRED, format_of, is_ai

GS1_HOST = "id.gs1.org"
URI_CHARACTERS_MAX = 8191

_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_SCHEME = re.compile(r"(https?|HTTPS?)://")
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_NOT_AN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_GTINS_SHORT = (8, 12, 13)

Pair: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A link that was parsed or made: its values are decoded and checked.

    `keys` are the (AI, value) pairs of the path, the primary key first. `query` holds what stands in the query, in
    its order: attributes, whose name is an AI, decoded; extras as they came. Nothing in `query` is signed.
    """

    scheme: str
    host: str
    path_prefix: str
    keys: tuple[Pair, ...]
    query: tuple[Pair, ...] = ()

    def value(self, ai: str) -> str | None:
        """The value of `ai` in the path."""
        return next((value for key, value in self.keys if key == ai), None)

    @property
    def gtin(self) -> str | None:
        """14 digits."""
        return self.value("01")

    @property
    def lot(self) -> str | None:
        """The batch or lot, (10)."""
        return self.value("10")

    @property
    def serial(self) -> str | None:
        """The serial, (21)."""
        return self.value("21")

    @property
    def sscc(self) -> str | None:
        """18 digits."""
        return self.value("00")

    @property
    def attributes(self) -> tuple[Pair, ...]:
        """What the query says in AIs."""
        return tuple(pair for pair in self.query if _is_attribute(pair))

    @property
    def extras(self) -> tuple[Pair, ...]:
        """What the query says otherwise, not decoded: ASCII without spaces, angle brackets or quotation marks."""
        return tuple(pair for pair in self.query if not _is_attribute(pair))

    @property
    def canonical_path(self) -> str:
        """The one path of these keys, `/01/<14>[/10/<lot>][/21/<serial>]`: all but unreserved percent-encoded."""
        return "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in self.keys)

    @property
    def epc(self) -> str:
        """The identifier of the thing itself, by which EPCIS events name it, whatever host a label names.

        Serial and GTIN make an item one (GS1's Core Business Vocabulary): a label that also shows the lot, and one
        that does not, are on the same thing. The consumer product variant (22) is no part of an identifier.
        """
        left_out = {"22", "10"} if self.serial is not None else {"22"}
        keys = tuple(pair for pair in self.keys if pair[0] not in left_out)
        return f"https://{GS1_HOST}{DigitalLink('https', GS1_HOST, '', keys).canonical_path}"

    def build(self, host: str, *, scheme: str = "https", path_prefix: str = "") -> str:
        """This link at `host` (and port), with its query. Gs1Error unless `host` can be one."""
        if not _HOST.fullmatch(host.lower()):
            raise Gs1Error(Rule.HOST, f"{excerpt(host)} is no host name")
        query = "&".join(map(_parameter, self.query))
        return f"{scheme}://{host}{path_prefix}{self.canonical_path}" + (f"?{query}" if query else "")


def parse(uri: str, *, pad_gtin: bool = True) -> DigitalLink:
    """Read a GS1 Digital Link, or raise Gs1Error and nothing else, whatever `uri` is.

    `pad_gtin` takes a GTIN of 8, 12 or 13 digits for the 14 it stands for, as links of earlier versions have it.
    """
    if not isinstance(uri, str):
        raise Gs1Error(Rule.URI, f"a link is text, not {type(uri).__name__}")
    # (1) An absolute http or https URI; its fragment is for the reader's own use.
    scheme, host, path_at = _head(uri)
    before_fragment = uri.partition("#")[0]
    path, _, query = before_fragment[path_at:].partition("?")
    # (2) The path ends in a primary key and its qualifiers.
    prefix, segments = _split(path, path_at)
    _check_sequence(segments)
    keys = tuple(_pair(*segment, pad_gtin) for segment in segments)
    # (3) The query holds attributes and extras.
    attributes = _query(query, path_at + len(path) + 1, keys, pad_gtin)
    return DigitalLink(scheme, host, prefix, keys, attributes)


def make(keys: Iterable[Pair], *, host: str = GS1_HOST, scheme: str = "https") -> DigitalLink:
    """The link of these (AI, value) pairs; Gs1Error, as by `parse`, unless they are good ones."""
    pairs = tuple((ai, _checked(ai, value, 0, True)) for ai, value in keys)
    path = "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in pairs)
    link = parse(f"{scheme}://{host}{path}")
    if link.keys != pairs:
        raise Gs1Error(Rule.SEQUENCE, f"{excerpt(path)} are not the keys of one thing")
    return link


def item(gtin: str, *, lot: str | None = None, serial: str | None = None) -> DigitalLink:
    """The link of a product, or of a lot of it, or of one item. Gs1Error unless they are good ones."""
    pairs = (("01", gtin), ("10", lot), ("21", serial))
    return make((ai, value) for ai, value in pairs if value is not None)


def sscc(number: str) -> DigitalLink:
    """The link of a logistic unit by the 18 digits of its SSCC. Gs1Error unless it is a good one."""
    return make([("00", number)])


def epc(path: str) -> str:
    """The EPC of a canonical path, as `DigitalLink.epc`; Gs1Error unless it is one."""
    return parse(f"https://{GS1_HOST}{path}").epc


def _head(uri: str) -> tuple[str, str, int]:
    """Scheme and host, in lower case, and the offset at which the path begins."""
    if len(uri) > URI_CHARACTERS_MAX:
        raise Gs1Error(Rule.URI, f"a link has at most {URI_CHARACTERS_MAX} characters")
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
    if not _HOST.fullmatch(host):
        raise Gs1Error(Rule.HOST, f"{excerpt(host)} is no host name", place=scheme.end())
    return scheme[1].lower(), host, end


def _split(path: str, at: int) -> tuple[str, list[tuple[str, str, int]]]:
    """The prefix, and (AI, encoded value, offset of the value) from the last primary key on.

    A prefix may look like anything, so GS1 has the path read from its end, in pairs.
    """
    segments = path.split("/")
    first = len(segments) - 2
    while first > 0 and segments[first] not in QUALIFIERS and is_ai(segments[first]):
        first -= 2
    if first <= 0 or segments[first] not in QUALIFIERS:
        complaint = f"{excerpt(path)} does not end in a primary key, such as 01 or 00, with its value and qualifiers"
        raise Gs1Error(Rule.NO_KEY, complaint, place=at)
    prefix = "/".join(segments[:first])
    at += len(prefix)
    found = []
    for ai, value in zip(segments[first::2], segments[first + 1 :: 2], strict=True):
        found.append((ai, value, at + len(ai) + 2))
        at += len(ai) + len(value) + 2
    return prefix, found


def _pair(ai: str, encoded: str, place: int, pad_gtin: bool) -> Pair:
    value = _decode(encoded, ai, place)
    if value in (".", ".."):
        raise Gs1Error(Rule.DOT, f"{value!r} in a path is lost on the way (RFC 3986, 6.2.2.3)", ai=ai, place=place)
    return ai, _checked(ai, value, place, pad_gtin)


def _checked(ai: str, value: str, place: int, pad_gtin: bool) -> str:
    if not value:
        raise Gs1Error(Rule.EMPTY, "the value is empty", ai=ai, place=place)
    if ai == "01" and pad_gtin and len(value) in _GTINS_SHORT:
        value = value.zfill(14)
    format_of(ai).check(value, ai=ai, place=place)
    return value


def _decode(encoded: str, ai: str, place: int) -> str:
    if "%" not in encoded:
        return encoded
    if wrong := _NOT_AN_ESCAPE.search(encoded):
        at = place + wrong.start()
        raise Gs1Error(Rule.ENCODING, "% is not followed by two hexadecimal digits", ai=ai, place=at)
    return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), encoded)


def _is_attribute(pair: Pair) -> bool:
    return pair[0].isdigit() and pair[1] != ""


def _parameter(pair: Pair) -> str:
    name, value = pair
    if _is_attribute(pair):
        value = quote(value, safe="")
    return f"{name}={value}" if value or not name else name


def _takes(key: str, qualifiers: Iterable[str]) -> bool:
    """Whether the primary key takes these qualifiers in this order."""
    wanted = tuple(qualifiers)

    def within(row: tuple[str, ...]) -> bool:
        rest = iter(row)
        return all(qualifier in rest for qualifier in wanted)

    return any(within(row) for row in QUALIFIERS[key])


def _check_sequence(segments: list[tuple[str, str, int]]) -> None:
    key, _, key_at = segments[0]
    qualifiers = [ai for ai, _, _ in segments[1:]]
    for count, (ai, _, place) in enumerate(segments[1:], 1):
        if not _takes(key, qualifiers[:count]):
            rows = " or ".join(", ".join(row) or "none" for row in QUALIFIERS[key])
            complaint = f"cannot stand here: the qualifiers of ({key}) are {rows}, in this order"
            raise Gs1Error(Rule.SEQUENCE, complaint, ai=ai, place=place)
    if (wanted := REQUIRED.get(key)) and wanted not in qualifiers:
        raise Gs1Error(Rule.MISSING, f"the qualifier ({wanted}) is missing", ai=key, place=key_at)


def _query(text: str, at: int, keys: tuple[Pair, ...], pad_gtin: bool) -> tuple[Pair, ...]:
    pairs: list[Pair] = []
    seen = {ai for ai, _ in keys}
    for parameter in text.split("&") if text else ():
        name, _, value = parameter.partition("=")
        if name.isdigit() and "=" in parameter:
            _check_attribute(name, seen, keys, at)
            seen.add(name)
            place = at + len(name) + 1
            value = _checked(name, _decode(value.replace("+", " "), name, place), place, pad_gtin)
            pairs.append((name, value))
        elif parameter:
            pairs.append((name, value))
        at += len(parameter) + 1
    return tuple(pairs)


def _check_attribute(ai: str, seen: set[str], keys: tuple[Pair, ...], place: int) -> None:
    if not is_ai(ai):
        raise Gs1Error(Rule.UNKNOWN_AI, "there is no such application identifier", ai=ai[:8], place=place)
    if ai in seen:
        raise Gs1Error(Rule.DUPLICATE, "occurs twice", ai=ai, place=place)
    qualifiers = [key for key, _ in keys[1:]]
    fits = any(_takes(keys[0][0], [*qualifiers[:i], ai, *qualifiers[i:]]) for i in range(len(qualifiers) + 1))
    if ai in NOT_ATTRIBUTES or fits:
        raise Gs1Error(Rule.NOT_ATTRIBUTE, "belongs in the path, not in the query", ai=ai, place=place)
