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

/** Opens a bundle's checkpoints: they tell one truth of each log, or it is refused (ledger/proof/checkpoints.py). */
export class Checkpoints {
  first = new Map();

  async open(work, log, text) {
    const opened = await openCheckpoint(work, log, text);
    const first = this.first.get(log.origin) ?? opened;
    this.first.set(log.origin, first);
    requireOneTruth(first, opened);
    return opened;
  }
}

function requireOneTruth(first, other) {
  const [origin, roots] = [first.origin, [hex(first.root), hex(other.root)]];
  if (first.size !== other.size) {
    refuse(
      `two checkpoints of '${origin}', of sizes ${first.size} and ${other.size}: ` +
        "nothing here shows that one tree begins with the other",
    );
  }
  if (roots[0] !== roots[1]) {
    refuse(
      `two truths: at size ${first.size} one checkpoint of '${origin}' has the root ${roots[0]}, ` +
        `another ${roots[1]}. The log has forked: keep this file, it is the evidence`,
    );
  }
}

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
