// Sections about a stream itself: its opening, what was evicted from it, what was refused (content format 65000).

import { isBytes, refuse } from "./bytes.js";
import { decode, isCount } from "./cbor.js";

const REASONS = ["new", "lost", "restored", "rotated", "refused"];
const EVICTED_MAX = 5_000;

/** A stream section's body: {reason, previous}, {lines} or {statement}. */
export function readStream(body) {
  const value = decode(body, { depthMax: 4 });
  const field = (name) => (value instanceof Map ? value.get(name) : undefined);
  const [type, lines, statement] = ["type", "lines", "statement"].map(field);
  if (type === "open" && REASONS.includes(field("reason")) && value.has("previous")) {
    return { reason: field("reason"), previous: previousOf(field("previous")) };
  }
  if (type === "evicted" && Array.isArray(lines) && lines.length <= EVICTED_MAX) return { lines: lines.map(lineOf) };
  if (type === "refused" && isBytes(statement)) return { statement };
  return refuse("not a stream section");
}

function previousOf(value) {
  if (value === null) return null;
  const [stream, seq, hash] = Array.isArray(value) && value.length === 3 ? value : [];
  const isLink = isBytes(stream) && isBytes(hash) && stream.length === 8 && hash.length === 32 && isCount(seq);
  return isLink ? value : refuse("previous is null or [stream, seq, hash]");
}

function lineOf(value) {
  const [stream, seq, line] = Array.isArray(value) && value.length === 3 ? value : [];
  const isLine = isBytes(stream) && stream.length === 8 && isCount(seq) && isCount(line);
  return isLine ? value : refuse("an evicted line is [stream, seq, line]");
}
