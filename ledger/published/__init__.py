"""What a ledger publishes: a tree of named byte strings, the same in a folder, over HTTP and out of the database.

- `trust.json`: the trust file
- `<origin>/checkpoint`: the log's newest published checkpoint, a signed note (C2SP tlog-checkpoint)
- `<origin>/tile/<L>/<N>[.p/<W>]`, `<origin>/tile/entries/<N>[.p/<W>]`: hashes and entries (C2SP tlog-tiles)
- `<origin>/head`: the header of the newest published block, and its checkpoint
- `<origin>/blocks/<N>[.p/<W>]`: 256 headers and checkpoints each, by height
- `<origin>/content/<N>[.p/<W>]`: what stands beside 256 entries: their sections, and what is known of erased ones

A `Reader` gives the bytes at a path. All but `checkpoint`, `head` and `content` never change.
"""
