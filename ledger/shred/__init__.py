"""Shredding: a section's content and salt are deleted wherever they are kept, and a signed entry says so.

The entry comes first: the operator's word in the registry, published. Then, in one transaction, the section's bytes
and all rows that were made of them go; its row stays, empty, so that an audit sees what is withheld and the gateway
does not take the section again. Statement, digest and proofs stay as they are. A run that dies in between is
finished by the next one: what the registry says is shredded and is still here, is deleted then.
"""
