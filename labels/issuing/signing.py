"""Signing the labels of a batch: one after the other, into a spool, while the tree over them grows.

One core signs 40,000 a second, which is as fast as they are stored: to start other processes would gain little.
"""

from labels.batch import Label
from labels.issuing.order import Tell
from labels.issuing.spool import Spool
from labels.signature import sign_path
from labels.tree import Growing
from ledger.keys import SigningKey

_AT_ONCE = 1_000


def sign(key: SigningKey, day: int, serials: Spool, out: Spool, *, product: str, tell: Tell) -> Growing:
    """Sign a label for each serial, below the canonical path of its product or lot; into `out`, path and digits."""
    tree = Growing()
    for lines in serials.runs(_AT_ONCE):
        paths = [f"{product}/21/{line.partition(chr(9))[2]}" for line in lines]
        labels = [Label(path, sign_path(key, day, path)) for path in paths]
        tree.extend([label.leaf_hash for label in labels])
        out.extend(f"{label.path}\t{label.digits}" for label in labels)
        tell("signing", tree.size, len(serials))
    return tree
