// A log's keys: which key signs the log's checkpoints at which tree sizes (ledger/log.py).
//
// A log is {chain, origin, keys}; a key has a name, a keyId, a publicKey, a vkey, and holds the sizes from `first` to
// `last`, both included; last null: it is the newest. A rotation is {key, first, until}.

import { hex, refuse } from "./bytes.js";
import { openNote, readCheckpoint } from "./note.js";

/** A log's keys, the oldest first, by its genesis' key and its rotations in their order. */
export function keysOf(genesisKey, rotations) {
  let keys = [{ ...genesisKey, first: 0n, last: null }];
  for (const { key, first, until } of rotations) {
    const newest = keys.pop();
    const least = (last) => (last === null || last > first - 1n ? first - 1n : last);
    const before = keys.map((older) => ({ ...older, last: least(older.last) }));
    keys = [...before, { ...newest, last: until }, { ...key, first, last: null }];
  }
  return keys;
}

const holds = (key, size) => key.first <= size && (key.last === null || size <= key.last);

/** In words, which sizes a key signs for. */
export const sizesOf = ({ first, last }) => (last === null ? `from size ${first} on` : `for sizes ${first} to ${last}`);

/** The checkpoint that the signed note `text` holds: the log's word, signed by a key that holds its size. */
export async function openCheckpoint(work, log, text) {
  const opened = await openNote(work, text, log.keys);
  const checkpoint = readCheckpoint(opened.text);
  if (checkpoint.origin !== log.origin) refuse(`the checkpoint is of '${checkpoint.origin}', not of '${log.origin}'`);
  if (!opened.keys.some((key) => holds(key, checkpoint.size))) {
    refuse(`it is signed for size ${checkpoint.size} by a key that signs ${sizesOf(opened.keys.at(-1))}`);
  }
  work.show("it says", { text: `size ${checkpoint.size}\nroot ${hex(checkpoint.root)}` });
  return checkpoint;
}
