"""Signed notes: the public vectors, then every way to be malformed."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from ledger import b64, note
from ledger.checkpoint import Checkpoint
from ledger.errors import NoteError, SignatureError
from ledger.note import Signature, Signer, Verifier


class Key:
    """An Ed25519 key from its seed."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public = bytes(self._key.verify_key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature


# The vectors of golang.org/x/mod/sumdb/note.
PETER = Verifier.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
ENOCH = Verifier.parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
PETER_KEY = Key(b64.decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:])
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_64 = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
ENOCH_64 = "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ="
PETER_LINE = f"— PeterNeumann {PETER_64}\n"
ENOCH_LINE = f"— EnochRoot {ENOCH_64}\n"
SIGNED = f"{TEXT}\n{PETER_LINE}"


def signature(name: str, encoded: str) -> Signature:
    data = b64.decode(encoded)
    return Signature(name, data[:4], data[4:])


PETER_SIGNATURE = signature("PeterNeumann", PETER_64)
ENOCH_SIGNATURE = signature("EnochRoot", ENOCH_64)


def refused(text: Any, complaint: str, *verifiers: Verifier) -> None:
    with pytest.raises(NoteError, match=complaint):
        note.open(text, verifiers or [PETER])


# Keys


@pytest.mark.parametrize("verifier", [PETER, ENOCH])
def test_a_verifier_key_reads_back(verifier: Verifier) -> None:
    """A vkey has one form, which names the key by its id."""
    assert Verifier.parse(verifier.vkey) == verifier
    assert f"{verifier.name}+{verifier.key_id.hex()}+" in verifier.vkey
    assert len(verifier.public_key) == 32


def test_a_part_of_a_verifier_key_is_none() -> None:
    """No shorter piece of a vkey is a vkey."""
    vkey = PETER.vkey
    for start in range(len(vkey) + 1):
        for end in range(start, len(vkey) + 1):
            if (start, end) != (0, len(vkey)):
                with pytest.raises(NoteError):
                    Verifier.parse(vkey[start:end])


def test_a_changed_verifier_key_is_none() -> None:
    """No character of a vkey can change; nor can the key id's case."""
    vkey = PETER.vkey
    for i, character in enumerate(vkey):
        with pytest.raises(NoteError):
            Verifier.parse(vkey[:i] + chr(ord(character) + 1) + vkey[i + 1 :])
    with pytest.raises(NoteError, match="id is not c74f20a3"):
        Verifier.parse(vkey.replace("c74f20a3", "C74F20A3"))


