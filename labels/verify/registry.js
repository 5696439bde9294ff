// The registry: whose keys are whose, as a fold over entries of the chain `registry` (ledger/registry/).

import { characters, concat, hex, isBytes, matches, OutsideError, refuse, same } from "./bytes.js";
import { decode, encode, head, isCount } from "./cbor.js";
import * as ed25519 from "./ed25519.js";
import { keysOf } from "./log.js";
import { readVerifierKey } from "./note.js";
import { bodyOf, FORMATS } from "./section.js";
import { LINES_MAX } from "./statement.js";

export const REGISTRY = "registry";
export const ANCHOR = "anchor";
const [PLACES_MAX, STREAM_BYTES, PREFIXES_MAX] = [64, 8, 64];
const [LOG_SIZE_MAX, NOTE_CHARS_MAX] = [2n ** 40n, 64 * 1024];
export const NAME = /[a-z0-9-]{1,32}/;
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/;
const [ROOT, OPERATOR, GATEWAY, LABELS, DEVICE] = ["root", "operator", "gateway", "labels", "device"];

/** The state after `size` entries; keys and label keys are by their kid in hexadecimal. */
export class Registry {
  size = 0n;
  name = "";
  rootStream = null; // the genesis': in hexadecimal, by key, lane and stream
  chains = new Map();
  organisations = new Map();
  prefixes = new Map(); // GS1 Company Prefixes, of who declared any
  keys = new Map();
  labelKeys = new Map();
  logKids = new Set();
  named = new Map(); // the newest key of each name
  subjects = new Map(); // whose each URN is, by name

  /** Fold one entry in: its statement, and its sections as far as they are here. */
  async apply(work, index, statement, sections) {
    this.size = index + 1n;
    const stream = [hex(statement.kid), statement.tally.lane, hex(statement.tally.stream)];
    requireRootStream(this.rootStream, index, stream);
    for (const [number, line] of statement.manifest.entries()) {
      const data = sections[number];
      if (line.contentFormat === FORMATS.REGISTRY && data !== null)
        await this.take(work, index, statement.kid, bodyOf(data));
    }
    if (index === 0n) this.rootStream = stream;
  }

  async take(work, index, kid, body) {
    const entry = readEntry(body);
    if (index === 0n) {
      Object.assign(this, await found(work, entry, kid));
      return;
    }
    const signer = this.keys.get(hex(kid));
    const [speakers, rule] = RULES.get(entry.get("type")) ?? [[], null];
    if (!signer || !speakers.includes(signer.role)) {
      refuse(`a ${entry.get("type")} entry is not for ${signer ? signer.role : "an unknown key"}`);
    }
    await rule(work, this, entry, index);
  }
}

/** What the root key says counts in the genesis' stream alone, where all who pin the genesis hear of it. */
function requireRootStream(founded, index, stream) {
  if (index > 0n && founded?.[0] === stream[0] && String(founded) !== String(stream)) {
    refuse("the root key speaks in the genesis' stream alone");
  }
}

/** A registry section's body: a map with text keys and a `type`. */
export function readEntry(body) {
  const entry = decode(body, { depthMax: 6 });
  if (!(entry instanceof Map) || !Array.from(entry.keys()).every((key) => typeof key === "string")) {
    refuse("a registry entry is a map by name");
  }
  textOf(entry, "type");
  return entry;
}

/** The key that said `statement`, if the registry lets it speak to the chain whose log is `origin`. */
export async function requireStanding(work, statement, registry, { chain, origin }) {
  const key = registry.keys.get(hex(statement.kid));
  if (!key) refuse(`its key ${hex(statement.kid).slice(0, 16)}… is not registered`);
  await ed25519.verify(work, key.publicKey, statement.signature, statement.signed);
  if (statement.issuer !== key.issuer || statement.subject !== key.subject) {
    refuse(`it speaks as '${statement.subject}' of '${statement.issuer}', who does not hold its key`);
  }
  if (statement.audience !== origin) refuse(`it is addressed to '${statement.audience}', not to '${origin}'`);
  if (!key.chains.has(chain)) refuse(`its key is not registered for the chain '${chain}'`);
  if (key.status !== "good") refuse(`its key was ${key.status} by registry entry ${key.since}`);
  return key;
}

