"""Following a log: how its newest checkpoint stands to the one that was seen before.

Pure. Both checkpoints are opened, so both are the log's own word; tiles come from a place that nobody need trust.
What is said of them is proven by them: that a tree has grown, or that it holds another beginning than it had.
"""

import enum

from ledger import merkle
from ledger.checkpoint import Checkpoint
from ledger.errors import ProofError
from ledger.tile import Fetch, node_reader


class Course(enum.StrEnum):
    """What became of a log since it was seen."""

    SAME = "same"
    GROWN = "grown"
    REWOUND = "rewound"  # it is shorter, and its own beginning as far as is known
    FORKED = "forked"  # two trees that cannot be one log's: its key signed both


def course(held: Checkpoint, offered: Checkpoint, *, held_tiles: Fetch | None, offered_tiles: Fetch) -> Course:
    """How `offered`, which the log shows now, stands to `held`.

    `held_tiles` gives tiles of the tree held, if they are here: without them a shorter log counts as rewound,
    whatever it holds. Raises ProofError or MalformedError if tiles are not those of their tree: then nothing
    is known.
    """
    if offered.size == held.size:
        return Course.SAME if offered.root == held.root else Course.FORKED
    if offered.size > held.size:
        return Course.GROWN if begins_with(offered, held, offered_tiles) else Course.FORKED
    if held_tiles is not None and not begins_with(held, offered, held_tiles):
        return Course.FORKED
    return Course.REWOUND


def begins_with(newer: Checkpoint, older: Checkpoint, fetch: Fetch) -> bool:
    """Whether the tree of `newer`, whose tiles `fetch` gives, begins with all of that of `older`, a smaller one.

    False is as well proven as True: the tiles give the newer root, and show another tree at the older size. Raises
    ProofError or MalformedError if they do not give it.
    """
    if older.size > newer.size:
        raise ProofError(f"a tree of {newer.size} entries cannot begin with one of {older.size}")
    if older.size == 0:
        return older.root == merkle.EMPTY_ROOT
    read = node_reader(fetch, newer.size)
    found = merkle.root_from(older.size, read)
    proof = merkle.consistency_proof(older.size, newer.size, read)
    try:
        merkle.verify_consistency(proof, old_size=older.size, new_size=newer.size, old_root=found, new_root=newer.root)
    except ProofError as error:
        raise ProofError("the tiles are not those of the tree that the checkpoint is of") from error
    return found == older.root
