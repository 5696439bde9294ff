// Merkle proofs (RFC 9162, 2.1): a proof is exactly right or refused. Indices and sizes are BigInt.

import { concat, hex, refuse, same } from "./bytes.js";

export const EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The hash of a tree with this one entry. */
export const leafHash = (work, entry) => work.crypto.sha256(concat(Uint8Array.of(0), entry));

const nodeHash = (work, left, right) => work.crypto.sha256(concat(Uint8Array.of(1), left, right));

/** Check that `leaf` is entry `index` of the tree of `size` under `root` (RFC 9162, 2.1.3.2). */
export async function verifyInclusion(work, path, { leaf, index, size, root }) {
  if (!(index >= 0n && index < size)) refuse(`no such index in a tree of size ${size}`);
  const spans = siblings([index, index + 1n], size);
  requireCount(path, spans.length);
  const levels = [];
  let node = leaf;
  for (const [at, [start]] of spans.entries()) {
    const [left, right] = start < index ? [path[at], node] : [node, path[at]];
    const hash = await nodeHash(work, left, right);
    levels.push({ left, right, hash, own: start < index ? "right" : "left" });
    node = hash;
  }
  work.show("leaf hash: SHA-256(00 ‖ the entry)", { bytes: leaf });
  work.show("each level: SHA-256(01 ‖ left ‖ right); ▸ is from the level below", { levels });
  requireRoot(work, node, root, "root");
}

/** Check that the tree of `newSize` begins with all of the tree of `oldSize` (RFC 9162, 2.1.4.2). */
export async function verifyConsistency(work, path, { oldSize, newSize, oldRoot, newRoot }) {
  if (!(oldSize > 0n && oldSize <= newSize))
    refuse(`no proof leads from a tree of size ${oldSize} to one of ${newSize}`);
  const start = oldSize === newSize ? 0n : oldSize & (oldSize - 1n);
  const spans = siblings([start, oldSize], newSize);
  requireCount(path, spans.length + (start ? 1 : 0));
  const [seed, ...hashes] = start ? path : [oldRoot, ...path];
  const [oldLevels, newLevels] = [[], []];
  let [older, newer] = [seed, seed];
  for (const [at, [from]] of spans.entries()) {
    if (from < oldSize) {
      older = await level(work, oldLevels, hashes[at], older, "right");
      newer = await level(work, newLevels, hashes[at], newer, "right");
    } else {
      newer = await level(work, newLevels, newer, hashes[at], "left");
    }
  }
  work.show(`up to the older root, of ${oldSize} entries`, { levels: oldLevels });
  requireRoot(work, older, oldRoot, "older root");
  work.show(`up to the newer root, of ${newSize} entries`, { levels: newLevels });
  requireRoot(work, newer, newRoot, "newer root");
}

async function level(work, levels, left, right, own) {
  const hash = await nodeHash(work, left, right);
  levels.push({ left, right, hash, own });
  return hash;
}

/** The spans beside the path from the subtree `target` up to the root, from below: each is [start, end]. */
function siblings([first, last], size) {
  const found = [];
  let [start, end] = [0n, size];
  while (start !== first || end !== last) {
    const middle = start + largestPowerBelow(end - start);
    found.push(first < middle ? [middle, end] : [start, middle]);
    [start, end] = first < middle ? [start, middle] : [middle, end];
  }
  return found.reverse();
}

/** The largest power of two below `count`, which is 2 at least. */
const largestPowerBelow = (count) => 1n << BigInt((count - 1n).toString(2).length - 1);

function requireCount(path, count) {
  if (path.length !== count) refuse(`the proof has ${path.length} hashes, not ${count}`);
}

function requireRoot(work, computed, given, name) {
  work.show(`${name}, computed`, { bytes: computed });
  work.show(`${name}, as given`, { bytes: given, good: same(computed, given) });
  if (!same(computed, given))
    refuse(
      `the hashes lead to another root (${hex(computed).slice(0, 16)}…) than the signed one: something was changed`,
    );
}
