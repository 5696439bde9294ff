"""Keys: their names, their files, their signatures."""

import hashlib
import re
from pathlib import Path

import pytest

from ledger import cbor, ed25519
from ledger.errors import UserError
from ledger.keys import SigningKey, thumbprint

# RFC 8032, 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
SIGNATURE = (
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


def test_the_thumbprints_of_rfc_9679() -> None:
    """The RFC's example is of another key type; our encoder gives its bytes and its thumbprint all the same."""
    x = bytes.fromhex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d")
    y = bytes.fromhex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c")
    encoded = cbor.encode({-3: y, -2: x, -1: 1, 1: 2})
    assert encoded.hex() == f"a401022001215820{x.hex()}225820{y.hex()}"
    digest = "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
    assert hashlib.sha256(encoded).hexdigest() == digest


def test_a_kid_is_the_thumbprint_of_the_required_parameters() -> None:
    """kty 1 (OKP), crv 6 (Ed25519) and x, in the order of their encoded labels (RFC 9679, 4.1)."""
    written_out = bytes.fromhex("a301012006215820") + PUBLIC
    assert thumbprint(PUBLIC) == hashlib.sha256(written_out).digest() == SigningKey(SEED).kid


def test_a_key_signs_as_rfc_8032_does() -> None:
    """The RFC's first test vector."""
    key = SigningKey(SEED)
    assert key.public == PUBLIC
    assert key.sign(b"").hex() == SIGNATURE


def test_a_new_key_is_a_new_key() -> None:
    """Each signs under its own public key."""
    one, other = SigningKey.generate(), SigningKey.generate()
    assert one.kid != other.kid
    ed25519.verify(one.public, one.sign(b"x"), b"x")


def test_a_key_does_not_show_its_secret() -> None:
    """Neither in a traceback nor in a log."""
    shown = repr(SigningKey(SEED))
    assert SigningKey(SEED).kid.hex()[:16] in shown
    assert SEED.hex() not in shown


def test_a_saved_key_is_loaded(tmp_path: Path) -> None:
    """A key file says what it is, holds the same key, and opens to its owner only."""
    path = tmp_path / "new" / "device.key"
    SigningKey(SEED).save(path, "the device's")
    assert SigningKey.load(path).public == PUBLIC
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().splitlines()[:2] == ["# the device's", f"# kid {thumbprint(PUBLIC).hex()}"]


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """What exists already stays, whatever it is."""
    path = tmp_path / "device.key"
    path.write_text("precious")
    with pytest.raises(UserError, match="exists already") as caught:
        SigningKey(SEED).save(path, "")
    assert caught.value.hint
    assert path.read_text() == "precious"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# kid 00\n",
        b"\xff\xfe",
        b"TALLYSTICK-SECRET-KEY-1:\n",
        b"TALLYSTICK-SECRET-KEY-1:AAAA\n",
        b"TALLYSTICK-SECRET-KEY-1:!!!!\n",
        b"TALLYSTICK-SECRET-KEY-1:" + b"A" * 44 + b"\n",
        b" TALLYSTICK-SECRET-KEY-1:" + b"A" * 43 + b"=\n",
        b"TALLYSTICK-SECRET-KEY-2:" + b"A" * 43 + b"=\n",
    ],
)
def test_what_is_no_key_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """The user is told, and what a key file looks like."""
    path = tmp_path / "device.key"
    path.write_bytes(content)
    with pytest.raises(UserError, match=re.escape(f"{path} is not a Tallystick secret key")) as caught:
        SigningKey.load(path)
    assert "TALLYSTICK-SECRET-KEY-1:" in caught.value.hint


def test_a_key_file_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, or a folder: the user is told why."""
    with pytest.raises(UserError, match=r"cannot read the key .* No such file"):
        SigningKey.load(tmp_path / "none.key")
    with pytest.raises(UserError, match=r"cannot read the key .* directory"):
        SigningKey.load(tmp_path)
