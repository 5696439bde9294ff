"""Claims about the ledger over HTTP: what anybody's tlog client expects, and to each what is for him."""

import gzip
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ledger.database import connect
from ledger.published.export import export
from ledger.published.policy import Policy
from ledger.published.tokens import Tokens
from ledger.section import Privacy
from tests.ledger.published.made import Made, everything
from tests.running import serving

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def data(made: Made) -> Path:
    """The data folder."""
    return made.world.folder.path.parent


@pytest.fixture(scope="module")
def web(made: Made, data: Path) -> Iterator[httpx.Client]:
    """A client of the real command; it takes no gzip unless asked to."""
    with (
        serving("ledger", "serve", "--data", str(data), "--dsn", made.world.dsn) as address,
        httpx.Client(base_url=address, headers={"accept-encoding": "identity"}) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def tokens(web: httpx.Client, data: Path) -> dict[str, str]:
    """The tokens that were made."""
    file = data / "ledger" / "tokens.json"
    assert file.stat().st_mode & 0o777 == 0o600
    found: dict[str, str] = json.loads(file.read_text())
    return found


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_every_public_path_is_served_as_it_is(made: Made, web: httpx.Client) -> None:
    """Byte for byte what the database gives, to whoever asks."""
    expected = everything(made.reader(Privacy.PUBLIC), made.every_path(Privacy.PUBLIC))
    assert {path: web.get(f"/{path}").content for path in expected} == expected


@pytest.mark.parametrize("name", ["partners", "private"])
def test_a_token_opens_what_is_for_its_bearer(made: Made, web: httpx.Client, tokens: dict[str, str], name: str) -> None:
    """And no cache between may give it to others."""
    path = f"{made.origins['production']}/tile/entries/000"
    audience = Privacy[name.upper()]
    assert web.get(f"/{path}").status_code == 403
    answer = web.get(f"/{path}", headers=_bearer(tokens[name]))
    assert answer.content == made.reader(audience).read(path)
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "authorization" in answer.headers["vary"]
    content = web.get(f"/{path.replace('tile/entries', 'content')}", headers=_bearer(tokens[name]))
    assert content.content == made.reader(audience).read(path.replace("tile/entries", "content"))
    assert content.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("header", ["Bearer", "Bearer wrong", "Basic {}", "{}", "Bearer {}x", "Bearer \xff"])
def test_a_wrong_token_is_refused(made: Made, web: httpx.Client, tokens: dict[str, str], header: str) -> None:
    """Rather than taken for nobody: its bearer would look for a fault elsewhere."""
    value = header.format(tokens["private"]).encode("latin-1")
    answer = web.get(f"/{made.origins['registry']}/checkpoint", headers=[(b"authorization", value)])
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("rest", "kind", "cache"),
    [
        ("checkpoint", "text/plain; charset=utf-8", "no-store"),
        ("head", "application/cbor", "no-store"),
        ("tile/0/000.p/1", "application/octet-stream", FOR_EVER),
        ("tile/entries/000.p/1", "application/octet-stream", FOR_EVER),
        ("blocks/000.p/1", "application/cbor", FOR_EVER),
        ("content/000.p/1", "application/cbor", "public, no-cache"),
    ],
)
def test_headers(made: Made, web: httpx.Client, rest: str, kind: str, cache: str) -> None:
    """Types as C2SP has them; what never changes is kept for ever, a checkpoint never; any page may read."""
    answer = web.get(f"/{made.origins['registry']}/{rest}")
    assert answer.status_code == 200
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (kind, cache)
    assert answer.headers["access-control-allow-origin"] == "*"
    head = web.head(f"/{made.origins['registry']}/{rest}")
    assert head.content == b"" and head.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("rest", ["tile/entries/000", "blocks/000", "content/000"])
