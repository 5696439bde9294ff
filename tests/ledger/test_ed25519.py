"""Ed25519 with one answer everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_sign, crypto_sign_seed_keypair

from ledger import ed25519
from ledger.errors import SignatureError

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

# seed, public key, message, signature: tests 1, 2, 3 and SHA(abc) of RFC 8032, 7.1.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]

# message, public key, signature, complaint: the cases of "Taming the many EdDSAs" (ed25519-speccheck).
SPECCHECK = [
    (
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "public key .* small order",
    ),
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        "public key .* small order",
    ),
    (
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
        "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        "R .* small order",
    ),
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
        "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        None,  # mixed orders, and the equation holds without the cofactor
    ),
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
        "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        "does not hold",  # only with the cofactor
    ),
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
        "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        "does not hold",
    ),
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
        "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        "not below the group's order",
    ),
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
        "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        "not below the group's order",
    ),
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        "R is not canonical",
    ),
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        "R is not canonical",
    ),
    (
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        "public key is not canonical",
    ),
    (
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
        "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        "public key is not canonical",
    ),
]

PUBLIC, SECRET = crypto_sign_seed_keypair(bytes(range(32)))
MESSAGE = b"a tally stick was split down its notches"
SIGNATURE = crypto_sign(MESSAGE, SECRET)[:64]


def refused_encodings() -> list[bytes]:
    """Every string of 32 bytes that is a second encoding or a point of small order, by the curve's own equations.

    A point has order 1 or 2 if x = 0, order 4 if y = 0, and order 8 if doubling it gives y = 0, so x² = -y²:
    with the curve's -x² + y² = 1 + d·x²·y², that is d·y⁴ + 2·y² - 1 = 0.
    """
    i = pow(2, (P - 1) // 4, P)
    squares = [(root - 1) * pow(D, -1, P) % P for root in both_roots((1 + D) % P, i)]
    order_8 = [y for square in squares for y in both_roots(square, i)]
    ys = {0, 1, P - 1, *order_8, *range(P, 2**255)}
    return [(y | sign << 255).to_bytes(32, "little") for y in ys for sign in (0, 1)]


def both_roots(square: int, i: int) -> list[int]:
    """The square roots modulo p, none if there are none (RFC 8032, 5.1.3)."""
    root = pow(square, (P + 3) // 8, P)
    return [x for x in {root, P - root, root * i % P, (P - root) * i % P} if x * x % P == square]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_rfc_8032_vectors_hold(seed: str, public: str, message: str, signature: str) -> None:
    """The RFC's own signatures are good."""
    assert crypto_sign_seed_keypair(bytes.fromhex(seed))[0].hex() == public
    ed25519.verify(bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize(("message", "public", "signature", "complaint"), SPECCHECK)
def test_the_edges_have_one_answer(message: str, public: str, signature: str, complaint: str | None) -> None:
    """What libraries disagree on is refused, each for its reason."""
    arguments = [bytes.fromhex(value) for value in (public, signature, message)]
    if complaint is None:
        ed25519.verify(*arguments)
        return
    with pytest.raises(SignatureError, match=complaint):
        ed25519.verify(*arguments)


def test_the_refused_points_are_those_the_curve_has() -> None:
    """The list in the code is what the curve's equations give: 10 of small order and 38 second encodings."""
    assert len(refused_encodings()) == 48
    assert set(refused_encodings()) == ed25519._REFUSED_POINTS


@pytest.mark.parametrize("point", refused_encodings())
def test_a_refused_point_is_neither_key_nor_r(point: bytes) -> None:
    """A point of small order or in a second encoding is refused as A and as R."""
    with pytest.raises(SignatureError, match="public key is not canonical or has a small order"):
        ed25519.verify(point, SIGNATURE, MESSAGE)
    with pytest.raises(SignatureError, match="R is not canonical or has a small order"):
        ed25519.verify(PUBLIC, point + SIGNATURE[32:], MESSAGE)


def test_s_plus_l_is_no_second_signature() -> None:
    """S + L would satisfy the same equation, and is refused; so is every S from L on."""
    s = int.from_bytes(SIGNATURE[32:], "little")
    for malleated in (s + L, L, 2**256 - 1):
        with pytest.raises(SignatureError, match="not below the group's order"):
            ed25519.verify(PUBLIC, SIGNATURE[:32] + malleated.to_bytes(32, "little"), MESSAGE)


def test_every_flipped_bit_is_noticed() -> None:
    """No bit of key, signature or message can change."""
    ed25519.verify(PUBLIC, SIGNATURE, MESSAGE)
    whole = PUBLIC + SIGNATURE + MESSAGE
    for bit in range(len(whole) * 8):
        spoiled = bytearray(whole)
        spoiled[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SignatureError):
            ed25519.verify(bytes(spoiled[:32]), bytes(spoiled[32:96]), bytes(spoiled[96:]))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_has_32_bytes(length: int) -> None:
    """A key of another length is refused."""
    with pytest.raises(SignatureError, match=f"32 bytes, not {length}"):
        ed25519.verify(bytes(length), SIGNATURE, MESSAGE)


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_has_64_bytes(length: int) -> None:
    """A signature of another length is refused."""
    with pytest.raises(SignatureError, match=f"64 bytes, not {length}"):
        ed25519.verify(PUBLIC, bytes(length), MESSAGE)


junk = st.none() | st.integers() | st.text() | st.binary() | st.lists(st.integers(0, 255), max_size=64)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64), st.binary())
def test_random_bytes_are_no_signature(public: bytes, signature: bytes, message: bytes) -> None:
    """Bytes of the right lengths raise SignatureError and nothing else."""
    with pytest.raises(SignatureError):
        ed25519.verify(public, signature, message)


@given(junk, junk, junk)
def test_anything_else_is_no_signature(public: object, signature: object, message: object) -> None:
    """Values of any type and length raise SignatureError and nothing else."""
    with pytest.raises(SignatureError):
        ed25519.verify(public, signature, message)  # type: ignore[arg-type]


@pytest.mark.parametrize("position", range(3))
def test_only_bytes_are_bytes(position: int) -> None:
    """A bytearray could change between the checks and the library."""
    arguments: list[bytes] = [PUBLIC, SIGNATURE, MESSAGE]
    arguments[position] = bytearray(arguments[position])  # type: ignore[call-overload]
    with pytest.raises(SignatureError, match="are bytes"):
        ed25519.verify(*arguments)
