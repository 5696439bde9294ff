"""The trust bundle: its parts agree, its operator signed it, and it never goes back."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger import note
from ledger.errors import TrustError, UserError
from ledger.trust import keeping
from ledger.trust import text as trust_text
from ledger.trust.bundle import TrustBundle
from ledger.trust.trust_file import Trust
from tests import cast, rooted
from tests.rooted import ISSUED, RECALLED, REVOKED, SCOPE, bundle, next_key, pin, say, stream

MESSAGES = stream(next_key(), next_key(51, first=300, until=350))
BUNDLE = bundle(MESSAGES)
SIGNER = note.Signer("example.com/tallystick/trust", cast.OPERATOR)


def signed(signer: note.Signer = SIGNER, version: object = 3, **changes: Any) -> str:
    """The bundle with other fields, honestly signed; a field that is None is left out."""
    changes["tallystick-trust"] = version
    fields = {**json.loads(BUNDLE.note.rpartition("\n\n")[0]), **changes}
    fields = {name: value for name, value in fields.items() if value is not None}
    return note.sign(json.dumps(fields, indent=1) + "\n", [signer])


def pinned() -> Trust:
    """The trust file with which the cast's ledger began."""
    logs = {name: replace(log, rotations=()) for name, log in BUNDLE.logs.items()}
    return Trust("example.com", pin(MESSAGES), logs)


def test_a_bundle_reads_back() -> None:
    """Its text is what was signed; as a trust file it has the logs with all their keys."""
    trust = Trust.parse(BUNDLE.note)
    assert trust.bundle == TrustBundle.parse(BUNDLE.note) == BUNDLE and trust.text == BUNDLE.note
    assert (trust.name, trust.genesis, trust.bundle.label_keys) == ("example.com", pin(MESSAGES), (SCOPE,))
    assert trust.bundle.revoked == {REVOKED.kid: REVOKED}
    assert [(key.first, key.last) for key in trust.log("production").keys] == [(0, 200), (100, 350), (300, None)]
    assert [(key.first, key.last) for key in trust.log("trade").keys] == [(0, None)]


def test_a_stranger_can_check_it_with_a_note_reader_and_json() -> None:
    """C2SP signed note over JSON: nothing else is needed for the signature and the keys."""
    text, _, _ = BUNDLE.note.rpartition("\n\n")
    opened = note.open(BUNDLE.note, [note.Verifier(SIGNER.name, cast.OPERATOR.public)])
    assert opened.text == text + "\n"
    said = json.loads(opened.text)
    assert said["logs"]["production"][1] == {"vkey": next_key()["vkey"], "first": 100, "last": 350}
    assert said["label_keys"][0]["gtins"] == ["09506000"]


def test_a_key_for_one_batch_says_so_in_a_line_of_its_own() -> None:
    """Its lot and root come back, and the text has a line for each label key."""
    scope = replace(SCOPE, lot="L1", batch=b"r" * 32)
    said = bundle(MESSAGES, label_keys=[SCOPE, scope])
    assert Trust.parse(said.note).bundle == said and said.label_keys == (SCOPE, scope)
    lines = [line for line in said.note.splitlines() if '"gtins"' in line]
    assert len(lines) == 2 and f'"batch": "{(b"r" * 32).hex()}"' in lines[1]
    assert ", lot L1 alone:" in "\n".join(trust_text.lines(Trust.parse(said.note), ISSUED))


def test_the_days_of_a_label_key_are_told_as_dates() -> None:
    """As far as there are dates: a bundle's numbers may be larger."""
    said = bundle(MESSAGES, label_keys=[replace(SCOPE, first_day=2522, last_day=2**31 - 1)])
    told = "\n".join(trust_text.lines(Trust.parse(said.note), ISSUED))
    assert "labels of 2026-11-27 to day 2,147,483,647" in told


def test_recalls_come_back_as_they_were_said() -> None:
    """Of a product, a lot and an item, each in a line of its own, and told in words and as JSON."""
    product = replace(RECALLED, lot="", reason="no good", entry=9)
    item = replace(RECALLED, lot="", serial="7K3M", reason="b\u00f6se \u2028", entry=8)
    said = bundle(MESSAGES, recalls=[RECALLED, product, item])
    assert Trust.parse(said.note).bundle == said and said.recalls == (RECALLED, product, item)
    assert len([line for line in said.note.splitlines() if '"reason"' in line]) == 3
    told = "\n".join(trust_text.lines(Trust.parse(said.note), ISSUED))
    assert "recalled   GTIN 09506000134352, lot L1, since 2025-06-01: glass in it (by " in told
    assert "recalled   GTIN 09506000134352, serial 7K3M, since" in told
    assert [one["entry"] for one in trust_text.document(Trust.parse(said.note), ISSUED)["recalls"]] == [6, 9, 8]
    nothing = Trust.parse(bundle(MESSAGES, recalls=[]).note)
    assert "nothing is recalled" in trust_text.lines(nothing, ISSUED)
    assert trust_text.document(nothing, ISSUED)["recalls"] == []


