"""A log's keys where they are secret: the ring that its writer signs with, and the way a key is changed.

What the keys of a log mean to who verifies, which tree sizes each of them holds, stands in `ledger.log`.
"""
