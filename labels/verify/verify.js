// Checking a proof bundle against a trust file: the nine steps of ledger/proof/verify.py, each with its bytes.

import { hex, OutsideError, refuse, same } from "./bytes.js";
import { BUNDLE_BYTES_MAX, otherProof, readBundle } from "./bundle.js";
import { decode, diagnose, encode } from "./cbor.js";
import { readHeader } from "./header.js";
import { Checkpoints, sizesOf } from "./log.js";
import { EMPTY_ROOT, leafHash, verifyConsistency, verifyInclusion } from "./merkle.js";
import { ANCHOR, ofEntry, Registry, REGISTRY, requireStanding } from "./registry.js";
import { matchingBody } from "./section.js";
import { readStatement, statementShown } from "./statement.js";
import { isPinned, logOf, readTrust } from "./trust.js";
import { revocationOf } from "./trust_bundle.js";
import { shown } from "./verdict.js";

export const CLAIMS = [
  "the trust file pins the chain's log, the registry's and the anchor's",
  "the chain's checkpoint is signed by its log",
  "the statement is in the tree of that checkpoint",
  "the block that holds it is the beginning of that tree",
  "the block's header is in the anchor's checkpoint",
  "the registry state that the block names is the beginning of the registry's checkpoint",
  "the genesis is the pinned one, and the registry entries are in that state",
  "the statement is signed by a key that was registered and good in that state",
  "the sections shown are the ones that the statement names",
];

const HEADER_KIND = 0; // an anchor entry's, for a block header

/**
 * Check the bundle's bytes against the trust file's text with one of the engines of crypto.js.
 *
 * Gives {ok, failed, error, other, steps, verdict, trust, revoked}. `failed` is null, the number of the step that failed, "trust" or
 * "bundle" if one of the files cannot be read at all; `other` then names the proof of another format that it begins
 * like, or is null. A step has a number, a claim, a state (passed, unknown, failed,
 * or not reached), a sentence and the evidence: names with bytes, texts or levels of a tree, some of them in a group.
 * `revoked` is what the trust bundle says of a key that was revoked since: {entry, isDisputed}.
 */
export async function check(crypto, data, trustText) {
  const nothing = { verdict: null, trust: null, revoked: null };
  const report = { ok: false, failed: null, error: "", other: null, steps: [], ...nothing };
  const fail = (failed, error) => {
    if (!(error instanceof OutsideError)) throw error;
    Object.assign(report, { failed, error: error.message });
  };
  try {
    report.trust = await readTrust({ crypto, show() {} }, trustText);
  } catch (error) {
    fail("trust", error);
    return report;
  }
  let bundle;
  try {
    bundle = readFile(data);
  } catch (error) {
    fail("bundle", error);
    report.other = otherProof(data);
    return report;
  }
  try {
    report.verdict = await verify(crypto, bundle, report.trust, report.steps);
    report.revoked = revocationOf(report.trust, report.verdict);
    report.ok = true;
  } catch (error) {
    fail(report.steps.length, error);
  }
  for (const [at, claim] of CLAIMS.entries()) {
    report.steps[at] ??= { number: at + 1, claim, state: "not reached", sentence: "", evidence: [] };
  }
  return report;
}

/** A file's bundle; if it is none, what it looks like may help. */
function readFile(data) {
  if (!data.length) refuse("the file is empty");
  if (data.length > BUNDLE_BYTES_MAX) refuse(`a bundle is at most ${BUNDLE_BYTES_MAX} bytes`);
  try {
    return readBundle(data);
  } catch (error) {
    if (data[0] === 0x3c && error instanceof OutsideError) refuse("it is a web page, not a proof bundle");
    throw error;
  }
}

