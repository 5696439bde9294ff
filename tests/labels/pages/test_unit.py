"""A pallet's page: what the ledger has of the unit with its number, proven, and nothing of its label or its content."""

import time
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from deploy.story import SSCC
from labels import gs1
from labels.judgement import Standing
from labels.logistic.unit import Unit
from labels.pages import store
from labels.pages.page import UnitPage
from labels.pages.resolve import Resolver
from ledger import epcis
from ledger.author import Content
from ledger.database import connect
from ledger.proof.bundle import Bundle
from ledger.proof.verify import verify
from ledger.section import ContentFormat, Privacy
from ledger.trust.trust_file import Trust
from tests.labels.serving import client_of
from tests.labels.story import Story, make_story, public_event

UNKNOWN = "095060001343520024"
NEVER = "095060001343520031"
CONTAINER = "https://id.gs1.org/8003/09506000134352CONTAINER1"


@pytest.fixture
def own(postgres_dsn: str, tmp_path: Path) -> Iterator[Story]:
    """A small story of the test's own, not told yet."""
    made = make_story(postgres_dsn, tmp_path / "ledger", count=3)
    yield made
    made.world.close()


@pytest.fixture(scope="module")
def client(story: Story) -> Iterator[httpx.Client]:
    """A client of a service over the told story."""
    with client_of(story) as client:
        yield client


def resolved(story: Story, sscc: str = SSCC, query: str = "") -> UnitPage:
    """The unit's page, by a resolver that remembers nothing."""
    resolver = Resolver(story.world.folder, story.world.dsn)
    try:
        return resolver.unit(gs1.parse(f"https://id.example.com/00/{sscc}{query}"))
    finally:
        resolver.close()


def event(kind: str, action: str, hour: int, **rest: Any) -> dict[str, Any]:
    """An event on the first of January."""
    time = {"eventTime": f"2026-01-01T{hour:02}:00:00Z", "eventTimeZoneOffset": "+00:00"}
    return {"type": kind, "action": action, **time, **rest}


def packed(hour: int, parent: str, *children: str, action: str = "ADD") -> dict[str, Any]:
    """Children were put into a parent, or taken out."""
    return event("AggregationEvent", action, hour, parentID=parent, childEPCs=list(children))


def test_the_units_own_history_is_told_and_verifies(story: Story) -> None:
    """From its packing on, in the order of time, by whom and where; with the sensor that was on it."""
    page = resolved(story)
    assert (page.standing, page.headline, page.sscc) == (Standing.NO_CLAIM, "A pallet or a case", SSCC)
    assert [(step.title, step.detail, step.proof.organisation) for step in page.steps] == [
        ("Packed", "24 things put in", "example.com"),
        ("Sensor attached", "cargo-7 on the unit", "example.com"),
        ("Shipped", "in transit", "Carrier Ltd"),
        ("Received", "", "Carrier Ltd"),
        ("Sensor taken off", "cargo-7 on the unit", "Carrier Ltd"),
    ]
    assert page.route == ("Factory, San Francisco", "Loading dock, San Francisco", "Warehouse, Seattle")
    assert [(sensor.device, sensor.readings, sensor.because) for sensor in page.sensors] == [("cargo-7", 48, (2,))]
    assert [(series.metric, series.readings) for series in page.series] == [("temperature", 48)]
    assert page.counts.total == page.counts.verified == page.counts.anchored == 5 + 8


def test_nothing_is_claimed_of_the_label(story: Story) -> None:
    """It is not signed, and says so, whatever its link holds; a signature of ours does not make it one."""
    for query in ("", f"?s={story.labels[0].digits}&02=09506000134352&37=24"):
        page = resolved(story, query=query)
        assert page.standing is Standing.NO_CLAIM and "label is not signed" in page.reason
        assert "anybody can print one" in page.not_proven[0] and "stands on its label" in page.not_proven[1]
    assert [name for name, _ in page.unsigned] == ["s", "02", "37"]
    assert any("cosigned" in line for line in page.not_proven)


def test_a_number_that_nothing_is_told_of_has_a_plain_page(story: Story) -> None:
    """It says so, and has no history."""
    page = resolved(story, UNKNOWN)
    assert page.standing is Standing.NO_CLAIM and "no public event of a unit with this number" in page.reason
    assert not (page.steps or page.sensors or page.proofs or page.route)