/** The COSE key thumbprint (RFC 9679, 3) of an Ed25519 key: {1: OKP, -1: Ed25519, -2: x}. */
async function thumbprint(work, publicKey) {
  const pairs = [1, 1, -1, 6, -2, publicKey].map(encode);
  return hex(await work.crypto.sha256(concat(head(5, 3), ...pairs)));
}

async function found(work, entry, kid) {
  if (entry.get("type") !== "genesis" || countOf(entry, "version") !== 1) refuse("entry 0 is no genesis of version 1");
  const root = bytes32Of(entry, "root");
  if ((await thumbprint(work, root)) !== hex(kid)) refuse("the genesis is not signed by the root key that it names");
  const organisation = textOf(entry, "organisation");
  const registry = new Registry();
  await addChains(work, registry, entry);
  registry.size = 1n;
  registry.name = textOf(entry, "name");
  registry.organisations.set(organisation, registry.name);
  const chains = new Set(registry.chains.keys());
  const rootKey = {
    publicKey: root,
    role: ROOT,
    name: "root",
    issuer: organisation,
    subject: "root",
    chains,
    index: 0n,
  };
  hold(registry, { kid: hex(kid), ...rootKey });
  for (const service of mapsOf(entry, "services")) {
    await addKey(work, registry, service, { role: serviceRole(service), issuer: organisation, chains, index: 0n });
  }
  return registry;
}

/** The genesis' logs: each with a name, an origin and a key of its own, the registry and the anchor among them. */
async function addChains(work, registry, entry) {
  const chains = mapsOf(entry, "chains").map((chain) => {
    const [name, origin, , vkey] = ["name", "origin", "kind", "vkey"].map((field) => textOf(chain, field));
    return { name, origin, vkey };
  });
  const keys = await Promise.all(chains.map((chain) => readVerifierKey(work, chain.vkey)));
  registry.chains = new Map(chains.map((chain, at) => [chain.name, { ...chain, key: keys[at], rotations: [] }]));
  const names = Array.from(registry.chains.keys());
  if (![REGISTRY, ANCHOR].every((name) => names.includes(name)) || !names.every((name) => matches(NAME, name))) {
    refuse("a genesis names the registry, the anchor, and chains that match [a-z0-9-]{1,32}");
  }
  if (chains.some((chain, at) => keys[at].name !== chain.origin)) refuse("a log's key is for another origin");
  registry.logKids = new Set(await Promise.all(keys.map((key) => thumbprint(work, key.publicKey))));
  const origins = new Set(chains.map((chain) => chain.origin));
  if ([registry.chains, origins, registry.logKids].some((distinct) => distinct.size !== chains.length)) {
    refuse("two logs of a genesis share a name, an origin or a key");
  }
}

async function addKey(work, registry, entry, { role, issuer, chains, index }) {
  const [name, subject, publicKey] = [textOf(entry, "name"), textOf(entry, "urn"), bytes32Of(entry, "key")];
  if (!matches(NAME, name)) refuse("a device's name matches [a-z0-9-]{1,32}");
  hold(registry, { kid: await thumbprint(work, publicKey), publicKey, role, name, issuer, subject, chains, index });
}

function hold(registry, key) {
  requireNewKey(registry, key.kid);
  const holder = registry.keys.get(registry.named.get(key.name));
  if (holder && holder.status !== "revoked") refuse(`the name '${key.name}' has a key already; revoke it first`);
  if ((registry.subjects.get(key.subject) ?? key.name) !== key.name) refuse(`the URN '${key.subject}' is another's`);
  registry.subjects.set(key.subject, key.name);
  registry.keys.set(key.kid, { ...key, status: "good", since: null });
  registry.named.set(key.name, key.kid);
}

function requireNewKey(registry, kid) {
  if (registry.keys.has(kid) || registry.labelKeys.has(kid) || registry.logKids.has(kid)) {
    refuse("this key is registered already: a key signs one kind of thing, for one holder");
  }
}

// What each type of entry does

