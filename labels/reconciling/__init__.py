"""Reconciling: what became of a batch's labels, held against how many were issued and against what is seen."""