async function verify(crypto, bundle, trust, steps) {
  const checkpoints = new Checkpoints();
  const step = async (body) => {
    const evidence = [];
    const result = { number: steps.length + 1, claim: CLAIMS[steps.length], state: "passed", sentence: "", evidence };
    steps.push(result);
    try {
      const {
        sentence,
        state = "passed",
        ...found
      } = await body({ crypto, checkpoints, show: (name, what) => evidence.push({ name, ...what }) });
      Object.assign(result, { sentence, state });
      return found;
    } catch (error) {
      if (error instanceof OutsideError) Object.assign(result, { state: "failed", sentence: error.message });
      throw error;
    }
  };
  const { entry, chain } = bundle;
  const { log, registryLog, anchorLog } = await step((work) => pinned(work, bundle, trust));
  const { checkpoint } = await step((work) => signed(work, log, bundle.checkpoint));
  await step((work) => included(work, entry, checkpoint));
  const { header } = await step((work) => sealed(work, bundle, log, checkpoint));
  await step((work) => anchored(work, bundle, anchorLog));
  await step((work) => ruled(work, bundle, header, registryLog));
  const { registry } = await step((work) => folded(work, bundle, header, registryLog, trust));
  const { statement, key } = await step((work) => said(work, entry, registry, chain, log));
  const { sections } = await step((work) => showing(work, statement, entry));
  return {
    chain,
    index: entry.index,
    statement,
    hash: await crypto.sha256(entry.statement),
    device: key.name,
    role: key.role,
    organisation: registry.organisations.get(key.issuer) ?? "",
    keyStatus: key.status,
    sections,
    height: header.height,
    timeMs: header.timeMs,
    anchored: bundle.anchor !== null,
    registrySize: header.registry.size,
    checkpointSize: checkpoint.size,
  };
}

const count = (number, noun, plural = `${noun}s`) => `${number} ${Number(number) === 1 ? noun : plural}`;

/** (1) Whose word counts is not in the bundle's hands. */
function pinned(work, bundle, trust) {
  const [log, registryLog, anchorLog] = [bundle.chain, REGISTRY, ANCHOR].map((chain) => logOf(trust, chain));
  work.show("pinned SHA-256 of the genesis", { bytes: trust.genesis });
  for (const each of new Set([log, registryLog, anchorLog])) {
    work.show(`key of the log “${each.chain}”`, {
      text: each.keys.map((key) => `${key.vkey}\nsigns ${sizesOf(key)}`).join("\n"),
    });
  }
  if (bundle.chain === ANCHOR) refuse("the anchor holds no statements");
  return {
    log,
    registryLog,
    anchorLog,
    sentence: `The trust file of “${trust.name}” names the keys by which all that follows is judged.`,
  };
}

/** (2) The log's word for its size and root. */
async function signed(work, log, note) {
  const checkpoint = await work.checkpoints.open(work, log, note);
  return {
    checkpoint,
    sentence: `The log “${log.origin}” signed its state: ${count(checkpoint.size, "entry", "entries")}.`,
  };
}

/** (3) The very bytes are the leaf. */
async function included(work, entry, { size, root }) {
  work.show("the entry: the statement’s bytes", { bytes: entry.statement });
  await requireInclusion(work, entry, { size, root });
  const beside = count(entry.path.length, "hash", "hashes");
  return {
    sentence: `It is entry ${entry.index} of ${size}: with ${beside} beside it, it gives exactly the signed root.`,
  };
}

async function requireInclusion(work, { statement, index, path }, { size, root }) {
  await verifyInclusion(work, path, { leaf: await leafHash(work, statement), index, size, root });
}

/** (4) The header's tree ends in the log's, and grew by our entry. */
async function sealed(work, bundle, log, checkpoint) {
  const header = readHeader(bundle.header);
  work.show("the block’s header", { bytes: bundle.header });
  work.show("the same in CBOR’s diagnostic notation", { text: diagnose(decode(bundle.header), "") });
  if (header.origin !== log.origin) refuse(`the block is of '${header.origin}', not of '${log.origin}'`);
  const { index } = bundle.entry;
  if (!(header.first <= index && index < header.size)) {
    refuse(`the block holds entries ${header.first} to ${header.size - 1n}, not ${index}`);
  }
  await verifyConsistency(work, bundle.consistency, {
    oldSize: header.size,
    newSize: checkpoint.size,
    oldRoot: header.root,
    newRoot: checkpoint.root,
  });
  return {
    header,
    sentence: `Block ${header.height} brought entries ${header.first} to ${header.size - 1n}; the log has kept them as they were.`,
  };
}

/** (5) The log's key signs sizes and roots; all else in the header is signed for by the anchor's. */
async function anchored(work, bundle, log) {
  if (bundle.anchor === null) {
    return {
      state: "unknown",
      sentence:
        "The block is not in the anchor yet: nobody has signed for its time, nor for the registry state that it names.",
    };
  }
  const { index, path, checkpoint: note } = bundle.anchor;
  const checkpoint = await work.checkpoints.open(work, log, note);
  const entry = encode([HEADER_KIND, bundle.header]);
  work.show("the anchor’s entry: [0, the block’s header]", { bytes: entry });
  await verifyInclusion(work, path, { leaf: await leafHash(work, entry), index, ...checkpoint });
  return {
    sentence: `The block’s header, with its time, is entry ${index} of ${checkpoint.size} in the anchor, which is signed, too.`,
  };
}