def test_what_events_keep_private_is_not_told(own: Story) -> None:
    """Neither that they are there: but for its number, the page is that of a unit of which nothing is known."""
    children = [own.link(number).epc for number in range(3)]
    for privacy in (Privacy.PARTNERS, Privacy.PRIVATE):
        document = epcis.encode(packed(9, gs1.sscc(SSCC).epc, *children))
        own.world.publish(own.line, Content(privacy, ContentFormat.EPCIS, document))
    own.world.tick()
    assert str(resolved(own).document).replace(SSCC, UNKNOWN) == str(resolved(own, UNKNOWN).document)


def test_nor_does_the_time_that_the_page_takes_tell_of_them(own: Story) -> None:
    """Ten thousand private events about a unit are no step on the way to its page."""
    own.tell()
    with connect(own.world.dsn, role=None) as owner:
        owner.execute(_PRIVATE_EVENTS, [gs1.sscc(UNKNOWN).epc])
    with connect(own.world.dsn) as connection:
        published = store.chains(connection, own.world.folder)

        def fastest_s(sscc: str) -> float:
            uri, times = gs1.sscc(sscc).epc, list[float]()
            for _ in range(10):
                start = time.perf_counter()
                assert store.events_of(connection, published, uri, -inf).rows == ()
                times.append(time.perf_counter() - start)
            return min(times)

        assert fastest_s(UNKNOWN) < 3 * fastest_s(NEVER) + 0.001


_PRIVATE_EVENTS = """
with made as (select min(entry_id) as entry, line from tallystick.event, generate_series(1001, 11000) line group by 2),
items as (insert into tallystick.event_item (uri, entry_id, section, role, is_public)
          select %s, entry, line, 0, false from made),
events as (insert into tallystick.event (entry_id, section, ts, type, action, document)
           select entry, line, now(), 'ObjectEvent', 'OBSERVE', '{}' from made)
insert into tallystick.section (entry_id, line, privacy, content_format, data) select entry, line, 2, 1, '' from made"""


