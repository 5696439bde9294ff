"""What the device has learnt of its log's keys, kept in the spool: a crash leaves what was there, or all that is new.

It is not believed for being there: whenever it is read, it is followed from the pinned genesis again.
"""

import json
import logging

from edge.confirm import Device
from edge.spool import Spool
from ledger import b64

_STATE = "root messages"

log = logging.getLogger("tallystick.edge")


def remember(spool: Spool, device: Device) -> None:
    """Keep what `device` has learnt."""
    with spool.transaction():
        spool.set_state(_STATE, json.dumps([b64.encode(message) for message in device.root]))


def remembering(spool: Spool, device: Device) -> Device:
    """The device with what it has learnt before; without it, if that does not follow from what it pins."""
    kept = spool.state(_STATE)
    if kept is None:
        return device
    try:
        return device.learning([b64.decode(message) for message in json.loads(kept)])
    except (ValueError, TypeError) as error:  # no JSON, or not what the pinned ledger's root keys have said
        log.warning("what was learnt of the log's keys is not taken: %s", error)
        return device
