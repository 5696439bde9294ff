"""POST /read: a picture is sent, and each code in it is told with its verdict."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from deploy.story import SSCC
from labels.pages import uploads
from tests.labels.reading.pictures import beside, document, encoded, label, symbol
from tests.labels.serving import served
from tests.labels.story import GTIN, Story
from tests.running import eventually

HOST = "id.example.com"
JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def client(story: Story) -> Iterator[httpx.Client]:
    """A client of a service over the told story."""
    with (
        served(story.world.folder.path.parent, story.world.dsn) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


def photo(story: Story, *numbers: int) -> bytes:
    """A picture of these labels."""
    return encoded(beside(*(label(story.labels[number].link(HOST)) for number in numbers)))


def sent(client: httpx.Client, picture: bytes, **headers: str) -> httpx.Response:
    """The answer to a form with a picture."""
    return client.post("/read", files={"image": ("photo.png", picture, "image/png")}, headers=headers)


def test_a_pallets_link_leads_to_its_page(client: httpx.Client) -> None:
    """The picture's code is told as what it is, with a link; JSON names the page."""
    picture = encoded(label(f"https://{HOST}/00/{SSCC}"))
    assert f'<a href="/00/{SSCC}">Its page</a>' in sent(client, picture).text
    [code] = sent(client, picture, **JSON).json()["codes"]
    assert (code["kind"], code["label_page"], code["verdict"]) == ("logistic-unit", f"/00/{SSCC}", None)


def test_each_label_gets_its_verdict_and_a_link_to_its_page(client: httpx.Client, story: Story) -> None:
    """As a page and as JSON; the link leads to the label's own page here, with its signature."""
    text = sent(client, photo(story, 0, 1)).text
    assert text.count("Genuine label") == 2 and "2 codes in the picture, 2 labels among them" in text
    answer = sent(client, photo(story, 0), **JSON)
    [code] = answer.json()["codes"]
    assert (code["verdict"], code["carrier"], code["by"]) == ("genuine", "QR Code", "this service")
    assert answer.headers["cache-control"] == "no-store"
    page = client.get(code["label_page"]).text
    assert "Genuine label" in page and f"{code['label_page'].partition('?')[0]}" == story.labels[0].path


def test_a_code_of_what_is_recalled_is_red_and_no_label(client: httpx.Client, story: Story) -> None:
    """An article's number beside a label: its recall is said, and it is not counted as a label, nor has a page."""
    recall = {"type": "recall", "organisation": "https://example.com", "reason": "glass", "since": "2026-11-26"}
    story.world.operator_says(recall | {"gtin": "09506000134369"})
    text = sent(client, encoded(beside(label(story.labels[0].link(HOST)), symbol("9506000134369", "EAN13")))).text
    assert "2 codes in the picture, 1 label among them" in text and text.count('">Its page') == 1
    assert 'class="verdict read problem"' in text and "<h2>Recalled: do not use</h2>" in text
    assert "RECALLED since 2026-11-26: glass" in text


def test_the_same_label_twice_is_not_green(client: httpx.Client, story: Story) -> None:
    """Each is genuine by itself; both cannot be."""
    text = sent(client, photo(story, 2, 2)).text
    assert text.count('class="verdict read unproven"') == 2 and text.count("more than once") == 2


def test_a_changed_label_is_a_problem_and_other_codes_are_told(client: httpx.Client, story: Story) -> None:
    """Side by side in one picture."""
    changed = story.labels[0].link(HOST).replace("/21/", "/21/Z")
    picture = encoded(beside(label(changed), symbol("9506000134352", "EAN13"), label("https://example.org/<b>")))
    text = sent(client, picture).text
    assert "Genuine label" not in text and "Problem" in text and "GS1 data" in text
    assert "https://EXAMPLE.ORG/&lt;b&gt;" in text and f"<dd>0{GTIN[1:]}</dd>" in text


