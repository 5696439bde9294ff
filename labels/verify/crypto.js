// The two engines that hash and check signatures: this browser's own, and noble's code within this page.

import { concat, little, ofHex, same, utf8 } from "./bytes.js";
import { hashes, Point } from "./vendor/noble-ed25519/index.js";
import { sha256, sha512 } from "./vendor/noble-hashes/sha2.js";

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

hashes.sha512 = sha512;

/** The browser's engine, WebCrypto. */
const browsers = {
  name: "browser",
  told: "this browser’s own cryptography (WebCrypto)",
  sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)),
  async holds(publicKey, signature, message) {
    try {
      const key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
      return await crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
    } catch {
      return false; // the key is no point
    }
  },
};

/** The page's own engine. */
const own = {
  name: "own",
  told: "this page’s own code (noble-ed25519 3.2.0 and noble-hashes 2.4.0)",
  sha256: async (bytes) => sha256(bytes),
  async holds(publicKey, signature, message) {
    try {
      return ownHolds(publicKey, signature, message);
    } catch {
      return false; // the key is no point
    }
  },
};

/**
 * Whether R = S·B − k·A (RFC 8032, 5.1.7), without the cofactor: noble's own `verify` multiplies by it, and so takes
 * signatures under keys of mixed order that WebCrypto and libsodium refuse.
 */
function ownHolds(publicKey, signature, message) {
  const [R, S] = [signature.subarray(0, 32), little(signature.subarray(32))];
  const k = little(sha512(concat(R, publicKey, message))) % ORDER;
  const point = Point.BASE.multiplyUnsafe(S).subtract(Point.fromBytes(publicKey).multiplyUnsafe(k));
  return same(point.toBytes(), R);
}

// RFC 8032, 7.1, test 2
const KNOWN = [
  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  "72",
].map(ofHex);

/** Whether the browser has both SHA-256 and Ed25519 (not over plain http, nor before 2025), by trying it. */
async function browserIsAble() {
  try {
    const [key, signature, message] = KNOWN;
    const good = await browsers.holds(key, signature, message);
    return good && !(await browsers.holds(key, signature, utf8("x"))) && (await browsers.sha256(message)).length === 32;
  } catch {
    return false;
  }
}

/** The engines that work here by name, the browser's first. */
export async function engines() {
  return new Map([...((await browserIsAble()) ? [["browser", browsers]] : []), ["own", own]]);
}