def test_recalls_count_towards_a_bundles_size() -> None:
    """Many go in; too many are refused in plain words, as too many keys are."""
    many = [replace(RECALLED, lot="", serial=f"S{number}") for number in range(60_000)]
    said = bundle(MESSAGES, recalls=many[:30_000])
    assert said.recalls == tuple(many[:30_000]) and len(said.note) < 8_000_000
    with pytest.raises(TrustError, match="at most 8 MB"):
        bundle(MESSAGES, recalls=many)


def test_a_bundle_of_before_recalls_is_read_and_knows_none() -> None:
    """Bundles lie with verifiers for months: what one does not know it does not say."""
    old = Trust.parse(signed(version=2, recalls=None))
    assert old.bundle is not None and old.bundle.recalls is None and old.bundle.label_keys == (SCOPE,)
    assert trust_text.document(old, ISSUED)["recalls"] is None
    assert "recalls are not known to it: its version is older" in trust_text.lines(old, ISSUED)
    assert old.updated(Trust.parse(BUNDLE.note), ISSUED).text == BUNDLE.note


def test_a_recall_is_taken_back_by_a_newer_registry_alone(tmp_path: Path) -> None:
    """A lifting is told of; by the same registry, or by a bundle that knows no recalls, it is refused."""
    lifted = {"recalls": [], "registry": (8, bytes(32))}
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.write_text(BUNDLE.note)
    for text, complaint in (
        (bundle(MESSAGES, recalls=[]).note, "its registry has not grown"),
        (signed(version=2, recalls=None), "it knows no recalls, and the one that is here does"),
    ):
        new.write_text(text)
        with pytest.raises(UserError, match=complaint):
            keeping.update(kept, new, now=ISSUED)
        assert kept.read_text() == BUNDLE.note
    new.write_text(bundle(MESSAGES, **lifted).note)
    trust, no_longer = keeping.update(kept, new, now=ISSUED)
    assert trust.bundle is not None and trust.bundle.recalls == () and no_longer == (RECALLED,)
    assert keeping.update(kept, new, now=ISSUED)[1] == ()


def test_what_is_recalled_with_its_whole_product_is_not_told_to_be_free() -> None:
    """A lot's and an item's recall may give way to the product's, and another product's is none of theirs."""
    whole, item = replace(RECALLED, lot="", reason="wood in it", entry=9), replace(RECALLED, lot="", serial="7K3M")
    newer = bundle(MESSAGES, recalls=[whole], registry=(9, bytes(32)))
    told = [
        trust_text.lifted(one, Trust.parse(newer.note))
        for one in newer.lifted(bundle(MESSAGES, recalls=[RECALLED, item]))
    ]
    assert told == [
        f"still recalled: {below}, now with all of {trust_text.recall(whole)}" for below in ("lot L1", "serial 7K3M")
    ]
    other = bundle(MESSAGES, recalls=[replace(whole, gtin="09506000134369")])
    assert trust_text.lifted(RECALLED, Trust.parse(other.note)) == f"recalled no longer: {trust_text.recall(RECALLED)}"


def test_the_keys_of_25_000_batches_go_into_a_bundle() -> None:
    """A key a batch does not end the trust bundle; what does is refused in plain words."""
    scope = replace(SCOPE, lot="L2606A-17", batch=b"r" * 32, gtins=("09506000134352",))
    keys = [replace(scope, public_key=number.to_bytes(32, "big")) for number in range(25_000)]
    said = bundle(MESSAGES, label_keys=keys)
    assert len(said.label_keys) == 25_000 and 6_500_000 < len(said.note) < 8_000_000
    with pytest.raises(TrustError, match="at most 8 MB"):
        bundle(MESSAGES, label_keys=[*keys, *keys])


