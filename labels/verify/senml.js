// Packs of readings as SenML-CBOR (RFC 8428, 6), content format 112.

import { characters, isBytes, matches, refuse } from "./bytes.js";
import { decode, isCount } from "./cbor.js";

const [BVER, BN, BT, BU, BV] = [-1n, -2n, -3n, -4n, -5n];
const [N, U, V, VS, VB, S, T, VD] = [0n, 1n, 2n, 3n, 4n, 5n, 6n, 8n];
const VALUES = [V, VS, VB, VD];
const TYPES = new Map([
  [VS, (value) => typeof value === "string"],
  [VB, (value) => typeof value === "boolean"],
  [VD, isBytes],
]);
const VERSION = 10n;
const RECORDS_MAX = 10_000;
const RELATIVE_BELOW = 2 ** 28; // RFC 8428, 4.5.3: smaller times are relative to now
const TIME_MAX = 253_402_300_000; // in the last hour of the year 9999

/** The readings of a pack, resolved (RFC 8428, 4.6): {name, unit, time in seconds since 1970, value}. */
export function readPack(body, now) {
  const records = decode(body, { depthMax: 3, plain: false });
  if (!Array.isArray(records) || records.length > RECORDS_MAX) {
    refuse(`a SenML pack is an array of at most ${RECORDS_MAX} records`);
  }
  records.forEach(requireLabels);
  let base = { name: "", time: 0, unit: "", value: 0 };
  const readings = [];
  for (const record of records) {
    base = moved(base, record);
    if (hasValue(record)) readings.push(resolved(base, record, now));
  }
  return readings;
}

function requireLabels(record) {
  if (!(record instanceof Map)) refuse("a SenML record is a map");
  for (const label of record.keys()) {
    if (typeof label !== "bigint" && typeof label !== "string") refuse("a SenML label is an integer or a text");
    if (typeof label === "string" && label.endsWith("_"))
      refuse(`SenML label '${label}' must be understood, and is not`);
  }
  const version = record.has(BVER) ? record.get(BVER) : VERSION;
  if (!isCount(version) || version > VERSION) refuse(`a SenML pack of another version than ${VERSION}`);
}

/** What the base fields met so far add to a record (RFC 8428, 4.1). */
function moved(base, record) {
  const taken = (label, otherwise) => (record.has(label) ? record.get(label) : otherwise);
  const name = taken(BN, base.name);
  if (typeof name !== "string") refuse("a SenML name is text");
  return {
    name,
    time: finite(taken(BT, base.time)),
    unit: unitOf(taken(BU, base.unit)),
    value: finite(taken(BV, base.value)),
  };
}

/** Whether the record has its one value: else it has a sum and none (RFC 8428, 4.2). */
function hasValue(record) {
  const count = VALUES.filter((label) => record.has(label)).length;
  if (count > 1 || (!count && !record.has(S))) refuse("a SenML record has one value, or a sum and none");
  return count === 1;
}

function resolved(base, record, now) {
  const name = base.name + textIn(record, N, "");
  if (!matches(/[a-zA-Z0-9][-a-zA-Z0-9:./_]{0,255}/, name)) {
    refuse("a SenML name has characters that names have not (RFC 8428, 4.5.1)");
  }
  const unit = unitOf(textIn(record, U, base.unit));
  const offset = record.has(T) ? record.get(T) : 0;
  const absolute = base.time + numberOf(offset);
  const time = absolute < RELATIVE_BELOW ? now + absolute : absolute;
  if (!(Number.isFinite(time) && time >= 0 && time <= TIME_MAX)) {
    refuse("a SenML time is beyond any calendar, or not finite");
  }
  return { name, unit, time, value: valueOf(base, record) };
}

function valueOf(base, record) {
  if (record.has(V)) return finite(finite(record.get(V)) + base.value);
  const label = VALUES.find((each) => record.has(each));
  const value = record.get(label);
  return TYPES.get(label)(value) ? value : refuse("a SenML value is not of its label's type");
}

function textIn(record, label, otherwise) {
  const value = record.has(label) ? record.get(label) : otherwise;
  return typeof value === "string" ? value : refuse("a SenML name and a SenML unit are text");
}

function unitOf(unit) {
  const isUnit = typeof unit === "string" && characters(unit) <= 32 && matches(/[ -~]*/, unit);
  return isUnit ? unit : refuse("a SenML unit is a short text of printable ASCII characters");
}

const numberOf = (value) =>
  typeof value === "number" || typeof value === "bigint" ? Number(value) : refuse("a SenML number is not a number");

function finite(value) {
  const number = numberOf(value);
  return Number.isFinite(number) ? number : refuse("a SenML number is not finite");
}
