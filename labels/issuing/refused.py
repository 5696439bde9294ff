"""Why a batch is not issued: in words with a hint for a person, and as an HTTP status for a program."""

from http import HTTPStatus

from labels.words import plural
from ledger.errors import UserError


class Refused(UserError):
    """What was asked for cannot be issued as it is."""

    status = HTTPStatus.BAD_REQUEST


class Foreign(Refused):
    """The GTIN is another organisation's, or no key here may sign labels of it."""

    status = HTTPStatus.FORBIDDEN


class Unknown(Refused):
    """There is no such batch, or none that whoever asks may see."""

    status = HTTPStatus.NOT_FOUND


class Clashing(Refused):
    """What is there already speaks against it: a serial that was issued, a recall, another request of this key."""

    status = HTTPStatus.CONFLICT


class TooMany(Refused):
    """More labels than one batch has."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class NotSealed(Refused):
    """The batch is stored and will be published, but nobody has sealed it yet. `root` is its Merkle root."""

    status = HTTPStatus.ACCEPTED

    def __init__(self, root: bytes, size: int) -> None:
        super().__init__(
            f"{plural(size, 'label is', 'labels are')} signed and stored, but nobody has sealed their batch yet",
            "is the gateway running? 'tallystick up' or 'tallystick gateway run'",
        )
        self.root = root
