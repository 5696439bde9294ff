// CBOR, strictly (RFC 8949). Numbers are BigInt if they are integers and Number if they are floats; maps are Map.

import { concat, hex, isBytes, ofUtf8, refuse, utf8 } from "./bytes.js";

export const UINT63_MAX = 2n ** 63n - 1n;
const PAIRS_MAX = 255;
const SMALL_BYTES = 2048;

/** Null, true and false are JavaScript's; what is no plain value of ours (undefined, say) is one of these. */
class Simple {
  constructor(number) {
    this.number = number;
  }
}

/**
 * Decode exactly one item: no tags, no indefinite lengths, no key twice, no nesting beyond `depthMax`.
 *
 * `canonical` takes its one encoding alone (RFC 8949, 4.2.1), in which no envelope of ours has a float. `plain` takes
 * nothing but integers, texts, bytes, floats, booleans, null, arrays, and maps whose keys are integers, texts or bytes.
 */
export function decode(data, { depthMax = 16, canonical = false, plain = true } = {}) {
  const reader = new Decoder(data, depthMax, canonical, plain);
  const value = reader.item(0);
  if (reader.at !== data.length) refuse("bytes after the end of the CBOR item");
  if (data.length > SMALL_BYTES && reader.hasLargeMap && reader.hasOtherKey) {
    refuse("not plain CBOR: beside a large map, a key is no string");
  }
  return value;
}

export const isCount = (value) => typeof value === "bigint" && value >= 0n && value <= UINT63_MAX;

class Decoder {
  constructor(data, depthMax, canonical, plain) {
    Object.assign(this, { data, depthMax, canonical, plain, at: 0, hasLargeMap: false, hasOtherKey: false });
  }

  take(count) {
    const end = BigInt(this.at) + BigInt(count);
    if (end > BigInt(this.data.length)) refuse("not plain CBOR: it ends too early");
    const taken = this.data.subarray(this.at, Number(end));
    this.at = Number(end);
    return taken;
  }

  argument(info) {
    if (info < 24) return BigInt(info);
    if (info > 27) refuse("not plain CBOR: a length that is not definite, or unknown");
    const number = BigInt(`0x${hex(this.take(1 << (info - 24)))}`);
    const least = info === 24 ? 24n : 1n << BigInt(8 << (info - 25));
    if (this.canonical && number < least) refuse("CBOR is not in its one encoding: a number is longer than need be");
    return number;
  }

  item(depth) {
    const [first] = this.take(1);
    const [major, info] = [first >> 5, first & 31];
    if (major === 7) return this.simple(info);
    const argument = this.argument(info);
    switch (major) {
      case 0:
        return argument;
      case 1:
        return -1n - argument;
      case 2:
        return this.take(argument).slice();
      case 3:
        return ofUtf8(this.take(argument), "not plain CBOR: a text");
      case 4:
        return this.array(argument, depth + 1);
      case 5:
        return this.map(argument, depth + 1);
      default:
        return refuse("not plain CBOR: tags are not read here");
    }
  }

  within(count, depth) {
    if (count && depth > this.depthMax) refuse(`not plain CBOR: it is nested deeper than ${this.depthMax}`);
  }

  array(count, depth) {
    this.within(count, depth);
    const items = [];
    for (let left = count; left; left--) items.push(this.item(depth));
    return items;
  }

  map(count, depth) {
    this.within(count, depth);
    if (count > PAIRS_MAX) this.hasLargeMap = true;
    const [items, seen] = [new Map(), new Set()];
    let before = "";
    for (let left = count; left; left--) {
      const start = this.at;
      const key = this.key(depth);
      const encoded = hex(this.data.subarray(start, this.at));
      if (this.canonical && encoded <= before) refuse("CBOR is not in its one encoding: keys are not in order");
      const name = diagnose(key);
      if (seen.has(name)) refuse(`not plain CBOR: a map has the key ${name} twice`);
      seen.add(name);
      before = encoded;
      items.set(key, this.item(depth));
    }
    return items;
  }

  key(depth) {
    const key = this.item(depth);
    const isString = typeof key === "string" || isBytes(key);
    if (!isString) this.hasOtherKey = true;
    if (this.plain && !isString && typeof key !== "bigint") refuse("a map's key is not an integer or a string");
    return key;
  }

  simple(info) {
    if (info === 20 || info === 21) return info === 21;
    if (info === 22) return null;
    if (info >= 25 && info <= 27) return this.float(info);
    if (info > 27) refuse("not plain CBOR: a break, or an unknown value");
    if (info === 24 && this.take(1)[0] < 32) refuse("not plain CBOR: a simple value is longer than need be");
    if (this.plain) refuse("not plain CBOR: not a plain value");
    return new Simple(info);
  }

  float(info) {
    if (this.canonical) refuse("CBOR holds a float where none can stand");
    const bytes = this.take(1 << (info - 24));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (info === 25) return half(view.getUint16(0));
    return info === 26 ? view.getFloat32(0) : view.getFloat64(0);
  }
}

function half(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}

// Encoding: as much as is hashed or compared here

/** The head of an item: its major type and its argument, in the shortest form (RFC 8949, 3). */
export function head(major, argument) {
  const [first, number] = [major << 5, BigInt(argument)];
  if (number < 24n) return Uint8Array.of(first | Number(number));
  const width = [1, 2, 4, 8].find((bytes) => number < 1n << BigInt(8 * bytes));
  const digits = number.toString(16).padStart(2 * width, "0");
  return Uint8Array.from([first | (24 + Math.log2(width)), ...digits.match(/../g).map((pair) => parseInt(pair, 16))]);
}

/** The one encoding of an integer, a text, bytes, or an array of those. */
export function encode(value) {
  if (typeof value === "number" || typeof value === "bigint")
    return value < 0 ? head(1, -1n - BigInt(value)) : head(0, value);
  if (typeof value === "string") return concat(head(3, utf8(value).length), utf8(value));
  if (isBytes(value)) return concat(head(2, value.length), value);
  return concat(head(4, value.length), ...value.map(encode));
}

// Diagnostic notation (RFC 8949, 8)

/** A value in words: one line, or with `indent` one item a line. */
export function diagnose(value, indent = null) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isInteger(value) ? value.toFixed(1) : String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (isBytes(value)) return `h'${hex(value)}'`;
  if (value instanceof Simple) return value.number === 23 ? "undefined" : `simple(${value.number})`;
  if (value instanceof Embedded) return `<< ${diagnose(value.value, indent)} >>`;
  if (value instanceof Tagged) return `${value.tag}(${diagnose(value.value, indent)})`;
  const isMap = value instanceof Map;
  const [open, close] = isMap ? "{}" : "[]";
  const inner = indent === null ? null : `${indent}  `;
  const items = isMap
    ? Array.from(value, ([key, item]) => `${diagnose(key)}: ${diagnose(item, inner)}`)
    : value.map((item) => diagnose(item, inner));
  const line = `${open}${items.join(", ")}${close}`;
  if (indent === null || (line.length <= 60 && !line.includes("\n"))) return line;
  return `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indent}${close}`;
}

/** A byte string whose content is CBOR itself, and a tagged item: for showing alone. */
export class Embedded {
  constructor(value) {
    this.value = value;
  }
}

export class Tagged {
  constructor(tag, value) {
    Object.assign(this, { tag, value });
  }
}