SPOILED: dict[str, tuple[str, Callable[[], str]]] = {
    "another's signature": ("not the operator's", lambda: signed(note.Signer(SIGNER.name, cast.GATEWAY))),
    "another name's": ("not the operator's", lambda: signed(note.Signer("example.com/other", cast.OPERATOR))),
    "a bit": ("not the operator's: bad signature", lambda: BUNDLE.note.replace("09506000", "09506001")),
    "another version": ("not of version 2 or 3", lambda: signed(version=4)),
    "the first version": ("not of version 2 or 3", lambda: signed(version=1)),
    "no version": ("has not the fields", lambda: signed(version=True)),
    "an older version with recalls": ("has not the fields", lambda: signed(version=2)),
    "no recalls": ("has not the fields", lambda: signed(recalls=None)),
    "a field less": ("has not the fields", lambda: signed(label_keys=None)),
    "a field more": ("has not the fields", lambda: signed(more=1)),
    "another name": ("not what its root key's messages say", lambda: signed(name="example.org")),
    "fewer logs": ("not what its root key's messages say", lambda: signed(logs={})),
    "another genesis": ("not the one that is pinned", lambda: signed(genesis="00" * 32)),
    "no genesis": ("genesis is not 32 bytes", lambda: signed(genesis="x")),
    "no messages": ("the genesis first", lambda: signed(root=[])),
    "fewer messages": ("not what its root key's messages say", lambda: signed(root=_root()[:2])),
    "no base64": ("a message of the root key is", lambda: signed(root=["?"])),
    "no list": ("root is a list", lambda: signed(root="x")),
    "a time that is none": ("whole numbers", lambda: signed(issued_at=1.5)),
    "a time below": ("whole numbers", lambda: signed(issued_at=-1)),
    "an end before": ("expires before", lambda: signed(expires_at=ISSUED - 1)),
    "no registry": ("registry is", lambda: signed(registry=[])),
    "a label key that is none": ("a label key is", lambda: signed(label_keys=[{}])),
    "label keys that are none": ("a list", lambda: signed(label_keys={})),
    "a name with a control": ("a label key is", lambda: signed(label_keys=[{**_scope(), "organisation": "\x1b[2J"}])),
    "a label key of half a batch": ("a label key is", lambda: signed(label_keys=[{**_scope(), "lot": "L1"}])),
    "a label key of no lot": (
        "a label key is",
        lambda: signed(label_keys=[_scope() | {"lot": "", "batch": "00" * 32}]),
    ),
    "a label key of no batch": ("batch is not", lambda: signed(label_keys=[_scope() | {"lot": "L1", "batch": "00"}])),
    "a revoked key that is none": ("a revoked key is", lambda: signed(revoked_keys=[{}])),
    "revoked keys that are none": ("a list", lambda: signed(revoked_keys={})),
    "a place that is none": (
        "a place is",
        lambda: signed(revoked_keys=[{**_revoked(), "disputed": [["production", 1]]}]),
    ),
    "a place on no chain": (
        "a place is",
        lambda: signed(revoked_keys=[{**_revoked(), "disputed": [{"chain": "X", "index": 1}]}]),
    ),
    "recalls that are none": ("recalls are a list", lambda: signed(recalls={})),
    "a recall that is none": ("a recall is", lambda: signed(recalls=[{}])),
    "a recall of a lot and an item": ("a recall is", lambda: signed(recalls=[_recall(serial="1")])),
    "a recall of no lot": ("a recall is", lambda: signed(recalls=[_recall(lot="")])),
    "a recall of a short GTIN": ("a recall is", lambda: signed(recalls=[_recall(gtin="9506000134352")])),
    "a recall without a reason": ("a recall is", lambda: signed(recalls=[_recall(reason="")])),
    "a recall with a control": ("a recall is", lambda: signed(recalls=[_recall(reason="\x1b[2J")])),
    "a recall of a day that is none": ("a recall is", lambda: signed(recalls=[_recall(since=20260101)])),
    "a recall with more": ("a recall is", lambda: signed(recalls=[_recall(more="x")])),
    "a recall of an entry that is none": ("whole numbers", lambda: signed(recalls=[_recall(entry=-1)])),
    "a place twice": ("recalled twice", lambda: signed(recalls=[_recall(), _recall(reason="wood in it")])),
    "no object": ("has not the fields", lambda: note.sign("[]\n", [SIGNER])),
    "no JSON": ("is not JSON", lambda: note.sign("{\n", [SIGNER])),
    "a name twice": ("is not JSON", lambda: note.sign('{"a": 1, "a": 1}\n', [SIGNER])),
}


def _root() -> list[str]:
    return list(json.loads(BUNDLE.note.rpartition("\n\n")[0])["root"])


def _revoked() -> dict[str, Any]:
    return dict(json.loads(BUNDLE.note.rpartition("\n\n")[0])["revoked_keys"][0])


