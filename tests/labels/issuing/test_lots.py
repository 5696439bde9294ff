"""`POST /lots`, served by the real command: what a program gets, and what it is refused."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.postgres import Postgres
from labels import gs1
from labels.signature import verify_label
from ledger.database import connect
from tests.labels.issuing.asking import ORDER, asking, bearer, book, rows, said
from tests.labels.story import GTIN, LOT
from tests.running import eventually
from tests.world import World, ticking


@pytest.fixture
def world(postgres_dsn: str, tmp_path: Path) -> Iterator[World]:
    """A ledger whose gateway seals."""
    with World(postgres_dsn, tmp_path / "ledger") as made, ticking(made):
        yield made


@pytest.fixture
def client(world: World) -> Iterator[httpx.Client]:
    """A program that may issue labels."""
    with asking(world) as made:
        yield made


@pytest.fixture(scope="module")
def untouched(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A ledger of which no test makes anything: nobody seals either."""
    with World(postgres_server.create_database("untouched"), tmp_path_factory.mktemp("lots") / "ledger") as made:
        yield made
    postgres_server.drop_database("untouched")


@pytest.fixture(scope="module")
def refused(untouched: World) -> Iterator[httpx.Client]:
    """A program that asks there for what it will not get."""
    with asking(untouched) as made:
        yield made


def test_a_program_gets_its_labels(client: httpx.Client, world: World) -> None:
    """201 with the entry, the root and links that verify; the batch is there to be asked for again."""
    answer = client.post("/lots", json=ORDER)
    said = answer.json()
    assert (answer.status_code, said["gtin"], said["lot"], said["size"]) == (201, GTIN, LOT, 3)
    issued = book(world).batches[bytes.fromhex(said["root"])]
    assert issued.index == said["registry_entry"]
    links = list(map(gs1.parse, said["labels"]))
    assert (
        all(verify_label(link, book(world).label_keys) for link in links) and len({link.serial for link in links}) == 3
    )
    again = client.get(answer.headers["location"])
    assert again.json() == {name: value for name, value in said.items() if name not in ("labels", "warning")}
    lines = client.get(said["links"]).text.splitlines()
    assert lines == ["gtin,lot,serial,link", *(f"{GTIN},{LOT},{gs1.parse(one).serial},{one}" for one in said["labels"])]
    assert client.get(said["links"], params={"format": "txt"}).text.split() == said["labels"]
    assert client.get(said["links"], params={"format": "json"}).json()["labels"] == said["labels"]


def test_hidden_codes_are_made_if_they_are_asked_for(client: httpx.Client, world: World) -> None:
    """The entry has their root; the links show none; and the same request without them is another one."""
    said = client.post("/lots", json={**ORDER, "hidden": True}, headers={"idempotency-key": "hidden"}).json()
    batch = book(world).batches[bytes.fromhex(said["root"])].batch
    assert batch.hidden is not None and said["hidden"] == batch.hidden.hex()
    assert len(said["labels"]) == 3 and not any("#" in link for link in said["labels"])
    assert client.post("/lots", json=ORDER, headers={"idempotency-key": "hidden"}).status_code == 409
    assert "hidden" not in client.post("/lots", json=ORDER).json()


def test_of_a_large_batch_there_is_a_link(client: httpx.Client) -> None:
    """Its labels are sent as they are read, and not in the answer."""
    said = client.post("/lots", json={**ORDER, "count": 1_001}).json()
    assert "labels" not in said
    assert len(client.get(said["links"]).text.splitlines()) == 1_002


def test_of_a_batch_that_is_not_whole_here_no_answer_begins(client: httpx.Client, world: World) -> None:
    """As in a database that was filled from a copy: 503 in place of a file that is cut."""
    said = client.post("/lots", json=ORDER).json()
    with connect(world.dsn, role=None) as owner:
        owner.execute("delete from label where index = 2")
    for form in ("csv", "json", "txt"):
        answer = client.get(said["links"], params={"format": form})
        assert answer.status_code == 503 and answer.json()["error"] and answer.json()["hint"]


