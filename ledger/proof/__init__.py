"""Proofs of single statements: making them, and checking them offline."""
