"""The pages over HTTP: what is asked, by whom, and what is refused."""

import asyncio
import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from labels import gs1, verify_page
from labels.pages.page import Page
from labels.pages.resolve import Resolver
from labels.pages.web import make_app
from ledger.database import connect
from ledger.pool import APPLICATION
from ledger.proof.bundle import Bundle
from ledger.proof.verify import verify
from ledger.trust.trust_file import Trust
from tests.labels.serving import client_of, served
from tests.labels.story import GTIN, LOT, Story, make_story, public_event


@pytest.fixture(scope="module")
def client(story: Story) -> Iterator[httpx.Client]:
    """A client of a service over the told story."""
    with client_of(story) as client:
        yield client


def good(story: Story, number: int = 0) -> str:
    """A label's path and signature."""
    label = story.labels[number]
    return f"{label.path}?s={label.digits}"


def test_a_label_leads_to_its_page(client: httpx.Client, story: Story) -> None:
    """Verdict, product, history, chart, and what is not proven."""
    text = client.get(good(story)).text
    for words in (
        "Genuine label", GTIN, LOT, "Warehouse, Seattle", "Carrier Ltd", "recorded 2010, replayed",
        "What this does not prove", "<svg class=\"chart\"", "20 of 20",
    ):  # fmt: skip
        assert words in text


def test_the_same_as_json(client: httpx.Client, story: Story) -> None:
    """By the Accept header, or by asking for it."""
    by_header = client.get(good(story), headers={"accept": "application/json"}).json()
    by_query = client.get(good(story) + "&format=json").json()
    assert by_header == by_query and by_header["verdict"] == "genuine"
    assert by_header["counts"] == {"total": 20, "verified": 20, "anchored": 20}
    assert client.get(good(story), headers={"accept": "text/html, application/json"}).text.startswith("<!doctype")


def test_a_changed_label_is_a_problem(client: httpx.Client, story: Story) -> None:
    """Any digit changed; any other serial; a key cut short."""
    for link in (
        good(story)[:-1] + str((int(good(story)[-1]) + 1) % 10),
        good(story).replace("/21/", "/21/X"),
        good(story)[:-5],
    ):
        page = client.get(link, headers={"accept": "application/json"}).json()
        assert page["verdict"] == "problem" and not page["steps"]


def test_unsigned_extras_are_shown_as_unsigned(client: httpx.Client, story: Story) -> None:
    """Whatever else stands in the query."""
    text = client.get(good(story) + "&17=270630&promo=%3Cb%3E").text
    assert "signed by nobody" in text and "17=270630" in text and "<b>" not in text.split("signed by nobody")[1][:200]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/01/09506000134353/21/A1", 400, "wrong check digit"),
        ("/01/09506000134352/21/", 400, "empty"),
        ("/00/095060001343520018", 400, "wrong check digit"),
        ("/8003/09506000134352", 404, "names no product"),
        ("/414/9506000134352", 404, "names no product"),
        ("/01/09506000134352/21/A1?17=999999999", 400, "(17)"),
        ("/01/09506000134352/21/A%20B", 400, "(21)"),
        ("/wp-login.php", 404, "names no product"),
        ("/static/../web.py", 404, "names no product"),
        ("/static/page.html", 404, "no such file"),
        ("/bundle/" + "0" * 64, 404, "No published statement"),
        ("/bundle/nonsense", 404, "No published statement"),
        ("/docs", 404, "names no product"),
    ],
)
def test_mistakes_get_a_plain_word(client: httpx.Client, path: str, status: int, words: str) -> None:
    """As a page, and as JSON."""
    answer = client.get(path)
    assert answer.status_code == status and words in answer.text and "<!doctype html>" in answer.text
    told = client.get(path, headers={"accept": "application/json"})
    assert told.status_code == status and words in told.json()["error"]


def test_every_answer_has_the_security_headers(client: httpx.Client, story: Story) -> None:
    """Also errors, refusals and files; no page may hold a script."""
    answers = [client.get(path) for path in (good(story), "/", "/01/1/21/1", "/static/style.css", "/trust.json")]
    answers.append(client.post("/"))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script" not in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "<script" not in answer.text and " style=" not in answer.text


