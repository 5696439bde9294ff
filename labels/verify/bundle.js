// The proof bundle: one statement and all that its place in the ledger rests on. It proves nothing by itself.

import { isBytes, refuse } from "./bytes.js";
import { decode, isCount } from "./cbor.js";
import { LINES_MAX } from "./statement.js";

export const BUNDLE_BYTES_MAX = 4 * 1024 * 1024;
const STATEMENT_BYTES_MAX = 65_535;
const HASHES_MAX = 128;
const REGISTRY_ENTRIES_MAX = 1_000;
const FIELDS = ["tallystick-bundle", "chain", "entry", "checkpoint", "header", "consistency", "anchor", "registry"];

// As ledger/proof/check.py tells them apart: by how they begin.
const OTHERS = [
  ["a tlog-proof", /^c2sp\.org\/tlog-proof@/],
  ["a COSE file, such as a SCITT transparent statement", /^\xd2/],
  ["a product's proof", /^[\xa0-\xbf]\x63uri/],
];

/** The proof of another format that bytes begin like, in words, or null. */
export function otherProof(data) {
  const begin = String.fromCharCode(...data.subarray(0, 32));
  return OTHERS.find(([, pattern]) => pattern.test(begin))?.[0] ?? null;
}

/** Read a bundle of at most 4 MiB in its one encoding. */
export function readBundle(data) {
  if (data.length > BUNDLE_BYTES_MAX) refuse(`a bundle is at most ${BUNDLE_BYTES_MAX} bytes`);
  const value = decode(data, { depthMax: 6, canonical: true });
  if (!isMapOf(value, FIELDS)) refuse("a bundle is a map of its eight fields");
  const [version, chain, entry, checkpoint, header, consistency, anchor, registry] = FIELDS.map((name) =>
    value.get(name),
  );
  const typed = typeof version === "bigint" && typeof chain === "string" && typeof checkpoint === "string";
  if (!typed || !isBytes(header)) refuse("a bundle is a map of its eight fields");
  if (version !== 1n) refuse(`a bundle of version ${version}: this page reads version 1`);
  return {
    chain,
    entry: readEntry(entry),
    checkpoint,
    header,
    consistency: readPath(consistency),
    anchor: anchor === null ? null : readAnchor(anchor),
    registry: readRegistry(registry),
  };
}

const isMapOf = (value, names) =>
  value instanceof Map && value.size === names.length && names.every((name) => value.has(name));

function readEntry(value) {
  const [index, statement, sections, path] = Array.isArray(value) && value.length === 4 ? value : [];
  if (!isBytes(statement) || !Array.isArray(sections) || sections.length > LINES_MAX) {
    refuse("a bundle's entry is [index, statement, [section or null, …], path]");
  }
  if (statement.length > STATEMENT_BYTES_MAX) refuse("a bundle's statement is over its size");
  if (!sections.every((section) => section === null || isBytes(section))) refuse("a bundle's section is bytes or null");
  return { index: readIndex(index), statement, sections, path: readPath(path) };
}

function readAnchor(value) {
  if (!isMapOf(value, ["index", "path", "checkpoint"]) || typeof value.get("checkpoint") !== "string") {
    refuse("a bundle's anchor is null or a map of index, path and checkpoint");
  }
  return {
    index: readIndex(value.get("index")),
    path: readPath(value.get("path")),
    checkpoint: value.get("checkpoint"),
  };
}

function readRegistry(value) {
  const isRegistry = isMapOf(value, ["checkpoint", "consistency", "entries"]);
  if (!isRegistry || typeof value.get("checkpoint") !== "string" || !Array.isArray(value.get("entries"))) {
    refuse("a bundle's registry is a map of checkpoint, consistency and entries");
  }
  const entries = value.get("entries");
  if (entries.length > REGISTRY_ENTRIES_MAX) refuse(`a bundle has at most ${REGISTRY_ENTRIES_MAX} registry entries`);
  return {
    checkpoint: value.get("checkpoint"),
    consistency: readPath(value.get("consistency")),
    entries: entries.map(readEntry),
  };
}

const readIndex = (value) => (isCount(value) ? value : refuse("a bundle's index is a number from 0 to 2**63 - 1"));

function readPath(value) {
  if (!Array.isArray(value) || value.length > HASHES_MAX)
    refuse(`a bundle's proof is a list of at most ${HASHES_MAX} hashes`);
  if (!value.every((item) => isBytes(item) && item.length === 32)) {
    refuse("a bundle's proof holds what is not a hash of 32 bytes");
  }
  return value;
}
