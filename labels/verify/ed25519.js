// Ed25519 with one answer everywhere: what libraries disagree on is refused before either engine is asked.
//
// The rules are those of ledger/ed25519.py, which says why: A and R canonical and of large order, and S below L.

import { hex, little, refuse } from "./bytes.js";

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
// A root of d·y⁴ + 2·y² = 1: the points with this y, or its negative, have order 8.
const Y8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

const SECOND = Array.from({ length: 19 }, (_, more) => P + BigInt(more)); // second encodings of 0 to 18
const REFUSED = new Set([0n, 1n, P - 1n, Y8, P - Y8, ...SECOND].flatMap((y) => [y, y | (1n << 255n)]));

/** Check that `signature` is good for `message` under `publicKey` (32 bytes); refuses anything else. */
export async function verify(work, publicKey, signature, message) {
  if (publicKey.length !== 32) refuse(`a public key has 32 bytes, not ${publicKey.length}`);
  if (signature.length !== 64) refuse(`a signature has 64 bytes, not ${signature.length}`);
  const holds = async () => {
    if (REFUSED.has(little(publicKey))) refuse("the public key is not canonical or has a small order");
    if (REFUSED.has(little(signature.subarray(0, 32))))
      refuse("the signature's R is not canonical or has a small order");
    if (little(signature.subarray(32)) >= ORDER) refuse("the signature's S is not below the group's order");
    if (!(await work.crypto.holds(publicKey, signature, message))) refuse("the signature does not hold");
  };
  work.show("signed bytes", { bytes: message });
  work.show("public key", { bytes: publicKey });
  work.show("signature", { text: `R ${hex(signature.subarray(0, 32))}\nS ${hex(signature.subarray(32))}` });
  await holds();
  work.show("Ed25519 (RFC 8032)", { text: "the signature holds", good: true });
}
