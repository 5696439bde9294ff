"""What is recalled is told offline: by what a trust bundle knows, and of one that knows nothing of it, that."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import tallystick
from labels import gs1
from labels.catalogue.place import Place
from labels.judgement import RECALLED, Standing
from labels.reading import answered, verdict
from labels.reading.recalls import KnownRecalls
from labels.reading.verdict import Verdict
from labels.signature import LabelKey
from ledger import note
from ledger.keys import SigningKey
from ledger.registry import LabelScope, Recalled, Role
from ledger.trust.trust_file import Trust
from tests.labels.made import sign_labels
from tests.labels.reading.typed import HOST, photo, read, trust_bundle
from tests.labels.story import GTIN, LOT, while_ticking
from tests.world import World

ORGANISATION, DAY = "https://example.com", 2_400
KEY = SigningKey(b"k" * 32)
SCOPE = LabelScope(KEY.public, ORGANISATION, (GTIN,), 0, 9_999)
KEPT, OF_BATCH = LabelKey.of(SCOPE), LabelKey.of(replace(SCOPE, lot=LOT, batch=bytes(32)))
[LABEL] = sign_labels(KEY, DAY, gtin=GTIN, lot=LOT, serials=["7K3M9QX2AB"])
LINK = gs1.parse(LABEL.link("id.example.com"))
RECALL = {"type": "recall", "organisation": ORGANISATION, "gtin": GTIN, "reason": "glass", "since": "2026-11-26"}


def recalled(lot: str = "", serial: str = "", gtin: str = GTIN) -> Recalled:
    """A recall as the registry has it."""
    return Recalled(gtin, lot, serial, ORGANISATION, f"{lot}{serial}", "2026-11-26", 7)


def offline(key: LabelKey, *recalls: Recalled) -> Verdict:
    """The verdict on the label by a bundle with this key and these recalls."""
    known = KnownRecalls("2026-11-27", {Place(*one.place): one for one in recalls})
    return verdict.by_trust(LINK, [key], known, today=DAY, by="the trust bundle")


@pytest.mark.parametrize("place", [{}, {"lot": LOT}, {"serial": "7K3M9QX2AB"}], ids=["product", "lot", "item"])
def test_a_label_of_what_is_recalled_is_told_so_first(place: dict[str, str]) -> None:
    """At each level; the lot is known where the key is of one batch, though the link has none."""
    told = offline(OF_BATCH, recalled(**place))
    assert (told.headline, told.recalled, told.is_good) == ("Recalled: do not use", True, False)
    assert told.notes[0].startswith("RECALLED since 2026-11-26") and told.standing is Standing.SIGNED
    assert (told.lot, told.serial, told.what) == (LOT, "7K3M9QX2AB", f"lot {LOT}, serial 7K3M9QX2AB")


def test_what_is_not_recalled_is_told_as_of_when_that_is_known() -> None:
    """Another product, lot or item is recalled: this one was not, on the bundle's day."""
    others = recalled(gtin="09506000134369"), recalled(lot="OTHER"), recalled(serial="OTHER")
    told = offline(OF_BATCH, *others)
    assert (told.headline, told.recalled, told.is_good) == ("Signed, but not counted here", False, True)
    assert told.reason.endswith("By 2026-11-27 it was not recalled.")
    assert offline(KEPT, recalled(lot="OTHER", gtin="09506000134369")).recalled is False


def test_of_which_lot_a_label_is_may_not_be_known() -> None:
    """A kept key signs for many lots: where one of them is recalled a person has to look at what is printed."""
    told = offline(KEPT, *(recalled(lot=f"L{number}") for number in range(7)))
    assert (told.headline, told.recalled, told.is_good) == ("Perhaps recalled: look at its lot", None, False)
    assert "lots L0, L1, L2, L3, L4… of this product" in told.notes[0] and told.lot == ""
    assert "is lot L9 of this product" in offline(KEPT, recalled(lot="L9")).notes[0]
    assert offline(KEPT, recalled(lot="L9"), recalled()).headline == "Recalled: do not use"


