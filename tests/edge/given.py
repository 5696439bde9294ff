"""What a device is given: an event to sign, and a spool that has nothing."""

from edge import confirm

EVENT = {
    "type": "ObjectEvent",
    "action": "OBSERVE",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "epcList": ["https://id.gs1.org/01/09506000134352/21/A1"],
}


class NothingSpooled:
    """The view of a spool that has nothing."""

    def next_seq(self, lane: int, stream: bytes) -> int | None:
        """No stream is open."""
        return None

    def receipt_size(self, stream: bytes) -> int:
        """No receipt is held."""
        return 0

    def links(self, stream: bytes, first: int, count: int) -> dict[int, confirm.Link]:
        """No statement is kept."""
        return {}
