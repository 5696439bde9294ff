// EPCIS 2.0 events as CBOR: the JSON binding's object, one to one (GS1 EPCIS 2.0, 10; CBV 2.0, 7).

import { characters, matches, refuse } from "./bytes.js";
import { decode } from "./cbor.js";

const BODY_BYTES_MAX = 200 * 1024;
const EPCS_MAX = 5_000;
const DEPTH_MAX = 16;
const ACTIONS = ["ADD", "OBSERVE", "DELETE"];
const LISTS = new Map([
  ["ObjectEvent", "epcList"],
  ["AggregationEvent", "childEPCs"],
  ["AssociationEvent", "childEPCs"],
]);
export const BIZ_STEPS = `
  accepting arriving assembling collecting commissioning consigning creating_class_instance cycle_counting
  decommissioning departing destroying disassembling dispensing encoding entering_exiting holding inspecting
  installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
  retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing transporting
  unloading unpacking void_shipping
`
  .trim()
  .split(/\s+/); // CBV 2.0, 7.1.3
export const DISPOSITIONS = `
  active available completeness_inferred completeness_verified conformant container_closed container_open damaged
  destroyed dispensed disposed encoded expired in_progress in_transit inactive mismatch_class mismatch_instance
  mismatch_quantity needs_replacement no_pedigree_match non_conformant non_sellable_other partially_dispensed
  recalled reserved retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown
`
  .trim()
  .split(/\s+/); // CBV 2.0, 7.2
