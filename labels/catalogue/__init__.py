"""The catalogue: what the registry says of products, beside their labels and histories.

The nouns: a *place* is what something is said of: a product line (a GTIN), one of its lots, or one item by its serial.
A *description* gives a place a name, words, a picture, links and limits; what a lower place does not say, it has from
the one above. A *recall* says that what is at a place must not be used, until it is *lifted*. All are registry entries
of the operator's, and a later one of a place takes the earlier one's stead; the chain keeps both.
"""