def test_its_own_serials_are_taken_as_they_are(client: httpx.Client, world: World) -> None:
    """In their order, with a word on those that can be guessed; the registry says so too."""
    said = client.post("/lots", json={"gtin": GTIN, "lot": LOT, "serials": ["A-2", "A/1"], "lot_in_link": True}).json()
    assert [(link.lot, link.serial) for link in map(gs1.parse, said["labels"])] == [(LOT, "A-2"), (LOT, "A/1")]
    assert said["serials"] == "guessable" and "can be guessed" in said["warning"]
    assert f"no GS1 Company Prefix, so nothing shows that GTIN {GTIN} is its own" in said["warning"]
    assert book(world).batches[bytes.fromhex(said["root"])].batch.entry()["serials"] == "guessable"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b'{"gtin": "%s", "lot": "A", "count": 1, "count": 9}' % GTIN.encode(), 400, "a name comes twice in an object"),
        (b'{"gtin": "%s", "lot": "A", "count": NaN}' % GTIN.encode(), 400, "NaN is no number of JSON"),
        (b'{"gtin": "%s", "lot": "A", "count": %s}' % (GTIN.encode(), b"9" * 400_000), 400, "more than 1,000 digits"),
        (b'{"gtin": "%s", "lot": "A", "count": -%s}' % (GTIN.encode(), b"9" * 900), 400, "how many"),
        (b'{"gtin": "%s", "lot": "\xff", "count": 1}' % GTIN.encode(), 400, "not JSON"),
        ({**ORDER, "\ud800": 1}, 400, "a field '\\ud800' that is not known"),
        ({**ORDER, "organisation": "\ud800"}, 400, "no organisation '\\ud800'"),
        ({"gtin": GTIN, "lot": LOT, "serials": ["A", "\ud800"]}, 400, "serial 2: serial"),
        ({"gtin": GTIN, "lot": LOT, "serials": [f"Y{n:019}" for n in range(99_999)] + ["B C"]}, 400, "serial 100000: "),
        (b"[]", 400, "no JSON object"),
        ({**ORDER, "more": 1}, 400, "a field 'more' that is not known"),
        ({**ORDER, "gtin": 9506000134352}, 400, "gtin is a text"),
        ({**ORDER, "gtin": "09506000134353"}, 400, "wrong check digit"),
        ({**ORDER, "lot": "x" * 21}, 400, "is not GS1's"),
        ({**ORDER, "lot": "x" * 2_000_000}, 400, "lot is a text"),
        ({**ORDER, "lot": "\ud800"}, 400, "is not GS1's"),
        ({**ORDER, "lot_in_link": 1}, 400, "true or false"),
        ({**ORDER, "hidden": "yes"}, 400, "hidden is true or false"),
        ({**ORDER, "count": 0}, 400, "1 to 1,000,000 labels, not 0"),
        ({**ORDER, "count": True}, 400, "how many"),
        ({**ORDER, "count": "3"}, 400, "how many"),
        ({**ORDER, "count": 100_001}, 413, "at most 100,000 labels, not 100,001"),
        ({**ORDER, "serials": ["A"]}, 400, "both count and serials"),
        ({"gtin": GTIN, "lot": LOT}, 400, "how many"),
        ({"gtin": GTIN, "lot": LOT, "serials": []}, 400, "no serials"),
        ({"gtin": GTIN, "lot": LOT, "serials": ["A", 1]}, 400, "serial 2 is no text"),
        ({"gtin": GTIN, "lot": LOT, "serials": ["A", "B C"]}, 400, "serial 2: serial 'B C' is not GS1's"),
        ({"gtin": GTIN, "lot": LOT, "serials": ["A", "B", "A"]}, 409, "serial 3: serial 'A' is that of serial 1"),
        ({"gtin": GTIN, "lot": LOT, "serials": ["A"] * 100_001}, 413, "at most 100,000 labels"),
        ({**ORDER, "organisation": "https://nobody.example"}, 400, "no organisation 'https://nobody.example'"),
        (b"x" * (4 * 1024 * 1024 + 1), 413, "over its size"),
    ],
)
def test_what_cannot_be_issued_gets_a_plain_word(
    refused: httpx.Client, untouched: World, body: Any, status: int, error: str
) -> None:
    """An error and a hint, and nothing is stored."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = refused.post("/lots", content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert error in answer.json()["error"] and answer.json()["hint"]
    assert rows(untouched, "select count(*) from label") == [(0,)] and not book(untouched).batches


def test_anothers_gtin_is_forbidden_and_a_recalled_lot_a_conflict(client: httpx.Client, world: World) -> None:
    """403 and 409, in the same words as on a terminal."""
    other = {"type": "organisation", "uri": "https://other.example.com", "name": "Other", "prefixes": ["9501101"]}
    said(world, other)
    answer = client.post("/lots", json={**ORDER, "gtin": "09501101530003", "organisation": "https://example.com"})
    assert answer.status_code == 403 and "has declared its GS1 Company Prefix" in answer.json()["error"]
    recall = {"type": "recall", "organisation": "https://example.com", "gtin": GTIN, "lot": LOT, "reason": "glass"}
    said(world, {**recall, "since": "2026-11-26"})
    answer = client.post("/lots", json=ORDER)
    assert answer.status_code == 409 and "is recalled" in answer.json()["error"]
    said(world, {**{name: recall[name] for name in recall if name != "lot"}, "serial": "A/1", "since": "2026-11-26"})
    answer = client.post("/lots", json={"gtin": GTIN, "lot": "OTHER", "serials": ["A-0", "A/1"]})
    assert answer.status_code == 409 and "serial A/1 is recalled" in answer.json()["error"]


@pytest.mark.parametrize("shown", [None, "Bearer", "Bearer " + "x" * 32, "Basic abc", "\xff"])
def test_without_a_token_nothing_is_read(refused: httpx.Client, untouched: World, shown: str | None) -> None:
    """401 for the list, a batch, its labels and a new one; a reader's token is none."""
    headers = [] if shown is None else [(b"authorization", shown.encode("latin-1"))]
    with httpx.Client(base_url=refused.base_url, headers=headers) as stranger:
        read = [stranger.get(path) for path in ("/lots", "/lots/", "/lots/00", "/lots/00/labels")]
        for answer in (stranger.post("/lots", json=ORDER), *read):
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert rows(untouched, "select count(*) from label") == [(0,)]


