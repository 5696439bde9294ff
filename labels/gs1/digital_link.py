"""GS1 Digital Link URIs (URI syntax 1.6): read, written, and made one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from labels.gs1 import associations, compressed, link_uri
from labels.gs1.dictionary import ENTRIES, JOINING, QUALIFIERS, SEQUENCES
from labels.gs1.elements import Elements, entry, unknown_ai
from labels.gs1.errors import Gs1Error, Rule, excerpt
from labels.gs1.pairs import Field, Named, Pair

GS1_HOST = "id.gs1.org"

_GTINS_SHORT = (8, 12, 13)


@dataclass(frozen=True, slots=True)
class DigitalLink(Named):
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
    def attributes(self) -> tuple[Pair, ...]:
        """What the query says in AIs."""
        return tuple(pair for pair in self.query if _is_attribute(pair))

    @property
    def extras(self) -> tuple[Pair, ...]:
        """What the query says otherwise, not decoded: ASCII without spaces, angle brackets or quotation marks."""
        return tuple(pair for pair in self.query if not _is_attribute(pair))

    @property
    def elements(self) -> Elements:
        """All that this link says in AIs, those of the path first."""
        return Elements(self.keys + self.attributes)

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
        link_uri.require_host(host.lower())
        query = "&".join(map(_parameter, self.query))
        return f"{scheme}://{host}{path_prefix}{self.canonical_path}" + (f"?{query}" if query else "")


def parse(uri: str, *, pad_gtin: bool = True) -> DigitalLink:
    """Read a GS1 Digital Link, or raise Gs1Error and nothing else, whatever `uri` is.

    `pad_gtin` takes a GTIN of 8, 12 or 13 digits for the 14 it stands for, as links of earlier versions have it.
    """
    link, fields = _read(uri, pad_gtin)
    associations.check(fields)
    return link


def fields(uri: str) -> list[Field]:
    """The AIs of a link, with the offsets of their values: all but their associations are checked, as by `parse`."""
    return _read(uri, True)[1]


def make(keys: Iterable[Pair], *, host: str = GS1_HOST, scheme: str = "https") -> DigitalLink:
    """The link of these (AI, value) pairs; Gs1Error, as by `parse`, unless they are good ones."""
    fields = [_field(ai, value, 0, True) for ai, value in keys]
    if tuple(ai for ai, _, _ in fields) not in SEQUENCES:
        spelled = "".join(f"({ai})" for ai, _, _ in fields)
        raise Gs1Error(Rule.SEQUENCE, f"{excerpt(spelled)} are not the keys of one thing")
    for ai, value, place in fields:
        _check_dots(ai, value, place)
    associations.check(fields)
    return DigitalLink(scheme, host, "", _pairs(fields))


def of(message: Elements, *, host: str = GS1_HOST, scheme: str = "https") -> DigitalLink:
    """The link of a message: its first primary key, as many qualifiers as fit, the rest as attributes.

    Gs1Error if it has no primary key, or holds what cannot be an attribute. Attributes stand as GS1 has them: those of
    predefined length first.
    """
    fields = [(ai, value, 0) for ai, value in dict(message.pairs).items()]
    keys, attributes = _arranged(fields)
    _check_attributes(keys, attributes)
    attributes.sort(key=lambda field: ENTRIES[field[0]].size is None)
    return DigitalLink(scheme, host, "", _pairs(keys), _pairs(attributes))


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


def _read(uri: str, pad_gtin: bool) -> tuple[DigitalLink, list[Field]]:
    if not isinstance(uri, str):
        raise Gs1Error(Rule.URI, f"a link is text, not {type(uri).__name__}")
    # (1) An absolute http or https URI; its fragment is for the reader's own use.
    scheme, host, path_at = link_uri.head(uri)
    before_fragment = uri.partition("#")[0]
    path, _, query = before_fragment[path_at:].partition("?")
    # (2) The path ends in a primary key and its qualifiers, or hides them and attributes in its last segment.
    prefix, keys, hidden, extras = _path(path, path_at, pad_gtin)
    # (3) The query holds attributes and extras.
    pairs, attributes = _query(query, path_at + len(path) + 1, pad_gtin)
    # (4) Each AI occurs once, where it belongs.
    _check_attributes(keys, [*hidden, *attributes])
    link = DigitalLink(scheme, host, prefix, _pairs(keys), (*_pairs(hidden), *extras, *pairs))
    return link, [*keys, *hidden, *attributes]


def _path(path: str, at: int, pad_gtin: bool) -> tuple[str, list[Field], list[Field], list[Pair]]:
    """The prefix, the keys, and what a compressed path hides beside them: attributes and extras."""
    segments = path.split("/")
    first = link_uri.key_index(segments)
    if first is None:
        if found := _uncompressed(segments, at):
            return found
        complaint = f"{excerpt(path)} does not end in a primary key, such as 01 or 00, with its value and qualifiers"
        raise Gs1Error(Rule.NO_KEY, complaint, place=at)
    prefix = "/".join(segments[:first])
    at += len(prefix)
    spans = []
    for ai, encoded in zip(segments[first::2], segments[first + 1 :: 2], strict=True):
        spans.append((ai, encoded, at + len(ai) + 2))
        at += len(ai) + len(encoded) + 2
    _check_sequence(spans)
    return prefix, [_key(*span, pad_gtin) for span in spans], [], []


def _uncompressed(segments: list[str], at: int) -> tuple[str, list[Field], list[Field], list[Pair]] | None:
    """What the last segment hides, beside a primary key before it or alone; None if it is no such message.

    Gs1Error if it is one, and a bad one.
    """
    stem = segments[:-1]
    place = at + sum(len(segment) + 1 for segment in stem)
    is_beside = len(stem) > 2 and stem[-2] in QUALIFIERS
    beside = [(stem[-2], stem[-1], place - len(stem[-1]) - 1)] if is_beside else []
    fault: Gs1Error | None = None
    for ordered in (True, False):
        try:
            found, others = compressed.decode(segments[-1], ordered=ordered)
            keys, attributes = _hidden([*beside, *((ai, value, place + offset) for ai, value, offset in found)])
        except compressed.NotCompressed:
            continue
        except Gs1Error as error:
            fault = fault or error
            continue
        extras = [(quote(name, safe=""), quote(value, safe="")) for name, value in others]
        return "/".join(stem[:-2] if is_beside else stem), keys, attributes, extras
    if fault and fault.rule is not Rule.NO_KEY:  # without a key it is any word that happens to look like bits of AIs
        raise fault
    return None


def _hidden(fields: list[Field]) -> tuple[list[Field], list[Field]]:
    """The keys and the attributes of a compressed message. Of a value that is bad, the place is where it begins."""
    keys, attributes = _arranged(fields)
    for ai, value, place in fields:
        if fault := entry(ai, place).format.fault(value):
            raise Gs1Error(fault.rule, fault.complaint, ai=ai, place=place)
    _check_attributes(keys, attributes)
    associations.check(fields)
    return keys, attributes


def _arranged(fields: Sequence[Field]) -> tuple[list[Field], list[Field]]:
    """The first primary key with as many qualifiers as can stand behind it, in their order; and the rest."""
    by_ai = {field[0]: field for field in fields}
    key = next((ai for ai in by_ai if ai in QUALIFIERS), None)
    if key is None:
        raise Gs1Error(Rule.NO_KEY, "none of these is a primary key, such as (01) or (00)")
    fitting = sorted(path for path in SEQUENCES if path[0] == key and by_ai.keys() >= set(path))
    path = max(fitting, key=len)
    keys = [by_ai[ai] for ai in path]
    for field in keys:
        _check_dots(*field)
    return keys, [field for field in fields if field[0] not in path]


def _key(ai: str, encoded: str, place: int, pad_gtin: bool) -> Field:
    value = link_uri.decode(encoded, ai, place)
    _check_dots(ai, value, place)
    return _field(ai, value, place, pad_gtin, encoded)


def _check_dots(ai: str, value: str, place: int) -> None:
    if value in (".", ".."):
        raise Gs1Error(Rule.DOT, f"{value!r} in a path is lost on the way (RFC 3986, 6.2.2.3)", ai=ai, place=place)


def _field(ai: str, value: str, place: int, pad_gtin: bool, encoded: str = "") -> Field:
    """A value that is good. `encoded` is its text at `place`, for a complaint's place, if it is another."""
    padding = 0
    if ai == "01" and pad_gtin and len(value) in _GTINS_SHORT:
        padding = 14 - len(value)
        value = value.zfill(14)
    if fault := entry(ai, place).format.fault(value):
        at = max(0, fault.at - padding)
        at = link_uri.encoded_offset(encoded, at) if encoded else at
        raise Gs1Error(fault.rule, fault.complaint, ai=ai, place=place + at)
    return ai, value, place