@pytest.mark.parametrize(
    ("vkey", "complaint"),
    [
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "base64|one encoding"),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "not of type Ed25519"),
        ("PeterNeumann+c74f20a3+", "not of type Ed25519"),
        ("PeterNeumann+c74f20a3+AQ==", "32 bytes"),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key name"),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "key name"),
        ("Peter\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "UTF-8"),
        ("PeterNeumann", "name.keyid.base64"),
        (b"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "name.keyid.base64"),
        (None, "name.keyid.base64"),
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: Any, complaint: str) -> None:
    """Other types, lengths and names are refused, even with a key id that fits."""
    with pytest.raises(NoteError, match=complaint):
        Verifier.parse(vkey)


@pytest.mark.parametrize("space", [" ", "\t", "\u0085", "\u00a0", "\u2003", "\u2028", "\u202f", "\u3000", "+", "\x01"])
def test_a_name_has_no_space_and_no_plus(space: str) -> None:
    """Unicode's spaces, the plus sign and control characters are in no key's name."""
    for name in (space, f"a{space}", f"{space}a", f"a{space}b"):
        with pytest.raises(NoteError):
            Verifier(name, PETER.public_key)
        with pytest.raises(NoteError):
            Signer(name, PETER_KEY)


@pytest.mark.parametrize(("name", "key"), [("", bytes(32)), (1, bytes(32)), ("a", bytes(31)), ("a", bytearray(32))])
def test_there_is_no_unfit_verifier(name: Any, key: Any) -> None:
    """A Verifier that exists has a vkey that reads."""
    with pytest.raises(NoteError):
        Verifier(name, key)


def test_a_signer_is_its_verifier() -> None:
    """Name, key id and vkey are the same on both sides; the key does not show."""
    signer = Signer("PeterNeumann", PETER_KEY)
    assert signer.verifier == PETER
    assert (signer.key_id, signer.vkey) == (PETER.key_id, PETER.vkey)
    assert repr(signer) == "Signer(name='PeterNeumann')"


# Opening


def test_one_known_signature() -> None:
    """A known key's signature is verified, an unknown key's is handed on as such."""
    opened = note.open(SIGNED + ENOCH_LINE, [PETER])
    assert opened.text == TEXT
    assert opened.signatures == (PETER_SIGNATURE,)
    assert opened.unverified == (ENOCH_SIGNATURE,)
    assert note.open((SIGNED + ENOCH_LINE).encode(), [PETER]) == opened


def test_two_known_signatures() -> None:
    """Signatures come in the note's order."""
    opened = note.open(SIGNED + ENOCH_LINE, [ENOCH, PETER])
    assert opened.signatures == (PETER_SIGNATURE, ENOCH_SIGNATURE)
    assert opened.unverified == ()


def test_no_known_signature() -> None:
    """A note that no known key signed is nothing."""
    refused(f"{TEXT}\n{ENOCH_LINE}", "no known key", PETER)
    with pytest.raises(NoteError, match="no known key"):
        note.open(SIGNED, [])


def test_a_repeated_signature_counts_once() -> None:
    """Counting signatures counts keys."""
    opened = note.open(SIGNED + PETER_LINE + ENOCH_LINE + ENOCH_LINE, [PETER])
    assert opened.signatures == (PETER_SIGNATURE,)
    assert opened.unverified == (ENOCH_SIGNATURE,)


def test_a_known_keys_bad_signature_spoils_the_note() -> None:
    """A signature of a known key that does not hold is an error, even beside good ones."""
    bad = Signature(PETER.name, PETER.key_id, bytes(64)).line
    short = Signature(PETER.name, PETER.key_id, b"\x00").line
    for line in (bad, short):
        for text in (f"{TEXT}\n{line}", SIGNED + line, f"{TEXT}\n{line}{PETER_LINE}{ENOCH_LINE}"):
            refused(text, r"bad signature by PeterNeumann\+c74f20a3", PETER, ENOCH)
    refused(SIGNED.replace("problem is", "Problem is"), "bad signature")


def test_a_key_is_known_by_name_and_id() -> None:
    """A signature with a known name or a known id, but not both, is an unknown key's."""
    other_name = Signature("CarmenSandiego", PETER.key_id, PETER_SIGNATURE.value)
    other_id = Signature("PeterNeumann", b"\xc7\x1c\x71\xc7", PETER_SIGNATURE.value)
    for unknown in (other_name, other_id):
        refused(f"{TEXT}\n{unknown.line}", "no known key")
        assert note.open(SIGNED + unknown.line, [PETER]).unverified == (unknown,)


def test_ambiguous_keys_are_refused() -> None:
    """Two verifiers of one name and key id are an error, used or not."""
    refused(f"{TEXT}\n{ENOCH_LINE}", r"ambiguous key EnochRoot\+af0cfe78", ENOCH, PETER, ENOCH)
    refused(SIGNED, "ambiguous key", PETER, Verifier(PETER.name, PETER.public_key))


def test_other_types_of_key_join() -> None:
    """Whatever has a name, a key id and `verify` can check its own type of signature."""

    class Cosigner:
        name = "witness.example.com"
        key_id = b"\x01\x02\x03\x04"

        def verify(self, message: bytes, signature: bytes) -> None:
            if (message, signature) != (TEXT.encode(), b"seen"):
                raise SignatureError("not seen")

    good = Signature(Cosigner.name, Cosigner.key_id, b"seen")
    assert note.open(SIGNED + good.line, [PETER, Cosigner()]).signatures == (PETER_SIGNATURE, good)
    bad = Signature(Cosigner.name, Cosigner.key_id, b"unseen")
    with pytest.raises(NoteError, match=r"bad signature by witness.example.com\+01020304: not seen"):
        note.open(SIGNED + bad.line, [Cosigner()])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no empty line"),
        ("\n", "no empty line"),
        ("\n\n", "end in a signature line"),
        (TEXT, "no empty line"),
        (TEXT + "\n", "end in a signature line"),
        (TEXT + PETER_LINE, "no empty line"),
        (SIGNED[:-1], "end in a signature line"),
        (SIGNED + "\n", "end in a signature line"),
        (SIGNED + "Unexpected line.\n", "em dash"),
        (SIGNED + "\n" + "text\n", "em dash"),
        (f"{TEXT}\n—{PETER_LINE[2:]}", "em dash"),
        (f"{TEXT}\n-{PETER_LINE[1:]}", "em dash"),
        (f"{TEXT}\n {PETER_LINE}", "em dash"),
        (f"{TEXT}\n— {PETER_LINE[1:]}", "key name"),
        (f"{TEXT}\n— {PETER_64}\n", "base64|key name|no signature"),
        (f"{TEXT}\n— Bad Name {PETER_64}\n", "not base64"),
        (f"{TEXT}\n— Bad+Name {PETER_64}\n", "key name"),
        (f"{TEXT}\n— PeterNeumann  {PETER_64}\n", "not base64"),
        (f"{TEXT}\n— PeterNeumann {PETER_64} \n", "not base64"),
        (f"{TEXT}\n— PeterNeumann\n", "no signature"),
        (f"{TEXT}\n— PeterNeumann {PETER_64[:-1]}\n", "not base64"),
        (f"{TEXT}\n— PeterNeumann {PETER_64[:-2]}N=\n", "one encoding"),
        (f"{TEXT}\n— PeterNeumann x08gow==\n", "no signature"),
        ("\x01" + SIGNED, "control"),
        (SIGNED.replace("\n", "\r\n"), "control"),
        (SIGNED.replace(" ", "\t"), "control"),
        ("\x00" + SIGNED, "control"),
        ("\x1f" + SIGNED, "control"),
        ("\ud800" + SIGNED, "not UTF-8"),
        (b"\xff" + SIGNED.encode(), "not UTF-8"),
        (b"\xed\xa0\x80" + SIGNED.encode(), "not UTF-8"),
        (b"\xc0\x8a" + SIGNED.encode(), "not UTF-8"),
        (bytearray(SIGNED.encode()), "is text"),
        (None, "is text"),
        (7, "is text"),
        ([SIGNED], "is text"),
    ],
)
def test_what_is_no_note_is_refused(text: Any, complaint: str) -> None:
    """Every part has one form."""
    refused(text, complaint)


