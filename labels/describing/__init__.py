"""Saying what products are, and recalling them: as a person writes it, or a file of many."""
