"""The page on which a reader checks a proof himself: it says what `ledger verify` says, of good proofs and spoiled."""

import random
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cbor2
import pytest
from playwright.sync_api import Browser, Playwright, ViewportSize, expect

from deploy.postgres import Postgres
from labels import verify_page
from ledger import cbor
from ledger.block import Header
from ledger.database import connect
from ledger.proof.bundle import Bundle
from ledger.proof.product import ProductBundle
from ledger.proof.prove import prove
from ledger.proof.tlog_proof import TlogProof
from ledger.proof.transparent import Transparent
from ledger.proof.verify import Step
from ledger.trust.trust_file import Trust
from tests.browser.checking import give, headline, opened, ready, reports, same_as_ours
from tests.browser.viewing import DESK, PHONE, Shown, Viewer, good, launch, open_page
from tests.labels.story import Story
from tests.ledger.mirror.sources import sign
from tests.ledger.proof import test_verify as proofs
from tests.world import World

ENGINES = ("browser", "own")
MUTATIONS = 400


@dataclass
class Ledger:
    """The ledger that test_verify makes, and proofs out of it."""

    made: proofs.Made
    trust: Trust

    def bundle(self, chain: str, index: int) -> bytes:
        """The bundle of an entry, with its public sections."""
        with connect(self.made.world.dsn) as connection:
            return prove(connection, self.made.world.folder, chain, index).encode()

    @property
    def good(self) -> bytes:
        """The bundle of an event whose block is anchored."""
        return self.made.prove(self.made.event).encode()

    @property
    def bundles(self) -> list[bytes]:
        """Bundles of all kinds of statement that there are."""
        readings = self.made.prove(self.made.readings, private=True).encode()
        after, guest = (self.made.prove(each).encode() for each in (self.made.after, self.made.guest_event))
        entries = [self.bundle("production", 0), *(self.bundle("registry", index) for index in range(8))]
        return [self.good, replace(Bundle.decode(self.good), anchor=None).encode(), readings, after, guest, *entries]