def test_a_note_is_bounded() -> None:
    """100 signatures and 1 MB are a note, 101 and a byte more are none, whoever signed."""
    assert note.open(SIGNED + ENOCH_LINE * 99, [PETER]).signatures == (PETER_SIGNATURE,)
    refused(SIGNED + ENOCH_LINE * 100, "more than 100")
    refused(f"{TEXT}\n{PETER_LINE * 101}", "more than 100")
    signer = Signer("PeterNeumann", PETER_KEY)
    rest = len(note.sign("\n", [signer]).encode())
    largest = note.sign("é" * ((1_000_000 - rest) // 2) + "a" * (rest % 2) + "\n", [signer])
    assert len(largest.encode()) == 1_000_000
    assert len(note.open(largest, [PETER]).signatures) == 1
    for text in ("a" + largest, ("a" + largest).encode(), "a" * 1_000_001):
        refused(text, "1 MB")


@pytest.mark.parametrize("text", ["\n", "\n\n", "a\n\n", "\n\n\n\n", "a\n\nb\n", "— x AAAA\n", f"{SIGNED}", "\u2028\n"])
def test_a_text_may_have_empty_lines(text: str) -> None:
    """The last empty line parts text and signatures; even a signed note can be a note's text."""
    signed = note.sign(text, [Signer("PeterNeumann", PETER_KEY)])
    assert note.open(signed, [PETER]).text == text


# Signing


def test_signing_makes_the_public_vector() -> None:
    """Ed25519 is deterministic: our note is the one that Go's package makes."""
    assert note.sign(TEXT, [Signer("PeterNeumann", PETER_KEY)]) == SIGNED


def test_several_signers_sign_in_order() -> None:
    """Each signs the text alone, so lines can be added and taken away."""
    signers = [Signer("example.com/log", Key(bytes([n]) * 32)) for n in range(3)]
    signed = note.sign(TEXT, signers)
    assert signed.startswith(TEXT + "\n— example.com/log ")
    opened = note.open(signed, [signer.verifier for signer in signers])
    assert [one.key_id for one in opened.signatures] == [signer.key_id for signer in signers]
    assert signed == TEXT + "\n" + "".join(one.line for one in opened.signatures)


@pytest.mark.parametrize(
    "text", ["", "abc", "abc\n\ndef", "a\tb\n", "\ud800\n", "a" * 1_000_000 + "\n", None, b"abc\n"]
)
def test_what_is_no_text_is_not_signed(text: Any) -> None:
    """We do not sign what we would not open."""
    with pytest.raises(NoteError):
        note.sign(text, [Signer("PeterNeumann", PETER_KEY)])


def test_a_note_needs_signers_each_once() -> None:
    """No signer, one signer twice and more than 100 make no note."""
    signer = Signer("PeterNeumann", PETER_KEY)
    with pytest.raises(NoteError, match="end in a signature line"):
        note.sign(TEXT, [])
    with pytest.raises(NoteError, match="ambiguous"):
        note.sign(TEXT, [signer, signer])
    with pytest.raises(NoteError, match="more than 100"):
        note.sign(TEXT, [Signer(f"log{n}", PETER_KEY) for n in range(101)])


# With the neighbours


def test_the_specifications_checkpoint_is_a_note() -> None:
    """The example of C2SP tlog-checkpoint parses; its key is unknown, so it says nothing alone."""
    line = (
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    refused(f"{text}\n{line}", "no known key")
    signed = note.sign(text, [Signer("PeterNeumann", PETER_KEY)]) + line
    opened = note.open(signed, [PETER])
    assert Checkpoint.parse(opened.text).text == text
    assert [one.line for one in opened.unverified] == [line]


# Totality

pieces = st.sampled_from(
    [TEXT, "\n", "\n\n", "— ", PETER_LINE, ENOCH_LINE, PETER_64, "PeterNeumann ", "x08gow==", "\t", "\ud800", "+"]
)


@given(st.text() | st.binary() | st.lists(pieces | st.text(max_size=3), max_size=8).map("".join))
@example(SIGNED)
def test_opening_is_total(text: str | bytes) -> None:
    """Anything gives a note that a known key signed, or NoteError."""
    try:
        opened = note.open(text, [PETER])
    except NoteError:
        return
    assert [one.name for one in opened.signatures] == ["PeterNeumann"]
    PETER.verify(opened.text.encode(), opened.signatures[0].value)


@given(st.text() | st.lists(pieces | st.sampled_from([PETER.vkey, "c74f20a3", "A"]), max_size=5).map("+".join))
def test_parsing_a_key_is_total(vkey: str) -> None:
    """Any text gives the verifier that has it for a vkey, or NoteError."""
    try:
        verifier = Verifier.parse(vkey)
    except NoteError:
        return
    assert verifier.vkey == vkey


@given(st.text(max_size=10).map(lambda text: text + "\n"))
def test_what_is_signed_opens(text: str) -> None:
    """A text either cannot be signed or comes back as it was."""
    try:
        signed = note.sign(text, [Signer("PeterNeumann", PETER_KEY)])
    except NoteError:
        return
    assert note.open(signed, [PETER]).text == text
