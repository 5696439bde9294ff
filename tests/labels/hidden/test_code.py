"""Hidden codes: how they are made, read and committed to, and what is asked and answered of them."""

import hashlib
import json
from dataclasses import replace

import pytest

from labels.hidden import asked, code
from labels.hidden.answer import Answer, Commitment, Result
from labels.hidden.tries import FORGOTTEN_S, WRONG_MAX, Tries
from labels.serial import ALPHABET
from ledger.errors import MalformedError, SignatureError
from ledger.keys import SigningKey

PATH, KEY, SIGNER = "/01/09506000134352/21/7K3M9QX2AB", bytes(range(32)), SigningKey(bytes(range(32)))
CODE = code.make(KEY, PATH).code
ASKED = asked.Asked(PATH, CODE, bytes(range(16)))


def test_a_code_is_its_keys_and_its_labels() -> None:
    """The same again; another for another key or another label; and always of the alphabet, 80 bits of it."""
    made = code.make(KEY, PATH)
    assert made == code.make(KEY, PATH) and len(made.code) == 16 and len(made.secret) == 16
    others = {code.make(key, path).code for key in (KEY, bytes(32)) for path in (PATH, PATH[:-1], PATH + "C")}
    assert len(others) == 6 and len(ALPHABET) == 32
    assert set("".join(code.make(KEY, f"{PATH}{n}").code for n in range(200))) == set(ALPHABET)


def test_a_commitment_is_what_the_design_says() -> None:
    """SHA-256 of the context, the secret bytes, the canonical path and the code: by other means than ours."""
    made = code.make(KEY, PATH)
    wanted = hashlib.sha256(b"tallystick-hidden/1" + made.secret + PATH.encode() + made.code.encode()).digest()
    assert code.commitment(made.secret, PATH, made.code) == wanted
    [(secret, committed)] = code.commitments(KEY, [PATH])
    assert (secret, committed) == (made.secret, wanted)


@pytest.mark.parametrize("typed", ["7K3M9QX2ABCDEFGH", "7k3m 9qx2 abcd efgh", " 7K3M-9QX2-ABCD-EFGH\n"])
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    """In groups, with dashes, in lower case."""
    assert code.read(typed) == "7K3M9QX2ABCDEFGH"
    assert code.groups(code.read(typed)) == ["7K3M", "9QX2", "ABCD", "EFGH"]


@pytest.mark.parametrize(
    "typed", ["", "7K3M", "7K3M9QX2ABCDEFG0", "7K3M9QX2ABCDEFGI", "7K3M9QX2ABCDEFGHJ", "7K3M9QX2ABCDEFGß", " " * 100]
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    """Too short, too long, or with a character that no code has."""
    with pytest.raises(MalformedError, match="16 characters"):
        code.read(typed)


def test_the_code_stands_behind_the_hash_of_its_link() -> None:
    """No server is sent it; and a link without one has none."""
    link = code.link("id.example.com", PATH, CODE)
    assert link == f"https://id.example.com{PATH}#h={CODE}" and "?" not in link
    assert code.in_link(link) == CODE and code.in_link(f"https://id.example.com{PATH}") == ""


def test_a_form_and_json_ask_the_same() -> None:
    """By the path, or any of the label's links, signed or not, with or without the code in it."""
    nonce = ASKED.nonce.hex()
    assert asked.read_form(f"label={PATH}&code={CODE}&nonce={nonce}".encode()) == ASKED
    for link in (PATH, f"https://id.example.org{PATH}?s=1", code.link("id.example.com", PATH, CODE)):
        said = {"label": link, "code": CODE.lower(), "nonce": nonce}
        assert asked.read_json(json.dumps(said).encode()) == ASKED


@pytest.mark.parametrize(
    "change",
    [
        {"label": "/01/09506000134352"}, {"label": "/00/095060001343520017"}, {"label": "nonsense"}, {"label": 1},
        {"code": "X"}, {"code": None}, {"nonce": "00" * 15}, {"nonce": "00" * 65}, {"nonce": "AA" * 16}, {"more": "1"},
        {"label": "/01/09506000134353/21/A"},
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(change: dict[str, object]) -> None:
    """Another thing than an item's, no code, a nonce too short, too long or in another writing, a field too many."""
    said = {"label": PATH, "code": CODE, "nonce": ASKED.nonce.hex()} | change
    with pytest.raises(MalformedError):
        asked.read_json(json.dumps(said).encode())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[" * 4000, b"{}" + b" " * 4096, b"\xff", b"label=a&label=b", b"a=1&b=2&c=3&d=4"]
)
def test_no_body_is_more_than_refused(body: bytes) -> None:
    """Whatever is sent."""
    for read in (asked.read_json, asked.read_form):
        with pytest.raises(MalformedError):
            read(body)


@pytest.mark.parametrize("result", Result)
def test_an_answer_is_signed_over_all_that_was_asked_and_said(result: Result) -> None:
    """One bit else in the nonce, the label, the code, the result or a time, and nobody has signed it."""
    is_right = result in (Result.FIRST, Result.AGAIN)
    committed = Commitment(bytes(32), 3, bytes(16), (bytes(32),)) if is_right else None
    at = 1_700_000_000_000 if is_right else None
    answer = Answer.sign(SIGNER, ASKED, result, answered_ms=1_700_000_000_001, redeemed_ms=at, commitment=committed)
    assert Answer.read(json.loads(json.dumps(answer.document))) == answer
    answer.verify(SIGNER.public, ASKED)
    others = [
        (answer, replace(ASKED, nonce=bytes(16))),
        (answer, replace(ASKED, path=PATH + "C")),
        (answer, replace(ASKED, code="2" * 16)),
        (replace(answer, answered_ms=0), ASKED),
        (replace(answer, redeemed_ms=1), ASKED),
        *((replace(answer, result=other), ASKED) for other in Result if other != result),
    ]
    for told, of in others:
        with pytest.raises(SignatureError):
            told.verify(SIGNER.public, of)


def test_after_ten_wrong_codes_nothing_is_said_for_a_while() -> None:
    """Of that label alone; after ten minutes something is said again; and what is remembered has an end."""
    tries = Tries()
    for n in range(WRONG_MAX):
        assert tries.wait_s(PATH, float(n)) == 0
        tries.wrong(PATH, float(n))
    assert tries.wait_s(PATH, 10.0) == FORGOTTEN_S - 10 and tries.wait_s("/other", 10.0) == 0
    assert tries.wait_s(PATH, FORGOTTEN_S) == 0
    for n in range(20_000):
        tries.wrong(f"/{n}", 10.0)
    assert len(tries._wrong) == 10_000
