"""Whose signatures count: what a verifier has from the operator, by a way of its own.

`trust_file` reads what is pinned; `bundle` is the same signed anew now and then, with an end, and `parts` is what its
JSON is made of; `succession` follows the logs' keys from the pinned genesis on, by what root keys have said. `keeping`
replaces the file that a verifier has; `published.trust_bundle` issues it.
"""