def test_the_picture_alone_may_be_the_body(client: httpx.Client, story: Story) -> None:
    """For machines: no form; a PDF with pages."""
    data = document([label(story.labels[number].link(HOST)) for number in (3, 4)])
    answer = client.post("/read", content=data, headers={"content-type": "application/pdf", **JSON}).json()
    assert [(code["page"], code["verdict"]) for code in answer["codes"]] == [(1, "genuine"), (2, "genuine")]


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"hello", 422, "It is no picture that is read here"),
        (b"", 422, "It is empty"),
        (b"%PDF-1.7\nnothing", 422, "It is no whole PDF"),
        (b"\0" * (uploads.LIMITS.bytes_max + 1), 422, "It is larger than 16 MB"),
    ],
)
def test_what_is_no_picture_gets_a_plain_word(client: httpx.Client, content: bytes, status: int, words: str) -> None:
    """As a page, and as JSON."""
    answer = sent(client, content)
    assert answer.status_code == status and words in answer.text and "<!doctype html>" in answer.text
    assert words in sent(client, content, **JSON).json()["error"]


def test_a_picture_without_codes_says_so(client: httpx.Client) -> None:
    """And how to take a better one."""
    answer = sent(client, encoded(label("https://a/").point(lambda _: 255)))
    assert answer.status_code == 200 and "No code was found" in answer.text and "Go nearer" in answer.text


def test_a_form_that_is_none_is_refused(client: httpx.Client) -> None:
    """Without the field, without an end, with too many parts: status 400."""
    form = {"content-type": "multipart/form-data; boundary=x"}
    for files in ({"other": ("a", b"x")}, {"image": (None, b"x")}):
        assert client.post("/read", files=files).status_code == 400
    assert client.post("/read", content=b"--y\r\nnonsense", headers=form).status_code == 400
    assert client.post("/read", content=b"x", headers={"content-type": "multipart/form-data"}).status_code == 400
    many = [("image", ("a.png", b"x", "image/png"))] * 3
    assert client.post("/read", files=many).status_code == 400


def test_a_body_is_bounded_whatever_it_says_of_itself(client: httpx.Client) -> None:
    """A little too much is told in plain words; what says no length is refused."""
    answer = client.post("/read", content=b"x" * (uploads.BODY_BYTES_MAX + 1))
    assert answer.status_code == 413 and "It is larger than 16 MB" in answer.text

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    with suppress(httpx.TransportError):  # it may be cut before we are done
        assert client.post("/read", content=endless()).status_code == 411
    assert client.get("/healthz").status_code == 200


def test_only_there_may_be_sent_to(client: httpx.Client, story: Story) -> None:
    """GET /read is the start page; a POST elsewhere is refused as ever, and so is any other method there."""
    assert "choose a photo" in client.get("/read").text
    assert client.post("/", content=b"x").status_code == client.put("/read", content=b"x").status_code == 405
    assert "script" not in sent(client, photo(story, 0)).headers["content-security-policy"]


def test_many_at_once_wait_or_are_told_to_come_again(client: httpx.Client, story: Story) -> None:
    """Every one is read or gets 503 with a time to wait; pages are answered meanwhile, and afterwards all is well."""
    picture = photo(story, *range(12))
    with ThreadPoolExecutor(16) as pool:
        answers = [pool.submit(sent, client, picture, **JSON) for _ in range(16)]
        began = time.monotonic()
        assert client.get("/healthz").status_code == 200 and time.monotonic() - began < 10
    told = [answer.result() for answer in answers]
    assert {answer.status_code for answer in told} <= {200, 503} and any(answer.status_code == 200 for answer in told)
    assert all(answer.headers["retry-after"] == "5" for answer in told if answer.status_code == 503)
    assert sent(client, photo(story, 0)).status_code == 200


def test_who_hangs_up_leaves_no_place_taken(client: httpx.Client, story: Story) -> None:
    """Twenty senders break off half-way through their bodies: the next one is read."""
    for _ in range(20):
        connection = http.client.HTTPConnection(urlsplit(str(client.base_url)).netloc, timeout=10)
        connection.putrequest("POST", "/read")
        connection.putheader("content-length", "100000")
        connection.putheader("content-type", "image/png")
        connection.endheaders(b"x" * 1000)
        connection.close()
    eventually(lambda: sent(client, photo(story, 0)).status_code == 200)
