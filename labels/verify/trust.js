// The trust file: what must come from the operator by a way of its own, before anything is believed.
//
// It is the file with which a ledger begins, with what root keys have said since if there is any, or a trust bundle.

import { matches, ofHex, refuse } from "./bytes.js";
import { readJson } from "./json.js";
import { keysOf } from "./log.js";
import { readVerifierKey } from "./note.js";
import { follow, logsOf, readMessages } from "./succession.js";
import { BUNDLE_BYTES_MAX, isTrustBundle, readTrustBundle } from "./trust_bundle.js";

export const TRUST_BYTES_MAX = BUNDLE_BYTES_MAX;
const CHAIN = /[a-z0-9-]{1,32}/;

/** Read a trust file's text: {name, genesis, logs by chain}, and a bundle's times. */
export async function readTrust(work, text) {
  if (text.length > TRUST_BYTES_MAX) refuse("it is over its size");
  if (isTrustBundle(text)) return readTrustBundle(work, text);
  const value = readJson(text, "it");
  const isFields = isObject(value) && typeof value.name === "string" && typeof value.genesis === "string";
  if (!isFields || !("tallystick-trust" in value) || !isObject(value.logs)) {
    refuse("it has not the fields tallystick-trust, name, genesis and logs");
  }
  if (value["tallystick-trust"] !== 1) refuse("it is not of version 1");
  if (!matches(/[0-9a-f]{64}/, value.genesis)) refuse("genesis is not a SHA-256 in hexadecimal");
  const logs = new Map();
  for (const [chain, vkey] of Object.entries(value.logs)) logs.set(chain, await readLog(work, chain, vkey));
  const origins = new Set(Array.from(logs.values(), (log) => log.origin));
  if (origins.size !== logs.size) refuse("two of its logs have one origin");
  const genesis = ofHex(value.genesis);
  const known = "root" in value ? await following(work, logs, genesis, value.root) : logs;
  return { name: value.name, genesis, logs: known };
}

/** The logs with all their keys, by what root keys have said since: it holds by the genesis' pin alone. */
async function following(work, logs, genesis, root) {
  const found = logsOf(await follow(work, genesis, readMessages(root)));
  const isSame = (log) => found.get(log.chain)?.keys[0].vkey === log.keys[0].vkey;
  if (found.size !== logs.size || !Array.from(logs.values()).every(isSame))
    refuse("these are the logs of another ledger");
  return found;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

async function readLog(work, chain, vkey) {
  if (!matches(CHAIN, chain)) refuse("a chain's name matches [a-z0-9-]{1,32}");
  const key = await readVerifierKey(work, vkey);
  return { chain, origin: key.name, keys: keysOf(key, []) };
}

/** The log of `chain`. */
export const logOf = (trust, chain) =>
  trust.logs.get(chain) ?? refuse(`the trust file pins no log for the chain '${chain}'`);

/** Whether the logs that the genesis names are those that are pinned: name for name, key for key. */
export function isPinned(trust, chains) {
  const pinned = Array.from(trust.logs.values(), ({ chain, keys }) => `${chain} ${keys[0].vkey}`);
  const named = new Set(Array.from(chains.values(), ({ name, vkey }) => `${name} ${vkey}`));
  return pinned.length === named.size && pinned.every((line) => named.has(line));
}