def test_what_gains_by_it_is_compressed_for_who_takes_it(
    made: Made, web: httpx.Client, tokens: dict[str, str], rest: str
) -> None:
    """By Accept-Encoding; hashes have nothing to gain."""
    path, headers = f"/{made.origins['production']}/{rest}", _bearer(tokens["private"])
    plain = web.get(path, headers=headers).content
    with web.stream("GET", path, headers=headers | {"accept-encoding": "br, gzip;q=0.5"}) as answer:
        raw = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == "gzip" and "accept-encoding" in answer.headers["vary"]
    assert gzip.decompress(raw) == plain and len(raw) < len(plain)
    for refused in ("gzip;q=0", "gzip; q=0.0", "br", ""):
        assert "content-encoding" not in web.get(path, headers=headers | {"accept-encoding": refused}).headers
    tile = web.get(f"/{made.origins['production']}/tile/0/000", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in tile.headers and len(tile.content) == 8192


def test_who_has_it_is_told_so(made: Made, web: httpx.Client) -> None:
    """If-None-Match: 304 and nothing else; by the encoding that would be sent."""
    path = f"/{made.origins['registry']}/content/000.p/1"
    for encoding in ("identity", "gzip"):
        first = web.get(path, headers={"accept-encoding": encoding})
        again = web.get(path, headers={"accept-encoding": encoding, "if-none-match": f'"x", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"") and again.headers["etag"] == first.headers["etag"]
        other = web.get(path, headers={"accept-encoding": encoding, "if-none-match": '"x"'})
        assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%00", "//", "/trust.json/",
        "/{}/tile/0/..%2f..%2fcheckpoint", "/{}/tile/0/000.p/300", "/{}/tile/0/000.p/99999999999999999999",
        "/{}/tile/99/000", "/{}/tile/0/" + "x999/" * 100 + "000", "/{}/checkpoint%00", "/{}/checkpoint/", "/{}",
        "/other.example.com/tallystick/production/checkpoint", "/{}/tile/0/x999/x999/x999/x999/x999/999", "/%ff%fe",
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_in_plain_text(made: Made, web: httpx.Client, path: str) -> None:
    """Whatever the path; an HTTP client must not clean it up before."""
    connection = http.client.HTTPConnection(web.base_url.host, web.base_url.port)
    connection.putrequest("GET", path.format(made.origins["production"]), skip_host=False)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 404 and (answer.getheader("content-type") or "").startswith("text/plain")
    assert b"root:" not in answer.read()
    connection.close()


def test_only_reading_is_answered(web: httpx.Client) -> None:
    """And a browser that asks before it sends a token is told that it may."""
    for method in ("POST", "PUT", "DELETE"):
        answer = web.request(method, "/trust.json")
        assert (answer.status_code, answer.headers["content-type"]) == (405, "text/plain; charset=utf-8")
    asked = web.options("/trust.json", headers={"access-control-request-headers": "authorization"})
    assert asked.status_code == 204 and "authorization" in asked.headers["access-control-allow-headers"]


def test_the_root_lists_the_logs(made: Made, web: httpx.Client) -> None:
    """Each line is a path that is served: of every log that has published something."""
    told = web.get("/").text.split()
    for origin in made.origins.values():
        path = f"{origin}/checkpoint"
        assert (path in told) == (web.get(f"/{path}").status_code == 200)
    assert f"{made.origins['production']}/checkpoint" in told


def test_a_folder_with_everything_shows_each_what_is_for_him(
    made: Made, data: Path, tokens: dict[str, str], tmp_path: Path
) -> None:
    """Served by itself, it gives what the database gives; the database is not asked."""
    export(made.reader(), made.world.trust, tmp_path / "out", Policy(Privacy.PRIVATE))
    with (
        serving("ledger", "serve", "--folder", str(tmp_path / "out"), "--data", str(data)) as address,
        httpx.Client(base_url=address) as client,
    ):
        for audience, headers in ((Privacy.PUBLIC, {}), (Privacy.PARTNERS, _bearer(tokens["partners"]))):
            for path in made.every_path():
                answer = client.get(f"/{path}", headers=headers)
                if path in made.every_path(audience):
                    assert answer.content == made.reader(audience).read(path)
                else:
                    assert answer.status_code == 403


def test_a_folder_needs_no_data_folder(made: Made, tmp_path: Path) -> None:
    """Who serves a mirror has none: all readers are the public, and nothing is made."""
    export(made.reader(), made.world.trust, tmp_path / "out", Policy(Privacy.PRIVATE))
    nowhere = tmp_path / "nowhere"
    with serving("ledger", "serve", "--folder", str(tmp_path / "out"), "--data", str(nowhere)) as address:
        assert httpx.get(f"{address}/{made.origins['production']}/content/000").status_code == 403
        assert httpx.get(f"{address}/{made.origins['production']}/checkpoint").status_code == 200
        assert httpx.get(f"{address}/trust.json", headers=_bearer("x" * 32)).status_code == 401
    assert not nowhere.exists()


def test_a_folder_that_holds_no_ledger(tmp_path: Path) -> None:
    """Is refused at the start."""
    argv = [sys.executable, "-m", "tallystick", "ledger", "serve", "--folder", str(tmp_path), "--port", "0"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1 and "tallystick: error: there is no published ledger" in done.stderr


def test_the_label_service_serves_it_too(made: Made, data: Path) -> None:
    """Below /log/, linked from the start page; it lists what is there; its own headers stay those of its pages."""
    with (
        serving("labels", "serve", "--data", str(data), "--dsn", made.world.dsn) as address,
        httpx.Client(base_url=address) as client,
    ):
        path = f"{made.origins['production']}/checkpoint"
        answer = client.get(f"/log/{path}")
        assert answer.content == made.reader().read(path)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers.get_list("cross-origin-resource-policy") == ["cross-origin"]
        assert client.get(f"/log/{made.origins['production']}/tile/entries/000").status_code == 403
        assert 'href="/log/"' in client.get("/").text
        assert made.origins["anchor"] in client.get("/log/").text
        index = client.get("/log/").text.split()
        assert client.get("/log", follow_redirects=True).text.split() == index
        listed = [word for word in index if word.endswith("/checkpoint")]
        assert listed and all(client.get(f"/log/{path}").status_code == 200 for path in listed)


def test_a_database_that_goes_away_is_503_and_comes_back(made: Made, web: httpx.Client) -> None:
    """Its sessions are lost, and the next reader gets a new one."""
    path = f"/{made.origins['production']}/tile/0/000"
    assert web.get(path).status_code == 200
    with connect(made.world.dsn, role=None, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and query like '%tile%'"
        )
    assert web.get(path).status_code == 200


def test_tokens_are_never_shown() -> None:
    """Not where a traceback shows values."""
    tokens = Tokens.parse('{"private": "0123456789abcdef"}')
    assert "0123456789abcdef" not in repr(tokens)
    assert tokens.audience("bearer 0123456789abcdef") is Privacy.PRIVATE
