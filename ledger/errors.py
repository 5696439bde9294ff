"""Every named error, in two families: what the outside got wrong, and what a user can mend.

Anything else that escapes is a fault of ours and shows its traceback.
"""

import errno
from typing import Self


class OutsideError(ValueError):
    """Bytes or claims from outside are wrong. Each check raises its own kind."""


class MalformedError(OutsideError):
    """Bytes are not the one encoding of what they should be."""


class SignatureError(OutsideError):
    """A signature does not hold under the key it must hold under."""


class ProofError(OutsideError):
    """A Merkle proof does not prove what it should."""


class NoteError(OutsideError):
    """A signed note or its key is malformed, or no known key signed it (C2SP signed-note)."""


class CheckpointError(OutsideError):
    """A note's text is not a checkpoint (C2SP tlog-checkpoint)."""


class RegistryError(OutsideError):
    """A registry entry says what its signer may not say, or what contradicts the registry."""


class TrustError(OutsideError):
    """A trust file is malformed, or what is offered is not what it pins."""


class UserError(Exception):
    """What the user asked cannot be done; `hint` says what to do instead. There is none without a hint."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    @classmethod
    def of_system(cls, what: str, error: OSError) -> Self:
        """`what` failed ("cannot read /etc/x"), and the operating system says why."""
        return cls(f"{what}: {error.strerror or error}", _SYSTEM_HINTS.get(error.errno or 0, "name another one"))


_NOT_YOURS = "name one that you may use, or have its permissions changed"
_SYSTEM_HINTS = {
    errno.ENOENT: "look at its name: it, or the folder that it should be in, is not there",
    errno.EISDIR: "a folder is in its place: name a file",
    errno.ENOTDIR: "look at its name: a part of it is a file, not a folder",
    errno.EEXIST: "name another one: a file is in its place",
    errno.EACCES: _NOT_YOURS,
    errno.EPERM: _NOT_YOURS,
    errno.EROFS: "name one on another disk: this one is only for reading",
    errno.ENOSPC: "make room on that disk, or name another one",
    errno.ENAMETOOLONG: "give it a shorter name",
}


def said(error: Exception) -> str:
    """What an error says of itself: its kind, if nothing else."""
    return str(error) or type(error).__name__


class SourceError(UserError):
    """What others publish cannot be used as it is."""


class SourceUnreachable(SourceError):
    """A source does not answer, stalls, or fails: later it may not."""


class SourceRefused(SourceError):
    """A source answers, and not as a ledger does, or with what cannot be true."""


class SourceRewound(SourceError):
    """A log shows less than it has shown before."""


class SourceForked(SourceError):
    """A log has signed two trees that cannot be one history."""
