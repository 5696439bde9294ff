"""A crowd of connections that say half of something: another visitor is answered all the same."""

import time

import httpx
import pytest

from tests.labels.crowd import crowd
from tests.labels.serving import client_of
from tests.labels.story import Story

BODY = b"Host: x\r\nContent-Length: 2000\r\n\r\nlabel=x"
CROWD, WITHIN_S = 300, 5.0  # more than are served at once; 2 s on a machine that does nothing else


@pytest.mark.parametrize("source", ["127.0.0.2", "127.0.0.1"])
@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nx: ", b"POST /redeem HTTP/1.1\r\n" + BODY, b"POST /read HTTP/1.1\r\n" + BODY]
)
def test_a_crowd_that_waits_keeps_nobody_out(story: Story, said: bytes, source: str) -> None:
    """It says nothing, half a head or half a body, and comes again: pages are answered, also to its own address."""
    with client_of(story) as client, crowd(str(client.base_url), said, size=CROWD, source=source):
        for path in ("/healthz", story.link().canonical_path) * 3:
            began = time.monotonic()
            answer = httpx.get(f"{client.base_url}{path}", timeout=WITHIN_S)
            assert answer.status_code == 200 and time.monotonic() - began < WITHIN_S
