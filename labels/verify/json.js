// JSON as all readers read it alike (ledger/strict_json.py): each name once in an object, whole numbers alone, and
// nested no deeper than any reader's stack may be.

import { OutsideError, refuse } from "./bytes.js";

const DIGITS_MAX = 1_000;
const DEPTH_MAX = 100;

/** The value of a JSON text, `what` in words; a number that JavaScript's numbers do not hold is a BigInt. */
export function readJson(text, what) {
  let value;
  try {
    value = JSON.parse(text, exact);
  } catch (error) {
    return refuse(error instanceof OutsideError ? error.message : `${what} is not JSON`);
  }
  const outside = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (outside.split(":").length - 1 !== namesIn(value, DEPTH_MAX)) refuse("a name comes twice in an object");
  if (/[.eE]/.test(outside.replace(/true|false/g, ""))) refuse("its times, days and sizes are whole numbers");
  return value;
}

function exact(_, value, context) {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const digits = context?.source ?? refuse("a number in it is larger than this browser reads");
  return digits.length > DIGITS_MAX ? refuse(`a number has more than ${DIGITS_MAX} digits`) : BigInt(digits);
}

/** How many names all objects in a value have: fewer than its text, if one came twice. */
function namesIn(value, depth) {
  if (typeof value !== "object" || value === null) return 0;
  if (depth === 0) refuse(`it is nested more than ${DEPTH_MAX} deep`);
  const inside = Object.values(value).reduce((sum, item) => sum + namesIn(item, depth - 1), 0);
  return Array.isArray(value) ? inside : inside + Object.keys(value).length;
}
