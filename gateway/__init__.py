"""What takes statements in: receive -> judge -> batch -> seal -> receipt.

`judge` is pure and decides one message at a time; `intake` brings messages from the broker; `service` gives every
chain a task that collects a batch and hands it to its `writer`, which seals it and says what to answer.
"""
