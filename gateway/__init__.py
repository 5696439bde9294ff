"""What takes statements in: receive -> judge -> batch -> seal -> receipt.

`intake` brings a chain's messages from the broker, `waiting` holds them until their block closes. `chain` judges them
(`sift`, `judge`: pure), seals a block in one transaction, and says what to answer. `chain_service` runs that for one
chain, `service` for all of a process, `workers` in several processes. What a process tells of itself is in `record`.
"""