def test_a_forged_label_is_not_told_as_recalled() -> None:
    """That it is none is the first thing to know of it."""
    told = offline(replace(KEPT, gtins=("0001",)), recalled())
    assert (told.standing, told.recalled, told.notes, told.what) == (Standing.PROBLEM, None, (), "")


PAGE = {"verdict": "genuine", "headline": "Genuine label", "reason": "", "fault": "", "issuer": "", "issued": ""}


@pytest.mark.parametrize(
    ("page", "recalls", "headline", "is_recalled"),
    [
        ({"recalls": [], "lot": LOT}, [], "Genuine label", False),
        ({"recalls": [], "lot": LOT}, [{"lot": LOT}], "Recalled: do not use", True),  # late, or hiding it
        ({"headline": "Fine", "recalls": [{"perhaps": False}], "lot": LOT}, [], "Recalled: do not use", True),
        ({"headline": "Perhaps", "recalls": [{"perhaps": True}]}, [], "Perhaps", None),
        ({}, [], "Genuine label", None),
        ({"recalls": "x", "lot": 1, "product": None}, [], "Genuine label", None),
    ],
)
def test_a_service_hides_no_recall_that_the_bundle_has(
    page: dict[str, object], recalls: list[dict[str, str]], headline: str, is_recalled: bool | None
) -> None:
    """What either of the two knows of a recall is told."""
    checked = offline(OF_BATCH, *(recalled(**place) for place in recalls))
    told = answered.by_service({**PAGE, **page}, checked, by="https://id.example.com")
    assert (told.headline, told.recalled, told.lot) == (headline, is_recalled, LOT)
    assert told.is_good is (is_recalled is not True and not page.get("headline"))


def test_a_service_that_knows_of_a_recall_does_not_hide_what_the_bundle_says_of_it() -> None:
    """Since when, and why: where its own page is, the service's note tells as well."""
    told = answered.by_service({**PAGE, "recalls": [{}]}, offline(OF_BATCH, recalled(lot=LOT)), by="x")
    assert told.headline == RECALLED
    assert told.notes == (f"RECALLED since 2026-11-26: {LOT}", "RECALLED: its page says why")


def test_a_service_may_know_the_lot() -> None:
    """Where nobody knows it, the label may be of a recalled one; the service's word for it is believed."""
    checked = offline(KEPT, recalled(lot="OTHER"))
    for lot, headline in (("", "Perhaps recalled: look at its lot"), (LOT, "Genuine label"), ("OTHER", RECALLED)):
        told = answered.by_service({**PAGE, "recalls": [], "lot": lot, "product": "Honey"}, checked, by="x")
        assert (told.headline, told.lot, told.product) == (headline, lot, "Honey")


@pytest.mark.parametrize("page", [{}, {"recalls": "x"}, {"recalls": None}], ids=["none", "a text", "null"])
def test_a_service_that_says_nothing_of_recalls_makes_none_go_away(page: dict[str, object]) -> None:
    """The lot that it names is then not believed either."""
    checked = offline(KEPT, recalled(lot="OTHER"))
    told = answered.by_service({**PAGE, "lot": LOT, **page}, checked, by="x")
    assert (told.headline, told.recalled, told.is_good) == ("Perhaps recalled: look at its lot", None, False)


def test_a_revoked_keys_label_is_told_from_a_forged_one() -> None:
    """At a glance, though neither is good: what it signed before it fell may yet be genuine, which a ledger can say."""
    revoked, forged = offline(replace(KEPT, revoked=True)), offline(replace(KEPT, gtins=("0001",)))
    assert (revoked.headline, forged.headline) == ("Revoked key: do not rely on it", "Problem")
    assert not revoked.is_good and revoked.shown == forged.shown == "problem"


@pytest.mark.parametrize("key", [OF_BATCH, KEPT], ids=["of a batch", "kept"])
def test_a_recall_is_told_of_a_label_of_a_revoked_key_too(key: LabelKey) -> None:
    """Which a label service may call genuine, as of a batch that was published before."""
    checked = offline(replace(key, revoked=True), recalled(lot=LOT))
    assert checked.standing is Standing.PROBLEM and not checked.is_good
    told = answered.by_service({**PAGE, "recalls": [], "lot": LOT}, checked, by="x")
    assert (told.headline, told.recalled, told.is_good) == (RECALLED, True, False)


