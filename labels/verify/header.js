// A block's header: how a chain moved from one tree size to the next.

import { isBytes, refuse } from "./bytes.js";
import { decode, isCount } from "./cbor.js";

const FIELDS = ["origin", "height", "first", "size", "root", "prev", "time_ms", "registry"];

/** Read a header in its one encoding; `registry` is the {size, root} by which the block's keys were judged. */
export function readHeader(data) {
  const value = decode(data, { depthMax: 3, canonical: true });
  if (!(value instanceof Map) || value.size !== 8 || !FIELDS.every((name) => value.has(name))) {
    refuse("a block header is a map of its eight fields");
  }
  const [origin, height, first, size, root, prev, timeMs, registry] = FIELDS.map((name) => value.get(name));
  if (typeof origin !== "string" || !isBytes(root) || !isBytes(prev) || !isState(registry)) {
    refuse("a block header is a map of its eight fields");
  }
  const [registrySize, registryRoot] = registry;
  if (![height, first, size, timeMs, registrySize].every(isCount))
    refuse("a block header's numbers are from 0 to 2**63 - 1");
  if (!(first < size) || !origin) refuse("a block header has an origin, and brings its chain at least one entry");
  if (![root, prev, registryRoot].every((hash) => hash.length === 32)) refuse("a block header's hashes are 32 bytes");
  const begins = [height === 0n, first === 0n, prev.every((byte) => byte === 0)];
  if (begins.includes(true) && begins.includes(false)) {
    refuse("a chain's first header, and no other, begins at size 0 with a prev of zeros");
  }
  return { origin, height, first, size, root, prev, timeMs, registry: { size: registrySize, root: registryRoot } };
}

const isState = (value) => Array.isArray(value) && value.length === 2 && isBytes(value[1]);
