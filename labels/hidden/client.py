"""Redeeming at a label service over HTTP, and holding its answer against a trust file: nothing it says is believed."""

import json
from typing import Any

import httpx

from labels.batch import Batch
from labels.hidden.answer import Answer
from labels.hidden.asked import Asked
from ledger import b64
from ledger.errors import MalformedError, OutsideError, TrustError, UserError, said
from ledger.proof.bundle import Bundle
from ledger.proof.verify import verify
from ledger.published.http import web_address
from ledger.registry import REGISTRY, Role
from ledger.trust import succession
from ledger.trust.trust_file import Trust

_TIMEOUT_S = 20.0
_ANSWER_BYTES_MAX = 256 * 1024
_BUNDLE_BYTES_MAX = 16 * 1024 * 1024


class Service:
    """A label service, at an http or https address."""

    def __init__(self, address: str) -> None:
        self._address = web_address(address).rstrip("/")
        headers = {"user-agent": "tallystick", "accept": "application/json"}
        self._client = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, headers=headers)

    def redeem(self, asked: Asked, trust: Trust) -> Answer:
        """Redeem a code, and verify the answer under `trust`; UserError if that is not possible, or it is a lie."""
        try:
            return self._redeem(asked, trust)
        except httpx.HTTPError as error:
            hint = f"say --nonce {asked.nonce.hex()} when you ask again: then you get the answer that was lost"
            raise UserError(f"cannot ask {self._address}: {said(error)}", hint) from error
        except OutsideError as error:
            told = f"the answer of {self._address} does not hold under the trust file: {error}"
            raise UserError(told, "do not rely on it, and ask the operator by another way") from error

    def _redeem(self, asked: Asked, trust: Trust) -> Answer:
        document = {"label": asked.path, "code": asked.code, "nonce": asked.nonce.hex()}
        status, body = self._ask("POST", "/redeem", _ANSWER_BYTES_MAX, json=document)
        fields = fields_of(body)
        if status not in (200, 429) or "result" not in fields:
            hint = f"ask again with --nonce {asked.nonce.hex()}, or ask its operator"
            raise UserError(f"{self._address} did not answer: {_told(fields, status)}", hint)
        answer = Answer.read(fields)
        answer.verify(_service_key(fields, trust), asked)
        if answer.commitment is not None:
            answer.commitment.verify(self._batch(answer.commitment.entry, trust), asked)
        return answer

    def _batch(self, entry: bytes, trust: Trust) -> Batch:
        """The batch that a registry entry published, proven under `trust`."""
        status, body = self._ask("GET", f"/bundle/{entry.hex()}", _BUNDLE_BYTES_MAX)
        if status != 200:
            raise MalformedError(f"it does not give the proof of its batch's registry entry (status {status})")
        verdict = verify(Bundle.decode(body), trust)
        if verdict.chain != REGISTRY or verdict.role is not Role.LABELS or verdict.statement.hash != entry:
            raise TrustError("the proof is not of a batch's registry entry")
        for section in verdict.sections:
            if isinstance(section.said, dict) and section.said.get("type") == "label-batch":
                return Batch.read(section.said)
        raise MalformedError("the registry entry publishes no batch of labels")

    def _ask(self, method: str, path: str, bytes_max: int, **more: Any) -> tuple[int, bytes]:
        body = bytearray()
        with self._client.stream(method, f"{self._address}{path}", **more) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > bytes_max:
                    raise MalformedError("it has too many bytes")
            return response.status_code, bytes(body)


def _service_key(fields: dict[str, Any], trust: Trust) -> bytes:
    """The label service's key, by the genesis that the trust file pins."""
    genesis = fields.get("genesis")
    if not isinstance(genesis, str):
        raise MalformedError("the answer does not have the genesis")
    key = succession.follow(trust.genesis, [b64.decode(genesis)]).key_named(Role.LABELS)
    if key is None or key.role is not Role.LABELS:
        raise TrustError("the genesis names no label service")
    return key.public_key


def fields_of(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is, or MalformedError."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError("it is not JSON") from error
    if not isinstance(fields, dict):
        raise MalformedError("it is no JSON object")
    return fields


def _told(fields: dict[str, Any], status: int) -> str:
    error = fields.get("error")
    return error[:200] if isinstance(error, str) else f"status {status}"
