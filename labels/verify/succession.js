// The logs' keys by the genesis' pin alone: what root keys have said since, link by link (ledger/trust/succession.py).

import { OutsideError, ofBase64, refuse, same } from "./bytes.js";
import { keysOf } from "./log.js";
import { Registry, REGISTRY, requireStanding } from "./registry.js";
import { FORMATS, matchingBody } from "./section.js";
import { readMessage, readStatement } from "./statement.js";

const MESSAGES_MAX = 1_000;

/** The messages of a root key's stream, as a trust file has them: a list in base64. */
export function readMessages(value) {
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
  return isList
    ? value.map((item) => ofBase64(item, "a message of the root key"))
    : refuse("root is a list of messages in base64");
}

/** The registry as far as root keys tell it: the messages of their stream, from the genesis that is pinned on. */
export async function follow(work, genesis, messages) {
  if (!(messages.length >= 1 && messages.length <= MESSAGES_MAX)) {
    refuse(`what root keys have said is 1 to ${MESSAGES_MAX} messages, the genesis first`);
  }
  const registry = new Registry();
  let before = null;
  for (const [number, data] of messages.entries()) {
    try {
      before = await next(work, registry, number, data, before, genesis);
    } catch (error) {
      if (error instanceof OutsideError) error.message = `message ${number} of the root key: ${error.message}`;
      throw error;
    }
  }
  return registry;
}

async function next(work, registry, number, data, before, genesis) {
  const { statement, sections } = await read(work, data);
  const hash = await work.crypto.sha256(statement.data);
  if (before === null && !same(hash, genesis)) refuse("the genesis is not the one that is pinned");
  if (before !== null && !isNext(statement, before)) refuse("it is not the next link of the genesis' stream");
  if (statement.tally.lane !== 0) refuse("the genesis' stream is one of events");
  try {
    await registry.apply(work, BigInt(number), statement, sections);
  } catch (error) {
    // What the rules refuse later has no effect: as in the registry.
    if (before === null || !(error instanceof OutsideError)) throw error;
  }
  await requireStanding(work, statement, registry, { chain: REGISTRY, origin: originOf(registry) });
  return { statement, hash };
}

const originOf = (registry) => registry.chains.get(REGISTRY)?.origin ?? refuse("the genesis names no logs");

function isNext({ kid, tally }, { statement, hash }) {
  const sameStream =
    same(kid, statement.kid) && tally.lane === statement.tally.lane && same(tally.stream, statement.tally.stream);
  return sameStream && tally.seq === statement.tally.seq + 1n && same(tally.prev, hash);
}

/** A message's statement, and its sections as far as they are whole: what the registry reads of it must be. */
async function read(work, data) {
  const message = readMessage(data);
  const statement = readStatement(message.statement);
  const sections = [];
  for (const [number, line] of statement.manifest.entries()) {
    const sent = message.sections[number] ?? null;
    const body = sent === null ? null : await matchingBody(work, line, sent, statement.kid);
    if (body === null && line.contentFormat === FORMATS.REGISTRY) refuse(`its section ${number} is not whole`);
    sections.push(body === null ? null : sent);
  }
  return { statement, sections };
}

/** The logs with all the keys that the registry names, by chain. */
export const logsOf = (registry) =>
  new Map(
    Array.from(registry.chains.values(), ({ name, origin, key, rotations }) => [
      name,
      { chain: name, origin, keys: keysOf(key, rotations) },
    ]),
  );

/** A log's keys as a trust bundle lists them. */
export const listed = ({ keys }) =>
  keys.map(({ vkey, first, last }) => [vkey, Number(first), last === null ? null : Number(last)]);
