"""Every decoder of what comes from outside is total, and reads back what it writes. The targets are `decoders`'."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decoders import OTHERS, TARGETS, Target
from tests.hostile import NASTY, bytes_near

ROOT = Path(__file__).parent.parent
FOLDERS = ("ledger", "gateway", "edge", "labels")
READERS = re.compile("(decode|parse|read|load|open|judge|restore)(_[a-z_]+)?|of|page_link|signature_of|matching")
PROOFS = {"ledger.proof.check.check", "ledger.proof.product.verify_product", "ledger.proof.verify.verify"}
targets = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def _functions(tree: ast.AST, name: str) -> Iterator[str]:
    """The dotted names of a module's public functions, and of its classes' methods."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{name}.{node.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and READERS.fullmatch(node.name):
            yield f"{name}.{node.name}"


def _readers() -> set[str]:
    found: set[str] = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found |= set(_functions(ast.parse(path.read_text()), ".".join(parts).removesuffix(".__init__")))
    return found


def test_every_decoder_is_a_target() -> None:
    """Whatever is named like one is in the list, or the list says why not; and it names nothing that there is not."""
    named = {target.function for target in TARGETS.values()}
    assert _readers() - named - OTHERS.keys() == set()
    assert OTHERS.keys() - _readers() == set()


@targets
def test_what_is_valid_is_read(target: Target) -> None:
    """Each seed is an input that comes through whole, but for proofs, which no seed has."""
    taken = [target.check(seed) for seed in target.seeds]
    assert any(taken) or target.function in PROOFS


@targets
@settings(max_examples=60)
@given(st.data())
def test_decoding_is_total(target: Target, data: st.DataObject) -> None:
    """Any bytes, and whatever a few changes make of valid ones, give a value or the decoder's named error."""
    target.check(data.draw(bytes_near(*target.seeds)))


@targets
def test_the_nasty_ones(target: Target) -> None:
    """Each that once broke some decoder breaks none."""
    for data in NASTY:
        target.check(data)
