"""Ed25519 signatures (RFC 8032) with one answer everywhere.

RFC 8032 leaves room at the edges, and libraries use it: libsodium, OpenSSL and WebCrypto disagree on 165 of the
914 public edge vectors (C2SP CCTV, ed25519). A ledger cannot have a signature that only some of its readers
accept. So what they disagree on is refused here first, and only then is the library asked. Why each check
matters: "Taming the many EdDSAs" (https://eprint.iacr.org/2020/1244).

Not refused is a key of large order that has a component of small order as well. No list of bytes could name those
keys, and nobody need: the libraries check the equation without the cofactor, and so treat them alike.
"""

from nacl import bindings  # which makes libsodium ready
from nacl._sodium import ffi, lib  # type: ignore[import-not-found]

from ledger.errors import SignatureError

PUBLIC_KEY_BYTES = bindings.crypto_sign_PUBLICKEYBYTES
SIGNATURE_BYTES = bindings.crypto_sign_BYTES

# libsodium's own `crypto_sign_open`, which only verifies where it is given no place to put the message. PyNaCl's has
# the message put somewhere and copies it from there: 2 % of its time.
_open, _NOWHERE = lib.crypto_sign_open, ffi.NULL

# The field's prime and the group's order (RFC 8032, 5.1).
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493

# A root of d·y⁴ + 2·y² = 1: the points with this y, or its negative, have order 8.
_Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826


def _encodings(y: int) -> tuple[bytes, bytes]:
    """The two 32-byte strings for a `y` below 2**255: without and with the sign bit of x (RFC 8032, 5.1.2)."""
    return y.to_bytes(32, "little"), (y | 1 << 255).to_bytes(32, "little")


# Every encoding of a point that is not canonical or of small order, so that one look-up decides both:
# - y = 0, ±1, ±_Y8 are the points of order 1, 2, 4 and 8. x = 0 only if y = ±1, so with the sign bit
#   these hold the encodings of a negative zero as well;
# - y from p to 2**255 - 1 are second encodings of y - p.
_REFUSED_POINTS = frozenset(
    encoding for y in (0, 1, _P - 1, _Y8, _P - _Y8, *range(_P, 2**255)) for encoding in _encodings(y)
)


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Check that `signature` (64 bytes, R ‖ S) is good for `message` under `public_key` (32 bytes, A).

    Raises SignatureError for anything else, whatever is given.
    """
    # (1) Three byte strings, two of fixed length.
    if not (type(public_key) is type(signature) is type(message) is bytes):
        raise SignatureError("a public key, a signature and a message are bytes")
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise SignatureError(f"a public key has {PUBLIC_KEY_BYTES} bytes, not {len(public_key)}")
    if len(signature) != SIGNATURE_BYTES:
        raise SignatureError(f"a signature has {SIGNATURE_BYTES} bytes, not {len(signature)}")
    # (2) A and R are canonical (RFC 8032, 5.1.3) and of large order.
    if public_key in _REFUSED_POINTS:
        raise SignatureError("the public key is not canonical or has a small order")
    if signature[:32] in _REFUSED_POINTS:
        raise SignatureError("the signature's R is not canonical or has a small order")
    # (3) S < L, or S + L would be a second signature (RFC 8032, 5.1.7 and 8.4); most are below 2**252.
    if signature[63] >= 16 and int.from_bytes(signature[32:], "little") >= _L:
        raise SignatureError("the signature's S is not below the group's order")
    # (4) The library: A is a point, and S·B = R + k·A.
    signed = signature + message
    if _open(_NOWHERE, _NOWHERE, signed, len(signed), public_key) != 0:
        raise SignatureError("the signature does not hold")