def _scope() -> dict[str, Any]:
    return dict(json.loads(BUNDLE.note.rpartition("\n\n")[0])["label_keys"][0])


def _recall(**changes: Any) -> dict[str, Any]:
    return {**json.loads(BUNDLE.note.rpartition("\n\n")[0])["recalls"][0], **changes}


@pytest.mark.parametrize("what", SPOILED)
def test_anything_else_is_refused(what: str) -> None:
    """Who signed it, that its parts agree, that each is what it should be."""
    complaint, make = SPOILED[what]
    with pytest.raises(TrustError, match=complaint):
        Trust.parse(make())


def test_a_newer_bundle_follows() -> None:
    """After the file with which the ledger began, or another bundle; the same again, too."""
    newer = bundle(stream_on(), registry=(9, bytes(32)), issued_at=ISSUED + 1)
    for before in (pinned(), Trust.parse(BUNDLE.note)):
        assert before.updated(Trust.parse(newer.note), ISSUED).text == newer.note
        assert before.updated(Trust.parse(BUNDLE.note), ISSUED).text == BUNDLE.note


def stream_on() -> list[bytes]:
    return [*MESSAGES, say(next_key(52, first=900, until=950), MESSAGES[-1])]


KNOWN = Trust.parse(bundle(stream_on(), registry=(9, bytes(32)), label_keys=[replace(SCOPE, revoked=True)]).note)
OFFERED: dict[str, tuple[str, Callable[[], Trust]]] = {
    "an older one": ("older than the one that is here", lambda: _offer(issued_at=ISSUED - 1, registry=(7, bytes(32)))),
    "one of the future": ("more than a day from now", lambda: _offer(issued_at=ISSUED + 86_401)),
    "one issued before": (
        "older than the one that is here",
        lambda: _offer(issued_at=ISSUED - 1, label_keys=[replace(SCOPE, revoked=True)]),
    ),
    "one without a revocation": ("leaves out a label key, or its revocation", lambda: _offer()),
    "one without a label key": ("leaves out a label key, or its revocation", lambda: _offer(label_keys=[])),
    "one without a device's revocation": (
        "leaves out a device key's revocation",
        lambda: _offer(revoked=[], label_keys=[replace(SCOPE, revoked=True)]),
    ),
    "one that disputes less": (
        "leaves out a device key's revocation",
        lambda: _offer(revoked=[replace(REVOKED, disputed=())], label_keys=[replace(SCOPE, revoked=True)]),
    ),
    "one without a log's key": (
        "lacks a log's newest key",
        lambda: Trust.parse(bundle(MESSAGES, registry=(9, bytes(32)), label_keys=[replace(SCOPE, revoked=True)]).note),
    ),
    "the file that it began with": ("no trust bundle", pinned),
    "another ledger's": ("another one", lambda: Trust.parse(bundle(stream(), registry=(9, bytes(32))).note)),
    "another next key": (
        "keep both",
        lambda: Trust.parse(
            bundle(
                [MESSAGES[0], say(next_key(60), MESSAGES[0])],
                registry=(9, bytes(32)),
                label_keys=[replace(SCOPE, revoked=True)],
            ).note
        ),
    ),
}


def _offer(**changes: Any) -> Trust:
    return Trust.parse(bundle(stream_on(), **{"registry": (9, bytes(32)), **changes}).note)


@pytest.mark.parametrize("what", OFFERED)
def test_nothing_is_taken_back(what: str, tmp_path: Path) -> None:
    """What does not follow is refused by name, and the file that is kept stays as it is."""
    complaint, make = OFFERED[what]
    with pytest.raises(TrustError, match=complaint):
        KNOWN.updated(make(), ISSUED)
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.write_text(KNOWN.text)
    new.write_text(make().text)
    with pytest.raises(UserError, match=r"new cannot follow .*kept"):
        keeping.update(kept, new, now=ISSUED)
    assert kept.read_text() == KNOWN.text and {path.name for path in tmp_path.iterdir()} == {"kept", "new"}


@pytest.mark.parametrize("changes", [{"registry": (2**39, bytes(32))}, {"issued_at": ISSUED + 86_400}])
def test_no_bundle_makes_all_later_ones_old(changes: dict[str, Any]) -> None:
    """Whoever signs with the operator's key, and a registry far ahead or a time as far as may be, is soon followed."""
    ahead = Trust.parse(BUNDLE.note).updated(_offer(**changes), ISSUED)
    genuine = _offer(issued_at=ISSUED + 86_401)
    assert ahead.updated(genuine, ISSUED + 86_401) == genuine


