"""Redeeming at a label service over HTTP, and holding its answer against a trust file: nothing it says is believed."""

from typing import Any

from labels.batch import Batch
from labels.hidden.answer import Answer
from labels.hidden.asked import Asked
from labels.service import Service, fields_of
from ledger import b64
from ledger.errors import MalformedError, OutsideError, TrustError, UserError
from ledger.proof.bundle import Bundle
from ledger.proof.verify import verify
from ledger.registry import REGISTRY, Role
from ledger.trust import succession
from ledger.trust.trust_file import Trust

_ANSWER_BYTES_MAX = 256 * 1024
_BUNDLE_BYTES_MAX = 16 * 1024 * 1024


def redeem(service: Service, asked: Asked, trust: Trust) -> Answer:
    """Redeem a code, and verify the answer under `trust`; UserError if that is not possible, or it is a lie."""
    hint = f"say --nonce {asked.nonce.hex()} when you ask again: then you get the answer that was lost"
    try:
        return _redeem(service, asked, trust, hint)
    except OutsideError as error:
        told = f"the answer of {service.address} does not hold under the trust file: {error}"
        raise UserError(told, "do not rely on it, and ask the operator by another way") from error


def _redeem(service: Service, asked: Asked, trust: Trust, hint: str) -> Answer:
    document = {"label": asked.path, "code": asked.code, "nonce": asked.nonce.hex()}
    status, body = service.post("/redeem", document, bytes_max=_ANSWER_BYTES_MAX, hint=hint)
    fields = fields_of(body)
    if status not in (200, 429) or "result" not in fields:
        again = f"ask again with --nonce {asked.nonce.hex()}, or ask its operator"
        raise UserError(f"{service.address} did not answer: {_told(fields, status)}", again)
    answer = Answer.read(fields)
    answer.verify(_service_key(fields, trust), asked)
    if answer.commitment is not None:
        path = f"/bundle/{answer.commitment.entry.hex()}"
        status, body = service.get(path, bytes_max=_BUNDLE_BYTES_MAX, hint=hint)
        if status != 200:
            raise MalformedError(f"it does not give the proof of its batch's registry entry (status {status})")
        answer.commitment.verify(_batch(body, answer.commitment.entry, trust), asked)
    return answer


def _batch(bundle: bytes, entry: bytes, trust: Trust) -> Batch:
    """The batch that a registry entry published, proven by a bundle under `trust`."""
    verdict = verify(Bundle.decode(bundle), trust)
    if verdict.chain != REGISTRY or verdict.role is not Role.LABELS or verdict.statement.hash != entry:
        raise TrustError("the proof is not of a batch's registry entry")
    for section in verdict.sections:
        if isinstance(section.said, dict) and section.said.get("type") == "label-batch":
            return Batch.read(section.said)
    raise MalformedError("the registry entry publishes no batch of labels")


def _service_key(fields: dict[str, Any], trust: Trust) -> bytes:
    """The label service's key, by the genesis that the trust file pins."""
    genesis = fields.get("genesis")
    if not isinstance(genesis, str):
        raise MalformedError("the answer does not have the genesis")
    key = succession.follow(trust.genesis, [b64.decode(genesis)]).key_named(Role.LABELS)
    if key is None or key.role is not Role.LABELS:
        raise TrustError("the genesis names no label service")
    return key.public_key


def _told(fields: dict[str, Any], status: int) -> str:
    error = fields.get("error")
    return error[:200] if isinstance(error, str) else f"status {status}"
