"""Printing: a label as a code and words, and labels as files and sheets."""
