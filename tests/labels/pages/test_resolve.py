"""From a link to its page, with a real database: what is proven is told, and nothing else."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labels import gs1
from labels.address import page_link
from labels.judgement import Standing
from labels.pages.page import Page
from labels.pages.resolve import Resolver
from labels.signature import sign_label
from ledger import epcis, senml
from ledger.author import Content
from ledger.database import connect
from ledger.errors import UserError
from ledger.keys import SigningKey
from ledger.proof.bundle import Bundle
from ledger.proof.verify import verify
from ledger.section import ContentFormat, Privacy, Section
from tests.labels.story import GTIN, LOT, Story, issue_lot, make_story, public_event, public_pack


@pytest.fixture
def own(postgres_dsn: str, tmp_path: Path) -> Iterator[Story]:
    """A small story of the test's own, not told yet."""
    made = make_story(postgres_dsn, tmp_path / "ledger", count=3)
    yield made
    made.world.close()


def resolved(story: Story, link: gs1.DigitalLink | None = None) -> Page:
    """The page, by a resolver that remembers nothing."""
    resolver = Resolver(story.world.folder, story.world.dsn)
    try:
        return resolver.page(link or story.link())
    finally:
        resolver.close()


def as_owner(story: Story, query: str, *parameters: Any) -> None:
    """Change the database behind the ledger's back."""
    with connect(story.world.dsn, role=None) as connection:
        connection.execute(query.encode(), parameters)


def test_the_story_is_told_and_every_record_of_it_verifies(story: Story) -> None:
    """Made, packed, with a sensor, shipped, received: by whom and where; all readings; all verified and anchored."""
    page = resolved(story)
    assert page.standing is Standing.GENUINE and page.number == "1 of 24" and page.lot == LOT
    assert [step.title for step in page.steps] == [
        "Made", "Packed", "Sensor attached", "Shipped", "Received", "Sensor taken off",
    ]  # fmt: skip
    assert page.route == ("Factory, San Francisco", "Loading dock, San Francisco", "Warehouse, Seattle")
    assert [step.proof.organisation for step in page.steps] == ["example.com"] * 3 + ["Carrier Ltd"] * 3
    assert [(sensor.device, sensor.readings, sensor.statements) for sensor in page.sensors] == [
        ("line-1", 24, 4), ("cargo-7", 48, 8),
    ]  # fmt: skip
    assert page.counts.total == page.counts.verified == page.counts.anchored == 2 + 6 + 12
    assert [(series.metric, series.unit, series.readings) for series in page.series] == [("temperature", "°C", 72)]


def test_replayed_readings_say_so(story: Story) -> None:
    """The page says when they were recorded, and by whom."""
    page = resolved(story)
    assert page.replayed_headline == "recorded 2010, replayed"
    assert any("by NOAA, Seattle; replayed" in note for note in page.replayed)


def test_all_times_are_told_by_the_clock_where_it_happened(story: Story) -> None:
    """The steps by their events' own, sensors and chart by the last one's, which is named; none of them in UTC."""
    page = resolved(story)
    assert page.clock == "times in UTC\N{MINUS SIGN}08:00"
    assert all(step.when.endswith("(UTC\N{MINUS SIGN}08:00)") for step in page.steps)
    received = page.steps[4].when.partition(" (")[0]
    assert page.sensors[1].span.endswith(f" to {received} (UTC\N{MINUS SIGN}08:00)")


def test_where_clocks_differ_the_one_of_the_readings_is_named(own: Story) -> None:
    """An item that went to another zone: each step by its own clock, the readings by the last step's."""

    def arrives_east(event: dict[str, Any]) -> dict[str, Any]:
        return {**event, "eventTimeZoneOffset": "+09:00"} if event["bizStep"] in ("receiving", "removing") else event

    own.tell(change=arrives_east)
    page = resolved(own)
    assert page.steps[0].when.endswith("(UTC\N{MINUS SIGN}08:00)") and page.steps[4].when.endswith("(UTC+09:00)")
    assert page.clock == "times in UTC+09:00, as at step 6"
    assert page.sensors[0].span.endswith("(UTC+09:00)")


