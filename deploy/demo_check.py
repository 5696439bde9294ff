"""Checking the demo from outside: the devices' spools against the ledger, its audit, the printed labels, their pages.

Sets of statement hashes are compared, never counts: one statement lost and another that nobody published would make
the same number. Each check needs what the story must have left behind, so nothing at all is no success.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deploy import story
from deploy.stack import run_command
from ledger.database import connect
from ledger.errors import OutsideError, UserError

if TYPE_CHECKING:
    from deploy.stack import Stack

GENUINE, REPLAYED = "genuine", "recorded 2010, replayed"
SETTLE_S_MAX = 15.0
_PRAISE = "checked: all is in the ledger and proven, the audit passes, each printed label leads to its genuine page"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Published:
    """The hashes of what devices published, of those their receipts prove, and how many older ones they forgot."""

    hashes: frozenset[bytes] = frozenset()
    proven: frozenset[bytes] = frozenset()
    forgotten: int = 0

    def __or__(self, other: "Published") -> "Published":
        return Published(self.hashes | other.hashes, self.proven | other.proven, self.forgotten + other.forgotten)

    def lost(self, entered: frozenset[bytes]) -> int:
        """How many of them are not in the ledger, which has `entered` of these devices."""
        return len(self.hashes - entered) + max(0, self.forgotten - len(entered - self.hashes))

    def strange(self, entered: frozenset[bytes]) -> int:
        """How many of `entered` no device published."""
        return max(0, len(entered - self.hashes) - self.forgotten)


def check(stack: "Stack", devices: Sequence[str], tell: Tell) -> dict[str, Any]:
    """Count what was published, what is in the ledger, and what verifies; `ok` is false if anything is wrong."""
    folders = [stack.data / "devices" / name for name in devices]
    published, entered = _settled(stack.dsn, folders)
    verified = published.proven & _verified(stack, published.hashes)
    counts, audit, labels = _counts(stack.dsn, devices), _audit(stack), _labels(stack)
    lost = published.lost(entered)
    complaints = [
        *([f"{lost} published statements are not in the ledger"] if lost else []),
        *([f"{strange} statements are in the ledger that no device published"]
          if (strange := published.strange(entered)) else []),
        *_too_few("receipts verified", len(verified), len(published.hashes)),
        *_too_few("events", counts.pop("events"), story.EVENTS),
        *_too_few("readings", counts["readings"], story.TEMPERATURES),
        *audit,
        *labels.complaints,
    ]  # fmt: skip
    for line in [f"wrong: {line}" for line in complaints] or [_PRAISE]:
        tell(line)
    return {
        "statements": len(entered),
        **counts,
        "labels": len(labels.good),
        "receipts_verified": len(verified),
        "lost": lost,
        "audit": not audit,
        "ok": not complaints,
    }


def _too_few(what: str, found: int, wanted: int) -> list[str]:
    return [f"{found} {what}, not {wanted}"] if found < wanted else []


def _settled(dsn: str, folders: Sequence[Path]) -> tuple[Published, frozenset[bytes]]:
    """What was published, and what the ledger has of it, once they agree or never do.

    A device that was restarted may go on reporting while we count.
    """
    deadline = time.monotonic() + SETTLE_S_MAX
    while True:
        published = Published()
        for folder in folders:
            published |= _published(folder)
        entered = _entered(dsn, folders)
        agree = published.proven == published.hashes and not published.lost(entered) | published.strange(entered)
        if agree or time.monotonic() > deadline:
            return published, entered
        time.sleep(0.2)


def _published(folder: Path) -> Published:
    """What a device signed, by its own spool."""
    from edge.config import Config
    from edge.spool import Spool
    from ledger.statement import LANES

    with closing(Spool(Config.load(folder).spool_file)) as spool, spool.transaction():
        known, signed = spool.hashes(), sum(map(spool.signed, LANES))
    return Published(frozenset(known), frozenset(h for h, proven in known.items() if proven), signed - len(known))


def _entered(dsn: str, folders: Iterable[Path]) -> frozenset[bytes]:
    """The hashes of what the ledger has under these devices' keys."""
    from ledger.keys import SigningKey

    kids = [SigningKey.load(folder / "device.key").kid for folder in folders]
    query = "select statement_hash from entry join stream using (stream_id) where kid = any(%s)"
    with connect(dsn) as connection:
        return frozenset(bytes(row[0]) for row in connection.execute(query, [kids]).fetchall())


