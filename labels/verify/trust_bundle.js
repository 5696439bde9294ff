// The trust bundle: a trust file that the operator signs anew now and then, with an age and an end.
//
// A signed note whose text is a JSON object; the keys that it lists follow from the pinned genesis and from what root
// keys have said since, which is in it (ledger/trust/bundle.py).

import { hex, matches, ofHex, refuse } from "./bytes.js";
import { readJson } from "./json.js";
import { isText, NAME } from "./registry.js";
import { openNote, verifierKey } from "./note.js";
import { follow, listed, logsOf, readMessages } from "./succession.js";

const [VERSION, WITHOUT_RECALLS] = [3, 2];
export const BUNDLE_BYTES_MAX = 8_000_000;
const COUNT_END = 2 ** 40;
const SEPARATOR = "\n\n";
const NAMES = [
  "tallystick-trust",
  "name",
  "genesis",
  "issued_at",
  "expires_at",
  "registry",
  "logs",
  "revoked_keys",
  "label_keys",
  "recalls",
  "root",
];

/** Whether a trust file's text is a signed bundle, rather than the file with which a ledger begins. */
export const isTrustBundle = (text) => text.includes(`${SEPARATOR}— `);

/**
 * Read a bundle: {name, genesis, logs by chain, issuedAt, expiresAt, registrySize, revoked}; times in seconds since 1970.
 *
 * `revoked` has by kid, in hexadecimal, {entry, disputed}: places of which each is {chain, index} or {stream, seq}.
 */
export async function readTrustBundle(work, text) {
  const fields = readFields(text);
  const genesis = hashOf(fields.genesis, "genesis");
  const state = await follow(work, genesis, readMessages(fields.root));
  const key = await verifierKey(work, `${state.name}/tallystick/trust`, operatorOf(state));
  await openNote(work, text, [key], BUNDLE_BYTES_MAX);
  const logs = logsOf(state);
  if (fields.name !== state.name || !isListed(fields.logs, logs)) {
    refuse("its name or logs are not what its root key's messages say");
  }
  const [issuedAt, expiresAt] = [countOf(fields.issued_at, COUNT_END), countOf(fields.expires_at, COUNT_END)];
  if (expiresAt < issuedAt) refuse("it expires before it is issued");
  const registrySize = registryOf(fields.registry);
  labelKeysOf(fields.label_keys);
  if ("recalls" in fields) recallsOf(fields.recalls);
  const revoked = revokedOf(fields.revoked_keys);
  return { name: state.name, genesis, logs, issuedAt, expiresAt, registrySize, revoked };
}

function operatorOf(state) {
  const operator = state.keys.get(state.named.get("operator"));
  return operator?.role === "operator" ? operator.publicKey : refuse("the genesis names no operator");
}

/** The JSON object before the signature lines, which are not checked yet. */
function readFields(text) {
  if (text.length > BUNDLE_BYTES_MAX) refuse("it is over its size");
  const fields = readJson(text.slice(0, text.lastIndexOf(SEPARATOR)), "what is signed");
  const version = fields?.["tallystick-trust"];
  if (Number.isInteger(version) && version !== WITHOUT_RECALLS && version !== VERSION) {
    refuse(`it is not of version ${WITHOUT_RECALLS} or ${VERSION}: a newer one needs a newer page`);
  }
  const names = NAMES.filter((name) => name !== "recalls" || version !== WITHOUT_RECALLS);
  if (!Number.isInteger(version) || !isObjectOf(fields, names)) refuse(`it has not the fields ${names.join(", ")}`);
  return fields;
}

const isObjectOf = (value, names) =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).length === names.length &&
  names.every((name) => Object.hasOwn(value, name));

function isListed(value, logs) {
  if (!isObjectOf(value, Array.from(logs.keys()))) return false;
  return Array.from(logs).every(([chain, log]) => {
    const given = value[chain];
    const isList = Array.isArray(given) && given.every((item) => isObjectOf(item, ["vkey", "first", "last"]));
    const known = listed(log);
    const isSame = ({ vkey, first, last }, at) => [vkey, first, last].every((item, of) => item === known[at][of]);
    return isList && given.length === known.length && given.every(isSame);
  });
}