def _pairs(fields: Iterable[Field]) -> tuple[Pair, ...]:
    return tuple((ai, value) for ai, value, _ in fields)


def _is_attribute(pair: Pair) -> bool:
    return pair[0].isdigit() and pair[1] != ""


def _parameter(pair: Pair) -> str:
    name, value = pair
    if _is_attribute(pair):
        value = quote(value, safe="")
    return f"{name}={value}" if value or not name else name


def _check_sequence(spans: list[Field]) -> None:
    path = tuple(ai for ai, _, _ in spans)
    if path in SEQUENCES:
        return
    key = path[0]
    for count, (ai, _, place) in enumerate(spans[1:], 2):
        if path[:count] not in SEQUENCES:
            rows = " or ".join(", ".join(row) or "none" for row in QUALIFIERS[key])
            complaint = f"cannot stand here: the qualifiers of ({key}) are {rows}, in this order"
            raise Gs1Error(Rule.SEQUENCE, complaint, ai=ai, place=place)


def _query(text: str, at: int, pad_gtin: bool) -> tuple[list[Pair], list[Field]]:
    """All parameters, and those that are attributes."""
    pairs: list[Pair] = []
    fields: list[Field] = []
    for parameter in text.split("&") if text else ():
        name, equals, value = parameter.partition("=")
        if equals and (name.isdigit() or not name):
            if name not in ENTRIES:
                raise unknown_ai(name, at)
            place = at + len(name) + 1
            decoded = link_uri.decode(value.replace("+", " "), name, place)
            fields.append(_field(name, decoded, place, pad_gtin, value))
            pairs.append(fields[-1][:2])
        elif parameter:
            pairs.append((name, value))
        at += len(parameter) + 1
    return pairs, fields


def _check_attributes(keys: Sequence[Field], attributes: Sequence[Field]) -> None:
    """No AI occurs twice; and none stands in the query that belongs in the path, or elsewhere."""
    path = tuple(field[0] for field in keys)
    seen = set(path)
    for ai, _, place in attributes:
        if ai in seen:
            raise Gs1Error(Rule.DUPLICATE, "occurs twice", ai=ai, place=place)
        if not ENTRIES[ai].attribute or ai in JOINING[path]:
            raise Gs1Error(Rule.NOT_ATTRIBUTE, "belongs in the path, not in the query", ai=ai, place=place)
        seen.add(ai)
