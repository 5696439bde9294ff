"""Blocks as a source shows them and the log has signed them; and what is said when it has not."""

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.block import Header
from ledger.errors import MalformedError, OutsideError, SourceRefused
from ledger.log import Log
from ledger.published.blocks import Block
from ledger.published.log import Head, PublishedLog, Signed
from ledger.published.reader import NotForYouError, NotPublishedError

LYING = "name another source of this ledger: what this one shows is not what its logs have signed"


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Say that a source is refused if what is read in here is not there, or not what it should be."""
    try:
        yield
    except NotForYouError as error:
        raise SourceRefused(f"{what} is not for us", "give a token with --token-file, if you have one") from error
    except NotPublishedError as error:
        raise SourceRefused(f"{what} is not there: the source changes while it is read", "try again") from error
    except OutsideError as error:
        raise SourceRefused(f"{what} does not hold: {error}", LYING) from error


def newest(log: PublishedLog) -> Head | None:
    """The newest block that is shown of a log, or None if it has published nothing. Raises SourceRefused."""
    with refusing(f"the head of {log.log.chain!r}"):
        try:
            head = log.head()
        except NotForYouError:
            raise
        except NotPublishedError:
            return None
        if head.blocks > head.size:  # the height is not signed: it must not lead us on without end
            raise MalformedError("it has more blocks than entries")
        return head


def signed(log: Log, block: Block) -> Head:
    """The block, if its checkpoint is the log's word for the tree that its header names; or SourceRefused."""
    with refusing(f"a block of {log.chain!r}"):
        header = Header.decode(block.header)
        checkpoint = log.open(block.checkpoint)
    if (checkpoint.origin, checkpoint.size, checkpoint.root) != (header.origin, header.size, header.root):
        what = f"block {header.height} of {log.chain!r} has the checkpoint of another log, size or root"
        raise SourceRefused(what, LYING)
    return Head(block, header)


def word(log: Log, head: Head) -> Signed:
    """What the log has signed with a block."""
    return Signed(head.block.checkpoint, log.open(head.block.checkpoint))