@pytest.fixture(scope="module")
def ledger(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One ledger for all tests here."""
    dsn = postgres_server.create_database("verify_page")
    with World(dsn, tmp_path_factory.mktemp("verify-page") / "ledger") as world:
        yield Ledger(proofs._make(world), world.trust)
    postgres_server.drop_database("verify_page")


# What is true


@pytest.mark.parametrize("engine", ENGINES)
def test_good_bundles_say_the_same_as_on_the_command_line(ledger: Ledger, from_disk: Shown, engine: str) -> None:
    """Every kind of statement passes in both engines, and the verdict is the command's, word for word."""
    told = same_as_ours(from_disk, ledger.bundles, ledger.trust, engine)
    assert all(report["ok"] for report in told)
    assert told[0]["states"] == ["passed"] * 9
    assert told[1]["states"] == [*["passed"] * 4, "unknown", *["passed"] * 4]


def test_the_steps_are_those_of_the_command(ledger: Ledger, from_disk: Shown) -> None:
    """The same numbers and the same claims."""
    give(from_disk, ledger.good, ledger.trust.text.encode())
    expect(from_disk.page.locator("#checks .claim")).to_have_text([f"{s.claim[0].upper()}{s.claim[1:]}." for s in Step])
    assert [item.get_attribute("data-step") for item in from_disk.page.locator("#checks li").all()] == [*"123456789"]


# What is spoiled


@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_is_spoiled_is_refused_by_the_same_step(ledger: Ledger, from_disk: Shown, engine: str) -> None:
    """The whole table of tamperings: the page's step is the command's."""
    bundle = ledger.made.prove(ledger.made.event)
    spoiled = [spoil(bundle, ledger.made).encode() for _, _, spoil in proofs.SPOILED.values()]
    told = same_as_ours(from_disk, spoiled, ledger.trust, engine)
    assert {report["failed"] for report in told} == set(range(1, 10))


def test_registry_entries_stand_in_their_order_once(ledger: Ledger, from_disk: Shown) -> None:
    """Also where it would make no difference to the state."""
    after = ledger.made.prove(ledger.made.after)
    entries = after.registry.entries
    orders = ([*entries, entries[-1]], [*entries[:2], *entries[:1:-1]], [entries[0], *entries], entries[::-1])
    spoiled = [proofs._registry(after, entries=tuple(order)).encode() for order in orders]
    assert {report["failed"] for report in same_as_ours(from_disk, spoiled, ledger.trust)} == {7}


def test_two_truths_in_one_bundle_are_refused(ledger: Ledger, from_disk: Shown) -> None:
    """A log's two checkpoints that do not agree, or of which one is not shown to be the other's beginning."""
    newest = Bundle.decode(ledger.bundle("registry", 0))
    with connect(ledger.made.world.dsn) as connection:
        header, note = connection.execute(
            "select header, checkpoint from block join chain using (chain_id) where name = 'registry' and height = 0"
        ).fetchone() or (b"", "")
    first = replace(newest, entry=replace(newest.entry, path=()), checkpoint=note, consistency=())
    fork = sign(ledger.made.world, "registry", replace(Header.decode(bytes(header)), root=bytes(32))).checkpoint
    spoiled = [first, replace(first, registry=replace(first.registry, checkpoint=fork))]
    told = same_as_ours(from_disk, [bundle.encode() for bundle in spoiled], ledger.trust)
    assert [report["failed"] for report in told] == [6, 6]
    assert "nothing here shows" in told[0]["error"] and "The log has forked" in told[1]["error"]


def test_maps_in_another_order_or_with_more_in_them_are_refused(ledger: Ledger, from_disk: Shown) -> None:
    """One value has one encoding: of the bundle, and of the header in it."""
    good, header = cbor.decode(ledger.good), cbor.decode(Bundle.decode(ledger.good).header)
    turned = cbor2.dumps(dict(reversed(header.items())))
    spoiled = [
        cbor2.dumps(dict(reversed(good.items()))),
        *(cbor.encode(bundle) for bundle in (
            {**good, "more": 1}, {**good, "header": turned}, {**good, "header": cbor.encode({**header, "more": 1})},
            {**good, "anchor": {**good["anchor"], "more": 1}}, {**good, "registry": {**good["registry"], "more": 1}},
            {**good, "tallystick-bundle": 2}, {**good, "tallystick-bundle": True}, {**good, "tallystick-bundle": 1.0},
        )),
    ]  # fmt: skip
    told = same_as_ours(from_disk, spoiled, ledger.trust)
    assert [report["failed"] for report in told] == ["bundle", "bundle", 4, 4, *["bundle"] * 5]


def test_mutated_bundles_are_refused_by_the_same_step(ledger: Ledger, from_disk: Shown) -> None:
    """One byte changed, gone, or too many, anywhere: some hundreds of times."""
    chosen, bundles = random.Random(4), ledger.bundles
    mutated = [_mutated(chosen.choice(bundles), chosen) for _ in range(MUTATIONS)]
    told = same_as_ours(from_disk, mutated, ledger.trust)
    assert not any(report["ok"] for report in told)
    assert len({report["failed"] for report in told}) >= 7


def _mutated(bundle: bytes, chosen: random.Random) -> bytes:
    at = chosen.randrange(len(bundle))
    other = bytes([bundle[at] ^ 1 << chosen.randrange(8)])
    piece = chosen.choices([other, b"", bundle[at : at + 1] + other], [8, 1, 1])[0]
    return bundle[:at] + piece + bundle[at + 1 :]


def test_another_trust_file_is_refused_by_the_same_step(ledger: Ledger, from_disk: Shown) -> None:
    """Genesis and keys are the trust file's to say."""
    trust, good = ledger.trust, ledger.good
    logs = dict(trust.logs)
    other_key = replace(logs["production"], verifier=logs["trade"].verifier)
    swapped = {name: log for name, log in logs.items() if name != "trade"} | {"production": other_key}
    others = [
        Trust(trust.name, bytes(32), trust.logs),
        *(Trust(trust.name, trust.genesis, {n: log for n, log in logs.items() if n != gone}) for gone in logs),
        Trust(trust.name, trust.genesis, swapped),
    ]
    failed = [same_as_ours(from_disk, [good], other)[0]["failed"] for other in others]
    assert failed == [7, 1, 7, 7, 1, 1, 2]


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "x", '{"tallystick-trust": 2}', "<html>", '{"a": ' * 100_000])
def test_what_is_no_trust_file_is_refused(ledger: Ledger, from_disk: Shown, text: str) -> None:
    """Before anything else is looked at."""
    [told] = reports(from_disk, [ledger.good], text, "browser")
    assert (told["ok"], told["failed"], told["states"]) == (False, "trust", [])


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "the file is empty"),
        (b"<!doctype html><p>Not found", "it is a web page, not a proof bundle"),
        (b"PK\x03\x04" + bytes(100), "CBOR"),
        (b"\x81" * 100_000, "nested deeper"),
        (b"\x9a\x00\x3f\xff\xfb" + bytes(4 * 1024 * 1024 - 5), "a map of its eight fields"),
        (b"\xa2\x61a\x01\x61a\x01", "the key \"a\" twice|not in order"),
        (bytes(4 * 1024 * 1024 + 1), "at most 4194304 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused_by_name(ledger: Ledger, from_disk: Shown, data: bytes, complaint: str) -> None:
    """And told as what it looks like."""
    [told] = same_as_ours(from_disk, [data], ledger.trust)
    assert re.search(complaint, told["error"])


# What the reader sees


def test_a_proof_of_another_format_is_called_by_its_name(ledger: Ledger, from_disk: Shown) -> None:
    """In amber: it is a proof, nothing of it was checked, and the command reads it."""
    bundle = Bundle.decode(ledger.good)
    others = {
        "a product's proof": ProductBundle.of(proofs.EPC, [bundle]).encode(),
        "a SCITT transparent statement": Transparent(bundle.entry.statement, ()).encode(),
        "a tlog-proof": TlogProof(bundle.entry.index, bundle.entry.path, bundle.checkpoint).text.encode(),
    }
    for name, data in others.items():
        give(from_disk, data, ledger.trust.text.encode())
        assert headline(from_disk) == "This page cannot check that file"
        assert name in from_disk.text("#verdict") and "tallystick ledger verify" in from_disk.text("#verdict")
        assert "nothing of it was checked here" in from_disk.text("#verdict")
        assert from_disk.page.locator("#verdict.unproven").count() == 1
        assert from_disk.page.locator("#checks, #said").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
def test_an_officer_sees_at_a_glance_that_a_proof_holds(
    ledger: Ledger, browser: Browser, file: Path, viewport: ViewportSize, scheme: str
) -> None:
    """From a file on his disk: the verdict in the first screen, what was said, whose word it is; nothing cut off."""
    shown = ready(open_page(browser, file.as_uri(), viewport=viewport, scheme=scheme))
    assert shown.text("h1:visible") == "Check a proof yourself"
    give(shown, ledger.good, ledger.trust.text.encode())
    box = shown.page.locator("#verdict h1").bounding_box()
    assert headline(shown) == "The proof holds" and box is not None and box["y"] + box["height"] < 300
    assert "“press-1” of example.com signed this statement" in shown.text("#verdict")
    assert "9 of 9 checks passed" in shown.text("#verdict") and "No outside witness" in shown.text("#verdict")
    assert proofs.EPC in shown.text("#said") and "2025-06-15 15:06:40 UTC, set by NTP" in shown.text("#said")
    assert "Not shown to you" in shown.text("#said")
    assert "no witness has cosigned" in shown.text("#limits") and ledger.trust.genesis.hex() in shown.text("#limits")
    for summary in shown.page.locator("#checks summary, #said summary").all():
        summary.click()
    assert shown.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert shown.console == []
    shown.page.close()


def test_a_step_opens_to_its_bytes(ledger: Ledger, from_disk: Shown) -> None:
    """Signed bytes, key, signature, the hashes of each level, and CBOR in words."""
    give(from_disk, ledger.good, ledger.trust.text.encode())
    bundle = Bundle.decode(ledger.good)
    told = {number: opened(from_disk, number).replace("\n", "") for number in (2, 3, 4, 8)}
    text, _, signature = bundle.checkpoint.rpartition("\n\n")
    assert f"{text}\n".encode().hex() in told[2] and signature.split()[-1] in told[2]
    assert ledger.trust.log("production").public_key.hex() in told[2] and "the signature holds" in told[2]
    assert bundle.entry.statement.hex() in told[3]
    assert [hash_.hex() in told[3] for hash_ in bundle.entry.path] == [True] * len(bundle.entry.path)
    assert f"level {len(bundle.entry.path)}" in told[3] and "the same" in told[3]
    assert '"time_ms": ' in told[4]
    assert "18([ <<" in told[8].replace("  ", " ") and f"h'{ledger.made.press.key.kid.hex()}'" in told[8]
    assert ledger.made.event._to_be_signed.hex() in told[8]


def test_an_unanchored_block_is_an_open_question(ledger: Ledger, from_disk: Shown) -> None:
    """Neither a tick nor a cross, and the verdict says so."""
    give(from_disk, ledger.bundles[1], ledger.trust.text.encode())
    assert headline(from_disk) == "The proof holds, but is not anchored yet"
    assert "8 of 9 checks passed" in from_disk.text("#verdict")
    assert from_disk.text("#checks li[data-step='5'] .bead").startswith("?")
    assert "nobody has signed for its time" in from_disk.text("#limits")


def test_a_spoiled_proof_shows_what_fails_and_nothing_of_what_it_says(ledger: Ledger, from_disk: Shown) -> None:
    """The failing step, why, and what to do; the steps behind it were not reached."""
    spoiled = proofs._header(ledger.made.prove(ledger.made.event), time_ms=1).encode()
    give(from_disk, spoiled, ledger.trust.text.encode())
    assert headline(from_disk) == "The proof does not hold"
    assert "Check 5 fails" in from_disk.text("#verdict") and "Do not rely on this statement" in from_disk.text(
        "#verdict"
    )
    assert from_disk.text("#checks li[data-step='5'] .claim").startswith("Not so: ")
    marks = [bead.get_attribute("title") for bead in from_disk.page.locator("#checks .bead").all()]
    assert marks == [*["passed"] * 4, "failed", *["not reached"] * 4]
    assert from_disk.page.locator("#said").count() == 0


def test_files_in_each_others_place_are_told(ledger: Ledger, from_disk: Shown) -> None:
    """Nothing is guessed from what was chosen by name."""
    give(from_disk, ledger.trust.text.encode(), ledger.good)
    assert headline(from_disk) == "This is not a trust file"
    give(from_disk, ledger.trust.text.encode(), ledger.trust.text.encode())
    assert headline(from_disk) == "This is not a proof"


def test_files_are_dropped_together(ledger: Ledger, from_disk: Shown) -> None:
    """Dropped anywhere, they are told apart by what they are."""
    from_disk.page.evaluate(
        """([bundle, trust]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(atob(bundle), (c) => c.charCodeAt(0))], "some"));
          transfer.items.add(new File([trust], "other"));
          const happens = { dataTransfer: transfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent("drop", happens));
        }""",
        [b64encode(ledger.bundles[3]).decode(), ledger.trust.text],
    )
    from_disk.page.wait_for_function("() => document.getElementById('bundle').textContent === 'some'")
    from_disk.page.wait_for_selector("#verdict.genuine")
    assert from_disk.text("#trust") == "other" and from_disk.text("#bundle") == "some"


def test_a_file_of_a_gigabyte_is_refused_before_it_is_read(ledger: Ledger, from_disk: Shown, tmp_path: Path) -> None:
    """By its size alone."""
    large = tmp_path / "large.bundle"
    with large.open("wb") as sparse:
        sparse.truncate(1024**3)
    give(from_disk, str(large), ledger.trust.text.encode())
    assert "The file large.bundle has 1,073,741,824 bytes: no proof or trust file has more than 8 MB" in from_disk.text(
        "#complaint"
    )


def test_hostile_names_stay_text(ledger: Ledger, from_disk: Shown) -> None:
    """A bundle's texts run nothing and turn nothing around."""
    evil = "<img src=x onerror=\"document.title='hacked'\">\u202egnp"
    spoiled = replace(ledger.made.prove(ledger.made.event), chain=evil).encode()
    give(from_disk, spoiled, ledger.trust.text.encode())
    assert "<img src=x" in from_disk.text("#verdict") and "\u202e" not in from_disk.text("#verdict")
    assert from_disk.page.locator("#report img").count() == 0


def test_the_reader_may_ask_the_other_engine(ledger: Ledger, from_disk: Shown) -> None:
    """The page says which engine did the work, and checks again with the other."""
    give(from_disk, ledger.good, ledger.trust.text.encode())
    assert "WebCrypto" in from_disk.text("#checks > p")
    from_disk.page.click("#other")
    expect(from_disk.page.locator("#checks > p")).to_contain_text("noble-ed25519")
    assert headline(from_disk) == "The proof holds"
    from_disk.page.click("#other")
    expect(from_disk.page.locator("#checks > p")).to_contain_text("WebCrypto")


# From a site


def test_the_product_page_leads_to_the_check(viewer: Viewer, story: Story) -> None:
    """A press on "check it yourself" fetches both files from the site, and checks; it says whose trust file it is."""
    shown = viewer.open(good(story))
    shown.page.locator(".steps > li").nth(4).get_by_role("link", name="check it yourself").click()
    shown.page.wait_for_selector("#verdict")
    assert headline(shown) == "The proof holds" and "cargo-7" in shown.text("#verdict")
    assert "receiving" in shown.text("#said") and "came from this very site" in shown.text("#limits")
    assert shown.console == []
    shown.page.close()


def test_a_hash_is_looked_up(viewer: Viewer, story: Story) -> None:
    """By hand; what the site has not, or what is no hash, is told."""
    shown = ready(viewer.open("/verify"))
    for hash_, complaint in (("x", "64 hexadecimal digits"), ("0" * 64, "this site has not the proof")):
        shown.page.fill("#hash", hash_)
        shown.page.click("#ask button")
        expect(shown.page.locator("#complaint")).to_contain_text(complaint, ignore_case=True)
    page = shown.page.evaluate("path => fetch(path).then(answer => answer.json())", f"{good(story)}&format=json")
    shown.page.fill("#hash", page["proofs"][0]["bundle"])
    shown.page.click("#ask button")
    shown.page.wait_for_selector("#verdict")
    assert headline(shown) == "The proof holds" and not shown.page.locator("#complaint").is_visible()
    shown.page.close()


def test_a_page_that_was_saved_works_offline(viewer: Viewer, ledger: Ledger, tmp_path: Path) -> None:
    """What "save it" saves is what the command writes, and needs no site."""
    shown = ready(viewer.open("/verify"))
    with shown.page.expect_download() as download:
        shown.page.click("#save a")
    saved = tmp_path / "saved.html"
    download.value.save_as(saved)
    shown.page.close()
    assert saved.read_text("utf-8") == verify_page.html()
    context = viewer.browser.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    offline = ready(Shown(page))
    give(offline, ledger.good, ledger.trust.text.encode())
    assert headline(offline) == "The proof holds" and asked == [saved.as_uri()]
    context.close()


def test_without_webcrypto_the_page_does_the_work_itself(playwright: Playwright, viewer: Viewer, story: Story) -> None:
    """Over plain HTTP from another machine a browser gives no WebCrypto: the page's own code serves."""
    browser = launch(playwright.chromium, "--host-resolver-rules=MAP warehouse.example.com 127.0.0.1")
    port = viewer.address.rpartition(":")[2]
    shown = open_page(browser, f"http://warehouse.example.com:{port}{good(story)}")
    shown.page.locator(".steps > li").first.get_by_role("link", name="check it yourself").click()
    shown.page.wait_for_selector("#verdict")
    assert shown.page.evaluate("isSecureContext") is False and shown.page.evaluate("tallystick.engines") == ["own"]
    assert headline(shown) == "The proof holds" and "noble-ed25519" in shown.text("#checks > p")
    assert not shown.page.locator("#other").is_visible()
    browser.close()


def test_the_policy_lets_the_page_do_nothing_else(viewer: Viewer, browser: Browser, file: Path) -> None:
    """No script or style but its own, no network but its own site; also in the file, whoever serves it."""
    shown = ready(viewer.open("/verify"))
    policy = shown.page.evaluate("fetch('/verify').then(answer => answer.headers.get('content-security-policy'))")
    assert policy == f"{verify_page.policy()}; frame-ancestors 'none'"
    assert "unsafe" not in policy and "default-src 'none'" in policy and "script-src 'sha256-" in policy
    for page in (shown, ready(open_page(browser, file.as_uri()))):
        tried = page.page.evaluate(
            """async () => {
              const added = document.createElement("script");
              try { added.textContent = "document.title = 'hacked'"; document.head.append(added); } catch {}
              return fetch("https://example.org/").then(() => "sent", () => "refused");
            }"""
        )
        assert tried == "refused" and page.page.title() != "hacked"
        assert any("Content Security Policy" in line for line in page.console)
        page.page.close()