/** A log's next key: what this asks of the registry, the genesis and the rotations before it say alone. */
async function rotation(work, registry, entry) {
  const chain =
    registry.chains.get(textOf(entry, "chain")) ?? refuse("a log's key is for a log that the genesis names");
  const key = await readVerifierKey(work, textOf(entry, "vkey"));
  if (key.name !== chain.origin) refuse("a log's key is for another origin");
  const [first, until] = [sizeOf(entry, "first"), sizeOf(entry, "until")];
  const kid = await thumbprint(work, key.publicKey);
  if (registry.logKids.has(kid) || registry.keys.get(kid)?.index === 0n) {
    refuse("this key is the genesis' or a log's already: a key signs one kind of thing, for one log");
  }
  const known = keysOf(chain.key, chain.rotations);
  if (known.some(({ keyId }) => same(keyId, key.keyId))) {
    refuse("a key of this log has the same four bytes of key id: make another");
  }
  if (!(known.at(-1).first < first && first <= until + 1n)) {
    refuse("a log's next key begins after the one before it began, and at the latest when that ends");
  }
  registry.chains.set(chain.name, { ...chain, rotations: [...chain.rotations, { key, first, until }] });
  registry.logKids.add(kid);
}

function organisation(work, registry, entry) {
  const uri = textOf(entry, "uri");
  const isKnown = registry.organisations.has(uri);
  if (isKnown && !entry.has("prefixes")) refuse(`organisation ${uri} is registered already`);
  const name = textOf(entry, "name");
  if (isKnown && registry.organisations.get(uri) !== name) refuse(`organisation ${uri} is registered by another name`);
  if (entry.has("prefixes")) registry.prefixes.set(uri, prefixesOf(registry, uri, textsOf(entry, "prefixes")));
  registry.organisations.set(uri, name);
}

/** GS1 Company Prefixes: each begins a GTIN of 13 digits. */
function prefixesOf(registry, uri, said) {
  if (!said.length || said.length > PREFIXES_MAX || !said.every((text) => matches(/[0-9]{4,13}/, text))) {
    refuse(`an organisation has 1 to ${PREFIXES_MAX} GS1 Company Prefixes, of 4 to 12 digits each`);
  }
  const other = overlapping(registry, uri, said);
  return other === undefined ? said : refuse(`${other} has declared a GS1 Company Prefix of the same GTINs`);
}

/** Another organisation than `uri` that has declared a prefix of GTINs that begin so, of 13 digits each. */
function overlapping(registry, uri, begins) {
  const meets = (one) => begins.some((other) => one.startsWith(other) || other.startsWith(one));
  return Array.from(registry.prefixes).find(([owner, own]) => owner !== uri && own.some(meets))?.[0];
}

/** The organisation's labels may be of these GTINs of 14 digits, or of what they begin with. */
function requireOwn(registry, uri, gtins) {
  const own = registry.prefixes.get(uri);
  for (const part of gtins) {
    const digits = part.slice(1);
    if (own && !own.some((one) => digits.startsWith(one))) {
      refuse(`${part} is not of ${uri}: its GS1 Company Prefixes are ${own.join(", ")}`);
    }
    const other = overlapping(registry, uri, [digits]);
    if (other !== undefined) refuse(`${part} is not of ${uri}: ${other} has declared its GS1 Company Prefix`);
  }
}

function registeredOrganisation(registry, entry) {
  const uri = textOf(entry, "organisation");
  return registry.organisations.has(uri) ? uri : refuse(`organisation ${uri} is not registered`);
}

async function device(work, registry, entry, index) {
  textOf(entry, "organisation");
  const chains = new Set(textsOf(entry, "chains"));
  const issuer = registeredOrganisation(registry, entry);
  const mayBe = (name) => registry.chains.has(name) && name !== REGISTRY && name !== ANCHOR;
  if (!chains.size || !Array.from(chains).every(mayBe)) {
    refuse("a device's chains are chains of the ledger, and never the registry or the anchor");
  }
  await addKey(work, registry, entry, { role: DEVICE, issuer, chains, index });
}

async function labelKey(work, registry, entry) {
  const publicKey = bytes32Of(entry, "key");
  const uri = registeredOrganisation(registry, entry);
  const kid = await thumbprint(work, publicKey);
  requireNewKey(registry, kid);
  const gtins = textsOf(entry, "gtins");
  if (!gtins.length || !gtins.every((gtin) => matches(/[0-9]{1,14}/, gtin))) {
    refuse("a label key signs for GTINs of 14 digits, or prefixes of them");
  }
  requireOwn(registry, uri, gtins);
  if (countOf(entry, "first_day") > countOf(entry, "last_day")) refuse("a label key's last day is before its first");
  if (entry.has("lot")) textOf(entry, "lot");
  const batch = entry.has("batch") ? hex(bytes32Of(entry, "batch")) : null;
  registry.labelKeys.set(kid, { publicKey, batch });
}

