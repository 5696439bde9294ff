// Sections: content beside the log, bound to its statement by a salted digest.

import { concat, OutsideError, same } from "./bytes.js";
import { decode, diagnose, encode } from "./cbor.js";
import { Reader } from "./statement.js";

export const PRIVACIES = ["public", "partners", "private"];
export const FORMATS = { SENML_CBOR: 112, STREAM: 65_000, EPCIS: 65_001, REGISTRY: 65_002 };
const SECTION_BYTES_MAX = 256 * 1024;

/** The body of a section's bytes, CBOR `[salt, body]`. */
export function bodyOf(data) {
  const reader = new Reader(data);
  reader.expect([0x82, 0x50], "a section is [salt of 16 bytes, body]");
  reader.take(16);
  const body = reader.bytes();
  reader.end();
  return body;
}

/** The body that `data` holds if it is the section that `line` of a manifest of the key `kid` names, else null. */
export async function matchingBody(work, line, data, kid) {
  let body;
  try {
    if (data.length > SECTION_BYTES_MAX) return null;
    body = bodyOf(data);
  } catch (error) {
    if (error instanceof OutsideError) return null;
    throw error;
  }
  const labelled = encode(["tallystick-section/1", kid, line.privacy, line.contentFormat, 0, 0]);
  const hashed = concat(labelled.subarray(0, -2), data.subarray(1));
  const digest = await work.crypto.sha256(hashed);
  work.show("hashed bytes", { bytes: hashed });
  work.show("SHA-256, computed", { bytes: digest });
  work.show("digest, as the statement names it", { bytes: line.digest, good: same(digest, line.digest) });
  work.show("content in CBOR’s diagnostic notation", { text: bodyShown(body) });
  return same(digest, line.digest) ? body : null;
}

function bodyShown(body) {
  try {
    return diagnose(decode(body, { plain: false }), "");
  } catch (error) {
    return `not CBOR: ${error.message}`;
  }
}
