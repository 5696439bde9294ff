"""How a print job ends before its end: what the printer said, and what is known of each label."""

from ledger.errors import UserError


class StoppedError(UserError):
    """Not all labels came out. Of those that were to, in order: the first `came_out` did for certain, the next
    `doubtful` may have or may yet, and the others did not, and will not.
    """

    def __init__(self, told: str, *, came_out: int, doubtful: int, hint: str) -> None:
        super().__init__(told, hint)
        self.came_out, self.doubtful = came_out, doubtful
