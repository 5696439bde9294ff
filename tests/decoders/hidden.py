"""What redeems a code, what is answered, and what a person typed."""

import json
from collections.abc import Iterator

from labels.hidden import asked
from labels.hidden import code as hidden_code
from labels.hidden import keys as hidden_keys
from labels.hidden.answer import Answer
from labels.service import fields_of
from ledger.errors import MalformedError
from tests import seeds
from tests.decoders.target import Target, of_bytes, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    path, code = "/01/09506000134352/21/7K3M9QX2AB", "7K3M9QX2ABCDEFGH"
    said = {"label": path, "code": "7K3M 9QX2 ABCD EFGH", "nonce": "00" * 16}
    form = f"label=https://id.example.com{path}&code={code}&nonce={'0a' * 64}"
    yield of_text("labels.hidden.code.read", hidden_code.read, MalformedError, code, "7k3m-9qx2 abcd efgh")
    yield of_text("labels.hidden.asked.read_nonce", asked.read_nonce, MalformedError, "00" * 16, write=bytes.hex)
    yield of_text("labels.hidden.asked.read", lambda text: asked.read(text, code, b""), MalformedError, path)
    yield of_bytes("labels.hidden.asked.read_json", asked.read_json, MalformedError, json.dumps(said).encode())
    yield of_bytes("labels.hidden.asked.read_form", asked.read_form, MalformedError, form.encode())
    yield of_text("labels.hidden.keys.read", hidden_keys.read, MalformedError, f"# of\n{seeds.HIDDEN_KEY}\n")
    yield of_bytes(
        "labels.hidden.answer.Answer.read",
        _redeemed,
        MalformedError,
        *seeds.REDEEMED,
        write=lambda answer: json.dumps(answer.document).encode(),
        one_encoding=False,
    )


def _redeemed(data: bytes) -> Answer:
    """An answer in a body: what is JSON, of whatever shape, is given on."""
    return Answer.read(fields_of(data))