def test_each_item_of_the_lot_has_the_same_history(story: Story) -> None:
    """And its own number."""
    pages = [resolved(story, story.link(number)) for number in (0, 23)]
    assert [page.number for page in pages] == ["1 of 24", "24 of 24"]
    assert [step.proof for step in pages[0].steps] == [step.proof for step in pages[1].steps]


def test_what_cannot_be_proven_is_said(story: Story) -> None:
    """That the object is the labelled one, and that no witness has cosigned."""
    said = " ".join(resolved(story).not_proven)
    assert "can be copied" in said and "no witness has cosigned" in said


def test_every_bundle_of_a_page_verifies_offline(story: Story) -> None:
    """By the trust file alone."""
    resolver = Resolver(story.world.folder, story.world.dsn)
    for proof in resolver.page(story.link()).proofs:
        data = resolver.bundle(proof.bundle)
        assert data is not None
        verdict = verify(Bundle.decode(data), story.world.trust)
        assert (verdict.chain, verdict.index) == (proof.chain, proof.index)
    assert resolver.bundle("00" * 32) is None and resolver.bundle("../etc/passwd") is None
    resolver.close()


def test_issued_and_unissued_serials_look_the_same_without_a_signature(story: Story) -> None:
    """Apart from the serial itself, the pages are equal, byte for byte."""
    serial = story.link().serial or ""
    for query in ("", "?s=123", f"?s={'1' * 169}"):
        pages = [
            resolved(story, gs1.parse(f"https://id.example.com/01/{GTIN}/21/{name}{query}")).document
            for name in (serial, "2222222222")
        ]
        texts = [str(page).replace(serial, "2222222222") for page in pages]
        assert texts[0] == texts[1] and pages[0]["verdict"] != "genuine" and not pages[0]["steps"]


def test_a_signature_by_a_key_out_of_its_scope_learns_nothing(story: Story) -> None:
    """Another key's signature over an issued serial gets a problem, and no history."""
    path = story.labels[0].path
    page = resolved(story, gs1.parse(f"https://h.example{path}?s={sign_label(SigningKey(bytes(32)), 2500, path)}"))
    assert page.standing is Standing.PROBLEM and not page.steps and not page.lots


def test_products_and_lots_have_pages(story: Story) -> None:
    """Without a label: which lots were issued, how many labels, and the proof."""
    for path in (f"/01/{GTIN}", f"/01/{GTIN}/10/{LOT}"):
        page = resolved(story, gs1.parse(f"https://id.example.com{path}"))
        assert page.standing is Standing.NO_CLAIM and [lot.labels for lot in page.lots] == [24]
    assert not resolved(story, gs1.parse(f"https://id.example.com/01/{GTIN}/10/OTHER")).lots


def test_links_of_other_things_are_refused() -> None:
    """A place has no page, nor has an asset."""
    for path in ("/414/9506000134352", "/8003/09506000134352"):
        with pytest.raises(UserError, match="names no product") as refused:
            page_link(f"https://id.example.com{path}")
        assert "(00)" in refused.value.hint


def test_a_genuine_label_without_events_has_a_page(own: Story) -> None:
    """Its key and its batch are the records that it rests on."""
    page = resolved(own)
    assert page.standing is Standing.GENUINE and not page.steps
    assert [proof.what for proof in page.proofs] == ["label key", "label batch"]


def test_private_sections_are_not_told(own: Story) -> None:
    """An event and readings for partners or private are as if they were not there."""
    epc = own.link().epc
    document = {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+00:00", "epcList": [epc], "bizStep": "holding",
    }  # fmt: skip
    for privacy in (Privacy.PARTNERS, Privacy.PRIVATE):
        own.world.publish(own.line, Content(privacy, ContentFormat.EPCIS, epcis.encode(document)))
    associate = {
        **document, "type": "AssociationEvent", "action": "ADD", "parentID": epc, "childEPCs": [own.line.urn],
    }  # fmt: skip
    own.world.publish(own.line, public_event(associate))
    own.world.publish(own.line, own.line.readings(1.0, 2.0, time=1_767_300_000))
    own.world.tick()
    page = resolved(own)
    assert [step.title for step in page.steps] == ["Sensor attached"]
    assert page.sensors[0].readings == 0 and not page.series


