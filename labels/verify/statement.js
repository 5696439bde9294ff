// The statement: a tagged COSE_Sign1 (RFC 9052) whose form is fixed, read item after item in its one encoding.

import { characters, concat, ofUtf8, refuse, same, utf8 } from "./bytes.js";
import { decode, Embedded, encode, head, Tagged, UINT63_MAX } from "./cbor.js";

const MESSAGE_BYTES_MAX = 256 * 1024;
const READ_BYTES_MAX = 8 * 1024; // the names and lines below take less
const NAME_CHARS_MAX = 256;
export const LINES_MAX = 64;
const [EDDSA, ED25519] = [-8, -19];
const LABELS = "the protected header has not exactly a statement's labels, each in its one encoding";
const TYPE_AND_KID = concat(Uint8Array.of(3), encode("application/vnd.tallystick+cbor"), Uint8Array.of(4), head(2, 32));

/** Read a statement; `signed` are the bytes that its signature is over (RFC 9052, 4.4). */
export function readStatement(data) {
  if (data.length > READ_BYTES_MAX) refuse("no statement of such names and lines has so many bytes");
  const reader = new Reader(data);
  reader.expect([0xd2, 0x84], "not a tagged COSE_Sign1 of four parts");
  const protectedHeader = reader.bytes();
  reader.expect([0xa0], "a statement has an empty unprotected header and carries its manifest");
  const payload = reader.bytes();
  reader.expect([0x58, 0x40], "a COSE_Sign1 with a signature that is not 64 bytes");
  const signature = reader.take(64);
  reader.end();
  return {
    data,
    protectedHeader,
    payload,
    signature,
    signed: encode(["Signature1", protectedHeader, new Uint8Array(), payload]),
    ...readHeader(new Reader(protectedHeader)),
    manifest: readManifest(new Reader(payload)),
  };
}

/** A message on the wire, `[statement, [section or null, …]]`: the bytes of each. */
export function readMessage(data) {
  if (data.length > MESSAGE_BYTES_MAX) refuse(`a message is at most ${MESSAGE_BYTES_MAX} bytes`);
  const reader = new Reader(data);
  reader.expect([0x82], "a message is [statement, [section or null, …]]");
  const [statement, count] = [reader.bytes(), reader.array()];
  if (count > LINES_MAX) refuse("a message is [statement, [section or null, …]]");
  const sections = Array.from({ length: Number(count) }, () => (reader.skips(0xf6) ? null : reader.bytes()));
  reader.end();
  return { statement, sections };
}

/** The statement in diagnostic notation, with what its byte strings hold. */
export function statementShown({ protectedHeader, payload, signature }) {
  const inside = (bytes) => new Embedded(decode(bytes));
  return new Tagged(18, [inside(protectedHeader), new Map(), inside(payload), signature]);
}

function readHeader(reader) {
  reader.expect([0xa5, 0x01], LABELS);
  const [code] = reader.take(1);
  const algorithm = [EDDSA, ED25519].find((number) => encode(number)[0] === code);
  if (algorithm === undefined) refuse("the protected header's algorithm is not a statement's");
  reader.expect(TYPE_AND_KID, "the protected header's content type or kid is not a statement's");
  const kid = reader.take(32);
  reader.expect([0x0f, 0xa4, 0x01], LABELS);
  const issuer = reader.text();
  reader.expect([0x02], LABELS);
  const subject = reader.text();
  reader.expect([0x03], LABELS);
  const audience = reader.text();
  for (const name of [issuer, subject, audience]) {
    if (!name || characters(name) > NAME_CHARS_MAX) refuse("iss, sub and aud are 1 to 256 characters");
  }
  reader.expect([0x06], LABELS);
  const issuedAt = reader.uint();
  if (issuedAt > UINT63_MAX) refuse("iat is not a time in seconds");
  reader.expect(concat(head(3, 5), utf8("tally")), LABELS);
  const tally = readTally(reader);
  reader.end();
  return { algorithm, kid, issuer, subject, audience, issuedAt, tally };
}

function readTally(reader) {
  reader.expect([0x86, 0x01], "tally is [1, lane, stream, seq, prev, clock]");
  const lane = reader.uint();
  reader.expect([0x48], "tally's stream is not 8 bytes");
  const [stream, seq] = [reader.take(8), reader.uint()];
  reader.expect([0x58, 0x20], "tally's prev is not 32 bytes");
  const [prev, clock] = [reader.take(32), reader.uint()];
  if (lane > 1n || clock > 3n || seq > UINT63_MAX) {
    refuse("tally has an unknown lane or clock quality, or a seq out of its range");
  }
  if ((seq === 0n) !== prev.every((byte) => byte === 0)) {
    refuse("a stream's first statement, and no other, has a prev of zeros");
  }
  return { lane: Number(lane), stream, seq, prev, clock: Number(clock) };
}

function readManifest(reader) {
  const count = reader.array();
  if (count > LINES_MAX) refuse("a manifest is an array of at most 64 lines");
  const lines = Array.from({ length: Number(count) }, () => readLine(reader));
  reader.end();
  return lines;
}

function readLine(reader) {
  reader.expect([0x83], "a manifest's line is [privacy, content format, digest]");
  const [privacy, contentFormat] = [reader.uint(), reader.uint()];
  reader.expect([0x58, 0x20], "a section's digest is 32 bytes");
  if (privacy > 2n || contentFormat > 65_535n) refuse("a manifest's line has an unknown privacy or content format");
  return { privacy: Number(privacy), contentFormat: Number(contentFormat), digest: reader.take(32) };
}

/** A place in CBOR whose next item is known: each method reads one and moves behind it. */
export class Reader {
  constructor(data) {
    Object.assign(this, { data, at: 0 });
  }

  take(count) {
    const start = this.at;
    this.at += count;
    return this.at > this.data.length ? refuse("not plain CBOR: it ends too early") : this.data.slice(start, this.at);
  }

  expect(literal, what) {
    if (!same(this.data.subarray(this.at, this.at + literal.length), Uint8Array.from(literal))) refuse(what);
    this.at += literal.length;
  }

  skips(byte) {
    if (this.data[this.at] !== byte) return false;
    this.at += 1;
    return true;
  }

  uint = () => this.head(0);
  array = () => this.head(4);
  bytes = () => this.take(Number(this.head(2)));
  text = () => ofUtf8(this.take(Number(this.head(3))), "a text");

  end() {
    if (this.at !== this.data.length) refuse("bytes after the end of the CBOR item");
  }

  /** The argument of an item's head, in its shortest form. */
  head(major) {
    const info = this.take(1)[0] - (major << 5);
    if (info >= 0 && info < 24) return BigInt(info);
    if (!(info >= 24 && info <= 27)) refuse("not plain CBOR of the type that stands here, in its one encoding");
    const argument = this.take(1 << (info - 24)).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
    const least = info === 24 ? 24n : 1n << BigInt(8 << (info - 25));
    return argument < least ? refuse("a number is longer than need be") : argument;
  }
}