/** A key is revoked for ever. Of one that is, another revocation may say that more is disputed. */
function revocation(work, registry, entry, index) {
  const kid = hex(bytes32Of(entry, "kid"));
  const places = placesOf(registry, entry);
  const saysMore = registry.keys.get(kid)?.status === "revoked" && places.length > 0;
  if (!registry.labelKeys.has(kid) && !saysMore) setStatus(registry, kid, "revoked", index);
}

/** From where on what a key signed is disputed: [chain, index] or [stream, seq] each. */
function placesOf(registry, entry) {
  const values = entry.has("disputed") ? entry.get("disputed") : [];
  if (!Array.isArray(values) || values.length > PLACES_MAX)
    refuse(`what is disputed is a list of at most ${PLACES_MAX} places`);
  for (const value of values) {
    const [where, at] = Array.isArray(value) && value.length === 2 ? value : [];
    const isStream = isBytes(where) && where.length === STREAM_BYTES && isCount(at);
    const isChain = registry.chains.has(where) && isCount(at) && at < LOG_SIZE_MAX;
    if (!isStream && !isChain) refuse("a place is [chain, index] or [stream, seq]");
  }
  return values;
}

const setting = (status) => (work, registry, entry, index) =>
  setStatus(registry, hex(bytes32Of(entry, "kid")), status, index);

function setStatus(registry, kid, status, index) {
  const key = registry.keys.get(kid);
  if (!key || key.role !== DEVICE) refuse("only a registered device's key is suspended, revoked or reinstated here");
  if (key.status === "revoked") refuse("a revoked key stays revoked");
  if (key.status !== status) registry.keys.set(kid, { ...key, status, since: status === "good" ? null : index });
}

function finding(work, registry, entry) {
  if (!registry.chains.has(textOf(entry, "chain"))) refuse("a finding is about a chain of the ledger");
  const items = entry.get("items");
  if (!Array.isArray(items) || !items.length || !items.every(isFinding)) {
    refuse("a finding's items are a list of [index, line, reason]");
  }
}

function isFinding(item) {
  if (!Array.isArray(item) || item.length !== 3) return false;
  const [about, line, reason] = item;
  if (!isCount(about) || about >= LOG_SIZE_MAX || !isCount(line) || typeof reason !== "string") return false;
  return reason !== "" && characters(reason) <= 256 && !reason.includes("\0");
}

function labelBatch(work, registry, entry) {
  if (!matches(/[0-9]{14}/, textOf(entry, "gtin"))) refuse("a batch of labels is of a GTIN of 14 digits");
  textOf(entry, "lot");
  countOf(entry, "size");
  const root = hex(bytes32Of(entry, "root"));
  const batch = registry.labelKeys.get(hex(bytes32Of(entry, "kid")))?.batch ?? root;
  if (batch !== root) refuse("the key of this batch of labels is for another one alone");
  if (entry.has("serials")) textOf(entry, "serials");
  if (entry.has("hidden")) bytes32Of(entry, "hidden");
}

function labelFinding(work, registry, entry) {
  bytes32Of(entry, "root");
  textOf(entry, "finding");
  textOf(entry, "reason");
}

/** What is said of a product, or of one lot or item of it; with texts that it must have. It changes no key. */
const catalogued = (...texts) => (work, registry, entry) => {
  textOf(entry, "organisation");
  const [uri, gtin] = [registeredOrganisation(registry, entry), textOf(entry, "gtin")];
  if (!matches(/[0-9]{14}/, gtin)) refuse("a product has a GTIN of 14 digits");
  requireOwn(registry, uri, [gtin]);
  const below = ["lot", "serial"].filter((name) => entry.has(name));
  if (below.length > 1) refuse("a place is a product, a lot of it or an item of it");
  for (const name of [...below, ...texts]) textOf(entry, name);
};

