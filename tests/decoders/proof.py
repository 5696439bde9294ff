"""One statement, or one product, proven."""

from collections.abc import Iterator

from ledger.errors import MalformedError, OutsideError
from ledger.proof.bundle import Bundle
from ledger.proof.check import check
from ledger.proof.product import ProductBundle, verify_product
from ledger.proof.tlog_proof import TlogProof
from ledger.proof.transparent import EntryReceipt, Transparent, read_receipt
from ledger.proof.verify import verify
from tests import seeds
from tests.decoders.target import Target, as_bytes, of_bytes, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_bytes(
        "ledger.proof.bundle.Bundle.decode", Bundle.decode, MalformedError, *seeds.BUNDLES, write=Bundle.encode
    )
    yield of_bytes(
        "ledger.proof.verify.verify",
        lambda data: verify(Bundle.decode(data), seeds.TRUST),
        OutsideError,
        *seeds.BUNDLES,
    )
    yield of_bytes(
        "ledger.proof.product.ProductBundle.decode",
        ProductBundle.decode,
        MalformedError,
        *seeds.PRODUCTS,
        write=ProductBundle.encode,
    )
    yield of_bytes(
        "ledger.proof.product.verify_product",
        lambda data: verify_product(ProductBundle.decode(data), seeds.TRUST),
        OutsideError,
        *seeds.PRODUCTS,
    )
    yield of_bytes(
        "ledger.proof.transparent.EntryReceipt.decode",
        EntryReceipt.decode,
        MalformedError,
        *seeds.ENTRY_RECEIPTS,
        write=EntryReceipt.encode,
    )
    yield of_bytes(
        "ledger.proof.transparent.read_receipt",
        read_receipt,
        MalformedError,
        *seeds.ENTRY_RECEIPTS,
        *seeds.RECEIPTS,
        write=lambda receipt: receipt.encode(),
    )
    yield of_bytes(
        "ledger.proof.transparent.Transparent.decode",
        Transparent.decode,
        MalformedError,
        *seeds.TRANSPARENT,
        write=Transparent.encode,
    )
    yield of_text(
        "ledger.proof.tlog_proof.TlogProof.parse",
        TlogProof.parse,
        MalformedError,
        *seeds.TLOG_PROOFS,
        write=lambda proof: str(proof.text),
    )
    yield of_bytes(
        "ledger.proof.check.check",
        lambda data: check(data, seeds.TRUST, statement=seeds.STATEMENTS[0], passed=lambda step: None),
        OutsideError,
        *seeds.BUNDLES,
        *seeds.PRODUCTS,
        *seeds.TRANSPARENT,
        *map(as_bytes, seeds.TLOG_PROOFS),
    )
