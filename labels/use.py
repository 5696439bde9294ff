"""What may become of a label."""

from enum import IntEnum


class Use(IntEnum):
    """What became of a label."""

    SENT = 1  # handed to a printer, which has not confirmed it
    PRINTED = 2
    APPLIED = 3
    SPOILED = 4
    RETURNED = 5
    SEEN = 6
    REFUSED = 7  # handed to a printer, and known not to have come out