/** (6) The state by which the block's keys were judged is one that the registry had. */
async function ruled(work, bundle, header, log) {
  const checkpoint = await work.checkpoints.open(work, log, bundle.registry.checkpoint);
  const { size, root } = header.registry;
  if (size === 0n && isGenesis(bundle)) {
    if (hex(root) !== EMPTY_ROOT || bundle.registry.consistency.length)
      refuse("the genesis is judged by an empty registry");
    return { sentence: "This is the registry’s first entry: before it there was no state." };
  }
  await verifyConsistency(work, bundle.registry.consistency, {
    oldSize: size,
    newSize: checkpoint.size,
    oldRoot: root,
    newRoot: checkpoint.root,
  });
  return {
    sentence: `Keys were judged by the registry’s first ${count(size, "entry", "entries")}; its signed state of ${checkpoint.size} begins with exactly those.`,
  };
}

const isGenesis = (bundle) => bundle.chain === REGISTRY && bundle.entry.index === 0n;

/** (7) What the registry says of the key in that state, from the pinned genesis on. */
async function folded(work, bundle, header, log, trust) {
  const registry = new Registry();
  const entries = isGenesis(bundle) ? [bundle.entry] : bundle.registry.entries;
  await requireGenesis(work, entries, trust);
  for (const entry of entries) {
    const own = { ...work, show: (name, what) => work.show(name, { group: `registry entry ${entry.index}`, ...what }) };
    if (!isGenesis(bundle)) await requireInclusion(own, entry, header.registry);
    if (entry.index < registry.size) refuse("the registry entries are not in order");
    await fold(own, registry, entry, log);
  }
  if (!isPinned(trust, registry.chains)) refuse("the genesis names other logs or keys than the trust file");
  return {
    registry,
    sentence: `The registry’s first entry is the one that the trust file pins; ${tellEntries(entries)}.`,
  };
}

function tellEntries({ length }) {
  if (length === 1) return "it says all that there is to say of the key";
  return `${count(length - 1, "more entry tells", "more entries tell")} how the key came to be what it was`;
}

async function requireGenesis(work, entries, trust) {
  if (!entries.length || entries[0].index !== 0n) refuse("the registry's genesis is not there");
  const hash = await work.crypto.sha256(entries[0].statement);
  work.show("SHA-256 of the genesis, computed", { bytes: hash });
  work.show("as the trust file pins it", { bytes: trust.genesis, good: same(hash, trust.genesis) });
  if (!same(hash, trust.genesis)) refuse("the registry's genesis is not the one that the trust file pins");
}

/** Fold one entry in; its signer is good by the entries before, but for the genesis, which names its own. */
async function fold(work, registry, entry, log) {
  try {
    const statement = readStatement(entry.statement);
    await showSections(work, statement, entry);
    await registry.apply(work, entry.index, statement, entry.sections);
    await requireStanding(work, statement, registry, { chain: REGISTRY, origin: log.origin });
  } catch (error) {
    throw ofEntry(error, entry.index);
  }
}

/** (8) The statement itself. */
async function said(work, entry, registry, chain, log) {
  const statement = readStatement(entry.statement);
  work.show("the statement in CBOR’s diagnostic notation", { text: diagnose(statementShown(statement), "") });
  const key = await requireStanding(work, statement, registry, { chain, origin: log.origin });
  return { statement, key, sentence: `“${key.name}” signed it with a key that was registered for it, and good.` };
}

/** (9) Its content, as much of it as we were given. */
async function showing(work, statement, entry) {
  const sections = await showSections(work, statement, entry);
  const seen = sections.filter((section) => section.body !== null).length;
  const hidden = sections.length - seen;
  const told = seen
    ? `What is shown is what was signed, to the last byte (${count(seen, "section")})`
    : "No content is shown here";
  return {
    sections,
    sentence: `${told}${hidden ? `; ${count(hidden, "section is", "sections are")} withheld, with a signed digest in the place` : ""}.`,
  };
}

async function showSections(work, statement, entry) {
  if (entry.sections.length !== statement.manifest.length) {
    refuse(`there are ${entry.sections.length} sections for ${statement.manifest.length} lines`);
  }
  const sections = [];
  for (const [number, line] of statement.manifest.entries()) {
    const data = entry.sections[number];
    const own = { ...work, show: (name, what) => work.show(`section ${number}: ${name}`, what) };
    const body = data === null ? null : await matchingBody(own, line, data, statement.kid);
    if (data !== null && body === null) refuse(`section ${number} is not the one that the statement names`);
    sections.push(shown(statement, number, body));
  }
  return sections;
}
