// Making elements. What comes from others becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; `attributes` may have `class` and the like, children are elements, texts, or null for none. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

/** A term and what it is, for a `dl`; null if it is nothing. */
export const term = (name, ...value) =>
  value.every((part) => part === null || part === "")
    ? null
    : element("div", {}, element("dt", {}, name), element("dd", {}, ...value));

const SIGNS = {
  genuine: ["circle", "M14 25l7 7 14-15"],
  problem: ["path", "M24 17v13M24 36v1"],
  unproven: ["circle", "M18 19c0-8 12-8 12 0 0 5-6 5-6 10M24 36v1"],
  neutral: ["circle", "M24 13v1M24 21v14"],
};

/** The verdict's large sign. */
export function sign(kind) {
  const [ground, line] = SIGNS[kind];
  const shape = ground === "circle" ? { cx: 24, cy: 24, r: 22 } : { class: "fill", d: "M24 3l22 40H2z" };
  const parts = [
    [ground, shape],
    ["path", { d: line }],
  ].map(([name, attributes]) => drawn(name, attributes));
  return drawn("svg", { class: "sign", viewBox: "0 0 48 48", "aria-hidden": "true" }, parts);
}

const drawn = (name, attributes, children = []) => filled(document.createElementNS(SVG, name), attributes, children);

/** Text without what would turn it around or hide it. */
export const printable = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, "\ufffd");

/** A folded part, whose inside is made when it is first opened. */
export function folded(summary, inside, attributes = {}) {
  const details = element("details", attributes, element("summary", {}, ...summary));
  const open = () => details.open && details.children.length === 1 && details.append(...inside());
  details.addEventListener("toggle", open);
  return details;
}
