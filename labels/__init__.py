"""What people scan.

The nouns: a *label* is a canonical path and the digits that sign it. A *link* is a GS1 Digital Link, the text
in a label's code: a host, the path, and `s`, the digits. A *face* is what is printed: the code and the words
beside it. A *batch* is the labels that were issued together; the registry holds the Merkle root of all of them.
"""