def test_a_token_that_is_taken_out_counts_no_more(client: httpx.Client, world: World) -> None:
    """At once, without a restart; others go on."""
    world.folder.issuers_file.write_text(json.dumps({"erp": "e" * 32}))
    assert client.post("/lots", json=ORDER).status_code == 401
    assert client.post("/lots", json=ORDER, headers={"authorization": f"bearer {'e' * 32}"}).status_code == 201


def test_a_body_of_no_length_is_refused(refused: httpx.Client) -> None:
    """411: what is read is bounded before it is read."""
    assert refused.post("/lots", content=iter([b"{}"])).status_code == 411
    both = {"content-length": "2", "transfer-encoding": "chunked"}  # of these the length is the one that does not count
    assert refused.post("/lots", content=iter([b"{}"]), headers=both).status_code == 411


def test_only_lots_take_a_body(refused: httpx.Client) -> None:
    """405 elsewhere, and for what else a program may do to them: in JSON, with what is answered."""
    for path in ("/", f"/01/{GTIN}", "/lots/00", "/log/"):
        assert refused.post(path, json=ORDER).status_code == 405
    for answer in (refused.put("/lots", json=ORDER), refused.delete("/lots/00"), refused.patch("/lots/00")):
        assert answer.status_code == 405 and answer.json()["error"] and answer.headers["allow"] in answer.json()["hint"]
    assert refused.put("/lots", json=ORDER).headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_whatever_is_asked_below_lots_is_answered_in_json(refused: httpx.Client) -> None:
    """To a browser too: there is no page."""
    for path in ("/lots/%00", "/lots/%ff", f"/lots/{'0' * 5000}"):
        answer = refused.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 404 and "no batch of this token" in answer.json()["error"]
    for path in ("/lots/", f"/lots/{'0' * 64}/more", f"/lots/{'0' * 64}/labels/"):
        answer = refused.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 404 and answer.json()["error"] == "there is nothing at this address"
    answer = refused.get(f"/lots/{'0' * 64}/labels", params={"format": "html"})
    assert answer.status_code == 400 and "no such format" in answer.json()["error"]