def test_nothing_is_told_that_is_not_published(own: Story, tmp_path: Path) -> None:
    """What the checkpoint files do not have is not there, though the database has it."""
    before = tmp_path / "before"
    shutil.copytree(own.world.folder.checkpoints, before)
    own.tell()
    shutil.rmtree(own.world.folder.checkpoints)
    before.rename(own.world.folder.checkpoints)
    page = resolved(own)
    assert page.standing is Standing.GENUINE and not page.steps and not page.sensors


def test_what_is_not_anchored_yet_is_counted(own: Story) -> None:
    """And told as such; as soon as the anchor has it, the same resolver says so."""
    resolver = Resolver(own.world.folder, own.world.dsn)
    own.world.publish(own.line, public_event(_seen(own)))
    own.world.tick(anchored=False)
    page = resolver.page(own.link())
    assert (page.counts.verified, page.counts.anchored) == (3, 2) and page.standing is Standing.GENUINE
    assert any("1 record was sealed" in said for said in page.not_proven)
    own.world.tick()
    assert resolver.page(own.link()).counts.anchored == 3
    resolver.close()


def test_a_changed_section_is_a_problem(own: Story) -> None:
    """Whoever changes the database changes no signature."""
    own.tell()
    (entry, data) = _section_of(own, "shipping")
    section = Section.decode(data)
    forged = Section(section.salt, epcis.encode(epcis.decode(section.body).document | {"disposition": "in_progress"}))
    as_owner(own, "update tallystick.section set data = %s where entry_id = %s", forged.encode(), entry)
    page = resolved(own)
    assert page.standing is Standing.PROBLEM and page.fault == "unverified"
    assert page.counts.total - page.counts.verified == 1
    assert [step.proof.verified for step in page.steps].count(False) == 1


def test_a_changed_statement_is_a_problem(own: Story) -> None:
    """A statement that is not the leaf's does not verify, and its readings are not drawn."""
    own.tell()
    as_owner(
        own,
        """update tallystick.entry set data = set_byte(data, 60, get_byte(data, 60) # 1)
            where entry_id = (select min(entry_id) from tallystick.reading)""",
    )
    page = resolved(own)
    assert page.standing is Standing.PROBLEM and page.series[0].readings == 66


def test_a_changed_projection_cannot_invent_readings(own: Story) -> None:
    """What is drawn comes from the signed sections: another number in the table changes nothing."""
    own.tell()
    as_owner(own, "update tallystick.reading set value = 99")
    page = resolved(own)
    assert page.standing is Standing.GENUINE and page.series[0].highest < 25


def test_a_label_that_was_slipped_into_the_table_is_not_proven(own: Story) -> None:
    """Nor one whose batch was: the registry has no such root, or the root commits to other labels."""
    kid = SigningKey.load(next((own.world.folder.path / "keys").glob("label-*.key")))
    path = f"/01/{GTIN}/21/SLIPPED222"
    digits = sign_label(kid, own.issued.batch.batch.day, path)
    root = own.issued.batch.batch.root
    as_owner(own, "insert into tallystick.label values (%s, 3, %s, %s)", root, path, digits)
    page = resolved(own, gs1.parse(f"https://id.example.com{path}?s={digits}"))
    assert page.standing is Standing.NOT_PROVEN and page.fault == "unpublished"


def test_a_finding_is_told_beside_what_it_is_about(own: Story) -> None:
    """The gateway's word against a statement stands on the page, though the statement verifies."""
    bad = senml.encode([senml.Reading("urn:uuid:other:t", "Cel", 1e9, 1.0)], base_name="")
    event = public_event(_seen(own))
    own.world.publish(own.line, event, Content(Privacy.PUBLIC, ContentFormat.SENML_CBOR, bad))
    own.world.tick()
    own.world.tick()
    (step,) = resolved(own).steps
    assert step.proof.verified and "names readings of another device" in step.notes[0]


