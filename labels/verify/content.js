// What a statement says, for a reader who is no programmer.

import { hex, isBytes } from "./bytes.js";
import { element, folded, printable, term } from "./elements.js";
import { plain } from "./verdict.js";

const READINGS_SHOWN = 5;
const READINGS_MAX = 1_000;
const CLOCKS = ["of unknown quality", "free-running since it was set", "set by NTP", "set by satellite"];
const LANES = ["events", "telemetry"];
const LAST_SECOND = 253_402_300_799;

/** A time in seconds since 1970. A clock may claim anything. */
export function time(seconds) {
  const whole = Math.trunc(Number(seconds));
  if (whole > LAST_SECOND) return `${seconds} s after 1970`;
  return `${new Date(whole * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Who said it, when, and where it stands. */
export function facts(verdict) {
  const { statement } = verdict;
  const { tally } = statement;
  const code = (text) => element("code", {}, printable(text));
  const who = printable(verdict.organisation || statement.issuer);
  const role = verdict.role[0].toUpperCase() + verdict.role.slice(1);
  return element(
    "dl",
    { class: "keys" },
    term(role, printable(verdict.device)),
    term("Organisation", who),
    term("Entry", `${verdict.index} of ${verdict.chain}`),
    term("Signed, by its own clock", `${time(statement.issuedAt)}, ${CLOCKS[tally.clock]}`),
    term("Sealed, by the ledger’s clock", `${time(verdict.timeMs / 1000n)}, in block ${verdict.height}`),
    term("Its key", `${verdict.keyStatus} when the registry had ${verdict.registrySize} entries`),
    long("Device’s name", code(statement.subject)),
    long("For", code(statement.issuer)),
    long("Stream", code(`${LANES[tally.lane]} ${hex(tally.stream)}, number ${tally.seq}`)),
    long("Statement (SHA-256)", code(hex(verdict.hash))),
    long("Key (thumbprint)", code(hex(statement.kid))),
  );
}

function long(name, value) {
  const made = term(name, value);
  made.className = "whole";
  return made;
}

/** A section: what it says, or why that is not shown. */
export function section(shown) {
  const head = element(
    "h3",
    {},
    `Section ${shown.line} · ${shown.kind} `,
    element("span", { class: "tag" }, shown.privacy),
  );
  return element("div", { class: "section" }, head, ...inside(shown));
}

function inside({ body, said, fault, contentFormat }) {
  const quiet = (text) => element("p", { class: "quiet" }, printable(text));
  if (body === null) return [quiet("Not shown to you. That it exists, and its digest, is signed all the same.")];
  if (fault !== null) return [element("p", { class: "note" }, printable(`It cannot be read: ${fault}`)), bytes(body)];
  if (Array.isArray(said)) return readings(said);
  if (said === null) return [quiet(`Content format ${contentFormat} is not read here.`), bytes(body)];
  if (said.document) return event(said);
  if (said instanceof Map) return [registryEntry(said), whole("The whole entry", said)];
  return [streamAffair(said), whole("The whole of it", said)];
}

const bytes = (body) => folded([`${body.length} bytes`], () => [element("pre", { class: "bytes" }, hex(body))]);

const whole = (summary, value) => folded([summary], () => [element("pre", {}, printableJson(value))]);

const printableJson = (value) => JSON.stringify(plain(value), null, 2).split("\n").map(printable).join("\n");

function readings(pack) {
  const shownFirst = pack.slice(0, READINGS_SHOWN);
  const rest = pack.slice(READINGS_SHOWN, READINGS_MAX);
  const beyond = pack.length - READINGS_MAX;
  const parts = [table(shownFirst)];
  if (rest.length)
    parts.push(
      folded([`${pack.length - READINGS_SHOWN} more`], () => [
        table(rest),
        ...(beyond > 0 ? [element("p", {}, `and ${beyond} more`)] : []),
      ]),
    );
  return parts;
}

function table(pack) {
  const row = ({ name, unit, time: at, value }) => {
    const number = `${isBytes(value) ? hex(value) : value} ${unit}`.trim();
    const cells = [time(at).replace(" UTC", ""), number, name.slice(name.lastIndexOf(":") + 1)];
    return element(
      "tr",
      {},
      cells.map((cell) => element("td", {}, printable(cell))),
    );
  };
  const head = ["Time (UTC)", "Value", "What"].map((name) => element("th", {}, name));
  return element("table", {}, element("thead", {}, element("tr", {}, head)), element("tbody", {}, pack.map(row)));
}

function event(said) {
  const { type, action, bizStep, disposition, readPoint, bizLocation, parent, epcs, document: everything } = said;
  const words = (text) => (text === null ? "" : printable(text.replaceAll("_", " ")));
  const items = epcs.map((epc) => element("li", {}, element("code", {}, printable(epc))));
  return [
    element(
      "dl",
      { class: "keys" },
      term("What happened", words(bizStep) || words(type)),
      term("When, it says", time(said.time)),
      term("Kind", `${type}, ${action}`),
      term("State", words(disposition)),
      term("Where", ...place(everything, "readPoint", readPoint)),
      term("Kept at", ...place(everything, "bizLocation", bizLocation)),
      term("In or on", parent === null ? "" : printable(parent)),
    ),
    items.length ? list(items) : null,
    whole("The whole event", everything),
  ].filter((part) => part !== null);
}

/** A place's name, if it has one, and its identifier. */
function place(everything, key, id) {
  if (id === null) return [];
  const name = everything.get(key).get("name");
  const code = element("code", {}, printable(id));
  return typeof name === "string" ? [printable(name), element("br"), code] : [code];
}

function list(items) {
  const made = (some) => element("ul", { class: "items" }, some);
  if (items.length <= 10) return made(items);
  return element(
    "div",
    {},
    made(items.slice(0, 10)),
    folded([`${items.length - 10} more`], () => [made(items.slice(10))]),
  );
}

function registryEntry(entry) {
  const named = ["name", "uri", "urn", "reason"]
    .map((key) => entry.get(key))
    .filter((value) => typeof value === "string");
  return element(
    "p",
    {},
    element("b", {}, printable(entry.get("type"))),
    named.length ? `: ${printable(named.join(", "))}` : "",
  );
}

function streamAffair({ reason, lines }) {
  if (reason) return element("p", {}, `It opens the stream; the reason: ${reason}.`);
  return element(
    "p",
    {},
    lines
      ? `It names ${lines.length} sections that gave way to newer ones.`
      : "It carries a statement that the gateway refused.",
  );
}
