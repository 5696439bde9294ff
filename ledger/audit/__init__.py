"""The audit: everything that a ledger derives, rebuilt from its entries, and held against what it stored."""