def test_all_things_on_a_page_share_what_is_read(own: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container has as many bytes of events as a page may read: with the unit's own they are too many, and cut."""
    unit = gs1.sscc(SSCC).epc
    hours = range(10, 20)
    told = [packed(9, CONTAINER, unit), *(event("ObjectEvent", "OBSERVE", hour, epcList=[CONTAINER]) for hour in hours)]
    for document in told:
        own.world.publish(own.line, public_event(document))
    own.world.tick()
    assert len(resolved(own).steps) == len(told) and not resolved(own).cut
    with connect(own.world.dsn) as connection:
        of_container = store.events_of(connection, store.chains(connection, own.world.folder), CONTAINER, -inf)
    monkeypatch.setattr("labels.pages.store.EVENT_BYTES_MAX", of_container.size)
    page = resolved(own)
    assert page.cut and 1 < len(page.steps) < len(told)


def test_what_is_on_it_is_counted_and_not_named(story: Story) -> None:
    """No serial is on the page, though the packing is public: who can count through SSCCs reads none off here."""
    told = str(resolved(story).document)
    assert not any((story.link(number).serial or "?") in told for number in range(24))


def test_what_it_was_in_belongs_to_its_history(own: Story) -> None:
    """A container's events while it was in there, and no others; and what was taken out of itself."""
    unit, item = gs1.sscc(SSCC).epc, own.link().epc
    for document in (
        packed(8, unit, item, own.link(1).epc),
        packed(9, CONTAINER, unit),
        event("ObjectEvent", "OBSERVE", 10, epcList=[CONTAINER], bizStep="departing"),
        packed(11, CONTAINER, unit, action="DELETE"),
        event("ObjectEvent", "OBSERVE", 12, epcList=[CONTAINER], bizStep="arriving"),
        packed(13, unit, item, action="DELETE"),
        packed(14, unit, action="DELETE"),
    ):
        own.world.publish(own.line, public_event(document))
    own.world.tick()
    inside = "returnable asset (8003) 09506000134352CONTAINER1"
    assert [(step.title, step.detail) for step in resolved(own).steps] == [
        ("Packed", "2 things put in"),
        ("Packed", f"into {inside}"),
        ("Departed", f"in {inside}"),
        ("Unpacked", f"out of {inside}"),
        ("Unpacked", "1 thing taken out"),
        ("Unpacked", "all that was in it taken out"),
    ]


def test_what_events_name_by_urn_is_found_by_its_link(own: Story) -> None:
    """EPCIS has both forms: a unit, what it was in, and an item are the same, said by either of them."""
    unit, urn = gs1.sscc(SSCC).epc, "urn:epc:id:sscc:9506000.0134352001"
    serial = own.link().serial
    outer, outer_urn = gs1.sscc(UNKNOWN).epc, "urn:epc:id:sscc:9506000.0134352002"
    for document in (
        packed(8, urn, f"urn:epc:id:sgtin:9506000.013435.{serial}"),
        packed(9, outer, urn),
        event("ObjectEvent", "OBSERVE", 10, epcList=[outer_urn], bizStep="departing"),
        packed(11, outer_urn, unit, action="DELETE"),
        event("ObjectEvent", "OBSERVE", 12, epcList=[outer_urn], bizStep="arriving"),
    ):
        own.world.publish(own.line, public_event(document))
    own.world.tick()
    page = resolved(own)
    assert [step.title for step in page.steps] == ["Packed", "Packed", "Departed", "Unpacked"]
    assert page.standing is Standing.NO_CLAIM and page.counts.verified == page.counts.total == 4
    resolver = Resolver(own.world.folder, own.world.dsn)
    assert [step.title for step in resolver.page(own.link()).steps] == ["Packed", "Packed", "Departed", "Unpacked"]
    resolver.close()


def test_a_record_that_was_changed_is_a_problem(own: Story) -> None:
    """The page names it, and says so first."""
    own.tell()
    with connect(own.world.dsn, role=None) as connection:
        connection.execute(
            """update tallystick.entry set data = set_byte(data, 60, get_byte(data, 60) # 1)
                where entry_id = (select max(entry_id) from tallystick.event)"""
        )
    page = resolved(own)
    assert page.standing is Standing.PROBLEM and page.headline == "Problem"
    assert page.reason.startswith("1 record behind this page cannot be verified") and "not signed" in page.reason


def test_over_http_it_is_a_page_or_json(client: httpx.Client, story: Story) -> None:
    """Where the label's code leads, with what a browser and a program ask for; its link is pasted, too."""
    answer = client.get(urlsplit(Unit(SSCC).link("id.example.com")).path)
    assert answer.status_code == 200 and answer.text.startswith("<!doctype html>")
    for words in ("A pallet or a case", SSCC, "label is not signed", "stands on its label", "Warehouse, Seattle",
                  "13 of 13", "48 readings", "this unit\N{RIGHT SINGLE QUOTATION MARK}s own"):  # fmt: skip
        assert words in answer.text
    assert "script" not in answer.headers["content-security-policy"] and "<script" not in answer.text
    by_header = client.get(f"/00/{SSCC}", headers={"accept": "application/json"}).json()
    assert by_header == client.get(f"/00/{SSCC}?format=json").json()
    assert by_header["sscc"] == SSCC and by_header["verdict"] == "no-claim" and len(by_header["steps"]) == 5
    assert f'href="/00/{SSCC}?format=json"' in answer.text
    assert client.head(f"/00/{SSCC}").status_code == 200
    pasted = client.get("/", params={"link": f"https://ID.EVIL.EXAMPLE/00/{SSCC}?next=x"})
    assert (pasted.status_code, pasted.headers["location"]) == (303, f"/00/{SSCC}")


def test_its_proofs_hold_offline(client: httpx.Client) -> None:
    """Each that the page leads to, against the trust file alone."""
    trust = Trust.parse(client.get("/trust.json").text)
    for proof in client.get(f"/00/{SSCC}?format=json").json()["proofs"]:
        bundle = Bundle.decode(client.get(f"/bundle/{proof['bundle']}").content)
        assert verify(bundle, trust).statement.hash.hex() == proof["bundle"]


def test_nothing_known_is_a_page_too(client: httpx.Client) -> None:
    """As for a lot without labels: 200, in plain words; an odd query is shown as nobody's."""
    answer = client.get(f"/00/{UNKNOWN}?promo=%3Cb%3E")
    assert answer.status_code == 200 and "no public event of a unit with this number" in answer.text
    assert "Where it was" not in answer.text and "signed by nobody" in answer.text and "<b>" not in answer.text[-9000:]


def test_it_has_a_linkset(client: httpx.Client) -> None:
    """Whose default link is the page; where nothing is known there is none, and no redirect leads away."""
    root = "https://id.example.com"
    [context] = client.get(f"/00/{SSCC}?linkType=linkset").json()["linkset"]
    assert context["anchor"] == f"{root}/00/{SSCC}"
    assert context["https://ref.gs1.org/voc/defaultLink"] == [
        {"href": f"{root}/00/{SSCC}", "title": "Proven history"}
    ]  # fmt: skip
    answer = client.get(f"/00/{UNKNOWN}?linkType=linkset", headers={"accept": "application/json"})
    assert answer.status_code == 404 and answer.json()["error"] == "Nothing is known here of this unit."
    assert client.get(f"/00/{SSCC}?linkType=gs1:pip").status_code == 404
    assert "A pallet or a case" in client.get(f"/00/{SSCC}?linkType=gs1:traceability").text
