"""What a device's spool says of its state, for people and for scripts."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from edge.spool import Spool
from ledger.statement import EVENTS, LANES, TELEMETRY

LANE_NAMES = {EVENTS: "events", TELEMETRY: "telemetry"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The last receipt that proved something new: when it came, its tree size, and the stream's newest seq in it."""

    at: int
    size: int
    stream: str
    seq: int


def remember_receipt(spool: Spool, lane: int, receipt: Receipt) -> None:
    """Keep it for `status`."""
    spool.set_state(f"receipt {LANE_NAMES[lane]}", json.dumps(asdict(receipt)))


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with the broker, what to look at, and since when."""

    error: str
    hint: str
    at: int


def remember_broker(spool: Spool, trouble: Trouble | None) -> None:
    """Keep it for `status`, for which no connection is made; None: it lets us in."""
    spool.set_state("broker", json.dumps(asdict(trouble)) if trouble else None)


def read(spool: Spool) -> dict[str, Any]:
    """Everything that there is to say, as JSON takes it. Times are in seconds since 1970."""
    stopped, lanes = spool.state("stopped"), {LANE_NAMES[lane]: _lane(spool, lane) for lane in LANES}
    trouble = spool.state("broker")
    return {
        "state": "stopped" if stopped else "going",
        "stopped": json.loads(stopped) if stopped else None,
        "alarm": spool.state("alarm"),
        "broker": json.loads(trouble) if trouble else None,
        "spooled": sum(lane["signed"] for lane in lanes.values()),
        "unconfirmed": sum(lane["unconfirmed"] for lane in lanes.values()),
        "sections_waiting": sum(lane["sections_waiting"] for lane in lanes.values()),
        "evicted_unsigned": len(spool.evicted(1_000)),
        "bytes": spool.bytes_held(),
        "lanes": lanes,
    }


def nothing_yet() -> dict[str, Any]:
    """What `read` says of a spool that is not there yet: asking does not make one, perhaps as the wrong user."""
    lane = {"signed": 0, "unconfirmed": 0, "sections_waiting": 0, "stream": None, "last_receipt": None}
    return {
        "state": "going",
        "stopped": None,
        "alarm": None,
        "broker": None,
        "spooled": 0,
        "unconfirmed": 0,
        "sections_waiting": 0,
        "evicted_unsigned": 0,
        "bytes": 0,
        "lanes": {name: dict(lane) for name in LANE_NAMES.values()},
    }


def _lane(spool: Spool, lane: int) -> dict[str, Any]:
    stream = spool.open_stream(lane)
    receipt = spool.state(f"receipt {LANE_NAMES[lane]}")
    described = stream and {"id": stream.name.hex(), "opened": stream.reason, "next_seq": stream.next_seq}
    return {
        "signed": spool.signed(lane),
        **spool.counts(lane),
        "stream": described,
        "last_receipt": json.loads(receipt) if receipt else None,
    }


def as_text(status: dict[str, Any]) -> str:
    """The same for people."""
    state = f"stopped, refused by the ledger: {status['stopped']['reason']}" if status["stopped"] else "going"
    running = "the agent runs" if status["running"] else "no agent runs"
    lines = [
        f"{status['name']}: {state}; {running}",
        f"{status['spooled']} spooled, {status['unconfirmed']} unconfirmed,"
        f" {status['sections_waiting']} sections waiting, {status['bytes']} bytes",
        *(_lane_text(name, lane) for name, lane in status["lanes"].items()),
        *([f"alarm: {status['alarm']}"] if status["alarm"] else []),
        *(_broker_text(status["broker"], status["running"]) if status["broker"] else []),
    ]
    return "\n".join(lines)


def _broker_text(trouble: dict[str, Any], is_running: bool) -> list[str]:
    when = f"since {_time(trouble['at'])}" if is_running else f"when the agent last ran, at {_time(trouble['at'])}"
    return [f"broker: {trouble['error']} ({when})", f"hint: {trouble['hint']}"]


def _lane_text(name: str, lane: dict[str, Any]) -> str:
    if lane["stream"] is None:
        return f"{name}: nothing yet"
    stream, receipt = lane["stream"], lane["last_receipt"]
    proven = f"last receipt {_time(receipt['at'])}, tree size {receipt['size']}" if receipt else "no receipt yet"
    return f"{name}: stream {stream['id']} ({stream['opened']}), next seq {stream['next_seq']}; {proven}"


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