def test_a_program_asks_what_there_is(client: httpx.Client, world: World) -> None:
    """Its batches as each is at its own address, in the order of issue: all, a product's, or a lot's."""
    assert client.get("/lots").json() == {"lots": []}
    made = [client.post("/lots", json={**ORDER, "lot": lot}).headers["location"] for lot in (LOT, "OTHER", LOT)]
    first, other, last = (client.get(where).json() for where in made)
    answer = client.get("/lots")
    assert answer.status_code == 200 and answer.json() == {"lots": [first, other, last]}
    assert client.get("/lots", params={"gtin": GTIN[1:]}).json() == answer.json()
    assert client.get("/lots", params={"gtin": GTIN, "lot": LOT}).json() == {"lots": [first, last]}
    assert client.get("/lots", params={"gtin": "09501101530003"}).json() == {"lots": []}
    for wrong in ({"gtin": "09506000134353"}, {"lot": LOT}, {"gtin": GTIN, "lot": "x y"}):
        answer = client.get("/lots", params=wrong)
        assert answer.status_code == 400 and answer.json()["error"] and answer.json()["hint"]


def test_a_head_is_answered_as_its_get_without_the_body(client: httpx.Client, world: World) -> None:
    """Of the list, a batch and its labels; and of labels that are not whole here it says so too."""
    where = client.post("/lots", json=ORDER).headers["location"]
    for path in ("/lots", where, f"{where}/labels", f"{where}/labels?format=json"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"") == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.headers.get("content-length") == get.headers.get("content-length")
    with connect(world.dsn, role=None) as owner:
        owner.execute("delete from label where index = 2")
    assert client.head(f"{where}/labels").status_code == 503


def test_a_token_is_looked_up_once_a_request(client: httpx.Client, world: World) -> None:
    """What it was when the request began counts: the body, which comes when it is asked for, is still issued."""
    body = json.dumps(ORDER).encode()
    head = f"POST /lots HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer(world)['authorization']}\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=60) as program:
        program.sendall(f"{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert program.recv(1_000).startswith(b"HTTP/1.1 100 ")
        world.folder.issuers_file.write_text(json.dumps({"another": "a" * 32}))
        program.sendall(body)
        assert program.recv(1_000).startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize(
    "held",
    [
        b"",
        b"garbage",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"default": 1}',
        b'{"a": "%s", "a": "%s"}' % (b"x" * 16, b"y" * 16),
    ],
)
def test_a_broken_file_of_issuers_is_no_ones_leave(world: World, client: httpx.Client, held: bytes) -> None:
    """Edited to garbage while it runs: 503 that says nothing of the file; mended, it is well again."""
    good, shown = world.folder.issuers_file.read_bytes(), bearer(world)
    world.folder.issuers_file.write_bytes(held)
    for answer in (client.post("/lots", json=ORDER, headers=shown), client.get("/lots/00", headers=shown)):
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
        assert answer.json()["error"] == "labels are neither issued nor shown just now" and answer.json()["hint"]
        assert "issuers" not in answer.text and answer.headers["retry-after"]
    world.folder.issuers_file.write_bytes(good)
    assert client.post("/lots", json=ORDER, headers=shown).status_code == 201


def test_a_request_that_is_repeated_gets_the_same_batch(client: httpx.Client, world: World) -> None:
    """By its key, and for what was asked alone; each issuer has keys of its own."""
    first, again = (client.post("/lots", json=ORDER, headers={"idempotency-key": "k-1"}) for _ in range(2))
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    other = client.post("/lots", json={**ORDER, "count": 4}, headers={"idempotency-key": "k-1"})
    assert other.status_code == 409 and "another request" in other.json()["error"]
    assert client.post("/lots", json=ORDER, headers={"idempotency-key": "k-2"}).json()["root"] != first.json()["root"]
    assert client.post("/lots", json=ORDER, headers={"idempotency-key": "x" * 256}).status_code == 400
    assert len(book(world).batches) == 2