const OFFSET = /[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00)/;
const DATE_TIME =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T((?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])(?:\.([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/;

/** An event's dimensions; `document` is the whole object, as a Map. */
export function readEvent(body) {
  if (body.length > BODY_BYTES_MAX) refuse("an EPCIS event over its size");
  const document = decode(body);
  if (!(document instanceof Map)) refuse("an EPCIS event is an object");
  requireJson(document, DEPTH_MAX);
  const type = oneOf(document, "type", Array.from(LISTS.keys()));
  if (!matches(OFFSET, textOf(document, "eventTimeZoneOffset") ?? "")) refuse("eventTimeZoneOffset is ±hh:mm");
  const event = {
    type,
    action: oneOf(document, "action", ACTIONS),
    time: timeOf(document, "eventTime"),
    parent: uriOf(textOf(document, "parentID"), "parentID"),
    epcs: epcsOf(document, LISTS.get(type)),
    bizStep: wordOf(document, "bizStep", BIZ_STEPS),
    disposition: wordOf(document, "disposition", DISPOSITIONS),
    readPoint: placeOf(document, "readPoint"),
    bizLocation: placeOf(document, "bizLocation"),
    document,
  };
  requireSensors(document);
  requireIdentifiers(event);
  return event;
}

/** CBOR can hold what JSON cannot: bytes, other keys, NaN, the character NUL. */
function requireJson(value, depth) {
  if (value instanceof Map || Array.isArray(value)) {
    if (!depth) refuse("an EPCIS event is nested too deeply");
    if (value instanceof Map) value.forEach((item, key) => requireText(key));
    value.forEach((item) => requireJson(item, depth - 1));
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) refuse("an EPCIS event holds a number that is not finite");
  } else if (typeof value === "string") {
    requireText(value);
  } else if (value !== null && typeof value !== "boolean" && typeof value !== "bigint") {
    refuse("an EPCIS event holds what JSON cannot");
  }
}

function requireText(value) {
  if (typeof value !== "string" || value.includes("\0")) refuse("an EPCIS event holds what JSON cannot");
}

/** An event must say what it is about (EPCIS 2.0, 7.4.1 to 7.4.6). */
function requireIdentifiers({ type, action, parent, epcs, document }) {
  if (type === "ObjectEvent") {
    if (parent !== null) refuse("an ObjectEvent has no parentID");
    const sensed = document.get("sensorElementList")?.length > 0;
    if (!epcs.length && !hasClasses(document, "quantityList") && !sensed) refuse("an ObjectEvent names no object");
    if ((document.get("ilmd") ?? null) !== null && action !== "ADD")
      refuse("an ObjectEvent has ilmd with action ADD only");
    return;
  }
  if (parent === null && (type === "AssociationEvent" || action !== "OBSERVE")) {
    refuse(`an ${type} with action ${action} has a parentID`);
  }
  if (!epcs.length && !hasClasses(document, "childQuantityList") && action !== "DELETE") {
    refuse(`an ${type} with action ${action} names its children`);
  }
}

function textOf(document, key) {
  const value = document.get(key) ?? null;
  if (value === null) return null;
  const isText = typeof value === "string" && value !== "" && characters(value) <= 1_000;
  return isText ? value : refuse(`${key} is a text of at most 1,000 characters`);
}

function oneOf(document, key, allowed) {
  const value = textOf(document, key);
  return allowed.includes(value) ? value : refuse(`${key} is one of ${allowed.join(", ")}`);
}

/** A date-time in seconds since 1970, to the microsecond. */
function timeOf(document, key) {
  const found = DATE_TIME.exec(textOf(document, key) ?? "");
  if (!found) refuse(`${key} is not a date-time with seconds and a zone`);
  const [, year, month, day, clock, fraction = "", sign = "+", hours = "00", minutes = "00"] = found;
  if (found[6] && !matches(OFFSET, `${sign}${hours}:${minutes}`))
    refuse(`${key} is not a date-time with seconds and a zone`);
  const local = Date.parse(`${year}-${month}-${day}T${clock}Z`);
  const shift = (sign === "-" ? -60 : 60) * (60 * Number(hours) + Number(minutes));
  const isDay = !Number.isNaN(local) && new Date(local).getUTCDate() === Number(day) && Number(year) > 0;
  const seconds = local / 1000 - shift;
  if (!isDay || seconds < -62_135_596_800 || seconds >= 253_402_300_800) refuse(`${key} is not in any calendar`);
  return seconds + Number(`0.${fraction.slice(0, 6) || 0}`);
}

function uriOf(value, key) {
  if ((value ?? null) === null) return null;
  const isUri = typeof value === "string" && matches(/[!-~]{1,1000}/, value) && value.includes(":");
  return isUri ? value : refuse(`${key} holds what is not a URI`);
}

function epcsOf(document, key) {
  const values = document.has(key) ? document.get(key) : [];
  if (!Array.isArray(values) || values.length > EPCS_MAX) refuse(`${key} is a list of at most ${EPCS_MAX} URIs`);
  const uris = values.map((value) => uriOf(value, key));
  if (uris.includes(null) || new Set(uris).size !== uris.length) refuse(`${key} holds a null, or one URI twice`);
  return uris;
}

/** Whether objects are named by class: a list of quantity elements that is not empty. */
function hasClasses(document, key) {
  const values = document.get(key) ?? null;
  if (values === null) return false;
  if (!Array.isArray(values) || values.length > EPCS_MAX) refuse(`${key} is a list of at most ${EPCS_MAX} quantities`);
  if (!values.every((value) => value instanceof Map && uriOf(value.get("epcClass"), key) !== null)) {
    refuse(`${key} is a list of objects with an epcClass`);
  }
  return values.length > 0;
}

function wordOf(document, key, words) {
  const word = textOf(document, key);
  return words.includes(word) ? word : uriOf(word, key);
}

function placeOf(document, key) {
  const place = document.get(key) ?? null;
  if (place === null) return null;
  const id = place instanceof Map ? uriOf(place.get("id"), key) : null;
  return id ?? refuse(`${key} is an object with an id`);
}

function requireSensors(document) {
  const elements = document.has("sensorElementList") ? document.get("sensorElementList") : [];
  if (!Array.isArray(elements) || elements.length > EPCS_MAX) refuse("sensorElementList is a list");
  elements.forEach(requireSensor);
}

/** A sensorElement names its device and window in its metadata; reports alone name no readings of ours. */
function requireSensor(element) {
  const reports = element instanceof Map && element.has("sensorReport") ? element.get("sensorReport") : [];
  if (!(element instanceof Map) || !Array.isArray(reports)) refuse("a sensorElement is an object");
  const metadata = element.get("sensorMetadata") ?? null;
  if (metadata === null) return;
  if (!(metadata instanceof Map)) refuse("sensorMetadata is an object");
  const device = uriOf(metadata.get("deviceID"), "deviceID");
  if (device === null || ["startTime", "endTime"].some((key) => (metadata.get(key) ?? null) === null)) return;
  if (timeOf(metadata, "endTime") < timeOf(metadata, "startTime")) refuse("a sensorElement ends before it starts");
}
