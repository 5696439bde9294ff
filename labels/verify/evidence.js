// A step's evidence: the very bytes, for whoever wants to count them.

import { hex } from "./bytes.js";
import { element, folded, printable } from "./elements.js";

const ROW_BYTES = 32;

/** A step's pieces of evidence; those of one group are folded away under its name. */
export function evidence(pieces) {
  const made = [];
  for (const name of new Set(pieces.map(({ group }) => group))) {
    const own = pieces.filter(({ group }) => group === name);
    if (name === undefined) made.push(...own.map(piece));
    else made.push(folded([`${name[0].toUpperCase()}${name.slice(1)}`], () => own.map(piece), { class: "piece" }));
  }
  return made;
}

/** A piece of evidence: its name, and its bytes, its text or the levels of its tree. */
function piece({ name, bytes, text, levels, good }) {
  const size = bytes ? `${bytes.length.toLocaleString("en")} bytes` : null;
  const mark =
    good === undefined
      ? null
      : element("span", { class: `tag ${good ? "good" : "bad"}` }, good ? "the same" : "not the same");
  const tick = text && good ? null : mark;
  const head = element(
    "h4",
    {},
    printable(name),
    size ? element("span", { class: "quiet" }, ` ${size}`) : null,
    " ",
    tick,
  );
  return element("div", { class: "piece" }, head, ...inside({ bytes, text, levels }));
}

function inside({ bytes, text, levels }) {
  if (bytes) return [element("pre", { class: "bytes" }, rows(bytes))];
  if (levels)
    return levels.length ? levels.map(level) : [element("p", { class: "quiet" }, "none: it is that hash itself")];
  return [element("pre", {}, text.split("\n").map(printable).join("\n"))];
}

function rows(bytes) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += ROW_BYTES) lines.push(hex(bytes.subarray(at, at + ROW_BYTES)));
  return lines.join("\n");
}

/** Two hashes and the one above them; `own` is which of the two the level below gave: ▸. */
function level({ left, right, hash, own }, number) {
  const line = (name, value) => `${name === own ? "▸" : " "} ${name.padEnd(5)} ${hex(value)}`;
  return element(
    "pre",
    { class: "bytes" },
    [`level ${number + 1}`, line("left", left), line("right", right), line("above", hash)].join("\n"),
  );
}