@pytest.mark.parametrize("keys", [[b""], [b"\xff"], [b"a\xc3\xa9"], [b"x" * 256], [b"x" * 200, b"y" * 200]])
def test_a_key_that_is_none_is_refused(refused: httpx.Client, untouched: World, keys: list[bytes]) -> None:
    """400, and nothing is stored: who means to repeat a request must be able to."""
    shown = [(b"authorization", bearer(untouched)["authorization"].encode())]
    with httpx.Client(base_url=refused.base_url) as plain:
        headers = shown + [(b"idempotency-key", key) for key in keys]
        answer = plain.post("/lots", content=json.dumps(ORDER).encode(), headers=headers)
    assert answer.status_code == 400 and "Idempotency-Key is none" in answer.json()["error"] and answer.json()["hint"]
    assert rows(untouched, "select count(*) from label") == [(0,)]


def test_two_keys_are_one_of_both(client: httpx.Client, world: World) -> None:
    """As HTTP reads a header that is there twice: neither of them alone was used."""
    shown = [("authorization", bearer(world)["authorization"])]
    for keys in (["a", "b"], ["a"], ["b"]):
        headers = shown + [("idempotency-key", key) for key in keys]
        assert client.post("/lots", json=ORDER, headers=headers).status_code == 201
    assert len(book(world).batches) == 3


def test_a_lot_that_is_recalled_since_says_so(client: httpx.Client, world: World) -> None:
    """The request that is repeated and the batch's own address have the reason, where they had null."""
    once = {"idempotency-key": "before the recall"}
    first = client.post("/lots", json=ORDER, headers=once)
    assert first.status_code == 201 and first.json()["recalled"] is None
    recall = {"type": "recall", "organisation": "https://example.com", "gtin": GTIN, "lot": LOT, "reason": "glass"}
    said(world, {**recall, "since": "2026-11-26"})
    again = client.post("/lots", json=ORDER, headers=once)
    assert (again.status_code, again.json()["recalled"]) == (201, "glass")
    assert client.get(first.headers["location"]).json()["recalled"] == "glass"


def at_once(client: httpx.Client, *orders: dict[str, Any], **headers: str) -> list[httpx.Response]:
    """What is answered to requests that come at one time."""
    with ThreadPoolExecutor(len(orders)) as pool:
        return list(pool.map(lambda order: client.post("/lots", json=order, headers=headers), orders))


def test_of_two_that_want_the_same_serials_one_wins(client: httpx.Client, world: World) -> None:
    """The other hears 409, and nothing of it is there: also where one link names the lot."""
    serials = [f"SN-{number}" for number in range(500)]
    order = {"gtin": GTIN, "lot": LOT, "serials": serials}
    answers = at_once(client, order, {**order, "lot": "OTHER"}, {**order, "lot_in_link": True})
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert all("'SN-0' was issued before" in answer.json()["error"] for answer in answers if answer.is_error)
    assert rows(world, "select count(*) from label") == [(500,)] and len(book(world).batches) == 1


def test_one_request_that_comes_twice_at_once_is_issued_once(client: httpx.Client, world: World) -> None:
    """Both get the one batch."""
    answers = at_once(client, ORDER, ORDER, ORDER, **{"idempotency-key": "same"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["root"] for answer in answers}) == len(book(world).batches) == 1


def test_twenty_at_once_with_one_key_get_one_batch_between_them(client: httpx.Client, world: World) -> None:
    """Each asks for another number of labels: one gets them, and every other hears 409, or 503 and asks again."""
    orders = [{**ORDER, "count": count} for count in range(1, 21)]
    answers = at_once(client, *orders, **{"idempotency-key": "one"})
    assert sorted({answer.status_code for answer in answers} - {503}) == [201, 409]
    assert [answer.status_code for answer in answers].count(201) == len(book(world).batches) == 1
    assert all(answer.json()["error"] and answer.json()["hint"] for answer in answers if answer.is_error)
    [issued] = [answer.json() for answer in answers if answer.status_code == 201]
    assert rows(world, "select count(*) from label") == [(issued["size"],)]
    again = [client.post("/lots", json=order, headers={"idempotency-key": "one"}) for order in orders]
    assert sorted(answer.status_code for answer in again) == [201] + [409] * 19


