"""Backups: all that a ledger is, in one folder, made with PostgreSQL's own tools while the gateway goes on.

    manifest.json         written last: without it, it is half a backup
    database/             pg_dump's directory format, of one snapshot
    ledger/trust.json
    ledger/checkpoints/   each chain's newest checkpoint in that snapshot: database and checkpoints are of one moment
    ledger/lost/          checkpoints that were given up, if any were
    ledger/keys/          only if asked for: who has them is the ledger

What is restored may be older than what was published since. So nothing is written on it until the operator has named
the checkpoints that it goes on from: `ledger accept-rollback`.
"""
