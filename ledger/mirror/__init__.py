"""Another party's ledger, followed and kept in a folder that is whole by itself at every moment.

A mirror takes nothing on trust but the trust file. For each log it proves that the tree it is offered begins with
the tree it holds (`ledger.published.follow`), computes every new leaf hash from its entry where that is shown
(`leaves`), continues the headers' chain, and holds its own root against that of every block (`growth`). Only then
do the new head and checkpoint replace the old ones. Of what cannot be one log's history it keeps the evidence
(`evidence`), and stands still.

The order makes the folder one that audits whenever it is read. Heads are read anchor first, registry last: so the
registry is new enough for what the others name, and the others for what the anchor holds. They are written the
other way round (`mirror`). What is written first is data, then head, then checkpoint: whoever is killed in between
leaves files that nothing names yet.
"""
