// Byte strings and the few ways to write them; and the one error that says what is wrong with what was given.

/** What came from outside is not what it must be. Anything else that is thrown is a fault of this page. */
export class OutsideError extends Error {}

/** Refuse: never returns. */
export function refuse(message) {
  throw new OutsideError(message);
}

export const isBytes = (value) => value instanceof Uint8Array;

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const ofHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

export const utf8 = (text) => new TextEncoder().encode(text);

/** The text that UTF-8 bytes encode; every byte counts, also a byte order mark's. */
export function ofUtf8(bytes, what = "a text") {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(`${what} is not UTF-8`);
  }
}

/** Bytes as a number, the least first. */
export const little = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);

export const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/** Base64 in its one encoding (RFC 4648, 4): padded, no line breaks, unused bits zero. */
export function ofBase64(text, what) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    refuse(`${what} is not base64`);
  }
  return base64(bytes) === text ? bytes : refuse(`${what} is not base64 in its one encoding`);
}

/** How many characters (Unicode code points) a text has. */
export const characters = (text) => [...text].length;

/** Whether all of a text matches, as Python's `fullmatch` has it. */
export const matches = (pattern, text) => new RegExp(`^(?:${pattern.source})$`, pattern.flags).test(text);