def test_a_hundred_thousand_serials_of_twenty_characters_are_issued(client: httpx.Client, world: World) -> None:
    """The most there is, in the order of the request."""
    serials = [f"{number:05}-ABCDEFGHIJKLMN" for number in range(100_000)]
    said = client.post("/lots", json={"gtin": GTIN, "lot": LOT, "serials": serials}).json()
    assert said["size"] == 100_000 and {len(serial) for serial in serials} == {20}
    lines = client.get(said["links"]).text.splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == serials


def test_a_body_that_is_cut_or_comes_byte_by_byte_keeps_nobody_waiting(client: httpx.Client, world: World) -> None:
    """Nothing is issued of it, and others are answered meanwhile."""
    head = f"POST /lots HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer(world)['authorization']}\r\n"
    where = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(where) as cut, socket.create_connection(where) as slow:
        for one in (cut, slow):
            one.sendall(f"{head}Content-Length: 60\r\n\r\n{{".encode())
        cut.close()
        for byte in b'"gtin"':
            slow.sendall(bytes([byte]))
            assert client.get(f"/lots/{'0' * 64}").status_code == 404
    assert client.post("/lots", json=ORDER).status_code == 201
    assert len(book(world).batches) == 1


def test_without_a_gateway_it_is_accepted_and_published_later(postgres_dsn: str, tmp_path: Path) -> None:
    """202 with the root, and the same request hears of it once it is sealed."""
    script = "from labels.issuing import web; web.SEALED_WITHIN_S = 0.2; import tallystick; tallystick.main()"
    with World(postgres_dsn, tmp_path / "ledger") as world:
        options = ["--data", str(tmp_path), "--dsn", world.dsn, "--port", "0"]
        argv = [sys.executable, "-c", script, "labels", "serve", *options]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            address = process.stdout.readline().split()[1]
            headers = bearer(world) | {"idempotency-key": "k"}
            answer = httpx.post(f"{address}/lots", json=ORDER, headers=headers)
            assert answer.status_code == 202 and answer.json()["registry_entry"] is None
            assert answer.json()["recalled"] is None and answer.headers["location"] in answer.json()["links"]
            world.tick()
            later = httpx.post(f"{address}/lots", json=ORDER, headers=headers)
            process.terminate()
    assert (later.status_code, later.json()["root"]) == (201, answer.json()["root"])


@pytest.mark.parametrize("after_s", [0.0, 0.3, 0.6, 1.2])
def test_killed_at_any_moment_a_batch_is_whole_or_not_at_all(world: World, after_s: float) -> None:
    """The service dies by SIGKILL while it issues; what is published later is all of it, and provable."""
    argv = [sys.executable, "-m", "tallystick", "labels", "serve", "--data", str(world.folder.path.parent)]
    with subprocess.Popen([*argv, "--dsn", world.dsn, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[1]
        order, headers = {**ORDER, "count": 20_000}, bearer(world) | {"idempotency-key": "k"}
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(lambda: httpx.post(f"{address}/lots", json=order, headers=headers, timeout=60))
            time.sleep(after_s)
            process.send_signal(signal.SIGKILL)
            process.wait()
            asked.exception()
    eventually(lambda: rows(world, "select count(*) from pg_stat_activity where query like 'copy label%%'") == [(0,)])
    eventually(lambda: rows(world, "select count(*) from inbox") == [(0,)])
    ((labels,),), batches = rows(world, "select count(*) from label"), book(world).batches
    assert labels in (0, 20_000) and len(batches) == len(book(world).label_keys) == bool(labels)
    with connect(world.dsn) as connection:
        for table in ("label_subtree", "label_request"):
            assert connection.execute(f"select count(*) from {table}".encode()).fetchone() == (bool(labels),)
    assert not [path for path in world.folder.path.iterdir() if path.name.startswith("tmp")]