/** Sections whose content is deleted: [chain, index, line] of each; it changes no key. */
function shredding(work, registry, entry) {
  const chain = textOf(entry, "chain");
  if (!registry.chains.has(chain) || chain === REGISTRY || chain === ANCHOR) {
    refuse("what is shredded is of a chain of the ledger, and never of the registry or the anchor");
  }
  const items = entry.get("items");
  if (!Array.isArray(items) || !items.length || !items.every(isPlace)) {
    refuse("a shredding's items are a list of [index, line]");
  }
  textOf(entry, "reason");
}

function isPlace(item) {
  if (!Array.isArray(item) || item.length !== 2) return false;
  const [about, line] = item;
  return isCount(about) && about < LOG_SIZE_MAX && isCount(line) && line < LINES_MAX;
}

/** A chain goes on from an older state than was published; it changes no key. */
function rollback(work, registry, entry) {
  if (!registry.chains.has(textOf(entry, "chain"))) refuse("a rollback is of a chain of the ledger");
  const lost = entry.get("lost") ?? null;
  if (lost !== null && !(typeof lost === "string" && characters(lost) <= NOTE_CHARS_MAX)) {
    refuse("a rollback's lost checkpoint is a signed note, or null");
  }
  const accepted = entry.get("accepted");
  const [size, root] = Array.isArray(accepted) && accepted.length === 2 ? accepted : [];
  if (!isCount(size) || size >= LOG_SIZE_MAX || !isBytes(root) || root.length !== 32) {
    refuse("a rollback's accepted state is [size, root]");
  }
  textOf(entry, "reason");
}

const RULES = new Map([
  ["log-key", [[ROOT], rotation]],
  ["organisation", [[OPERATOR], organisation]],
  ["device", [[OPERATOR], device]],
  ["label-key", [[OPERATOR], labelKey]],
  ["revocation", [[OPERATOR], revocation]],
  ["reinstatement", [[OPERATOR], setting("good")]],
  ["suspension", [[GATEWAY, OPERATOR], setting("suspended")]],
  ["finding", [[GATEWAY], finding]],
  ["label-batch", [[LABELS], labelBatch]],
  ["label-finding", [[LABELS], labelFinding]],
  ["product", [[OPERATOR], catalogued()]],
  ["recall", [[OPERATOR], catalogued("reason", "since")]],
  ["recall-lifting", [[OPERATOR], catalogued("reason")]],
  ["shredding", [[OPERATOR], shredding]],
  ["rollback", [[OPERATOR], rollback]],
]);

/** The types of entry that are read here: for a test to compare. */
export const TYPES = Array.from(RULES.keys());

// What is asked of fields

function serviceRole(entry) {
  const role = textOf(entry, "role");
  return [OPERATOR, GATEWAY, LABELS].includes(role) ? role : refuse(`'${role}' is no service's role`);
}

/** Whether `value` is a text as registry entries have it. */
export const isText = (value) =>
  typeof value === "string" &&
  value.isWellFormed() &&
  value !== "" &&
  characters(value) <= 256 &&
  !CONTROLS.test(value);

function textOf(entry, name) {
  const value = entry.get(name);
  return isText(value) ? value : refuse(`a registry entry's ${name} is a text of 1 to 256 characters, none a control`);
}

function bytes32Of(entry, name) {
  const value = entry.get(name);
  return isBytes(value) && value.length === 32 ? value : refuse(`a registry entry's ${name} is 32 bytes`);
}

function countOf(entry, name) {
  const value = entry.get(name);
  return isCount(value) && value < 2n ** 31n ? Number(value) : refuse(`a registry entry's ${name} is a small number`);
}

function sizeOf(entry, name) {
  const value = entry.get(name);
  const isSize = isCount(value) && value < LOG_SIZE_MAX;
  return isSize ? value : refuse(`a registry entry's ${name} is a tree size below 2**40`);
}

function textsOf(entry, name) {
  const values = entry.get(name);
  const isList = Array.isArray(values) && values.every((value) => typeof value === "string");
  return isList ? values : refuse(`a registry entry's ${name} is a list of texts`);
}

function mapsOf(entry, name) {
  const values = entry.get(name);
  const isList = Array.isArray(values) && values.every((value) => value instanceof Map);
  return isList ? values : refuse(`a registry entry's ${name} is a list of maps`);
}

/** Why `error` is the outside's fault, said of registry entry `index`; whatever else it is, it is thrown on. */
export function ofEntry(error, index) {
  if (error instanceof OutsideError) error.message = `registry entry ${index}: ${error.message}`;
  return error;
}
