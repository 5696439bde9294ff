// Where the two files come from: the reader's disk, or this page's own site. Nothing else is ever asked.

import { OutsideError, refuse } from "./bytes.js";
import { BUNDLE_BYTES_MAX } from "./bundle.js";
import { TRUST_BYTES_MAX } from "./trust.js";

const WAIT_MS = 20_000;
const FILE_BYTES_MAX = Math.max(BUNDLE_BYTES_MAX, TRUST_BYTES_MAX);

/** Whether this page came from a site that may have proofs: else it was opened from a disk. */
export const hasSite = () => location.protocol === "http:" || location.protocol === "https:";

/** A chosen file's bytes. One that is too large is refused before it is read. */
export async function readFile(file) {
  if (file.size > FILE_BYTES_MAX)
    refuse(`the file ${file.name} has ${file.size.toLocaleString("en")} bytes: no proof or trust file has more than 8 MB`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return refuse(`the file ${file.name} cannot be read`);
  }
}

/** Whether bytes look like a trust file, which is JSON, rather than a bundle. */
export const looksLikeTrust = (data) => [0x20, 0x09, 0x0a, 0x0d, 0x7b].includes(data[0]);

/** A statement's bundle, from this site. */
export const fetchBundle = (hash) => fetchBytes(`/bundle/${hash}`, BUNDLE_BYTES_MAX, "the proof");

/** The trust file, from this site. */
export const fetchTrust = () => fetchBytes("/trust.json", TRUST_BYTES_MAX, "the trust file");

async function fetchBytes(path, bytesMax, what) {
  try {
    const answer = await fetch(path, { redirect: "error", signal: AbortSignal.timeout(WAIT_MS), credentials: "omit" });
    if (answer.status === 404) refuse(`this site has not ${what}: ${path}`);
    if (!answer.ok) refuse(`this site does not give ${what}: it answers ${answer.status}`);
    return await bounded(answer.body, bytesMax, what);
  } catch (error) {
    if (error instanceof OutsideError) throw error;
    return refuse(`${what} cannot be fetched from this site (${error.message})`);
  }
}

async function bounded(body, bytesMax, what) {
  const [reader, parts] = [body.getReader(), []];
  let size = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    size += value.length;
    if (size > bytesMax) {
      await reader.cancel();
      refuse(`${what} has more than ${bytesMax.toLocaleString("en")} bytes`);
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