def test_only_the_page_that_checks_proofs_has_a_script(client: httpx.Client) -> None:
    """One, its own, named by its hash in a policy that takes the place of the others'; HEAD is answered, too."""
    answer = client.get("/verify?statement=<script>")
    [policy] = answer.headers.get_list("content-security-policy")
    assert answer.status_code == 200 and answer.text.count("<script") == 1
    assert "script-src 'sha256-" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.head("/verify").content == b"" and client.get("/verify").text == verify_page.html()


def test_only_reading_is_answered(client: httpx.Client, story: Story) -> None:
    """HEAD as GET; nothing else."""
    assert client.head(good(story)).status_code == 200 and client.head(good(story)).content == b""
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.request(method, good(story), content=b"x" * 1000).status_code == 405


def test_a_pasted_link_leads_to_its_page_here(client: httpx.Client, story: Story) -> None:
    """Whatever host it names, and only to this service."""
    pasted = story.labels[0].link("ID.EVIL.EXAMPLE") + "&next=https://evil.example"
    answer = client.get(f"/?link={quote(pasted, safe='')}")
    assert answer.status_code == 303 and answer.headers["location"] == good(story)
    assert client.get("/?link=javascript:alert(1)").status_code == 400
    assert client.get("/?link=//evil.example/").status_code == 400
    assert client.get("/").status_code == 200


def test_a_number_that_is_typed_leads_to_its_page_or_gets_a_plain_word(client: httpx.Client) -> None:
    """A GTIN as it stands below a bar code; and one that lacks a digit, or has a wrong one."""
    for typed in ("9 506000 134352", GTIN, f"(01){GTIN}"):
        assert client.get("/", params={"link": typed}).headers["location"] == f"/01/{GTIN}"
    for typed, told in (
        ("09506000134", "has 11 digits, not 8, 12, 13 or 14"), ("9506000134351", "has a wrong check digit")
    ):  # fmt: skip
        answer = client.get("/", params={"link": typed, "format": "json"})
        assert answer.status_code == 404 and answer.json()["error"] == f"GTIN '{typed}' {told}"
        assert answer.json()["hint"]


def test_bundles_and_the_trust_file_are_all_that_a_check_needs(client: httpx.Client, story: Story) -> None:
    """Each proof of a page verifies against the served trust file."""
    trust = Trust.parse(client.get("/trust.json").text)
    page = client.get(good(story) + "&format=json").json()
    for proof in page["proofs"]:
        answer = client.get(f"/bundle/{proof['bundle']}")
        assert answer.headers["cache-control"] == "no-store"  # it may be shredded the next moment
        assert "attachment" in answer.headers["content-disposition"]
        assert verify(Bundle.decode(answer.content), trust).statement.hash.hex() == proof["bundle"]


def test_lots_and_serials_may_hold_any_of_gs1s_characters(client: httpx.Client) -> None:
    """Percent-encoded slashes stay within their value."""
    link = gs1.item(GTIN, lot="A/B&C?", serial="<1>/%")
    page = client.get(link.canonical_path, headers={"accept": "application/json"}).json()
    assert (page["lot"], page["serial"], page["verdict"]) == ("A/B&C?", "<1>/%", "not-proven")
    assert "&lt;1&gt;/%" in client.get(link.canonical_path).text


def test_it_says_whether_it_is_well(client: httpx.Client) -> None:
    """`/healthz` asks the database."""
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.fixture
def offline(story: Story) -> Iterator[httpx.Client]:
    """A client of a service without its database."""
    with client_of(story, "host=/nonexistent dbname=none") as client:
        yield client


def test_without_a_database_it_says_so(offline: httpx.Client, story: Story) -> None:
    """Pages are 503 in plain words; what needs no database is served."""
    for path in (good(story), "/healthz", "/bundle/" + "0" * 64):
        answer = offline.get(path)
        assert answer.status_code == 503 and "does not answer just now" in answer.text
        assert answer.headers["retry-after"] == "5"
    assert offline.get(good(story), headers={"accept": "application/json"}).status_code == 503
    assert offline.get("/").status_code == offline.get("/trust.json").status_code == 200


