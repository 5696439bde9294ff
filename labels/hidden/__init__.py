"""A second code on a label, hidden under a scratch field: made with a batch, and redeemed once."""
