"""A label service, asked over HTTP: nothing is believed of what answers, neither its size, its pace nor its shape."""

import asyncio
from typing import Any

import httpx

from ledger import strict_json
from ledger.errors import MalformedError, SourceUnreachable, said
from ledger.published.http import web_address

_WAIT_S = 20.0  # for a connection, and between two pieces
_HEADERS = {"user-agent": "tallystick", "accept": "application/json", "accept-encoding": "identity"}


class Service:
    """A label service at an http or https address; `close` it. An answer is whole after `whole_s`, or there is none."""

    def __init__(self, address: str, *, whole_s: float = 60.0) -> None:
        self.address, self._whole_s = web_address(address).rstrip("/"), whole_s
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(timeout=_WAIT_S, follow_redirects=False, headers=_HEADERS)

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._client.aclose())
        self._runner.close()

    def get(self, path: str, *, bytes_max: int, hint: str) -> tuple[int, bytes]:
        """The status and the body of what is at a path; raises as `post`."""
        return self._ask("GET", path, None, bytes_max, hint)

    def post(self, path: str, document: dict[str, Any], *, bytes_max: int, hint: str) -> tuple[int, bytes]:
        """The status and the body that a JSON document is answered with.

        Raises SourceUnreachable with `hint` if there is no whole answer, MalformedError if it has more bytes.
        """
        return self._ask("POST", path, document, bytes_max, hint)

    def _ask(self, method: str, path: str, document: Any, bytes_max: int, hint: str) -> tuple[int, bytes]:
        try:
            return self._runner.run(self._answer(method, path, document, bytes_max))
        except TimeoutError as error:
            why = f"its answer was not whole after {self._whole_s:g} s"
            raise SourceUnreachable(f"{self.address} cannot be asked: {why}", hint) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise SourceUnreachable(f"{self.address} cannot be asked: {said(error)}", hint) from error

    async def _answer(self, method: str, path: str, document: Any, bytes_max: int) -> tuple[int, bytes]:
        body = bytearray()
        async with (
            asyncio.timeout(self._whole_s),
            self._client.stream(method, f"{self.address}{path}", json=document) as response,
        ):
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > bytes_max:
                    raise MalformedError(f"its answer has more than {bytes_max} bytes")
            return response.status_code, bytes(body)


def fields_of(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is, or MalformedError."""
    try:
        fields = strict_json.loads(body)
    except ValueError as error:
        raise MalformedError("its answer is not JSON") from error
    if not isinstance(fields, dict):
        raise MalformedError("its answer is no JSON object")
    return fields