function registryOf(value) {
  if (!isObjectOf(value, ["size", "root"]) || typeof value.root !== "string") refuse("registry is {size, root}");
  hashOf(value.root, "the registry's root");
  return countOf(value.size, COUNT_END);
}

/** What a bundle says of the key that signed a proven statement, if it was revoked: {entry, isDisputed}, else null. */
export function revocationOf(trust, { statement, chain, index }) {
  const found = trust.revoked?.get(hex(statement.kid));
  if (!found) return null;
  const { stream, seq } = statement.tally;
  const isBehind = (place) =>
    place.chain === undefined
      ? place.stream === hex(stream) && seq >= BigInt(place.seq)
      : place.chain === chain && index >= BigInt(place.index);
  return { entry: found.entry, isDisputed: found.disputed.some(isBehind) };
}

function revokedOf(value) {
  if (!Array.isArray(value)) refuse("revoked_keys are a list");
  return new Map(
    value.map((item) => {
      const isRevoked = isObjectOf(item, ["kid", "name", "entry", "disputed"]) && Array.isArray(item.disputed);
      if (!isRevoked || typeof item.name !== "string" || !matches(NAME, item.name)) {
        refuse("a revoked key is {kid, name, entry, disputed}");
      }
      hashOf(item.kid, "a kid");
      item.disputed.forEach(requirePlace);
      return [item.kid, { entry: countOf(item.entry, COUNT_END), disputed: item.disputed }];
    }),
  );
}

function requirePlace(place) {
  if (isObjectOf(place, ["chain", "index"]) && typeof place.chain === "string" && matches(NAME, place.chain)) {
    countOf(place.index, COUNT_END);
  } else if (
    isObjectOf(place, ["stream", "seq"]) &&
    typeof place.stream === "string" &&
    matches(/[0-9a-f]{16}/, place.stream)
  ) {
    countOf(place.seq, 2n ** 63n);
  } else {
    refuse("a place is {chain, index} or {stream, seq}");
  }
}

function labelKeysOf(value) {
  if (!Array.isArray(value)) refuse("label_keys are a list");
  for (const item of value) {
    const names = ["key", "organisation", "gtins", "first_day", "last_day", "revoked"];
    const isOfBatch = isObjectOf(item, [...names, "lot", "batch"]);
    const isScope = (isOfBatch || isObjectOf(item, names)) && Array.isArray(item.gtins) && typeof item.revoked === "boolean";
    if (!isScope || ![item.organisation, ...item.gtins, ...(isOfBatch ? [item.lot] : [])].every(isText)) {
      refuse(`a label key is {${names.join(", ")}}, and of one batch {lot, batch}`);
    }
    if (isOfBatch) hashOf(item.batch, "a label key's batch");
    [item.first_day, item.last_day].forEach((day) => countOf(day, 2 ** 31));
    hashOf(item.key, "a label key");
  }
}

/** What is recalled says nothing of a statement's proof; it is read as strictly as the rest. */
function recallsOf(value) {
  if (!Array.isArray(value)) refuse("recalls are a list");
  const places = new Set();
  for (const item of value) {
    const names = ["gtin", "organisation", "reason", "since", "entry"];
    const below = ["lot", "serial"].find((name) => isObjectOf(item, [...names, name]));
    const texts = below || isObjectOf(item, names) ? ["organisation", "reason", "since", ...(below ? [below] : [])] : [];
    const isGtin = typeof item?.gtin === "string" && matches(/[0-9]{14}/, item.gtin);
    if (!texts.length || !isGtin || !texts.every((name) => isText(item[name]))) {
      refuse(`a recall is {${names.join(", ")}}, and of a lot or an item {lot} or {serial}`);
    }
    countOf(item.entry, COUNT_END);
    places.add(JSON.stringify([item.gtin, below, item[below]]));
  }
  if (places.size !== value.length) refuse("a place is recalled twice");
}

function countOf(value, end) {
  const isCount = (typeof value === "bigint" || Number.isInteger(value)) && value >= 0 && value < end;
  return isCount ? value : refuse("its times, days and sizes are whole numbers");
}

function hashOf(value, name) {
  const isHash = typeof value === "string" && matches(/[0-9a-f]{64}/, value);
  return isHash ? ofHex(value) : refuse(`${name} is not 32 bytes in hexadecimal`);
}
