"""Checking a proof's bytes, whichever of its formats they are in: recognised by how they begin."""

from collections.abc import Callable

from ledger.errors import MalformedError
from ledger.proof.bundle import BUNDLE_BYTES_MAX, Bundle
from ledger.proof.inclusion import Form, Inclusion, require_same, verify_tlog_proof, verify_transparent, with_receipt
from ledger.proof.product import ProductBundle, ProductVerdict, verify_product
from ledger.proof.tlog_proof import HEADER, TlogProof
from ledger.proof.transparent import Transparent, is_receipt
from ledger.proof.verdict import Verdict
from ledger.proof.verify import Passed, no_one, verify
from ledger.trust.trust_file import Trust

PROOF_BYTES_MAX = BUNDLE_BYTES_MAX  # of all formats the longest
_TAG_18 = b"\xd2"
_BEGINS = {Form.TLOG: HEADER.partition("@")[0].encode(), Form.COSE: _TAG_18}
# The first key of a map in its one encoding (RFC 8949, 4.2.1) is its shortest.
_FIRST_KEY = {Form.BUNDLE: b"\x65chain", Form.PRODUCT: b"\x63uri"}


Found = Verdict | Inclusion | ProductVerdict


def recognise(data: bytes) -> Form:
    """The format that `data` begins like; raises MalformedError."""
    for form, begin in _BEGINS.items():
        if data.startswith(begin):
            return form
    for form, key in _FIRST_KEY.items():
        if data[:1] >= b"\xa0" and data.startswith(key, 1):
            return form
    raise MalformedError("neither a proof bundle, nor a product's, nor a COSE_Sign1, nor a tlog-proof")


def check(data: bytes, trust: Trust, *, statement: bytes | None = None, passed: Passed = no_one) -> Found:
    """Check a proof of any format, of that `statement` if one is given; raises an OutsideError that names the step."""
    if len(data) > PROOF_BYTES_MAX:
        raise MalformedError(f"a bundle is at most {BUNDLE_BYTES_MAX} bytes, and no other proof is longer")
    return _CHECKS[recognise(data)](data, trust, statement, passed)


def _bundle(data: bytes, trust: Trust, statement: bytes | None, passed: Passed) -> Found:
    bundle = Bundle.decode(data)
    require_same(bundle.entry.statement, statement)
    return verify(bundle, trust, passed=passed)


def _product(data: bytes, trust: Trust, statement: bytes | None, passed: Passed) -> Found:
    if statement is not None:
        raise MalformedError("a product's bundle is not about one statement")
    return verify_product(ProductBundle.decode(data), trust)


def _cose(data: bytes, trust: Trust, statement: bytes | None, passed: Passed) -> Found:
    transparent = with_receipt(data, statement) if is_receipt(data) else Transparent.decode(data)
    require_same(transparent.statement, statement)
    return verify_transparent(transparent, trust, passed=passed)


def _tlog(data: bytes, trust: Trust, statement: bytes | None, passed: Passed) -> Found:
    try:
        proof = TlogProof.parse(data.decode())
    except UnicodeDecodeError as error:
        raise MalformedError("a tlog-proof is text in UTF-8") from error
    return verify_tlog_proof(proof, trust, statement=statement, passed=passed)


_CHECKS: dict[Form, Callable[[bytes, Trust, bytes | None, Passed], Found]] = {
    Form.BUNDLE: _bundle,
    Form.PRODUCT: _product,
    Form.COSE: _cose,
    Form.TLOG: _tlog,
}
