// Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint).

import { base64, concat, hex, matches, ofBase64, refuse, same, utf8 } from "./bytes.js";
import { UINT63_MAX } from "./cbor.js";
import * as ed25519 from "./ed25519.js";

const NOTE_BYTES_MAX = 1_000_000;
const SIGNATURES_MAX = 100;
const ED25519_TYPE = 1;
const CONTROL = /[\x00-\x09\x0b-\x1f]/;
// What Python's str.isspace holds for a space.
const SPACE = /[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** A verifier key (vkey) `name+keyid+base64`, in its one form. */
export async function readVerifierKey(work, vkey) {
  if (typeof vkey !== "string" || vkey.split("+").length < 3) refuse("a verifier key is written name+keyid+base64");
  const [name] = vkey.split("+", 1);
  const encoded = vkey.slice(vkey.indexOf("+", name.length + 1) + 1);
  const key = ofBase64(encoded, "a verifier key");
  if (key[0] !== ED25519_TYPE) refuse("the verifier key is not of type Ed25519 (0x01)");
  const made = await verifierKey(work, name, key.slice(1));
  return made.vkey === vkey ? made : refuse(`the verifier key's id is not ${hex(made.keyId)}`);
}

/** The verifier key of an Ed25519 public key that signs notes under `name`. */
export async function verifierKey(work, name, publicKey) {
  requireName(name);
  if (publicKey.length !== 32) refuse("an Ed25519 public key has 32 bytes");
  const key = concat(Uint8Array.of(ED25519_TYPE), publicKey);
  const keyId = (await work.crypto.sha256(concat(utf8(`${name}\n`), key))).slice(0, 4);
  return { name, keyId, publicKey, vkey: `${name}+${hex(keyId)}+${base64(key)}` };
}

/** A note's text, and which of `keys` signed it, one at least. A known key's bad signature refuses the whole. */
export async function openNote(work, note, keys, bytesMax = NOTE_BYTES_MAX) {
  requireText(note, bytesMax);
  const [text, signatures] = parse(note);
  const signed = new Set();
  for (const signature of signatures) {
    const key = keys.find(({ name, keyId }) => name === signature.name && same(keyId, signature.keyId));
    if (!key) continue;
    work.show("the signed note", { text: note });
    work.show("the log's key, as the trust file pins it", { text: key.vkey });
    try {
      await ed25519.verify(work, key.publicKey, signature.value, utf8(text));
    } catch (error) {
      error.message = `bad signature by ${key.name}+${hex(key.keyId)}: ${error.message}`;
      throw error;
    }
    signed.add(key);
  }
  return signed.size ? { text, keys: Array.from(signed) } : refuse("no known key signed the note");
}

function requireText(text, bytesMax = NOTE_BYTES_MAX) {
  if (text.length > 2 * bytesMax || utf8(text).length > bytesMax) refuse(`a note is text of at most ${bytesMax / 1e6} MB`);
  if (CONTROL.test(text)) refuse("the note has a control character");
}

function parse(note) {
  const at = note.lastIndexOf("\n\n");
  if (at < 0) refuse("the note has no empty line before its signatures");
  const block = note.slice(at + 2);
  if (!block.endsWith("\n")) refuse("the note does not end in a signature line");
  const lines = block.slice(0, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) refuse(`the note has more than ${SIGNATURES_MAX} signatures`);
  return [note.slice(0, at + 1), lines.map(parseSignature)];
}

function parseSignature(line) {
  const [, dash, name, encoded] = /^([^ ]*) ?([^ ]*) ?(.*)$/s.exec(line);
  if (dash !== "—") refuse("a signature line begins with an em dash and a space");
  requireName(name);
  const data = ofBase64(encoded, "a signature");
  if (data.length <= 4) refuse("the signature line has no signature");
  return { name, keyId: data.slice(0, 4), value: data.slice(4) };
}

function requireName(name) {
  if (!name || name.includes("+") || SPACE.test(name))
    refuse("a key name is not empty and has no space and no plus sign");
  requireText(name);
}

/** A checkpoint's origin, size and root, from the text of a note that was opened. */
export function readCheckpoint(text) {
  const lines = text.slice(0, -1).split("\n");
  if (lines.length < 3) refuse("a checkpoint has an origin, a size and a root, each on a line of its own");
  const [origin, size, encoded, ...extensions] = lines;
  if (!matches(/0|[1-9][0-9]{0,18}/, size)) refuse("the size is not a decimal number without leading zeros");
  if (BigInt(size) > UINT63_MAX) refuse("a tree's size is a number from 0 to 2**63 - 1");
  const root = ofBase64(encoded, "the root");
  if (root.length !== 32) refuse("a root has 32 bytes");
  if (!origin || extensions.includes("")) refuse("the origin or an extension line is empty");
  return { origin, size: BigInt(size), root };
}