def test_a_key_that_was_revoked_later_is_told(own: Story) -> None:
    """The statement still verifies: the key was good when its block was sealed."""
    own.world.publish(own.line, public_event(_seen(own)))
    own.world.tick()
    own.world.operator_says({"type": "revocation", "kid": own.line.key.kid, "reason": "stolen"})
    (step,) = resolved(own).steps
    assert step.proof.verified and "revoked later" in step.notes[0]


def test_labels_of_a_revoked_key_stay_good_if_their_batch_is_older(own: Story) -> None:
    """After a compromise the batch decides."""
    kid = own.issued.batch.batch.kid
    own.world.operator_says({"type": "revocation", "kid": kid, "reason": "stolen"})
    page = resolved(own)
    assert page.standing is Standing.GENUINE and "before its key was revoked" in page.reason


def test_limits_and_excursions_are_told(own: Story) -> None:
    """A metric's limits are drawn, and what is outside counted."""
    own.tell()
    as_owner(own, "update tallystick.metric set lo = 14, hi = 20 where name = 'temperature'")
    (series,) = resolved(own).series
    assert (series.low, series.high) == (14, 20) and series.outside > 5


def test_more_readings_than_a_page_shows_are_cut_and_it_says_so(own: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest statements are checked, as many as the limit lets."""
    monkeypatch.setattr("labels.pages.search.STATEMENTS_MAX", 5)
    own.tell()
    page = resolved(own)
    assert page.cut and sum(sensor.statements for sensor in page.sensors) == 5
    assert page.counts.total == page.counts.verified == 2 + 6 + 5


def test_more_events_than_a_page_shows_are_cut_and_it_says_so(own: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are told."""
    monkeypatch.setattr("labels.pages.store.EVENTS_MAX", 1)
    own.tell()
    page = resolved(own)
    assert page.cut and [step.title for step in page.steps] == ["Made"]


def test_a_lot_that_grows_is_seen_without_a_restart(own: Story) -> None:
    """A resolver follows the registry."""
    resolver = Resolver(own.world.folder, own.world.dsn)
    product = gs1.item(GTIN)
    assert len(resolver.page(product).lots) == 1
    issue_lot(own.world, 2)
    assert [lot.labels for lot in resolver.page(product).lots] == [2, 3]
    resolver.close()


def test_hostile_numbers_do_not_stop_a_page(own: Story) -> None:
    """Readings at the ends of what a float and a calendar hold, and windows over all of time."""
    edge = [1e308, -1e308, 5e-324, 0.0]
    times = [0.0, float(2**28), float(senml.TIME_MAX), 1.7e9]
    readings = [senml.Reading(f"{own.line.urn}:t", "Cel", t, v) for t, v in zip(times, edge, strict=True)]
    own.world.publish(own.line, public_pack(own.line, [r for r in readings if r.time]))
    window = {"deviceID": own.line.urn, "startTime": "0001-01-01T00:00:00Z", "endTime": "9999-12-31T23:59:59Z"}
    own.world.publish(own.line, public_event(_seen(own) | {"sensorElementList": [{"sensorMetadata": window}]}))
    own.world.tick()
    page = resolved(own)
    assert page.standing is Standing.GENUINE and page.sensors[0].readings == 3


def _seen(story: Story) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "eventTime": "2026-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [story.link().epc],
    }


def _section_of(story: Story, step: str) -> tuple[int, bytes]:
    with connect(story.world.dsn) as connection:
        row = connection.execute(
            """select s.entry_id, s.data from event e join section s on (s.entry_id, s.line) = (e.entry_id, e.section)
                where e.biz_step = %s""",
            [step],
        ).fetchone()
    assert row is not None
    return row[0], bytes(row[1])
