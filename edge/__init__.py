"""What runs on a device: sensors -> pack -> sign -> spool -> publish -> receipt.

A *sensor* gives packs of readings. The *signer* makes a statement of a pack and puts it, with its section, into the
*spool*, in one SQLite transaction. The *window* says what is to be sent now. An *answer* from the gateway is judged
against the spool: what it proves is *confirmed*, and only then deleted. A *lane* (events or telemetry) has at most
one open stream; a stream is *cleared* once the ledger has shown that it knows no more of it than the spool does, and
before that nothing is signed into it.
"""