def test_a_session_that_lost_its_server_is_replaced(client: httpx.Client, story: Story) -> None:
    """Every session is ended by the server; the next page is made by a new one."""
    assert client.get(good(story)).status_code == 200
    with connect(story.world.dsn, role=None, autocommit=True) as connection:
        ended = connection.execute(
            """select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and state = 'idle' and application_name = %s""",
            [APPLICATION],
        ).fetchone()
    assert ended is not None and ended[0] >= 1
    assert client.get(good(story)).status_code == 200


@pytest.fixture
def hostile(postgres_dsn: str, tmp_path: Path) -> Iterator[tuple[httpx.Client, Story]]:
    """A story whose events hold markup wherever a text may stand."""
    made = make_story(postgres_dsn, tmp_path / "ledger", count=1)
    with client_of(made) as client:
        yield client, made
    made.world.close()


EVIL_URI = "urn:x:'-alert(1)-'&lt;script&gt;javascript:alert(3)"
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}\u202e"


def test_markup_in_events_is_text(hostile: tuple[httpx.Client, Story]) -> None:
    """Names, identifiers, dispositions and steps come out escaped."""
    client, story = hostile
    place = {"id": EVIL_URI, "name": EVIL}
    event = {
        "type": "ObjectEvent", "action": "ADD", "eventTime": "2026-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+00:00", "epcList": [story.link().epc], "bizStep": EVIL_URI, "disposition": EVIL_URI,
        "readPoint": place, "bizLocation": place, "ilmd": {"cbvmda:descriptionShort": EVIL},
    }  # fmt: skip
    story.world.publish(story.line, public_event(event))
    del event["ilmd"], event["epcList"]
    association = {**event, "type": "AssociationEvent", "parentID": story.link().epc, "childEPCs": [EVIL_URI]}
    story.world.publish(story.line, public_event(association))
    story.world.tick()
    answer = client.get(good(story))
    assert answer.status_code == 200 and "&lt;script&gt;" in answer.text and "{{7*7}}" in answer.text
    assert "<script" not in answer.text and "<img src=x" not in answer.text and "\u202e" not in answer.text


def test_the_command_serves_and_bounds_what_it_reads(story: Story) -> None:
    """A real process: pages, a head of 20 kB refused, a bad request survived, SIGTERM obeyed."""
    with served(story.world.folder.path.parent, story.world.dsn) as address:
        host = urlsplit(address).netloc

        def get(path: str, **headers: str) -> int:
            connection = http.client.HTTPConnection(host, timeout=20)
            connection.request("GET", path, headers=headers)
            status = connection.getresponse().status
            connection.close()
            return status

        assert get(good(story)) == 200
        assert get("/01/" + "9" * 20_000) in (400, 414, 431)
        assert get("/01/" + "9" * 9_000) == 400
        assert get("/", cookie="x" * 40_000) in (400, 431)
        assert get(good(story, 5)) == 200


def test_pages_are_asked_for_at_once(client: httpx.Client, story: Story) -> None:
    """More at a time than there are sessions: all are answered."""
    with ThreadPoolExecutor(12) as pool:
        answers: list[httpx.Response] = list(pool.map(lambda n: client.get(good(story, n % 24)), range(48)))
    assert {answer.status_code for answer in answers} == {200}


def test_a_fault_of_ours_is_told_as_ours(story: Story) -> None:
    """Status 500 in plain words, with the security headers, and nothing of the traceback."""

    class Broken(Resolver):
        def scanned(self, link: gs1.DigitalLink) -> Page:
            raise RuntimeError("secret detail")

    async def ask() -> httpx.Response:
        app = make_app(Broken(story.world.folder, story.world.dsn), host="id.example.com", log=Starlette())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
            return await client.get(good(story))

    answer = asyncio.run(ask())
    assert answer.status_code == 500 and "on our side" in answer.text and "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
