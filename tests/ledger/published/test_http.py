"""Reading from a URL: what a real server may do to us, and what we call it."""

import gzip
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import SourceError, SourceRefused, SourceUnreachable, UserError
from ledger.monitor.webhook import Webhook
from ledger.published.http import HttpReader, Limits
from ledger.published.reader import NotPublishedError
from tests.ledger.published import misbehaving
from tests.ledger.published.misbehaving import Behaviour, Server, answer, first, redirect
from tests.running import free_port

LOG = "example.com/tallystick/production"
PATH = f"{LOG}/checkpoint"
PATIENT = Limits(tries=3, pause_s=0.01)
HASTY = Limits(read_s=0.3, total_s=1.5, tries=3, pause_s=0.01)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that does what its `behaviours` say."""
    with misbehaving.serving() as running:
        yield running


def _read(
    server: Server, behaviour: Behaviour, *, path: str = PATH, token: str | None = None, limits: Limits = PATIENT
) -> bytes:
    server.behaviours[path] = behaviour
    reader = HttpReader(server.address, token=token, limits=limits)
    try:
        return reader.read(path)
    finally:
        reader.close()


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_there_is_read(server: Server, packed: bool) -> None:
    """The bytes come as they are, whether they travelled packed or not."""
    body = b"example.com\n" * 1000
    sent = answer(gzip.compress(body), content_encoding="gzip") if packed else answer(body)
    assert _read(server, sent) == body


@pytest.mark.parametrize("status", [404, 410, 403])
def test_what_is_not_there(server: Server, status: int) -> None:
    """Nothing there and not for us are answers, also on a page of HTML: no fault of the source, asked for once."""
    with pytest.raises(NotPublishedError):
        _read(server, answer(b"<html>", status=status, kind="text/html"))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        (answer(b"<!doctype html>", kind="text/html; charset=utf-8"), "a page of HTML"),
        (answer(b"<html/>", kind="Application/XHTML+XML"), "a page of HTML"),
        (answer(b"", status=401), "asks for a token"),
        (answer(b"", status=204), "HTTP 204"),
        (answer(b"", status=400), "HTTP 400"),
        (answer(b"x", content_encoding="br"), "packed as 'br'"),
        (answer(b"no gzip", content_encoding="gzip"), "no gzip"),
        (redirect("https://mirror.example.com/x"), "redirects elsewhere, to https://mirror.example.com"),
        (redirect("ftp://127.0.0.1/x"), "redirects elsewhere, to ftp://127.0.0.1"),
        (redirect("file:///etc/passwd"), "redirects elsewhere"),
        (redirect("http://xn--a/"), "redirects to what is no address: Codepoint"),
        (redirect("//xn--zzzzzzzz99999/"), "redirects to what is no address: Invalid A-label"),
        (redirect(f"/{PATH}"), "redirects more than 3 times"),
        (answer(bytes(2**20 + 1)), "is larger than the 1048576 bytes"),
        (misbehaving.endless, "is larger than the 1048576 bytes"),
        (misbehaving.bomb, "is larger than the 1048576 bytes"),
    ],
)  # fmt: skip
def test_what_no_ledger_would_answer(server: Server, behaviour: Behaviour, complaint: str) -> None:
    """Each is refused by its name, and not asked again."""
    misbehaving.lay_bomb()
    with pytest.raises(SourceRefused, match=complaint) as refused:
        _read(server, behaviour)
    assert refused.value.hint
    assert len(server.asked) == (4 if "3 times" in complaint else 1)


@pytest.mark.parametrize(
    ("behaviour", "complaint"),
    [
        (answer(b"", status=500), "fails: HTTP 500"),
        (answer(b"", status=503), "fails: HTTP 503"),
        (answer(b"", status=429), "fails: HTTP 429"),
        (misbehaving.silent, "stalls: nothing came for 0.3 s"),
        (misbehaving.hangs_up, "breaks off: ."),
        (misbehaving.cut_off, "breaks off"),
        (redirect("http://[::1/x"), "breaks off: Invalid URL in location header"),
        (answer(gzip.compress(b"x" * 1000)[:-9], content_encoding="gzip"), "breaks off within its gzip"),
    ],
)  # fmt: skip
def test_what_may_be_better_in_a_moment(server: Server, behaviour: Behaviour, complaint: str) -> None:
    """A source that fails is asked again, and if it goes on, unreachable; if it mends, nothing happened."""
    limits = HASTY if behaviour is misbehaving.silent else PATIENT
    assert _read(server, first(2, behaviour, answer(b"good")), limits=limits) == b"good"
    server.asked.clear()
    with pytest.raises(SourceUnreachable, match=complaint):
        _read(server, behaviour, limits=limits)
    assert len(server.asked) == 3


@pytest.mark.parametrize("behaviour", [misbehaving.drips_body, misbehaving.drips_headers])
def test_a_source_that_drips(server: Server, behaviour: Behaviour) -> None:
    """Each piece is in time, and the whole is not: it ends at the deadline of all."""
    began = time.monotonic()
    with pytest.raises(SourceUnreachable, match=r"stalls: its answer was not whole after 1\.5 s"):
        _read(server, behaviour, limits=HASTY)
    assert time.monotonic() - began < 10


def test_a_small_file_is_not_waited_for_as_long(server: Server) -> None:
    """A checkpoint has its own deadline; what may be large, that of all."""
    limits = replace(HASTY, small_s=0.5)
    for path, within in {PATH: "0.5", f"{LOG}/tile/0/000": "1.5"}.items():
        with pytest.raises(SourceUnreachable, match=f"not whole after {within} s"):
            _read(server, misbehaving.drips_body, path=path, limits=limits)


def test_a_token_that_is_not_known(server: Server) -> None:
    """Who shows a wrong token is told so, and where it stands; not to give one."""
    server.behaviours[PATH] = answer(b"", status=401)
    with pytest.raises(SourceRefused, match=r"the token in secret\.txt is not known there"):
        HttpReader(server.address, token="wrong", token_file=Path("secret.txt")).read(PATH)


def test_nobody_listens() -> None:
    """A refused connection is told at once, without a second try."""
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        HttpReader(f"http://127.0.0.1:{free_port()}", limits=Limits(pause_s=30)).read(PATH)


def test_a_bomb_stays_packed(server: Server) -> None:
    """What is large only unpacked takes no more memory than what may be there."""
    misbehaving.lay_bomb()
    tracemalloc.start()
    try:
        with pytest.raises(SourceRefused):
            _read(server, misbehaving.bomb)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_redirects_within_the_host_are_followed(server: Server) -> None:
    """Three of them, and the token goes along."""
    server.behaviours |= {"b": redirect("/c"), "c": redirect("d", 307), "d": answer(b"there")}
    assert _read(server, redirect("/b", 301), token="secret") == b"there"
    assert server.asked == [(path, "Bearer secret") for path in (PATH, "b", "c", "d")]


def test_a_token_does_not_leave_the_host(server: Server) -> None:
    """Whoever is redirected to gets neither the token nor a request."""
    with misbehaving.serving() as other:
        for elsewhere in ("localhost", "127.0.0.1"):  # another port is another server
            with pytest.raises(SourceRefused, match=f"elsewhere, to http://{elsewhere}:{other.server_port}"):
                _read(server, redirect(f"http://{elsewhere}:{other.server_port}/{PATH}"), token="secret")
        assert other.asked == []


@pytest.mark.parametrize("address", ["ledger.example.com", "ftp://example.com", "http://", "http://user:pw@x.example"])
def test_what_is_no_address(address: str) -> None:
    """A source's address is http or https, and holds no password."""
    with pytest.raises(UserError):
        HttpReader(address)


