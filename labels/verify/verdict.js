// What a verified bundle says, and whose word that is: the same words as ledger/proof/verdict.py.

import { hex, isBytes, OutsideError } from "./bytes.js";
import { readEvent } from "./epcis.js";
import { readEntry } from "./registry.js";
import { FORMATS, PRIVACIES } from "./section.js";
import { readPack } from "./senml.js";
import { readStream } from "./stream.js";

const OPERATOR_WORD = "the operator's word alone: no witness has cosigned the anchor";
export const NOT_ANCHORED =
  "the block is not in the anchor yet: nobody has signed for its time, nor for the registry state that it names";
const FOR_AN_AUDIT = "that no registry entry was left out, such as a revocation, is for an audit to see";

const READERS = new Map([
  [FORMATS.SENML_CBOR, ["readings", (statement, body) => readOwnPack(statement, body)]],
  [FORMATS.EPCIS, ["event", (statement, body) => readEvent(body)]],
  [FORMATS.STREAM, ["about the stream", (statement, body) => readStream(body)]],
  [FORMATS.REGISTRY, ["registry entry", (statement, body) => readEntry(body)]],
]);

/**
 * A manifest's line and what its section says: `body` is null if it was not shown to us, `said` is null if it was not,
 * if its content format is not read here, or if it cannot be read: then `fault` says why.
 */
export function shown(statement, number, body) {
  const { privacy, contentFormat } = statement.manifest[number];
  const [kind, read] = READERS.get(contentFormat) ?? ["unknown content", () => null];
  const section = { line: number, privacy: PRIVACIES[privacy], contentFormat, kind, body, said: null, fault: null };
  try {
    if (body !== null) section.said = read(statement, body);
  } catch (error) {
    if (!(error instanceof OutsideError)) throw error;
    section.fault = error.message;
  }
  return section;
}

function readOwnPack(statement, body) {
  const pack = readPack(body, Number(statement.issuedAt));
  const base = `${statement.subject}:`;
  if (!pack.every(({ name }) => name.startsWith(base) && name !== base)) {
    throw new OutsideError("a pack names readings of another device, or of none");
  }
  return pack;
}

/** Whose word it is: each part by itself. */
export const words = (verdict) => [OPERATOR_WORD, ...(verdict.anchored ? [] : [NOT_ANCHORED]), FOR_AN_AUDIT];

/** The verdict as `tallystick ledger verify --json` prints it. */
export function asDocument(verdict) {
  const { statement, sections, ...more } = verdict;
  const { tally } = statement;
  return plain({
    chain: more.chain,
    index: more.index,
    statement: more.hash,
    device: more.device,
    urn: statement.subject,
    role: more.role,
    issuer: statement.issuer,
    organisation: more.organisation,
    key: statement.kid,
    key_status: more.keyStatus,
    issued_at: statement.issuedAt,
    clock: tally.clock,
    lane: tally.lane,
    stream: tally.stream,
    seq: tally.seq,
    sections: sections.map(sectionDocument),
    height: more.height,
    block_time_ms: more.timeMs,
    anchored: more.anchored,
    registry_size: more.registrySize,
    checkpoint_size: more.checkpointSize,
    word: words(verdict).join("; "),
  });
}

function sectionDocument({ line, privacy, contentFormat, body, said, fault }) {
  const document = { line, privacy, content_format: contentFormat, shown: body !== null };
  if (said !== null) document.said = said.document ?? said;
  else if (fault !== null) document.fault = fault;
  else if (body !== null) document.body = body;
  return document;
}

/** The same, of what JSON knows: bytes, and numbers that JSON or JavaScript cannot hold, become text. */
export function plain(value) {
  if (isBytes(value)) return hex(value);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map)
    return Object.fromEntries(Array.from(value, ([key, item]) => [String(plain(key)), plain(item)]));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  }
  return value;
}
