"""What remembers and proves.

The nouns, from the smallest up:

A *section* is content: a pack of readings or an event, with a salt. A *manifest* lists the digests of the
sections. A *statement* is a manifest that a device signed, a link in its *stream*. An *entry* is a statement's
bytes at an index of a *chain*; its *leaf hash* stands in the chain's Merkle tree. A *block* is the batch of
entries that moves a chain from one tree size to the next; its *checkpoint* is the log's signed word for the
new size and root. The *anchor* is one more log, whose entries are the headers of all blocks. A *receipt*
proves to a device that its statement is in the tree. The *registry* is the chain that says whose keys are whose.
"""
