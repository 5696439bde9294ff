"""What people query: rows read out of the sections, and written beside the ledger. They can be made anew from it."""
