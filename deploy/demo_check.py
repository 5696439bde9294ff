"""Checking the demo from outside: with the ledger's own commands, a label's picture, and its page."""

import json
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deploy.stack import run_command
from ledger.database import connect
from ledger.errors import UserError

if TYPE_CHECKING:
    from deploy.stack import Stack

GENUINE = "genuine"
SETTLE_S_MAX = 15.0


def check(stack: "Stack", devices: Sequence[str], link: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """Count what was published, what is in the ledger, and what verifies; `ok` is false if anything is lost."""
    published, proven, counts = _settled(stack, devices)
    lost = published - counts["statements"]
    audit_ok = _audit(stack, tell)
    labels = _labels(stack, link, tell)
    return {
        **counts,
        "labels": labels,
        "receipts_verified": proven,
        "lost": lost,
        "audit": audit_ok,
        "ok": lost == 0 and proven == published and audit_ok and labels > 0,
    }


def _settled(stack: "Stack", devices: Sequence[str]) -> tuple[int, int, dict[str, int]]:
    """Statements published, those proven to their devices, and the ledger's counts, once they agree or never do.

    A device that was restarted may go on reporting while we count.
    """
    deadline = time.monotonic() + SETTLE_S_MAX
    while True:
        states = [_status(stack, name) for name in devices]
        published = sum(state["spooled"] for state in states)
        proven = published - sum(state["unconfirmed"] for state in states)
        counts = _counts(stack.dsn, devices)
        if published == proven == counts["statements"] or time.monotonic() > deadline:
            return published, proven, counts
        time.sleep(0.2)


def _status(stack: "Stack", device: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(
        run_command("edge", "status", "--folder", str(stack.data / "devices" / device), "--json")
    )
    return state


def _counts(dsn: str, devices: Sequence[str]) -> dict[str, int]:
    """What the database holds of these devices."""
    with connect(dsn) as connection:
        row = connection.execute(
            """select (select count(*) from entry e join stream s using (stream_id)
                        where s.kid = any (select distinct kid from stream where lane = 1)),
                      (select count(*) from reading r join device d using (device_id) where d.name = any(%s)),
                      (select count(*) from block)""",
            [list(devices)],
        ).fetchone()
    assert row is not None
    return {"statements": row[0], "readings": row[1], "blocks": row[2]}


def _audit(stack: "Stack", tell: Callable[[str], None]) -> bool:
    try:
        run_command("ledger", "audit", "--data", str(stack.data), "--json")
    except (UserError, RuntimeError) as error:
        tell(f"the audit fails: {error}")
        return False
    tell("the audit passes: every tree, block, stream and signature")
    return True


def _labels(stack: "Stack", link: str, tell: Callable[[str], None]) -> int:
    """How many printed labels decode to what was issued, if the page of the first says that it is genuine."""
    import zxingcpp
    from PIL import Image

    good = 0
    for path in sorted((stack.data / "labels").glob("*.png")):
        with Image.open(path) as picture:
            codes = zxingcpp.read_barcodes(picture, formats=zxingcpp.barcode_formats_from_str("QRCode"))
        good += len(codes) == 1 and _is_issued(stack, codes[0].text)
    verdict = _resolve(link)
    tell(f"{good} printed labels decode; the page of the first says: {verdict}")
    return good if verdict == GENUINE else 0


def _resolve(link: str) -> str:
    """What the item's page, as JSON, says of its label."""
    request = urllib.request.Request(link, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            page = json.load(response)
    except OSError as error:
        return f"nothing ({error})"
    return str(page["verdict"])


def _is_issued(stack: "Stack", text: str) -> bool:
    from labels import gs1
    from labels.batch import Label

    label = Label.of(gs1.parse(text))
    with connect(stack.dsn) as connection:
        row = connection.execute("select signature from label where path = %s", [label.path]).fetchone()
    return row == (label.digits,)
