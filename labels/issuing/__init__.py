"""Issuing: keys that sign labels, and the labels of a lot as a batch that the registry publishes."""