def test_a_service_does_not_say_who_signed_when() -> None:
    """That the signature says."""
    page = {**PAGE, "issuer": "BigBrand", "issued": "1999-01-01", "recalls": []}
    told = answered.by_service(page, offline(OF_BATCH), by="x")
    assert told.issuer == ORGANISATION and told.issued.startswith("20")


def test_a_recall_travels_with_the_bundle(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recalled, and offline it is said so, with its lot; it is lifted, and the newer bundle tells of that."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(world.folder.path.parent))
    monkeypatch.setenv("TALLYSTICK_DSN", world.dsn)
    arguments = ["issue", "--gtin", GTIN, "--lot", LOT, "--count", "1", "--host", HOST]
    assert while_ticking(world, lambda: tallystick.run(["labels", *arguments])) == 0
    picture = photo(tmp_path, capsys.readouterr().out.strip())
    world.operator_says(
        {"type": "product", "organisation": ORGANISATION, "gtin": GTIN, "name": "Honey, 250 g"}, RECALL | {"lot": LOT}
    )
    first = trust_bundle(tmp_path / "first.trust")
    assert read(picture, "--trust", first) == 2
    text = capsys.readouterr().out
    assert "  1 RECALLED: DO NOT USE\n" in text and "! RECALLED since 2026-11-26: glass" in text
    assert f"it is on lot {LOT}, serial " in text and "the trust bundle of example.com, as of 20" in text
    assert read("--json", picture) == 2
    [code] = json.loads(capsys.readouterr().out)["codes"]
    assert (code["recalled"], code["lot"], code["product"]) == (True, LOT, "Honey, 250 g")
    world.operator_says(RECALL | {"type": "recall-lifting", "lot": LOT})
    second = trust_bundle(tmp_path / "second.trust")
    assert tallystick.run(["ledger", "trust", "update", str(first), "--with", str(second)]) == 0
    assert f"recalled no longer: GTIN {GTIN}, lot {LOT}, since 2026-11-26: glass" in capsys.readouterr().out
    assert read("--json", picture, "--trust", first) == 0
    [code] = json.loads(capsys.readouterr().out)["codes"]
    assert (code["recalled"], code["lot"]) == (False, LOT) and "it was not recalled" in code["reason"]
    assert tallystick.run(["ledger", "trust", "show", str(first)]) == 0
    assert "nothing is recalled" in capsys.readouterr().out


def test_a_bundle_of_before_recalls_says_that_it_knows_none(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on working, and who reads labels by it hears what it cannot tell."""
    monkeypatch.setenv("TALLYSTICK_DATA", str(world.folder.path.parent))
    monkeypatch.setenv("TALLYSTICK_DSN", world.dsn)
    file = tmp_path / "old.trust"
    arguments = ["issue", "--gtin", GTIN, "--lot", LOT, "--count", "1", "--host", HOST]
    assert while_ticking(world, lambda: tallystick.run(["labels", *arguments])) == 0
    picture = photo(tmp_path, capsys.readouterr().out.strip())
    world.operator_says(RECALL)
    trust_bundle(file)
    file.write_text(_older(world, file.read_text()))
    capsys.readouterr()
    assert read("--json", picture, "--trust", file) == 0
    captured = capsys.readouterr()
    assert "warning: the trust bundle is of an older kind, and knows no recalls" in captured.err
    [code] = json.loads(captured.out)["codes"]
    assert code["recalled"] is None and code["reason"].endswith("of an older kind, and knows no recalls.")


def _older(world: World, text: str) -> str:
    """The same bundle as it was before bundles had recalls."""
    fields = json.loads(text.rpartition("\n\n")[0])
    del fields["recalls"]
    signer = note.Signer(f"{world.trust.name}/tallystick/trust", SigningKey.load(world.folder.key_file(Role.OPERATOR)))
    older = note.sign(json.dumps({**fields, "tallystick-trust": 2}) + "\n", [signer])
    assert Trust.parse(older).bundle is not None
    return older