def test_one_of_the_future_is_no_yardstick() -> None:
    """A bundle that was taken while the clock was wrong is followed by a true one, but nothing is taken back by it."""
    ahead = _offer(issued_at=2**39, expires_at=2**40 - 1)
    genuine = _offer()
    assert ahead.updated(genuine, ISSUED) == genuine
    with pytest.raises(TrustError, match="leaves out a label key"):
        ahead.updated(_offer(label_keys=[]), ISSUED)


def test_the_trust_file_can_carry_what_root_keys_have_said() -> None:
    """Unsigned, without an end: it holds by the pinned genesis. What contradicts the pin is refused."""
    trust = pinned().following(MESSAGES)
    assert Trust.parse(trust.text) == trust and trust.log("production").keys == BUNDLE.logs["production"].keys
    assert trust.following(MESSAGES[:1]) == trust and Trust.parse(pinned().text).messages == ()
    for changes, complaint in (
        ({"genesis": "00" * 32}, "not the one that is pinned"),
        ({"root": [*_root(), _root()[1]]}, "not the next link"),
        ({"root": "x"}, "root is a list"),
        ({"root": []}, "the genesis first"),
    ):
        with pytest.raises(TrustError, match=complaint):
            Trust.parse(json.dumps({**json.loads(trust.text), **changes}))


@pytest.mark.parametrize(
    ("place", "disputed"),
    [
        (("production", 40, cast.STREAM, 0), True),
        (("production", 39, cast.STREAM, 7), True),
        (("production", 39, cast.STREAM, 6), False),
        (("production", 39, bytes(8), 9), False),
        (("trade", 99, bytes(8), 9), False),
    ],
)
def test_what_was_signed_from_a_place_on_is_disputed(place: tuple[str, int, bytes, int], disputed: bool) -> None:
    """By the index on its chain, or by the seq in its stream: whichever is named first."""
    assert Trust.parse(BUNDLE.note).bundle.revoked[REVOKED.kid].disputes(*place) is disputed  # type: ignore[union-attr]


def test_age_and_end_are_told() -> None:
    """In words: how old, and in how long; once it has expired, a warning that says what may be missing."""
    trust, day = Trust.parse(BUNDLE.note), 86_400
    assert trust_text.age(trust, ISSUED + 3 * day) == (
        "issued 2025-06-15 15:06 UTC, 3 days ago, expires 2025-09-13 15:06 UTC, in 87 days"
    )
    assert trust_text.warning(trust, rooted.EXPIRES - 1) is None
    assert "expired 2 days ago" in str(trust_text.warning(trust, rooted.EXPIRES + 2 * day))
    assert trust_text.warning(trust, ISSUED - day) is None
    assert "more than a day from now" in str(trust_text.warning(trust, ISSUED - day - 1))
    assert "EXPIRED" in "\n".join(trust_text.lines(trust, rooted.EXPIRES))
    assert trust_text.warning(pinned(), 2**40) is None and "without an end" in trust_text.age(pinned(), 0)
    assert "is this clock set?" in trust_text.age(trust, ISSUED - day)
    assert any("REVOKED" in line for line in trust_text.lines(KNOWN, ISSUED))


def test_json_says_what_the_text_says() -> None:
    """Logs with their keys and sizes, revocations with their disputed places, label keys with their scope."""
    found, text = trust_text.document(KNOWN, ISSUED), "\n".join(trust_text.lines(KNOWN, ISSUED))
    assert found["logs"].keys() == KNOWN.logs.keys() and found["registry_root"] in text
    assert all(key["vkey"] in text for keys in found["logs"].values() for key in keys)
    assert KNOWN.bundle is not None
    assert [key["kid"] for key in found["revoked_keys"]] == [kid.hex() for kid in KNOWN.bundle.revoked]
    assert all({"name", "entry", "disputed"} <= key.keys() for key in found["revoked_keys"])
    assert [key["gtins"] for key in found["label_keys"]] == [list(key.gtins) for key in KNOWN.bundle.label_keys]
    assert trust_text.document(pinned(), 0)["label_keys"] is None


@pytest.mark.parametrize("moment", [0, 1, 2**40, 1e18, -1e18])
def test_any_time_can_be_told(moment: float) -> None:
    """Times are the operator's word, and the clock is ours."""
    extreme = Trust.parse(bundle(MESSAGES, issued_at=0, expires_at=2**40 - 1).note)
    assert trust_text.lines(extreme, moment) and trust_text.document(extreme, moment)
