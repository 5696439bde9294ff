"""Going on from an older state than was published: the operator's decision, and a signed entry that says so.

A database that is behind its published checkpoints, or was restored where nobody knows what was published since, is
not written on. Who decides that it shall be, names for each chain the very checkpoint that it goes on from. In order:

1. Each chain's lock is taken: nobody writes it.
2. Each service opens a new stream on the chains where it had one, for it may have signed more than is here. Then the
   operator's word, `{"type": "rollback", …}` with the lost checkpoint, goes into the registry's inbox. COMMIT.
3. Each published checkpoint goes back; what it was is kept in `<data>/ledger/lost/`.

A crash after 2 changes nothing yet, and the same command again finishes it. After 3 the writers go on, and the first
that the registry's writer seals is that word: it is in the database before anything can be written on it.
"""