def test_many_threads_share_one_reader(server: Server) -> None:
    """Answers do not get mixed up."""
    server.behaviours |= {f"{LOG}/tile/0/{n:03}": answer(bytes([n])) for n in range(64)}
    reader = HttpReader(server.address, limits=PATIENT)
    with ThreadPoolExecutor(8) as pool:
        read = pool.map(lambda n: reader.read(f"{LOG}/tile/0/{n:03}"), range(64))
        assert list(read) == [bytes([n]) for n in range(64)]
    reader.close()


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("tile/0/000", 8192),
        ("tile/12/x001/234.p/7", 8192),
        ("tile/entries/x001/234", 256 * 65_537),
        ("head", 2**20),
    ],
)
def test_each_thing_has_its_size(server: Server, path: str, most: int) -> None:
    """A tile has at most its hashes, an entry bundle its entries: what is a byte larger is refused."""
    assert len(_read(server, answer(bytes(most)), path=f"{LOG}/{path}")) == most
    with pytest.raises(SourceRefused, match=f"larger than the {most} bytes"):
        _read(server, answer(bytes(most + 1)), path=f"{LOG}/{path}")


@pytest.mark.parametrize("path", ["", "../etc/passwd", f"{LOG}/tile/0/000?x", "https://example.com/checkpoint", "a b"])
def test_no_other_path_is_asked_for(server: Server, path: str) -> None:
    """At what is no path of a ledger, nothing is published."""
    with pytest.raises(NotPublishedError):
        _read(server, answer(b"x"), path=path)
    assert server.asked == []


def test_its_errors_are_a_users() -> None:
    """A command shows them with their hint, and nothing else of ours."""
    assert issubclass(SourceError, UserError)


@pytest.mark.parametrize("address", ["http://xn--a", "http://example.com/\x7f", f"http://example.com/{'a' * 70_000}"])
def test_an_address_that_cannot_be_asked(address: str) -> None:
    """It is refused before anybody is asked, whether a ledger or a webhook should be there."""
    with pytest.raises(UserError, match="is no web address"):
        HttpReader(address)
    with pytest.raises(UserError, match="is no web address"):
        Webhook(address, taken=print, failed=print)
