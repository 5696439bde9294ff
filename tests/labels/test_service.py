"""Asking a label service, whatever it is that answers: in one wording, within bounds."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from labels.service import Service, fields_of
from ledger.errors import MalformedError, SourceUnreachable
from tests.ledger.published import misbehaving
from tests.ledger.published.misbehaving import Behaviour, Server, answer, redirect

HINT = "ask its operator"


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that does what its `behaviours` say."""
    with misbehaving.serving() as running:
        yield running


def _get(server: Server, behaviour: Behaviour) -> tuple[int, bytes]:
    server.behaviours["page"] = behaviour
    with closing(Service(f"{server.address}/", whole_s=1.0)) as service:
        return service.get("/page", bytes_max=1000, hint=HINT)


def test_an_answer_is_its_status_and_its_bytes(server: Server) -> None:
    """Also one that says no, and one that leads elsewhere: nobody goes there."""
    assert _get(server, answer(b'{"verdict": "genuine"}')) == (200, b'{"verdict": "genuine"}')
    assert _get(server, answer(b"no", status=503)) == (503, b"no")
    assert _get(server, redirect("https://example.com/"))[0] == 302
    assert len(server.asked) == 3


@pytest.mark.parametrize("behaviour", [answer(bytes(1001)), misbehaving.endless])
def test_an_answer_has_no_more_bytes_than_it_may(server: Server, behaviour: Behaviour) -> None:
    """Whether it says so before, or never ends."""
    with pytest.raises(MalformedError, match="more than 1000 bytes"):
        _get(server, behaviour)


def test_nothing_is_unpacked(server: Server) -> None:
    """It was asked for plain bytes: what is packed all the same is taken as it came."""
    assert _get(server, answer(b"\x1f\x8b packed", content_encoding="gzip")) == (200, b"\x1f\x8b packed")


@pytest.mark.parametrize(
    "behaviour",
    [misbehaving.silent, misbehaving.drips_headers, misbehaving.drips_body, misbehaving.hangs_up, misbehaving.cut_off],
)
def test_who_gives_no_whole_answer_cannot_be_asked(server: Server, behaviour: Behaviour) -> None:
    """Also who gives it a byte at a time: the whole has its time."""
    with pytest.raises(SourceUnreachable, match=f"^{server.address} cannot be asked: ") as raised:
        _get(server, behaviour)
    assert raised.value.hint == HINT


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"[" * 100_000, b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff"])
def test_an_answer_is_a_json_object(body: bytes) -> None:
    """Whose names come once; what is none is MalformedError."""
    with pytest.raises(MalformedError):
        fields_of(body)