def _verified(stack: "Stack", hashes: Iterable[bytes]) -> frozenset[bytes]:
    """Those that a proof from the ledger shows to be in it, by the trust file and what root keys have said since."""
    from ledger import read
    from ledger.folder import LedgerFolder
    from ledger.proof.prove import Prover, find_statement
    from ledger.proof.verify import verify

    folder, good = LedgerFolder(stack.data / "ledger"), set()
    with connect(stack.dsn) as connection:
        trust, prover = folder.trust().following(read.root_messages(connection)), Prover(connection, folder)
        for wanted in hashes:
            try:
                good.add(verify(prover.prove(*find_statement(connection, wanted)), trust).statement.hash)
            except (UserError, OutsideError):
                continue  # then it is missing from what is returned
    return frozenset(good)


def _counts(dsn: str, devices: Sequence[str]) -> dict[str, int]:
    """What the database holds of these devices."""
    with connect(dsn) as connection:
        row = connection.execute(
            """select (select count(*) from reading r join device d using (device_id) where d.name = any(%s)),
                      (select count(*) from block), (select count(*) from event)""",
            [list(devices)],
        ).fetchone()
    assert row is not None
    return dict(zip(("readings", "blocks", "events"), row, strict=True))


def _audit(stack: "Stack") -> list[str]:
    """What the audit has to say against the ledger."""
    try:
        run_command("ledger", "audit", "--data", str(stack.data), "--json")
    except (UserError, RuntimeError) as error:
        return [f"the audit fails: {error}"]
    return []


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels (path, digits) that were printed as issued and lead to a genuine page, and what is wrong."""

    good: frozenset[tuple[str, str]]
    complaints: list[str]


def _labels(stack: "Stack") -> Labels:
    """Read each printed label's code off its picture, and open the page that its link leads to."""
    with connect(stack.dsn) as connection:
        rows = connection.execute("select path, signature from label").fetchall()
    issued: frozenset[tuple[str, str]] = frozenset(rows)
    good, complaints = set(), []
    for picture in sorted((stack.data / "labels").glob("*.png")):
        try:
            good.add(_label(picture, issued, stack.labels_url))
        except ValueError as error:
            complaints.append(f"{picture.name}: {error}")
    if good != issued or len(issued) != story.ITEMS:
        complaints.append(f"{len(good)} labels are right of {len(issued)} issued, not {story.ITEMS}")
    return Labels(frozenset(good), complaints)


def _label(picture: Path, issued: frozenset[tuple[str, str]], address: str) -> tuple[str, str]:
    """The label on a picture; ValueError if it is none that was issued, or its page is not as it must be."""
    from labels import gs1
    from labels.batch import Label

    text = _decoded(picture)
    label = Label.of(gs1.parse(text))
    if (label.path, label.digits) not in issued:
        raise ValueError(f"its code {text!r} was not issued")
    scanned = urlsplit(text)
    _require_good(_page(f"{address}{scanned.path}?{scanned.query}"), label.path)
    return label.path, label.digits


def _decoded(picture: Path) -> str:
    import zxingcpp
    from PIL import Image

    with Image.open(picture) as image:
        codes = zxingcpp.read_barcodes(image, formats=zxingcpp.barcode_formats_from_str("QRCode"))
    if len(codes) != 1:
        raise ValueError(f"{len(codes)} codes are on it")
    return str(codes[0].text)


def _page(link: str) -> dict[str, Any]:
    """An item's page, as JSON."""
    request = urllib.request.Request(link, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            page: dict[str, Any] = json.load(response)
    except OSError as error:
        raise ValueError(f"{link} shows nothing: {error}") from error
    return page


def _require_good(page: dict[str, Any], path: str) -> None:
    """ValueError unless it is the genuine page of the item at `path`, with the whole story, each record verified."""
    if page["verdict"] != GENUINE or not page["epc"].endswith(path):
        raise ValueError(f"its page says {page['verdict']!r} of {page['epc']}")
    if page["counts"]["verified"] != page["counts"]["total"]:
        raise ValueError("not every record behind its page verifies")
    if len(page["steps"]) != story.EVENTS or sum(s["readings"] for s in page["series"]) != story.TEMPERATURES:
        raise ValueError("its page does not tell the whole story")
    if page["product"] != story.PRODUCT or not page["described"]["picture"]:
        raise ValueError("its page does not show the product")
    if page["replayed_headline"] != REPLAYED:
        raise ValueError(f"its page does not say {REPLAYED!r}")
