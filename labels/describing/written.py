"""What a person writes of a product: on a command line, or in a JSON or CSV file of many. Pure."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeVar

from labels import words
from labels.catalogue.description import Description
from labels.catalogue.limit import Limit, read_limits
from labels.catalogue.link import Link
from labels.catalogue.link_types import PREFIX, TITLES, relation
from labels.catalogue.place import Place
from labels.typed import gtin_of, lot_of, serial_of
from ledger.errors import MalformedError, UserError

FILE_BYTES_MAX, ROWS_MAX = 4 * 1024 * 1024, 2_000
COLUMNS = ("gtin", "lot", "serial", "name", "text", "picture", "link", "limit")
FIELDS = ("gtin", "lot", "serial", "name", "text", "picture", "links", "limits")
_UNITS = {"°C": "Cel", "C": "Cel", "%": "%RH", "% RH": "%RH"}
_USUAL_UNITS = {"temperature": "Cel", "humidity": "%RH"}
_NUMBER = r"[-+]?[0-9]+(?:\.[0-9]+)?"
_LIMIT = re.compile(rf"(?P<metric>[^=]+)=(?P<low>{_NUMBER})?\.\.(?P<high>{_NUMBER})?(?: *(?P<unit>\S.*))?")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Change:
    """What a person says of a place; None is not said, and stays as it was. `picture` names a file, "" none."""

    place: Place
    name: str | None = None
    text: str | None = None
    picture: str | None = None
    links: tuple[Link, ...] | None = None
    limits: Mapping[str, Limit] | None = None
    where: str = ""  # in a file

    def on(self, old: Description, picture: bytes | None) -> Description:
        """The description with this change; `picture` is the SHA-256 of the one that is named."""
        said: dict[str, Any] = {"name": self.name, "text": self.text, "links": self.links, "limits": self.limits}
        said["picture"] = picture
        return replace(old, **{name: value for name, value in said.items() if value is not None})


def place_of(gtin: str, lot: str | None = None, serial: str | None = None) -> Place:
    """The place that a person names; UserError if it is none."""
    if lot and serial:
        raise UserError(
            "an item is named by its GTIN and serial, without a lot", "its lot is the one that it was issued for"
        )
    gtin = gtin_of(gtin)
    if serial:
        return Place(gtin, serial=serial_of(gtin, serial).serial or "")
    return Place(gtin, lot_of(gtin, lot) if lot else "")


def link_of(text: str) -> Link:
    """`REL=URL[;TITLE[;LANGUAGE[;MEDIA TYPE]]]`; `pip` stands for `gs1:pip`. UserError if it is no link."""
    rel, _, rest = text.partition("=")
    href, *more = (part.strip() for part in rest.split(";"))
    rel = relation(rel.strip())
    rel = rel if rel in TITLES else PREFIX + rel.removeprefix(PREFIX)
    title, lang, media = (*more, "", "", "")[:3]
    hint = "write it like gs1:pip=https://example.com/honey;Our honey;en"
    if len(more) > 3:
        raise UserError(f"link {text!r} has more than a title, a language and a media type", hint)
    said = {"rel": rel, "href": href, "title": title or TITLES.get(rel, rel), "lang": lang, "type": media}
    return _read(lambda: Link.read({name: value for name, value in said.items() if value}), f"link {text!r}", hint)


def limit_of(text: str) -> tuple[str, Limit]:
    """`METRIC=LOW..HIGH[ UNIT]`, one of the two perhaps left out. UserError if it is no limit."""
    found = _LIMIT.fullmatch(text.strip())
    hint = "write it like temperature=2..8, temperature=..-18 or pressure=900..1100 hPa"
    if found is None:
        raise UserError(f"limit {text!r} is no metric with a lowest and a highest value", hint)
    metric, unit = found["metric"].strip(), found["unit"] or _USUAL_UNITS.get(found["metric"].strip())
    if unit is None:
        raise UserError(f"limit {text!r} has no unit", hint)
    low, high = (float(found[end]) if found[end] else None for end in ("low", "high"))
    said = {metric: [_UNITS.get(unit.strip(), unit.strip()), low, high]}
    return metric, _read(lambda: read_limits(said), f"limit {text!r}", hint)[metric]


def limits_of(texts: Iterable[str]) -> dict[str, Limit]:
    """Several limits by their metric; UserError if a metric has two."""
    limits: dict[str, Limit] = {}
    for metric, limit in map(limit_of, texts):
        if metric in limits:
            raise UserError(f"{metric} has two limits", "write both ends as one, like temperature=2..8")
        limits[metric] = limit
    return limits


def said_of(
    gtin: str,
    lot: str | None,
    serial: str | None,
    *,
    clear: Sequence[str],
    links: Sequence[str],
    limits: Sequence[str],
    **texts: str | None,
) -> Change:
    """What a command line says of a place: `texts` are its name, text and picture; UserError unless it is good.

    What is to `clear` is said no longer.
    """
    said: dict[str, Any] = {name: value for name, value in texts.items() if value is not None}
    said |= {"links": tuple(map(link_of, links))} if links else {}
    said |= {"limits": limits_of(limits)} if limits else {}
    if both := said.keys() & set(clear):
        raise UserError(f"{min(both)} is said, and said no longer", "leave out one of the two")
    empty: dict[str, Any] = {"name": "", "text": "", "picture": "", "links": (), "limits": {}}
    change = Change(place_of(gtin, lot, serial), **said, **{name: empty[name] for name in clear})
    _require_said(change)
    return change


def changes_of(file: str, data: bytes) -> list[Change]:
    """What a file says, a JSON list of objects or a CSV with a header. UserError names the first line that is wrong."""
    if len(data) > FILE_BYTES_MAX:
        raise UserError(f"{file} has more than {FILE_BYTES_MAX >> 20} MiB", "describe products in several files")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not text in UTF-8", "save it as UTF-8") from error
    rows = _json_rows(file, text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(file, text)
    changes, wrong = [], list[UserError]()
    for number, (where, row) in enumerate(rows):
        if number >= ROWS_MAX:
            raise UserError(f"{file} describes more than {ROWS_MAX:,} products", "describe them in several files")
        try:
            changes.append(_change(row, where))
        except UserError as error:
            wrong.append(UserError(f"{file}, {where}: {error}", error.hint))
    if wrong:
        more = f"; and {words.plural(len(wrong) - 1, 'more is wrong', 'more are wrong')}" if len(wrong) > 1 else ""
        raise UserError(f"{wrong[0]}{more}", wrong[0].hint)
    if not changes:
        raise UserError(f"{file} describes nothing", f"a CSV has the columns {', '.join(COLUMNS)}; JSON is a list")
    return _once(file, changes)


def _once(file: str, changes: list[Change]) -> list[Change]:
    """The same, or UserError if two are of one place."""
    for _, same in groupby(sorted(changes, key=lambda c: c.place.words), key=lambda c: c.place):
        first, *others = same
        if others:
            told = f"{file}, {others[0].where}: {first.place.words} is in {first.where} already"
            raise UserError(told, "say all of a product in one line")
    return changes


def _json_rows(file: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    hint = f"it is a list of objects with some of {', '.join(FIELDS)}"
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not JSON: {error}", hint) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{file} is no list of products", hint)
    for number, row in enumerate(rows, 1):
        yield f"product {number}", row


def _csv_rows(file: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows as JSON would have them; columns `link` and `limit` may stand several times."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        unknown = [name for name in header if name not in COLUMNS]
        if "gtin" not in header or unknown:
            complaint = f"has no column {unknown[0]!r}" if unknown else "has no column 'gtin'"
            raise UserError(f"a catalogue {complaint}: {file}", f"its columns are {', '.join(COLUMNS)}")
        for cells in reader:
            where = f"line {reader.line_num}"
            if any(cells):
                yield where, _csv_row(header, cells, f"{file}, {where}")
    except csv.Error as error:
        raise UserError(f"{file}, line {reader.line_num}: {error}", "it is no CSV as RFC 4180 has it") from error


def _csv_row(header: list[str], cells: list[str], where: str) -> dict[str, Any]:
    if len(cells) > len(header):
        raise UserError(f"{where}: {len(cells)} values for {len(header)} columns", "put quotes around commas")
    row: dict[str, Any] = {}
    for name, cell in zip(header, cells, strict=False):
        if not (value := cell.strip()):
            continue
        if name in ("link", "limit"):
            row.setdefault(f"{name}s", []).append(value)
        else:
            row[name] = value
    return row


def _change(row: Mapping[str, Any], where: str) -> Change:
    if unknown := [name for name in row if name not in FIELDS]:
        raise UserError(f"a product has no {unknown[0]!r}", f"it has {', '.join(FIELDS)}")
    texts = {name: row.get(name) for name in FIELDS[:6]}
    if wrong := [name for name, value in texts.items() if not isinstance(value, str | None)]:
        raise UserError(f"{wrong[0]} is no text", "put it between quotation marks")
    if not texts["gtin"]:
        raise UserError("no GTIN is there", "each product has one")
    change = Change(
        place_of(texts["gtin"], texts["lot"], texts["serial"]),
        name=texts["name"],
        text=texts["text"],
        picture=texts["picture"],
        links=tuple(_links(row["links"])) if "links" in row else None,
        limits=_limits(row["limits"]) if "limits" in row else None,
        where=where,
    )
    _require_said(change)
    return change


def _require_said(change: Change) -> None:
    said = (change.name, change.text, change.picture, change.links, change.limits)
    if all(value is None for value in said):
        raise UserError(f"nothing is said of {change.place.words}", "give a name, text, picture, link or limit")


def _links(value: Any) -> list[Link]:
    if not isinstance(value, list):
        raise UserError("links are no list", 'write them like [{"rel": "gs1:pip", "href": "https://…"}]')
    return [link_of(link) if isinstance(link, str) else _link(link) for link in value]


def _link(value: Any) -> Link:
    titled = {"title": TITLES.get(str(value.get("rel")), "")} | value if isinstance(value, dict) else value
    return _read(lambda: Link.read(titled), "a link", "it has rel, href, title, lang and type")


def _limits(value: Any) -> dict[str, Limit]:
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return limits_of(value)
    return _read(lambda: read_limits(value), "limits", 'write them like {"temperature": ["Cel", 2, 8]}')


def _read(read: Callable[[], Value], what: str, hint: str) -> Value:
    try:
        return read()
    except MalformedError as error:
        raise UserError(f"{what}: {error}", hint) from error
