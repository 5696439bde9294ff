"""Checkpoints: strict, total, one text each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle
from ledger.checkpoint import Checkpoint
from ledger.errors import CheckpointError

# The example of C2SP tlog-checkpoint.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="


def test_the_specifications_example() -> None:
    """The specification's checkpoint reads, and writes back the same."""
    checkpoint = Checkpoint.parse(EXAMPLE)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert checkpoint.root.hex() == "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
    assert checkpoint.extensions == ()
    assert checkpoint.text == EXAMPLE


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**63 - 1])
@pytest.mark.parametrize("extensions", [(), ("one",), ("one", "— two", " ")])
def test_a_checkpoint_reads_back(size: int, extensions: tuple[str, ...]) -> None:
    """Writing and reading are inverse."""
    checkpoint = Checkpoint("example.com/tallystick/anchor", size, merkle.EMPTY_ROOT, extensions)
    assert Checkpoint.parse(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "ends in a newline"),
        ("\n", "each on a line"),
        (EXAMPLE[:-1], "ends in a newline"),
        (f"o\n1\n{ROOT}", "ends in a newline"),
        (f"o\n{ROOT}\n", "each on a line"),
        (f"\n1\n{ROOT}\n", "origin is empty"),
        (f"o\r\n1\n{ROOT}\n", "origin .* control"),
        (f"o\n\n{ROOT}\n", "decimal"),
        (f"o\n01\n{ROOT}\n", "decimal"),
        (f"o\n00\n{ROOT}\n", "decimal"),
        (f"o\n+1\n{ROOT}\n", "decimal"),
        (f"o\n-1\n{ROOT}\n", "decimal"),
        (f"o\n 1\n{ROOT}\n", "decimal"),
        (f"o\n1_0\n{ROOT}\n", "decimal"),
        (f"o\n0x1\n{ROOT}\n", "decimal"),
        (f"o\n\u0661\n{ROOT}\n", "decimal"),
        (f"o\n9223372036854775808\n{ROOT}\n", r"2\*\*63"),
        (f"o\n{'9' * 5000}\n{ROOT}\n", r"2\*\*63"),
        ("o\n1\n\n", "root has 32 bytes"),
        (f"o\n1\n{ROOT[:-1]}\n", "root is not base64"),
        (f"o\n1\n{ROOT} \n", "root is not base64"),
        (f"o\n1\n{ROOT[:-2]}J=\n", "one encoding"),
        (f"o\n1\n{ROOT.replace('/', '_')}\n", "root is not base64"),
        ("o\n1\nAAAA\n", "root has 32 bytes"),
        (f"o\n1\n{ROOT}\n\n", "extension line is empty"),
        (f"o\n1\n{ROOT}\na\n\nb\n", "extension line is empty"),
        (f"o\n1\n{ROOT}\na\tb\n", "extension line .* control"),
        (f"\ud800\n1\n{ROOT}\n", "origin is not UTF-8"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str, complaint: str) -> None:
    """Every line has one form."""
    with pytest.raises(CheckpointError, match=complaint):
        Checkpoint.parse(text)


@pytest.mark.parametrize("text", [None, 1, EXAMPLE.encode(), [EXAMPLE], True])
def test_only_text_is_read(text: Any) -> None:
    """Whoever has bytes has not opened the note."""
    with pytest.raises(CheckpointError, match="text"):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (("", 1, bytes(32)), "origin"),
        (("a\nb", 1, bytes(32)), "origin"),
        ((None, 1, bytes(32)), "origin"),
        (("o", True, bytes(32)), "number"),
        (("o", 1.0, bytes(32)), "number"),
        (("o", -1, bytes(32)), "number"),
        (("o", 2**63, bytes(32)), "number"),
        (("o", 1, bytes(31)), "root"),
        (("o", 1, "a" * 32), "root"),
        (("o", 1, bytearray(32)), "root"),
        (("o", 1, bytes(32), ["x"]), "tuple"),
        (("o", 1, bytes(32), ("",)), "extension"),
        (("o", 1, bytes(32), ("a\nb",)), "extension"),
        (("o", 1, bytes(32), (1,)), "extension"),
    ],
)
def test_values_without_a_text_are_refused(values: Any, complaint: str) -> None:
    """There is no Checkpoint that `parse` would not read."""
    with pytest.raises(CheckpointError, match=complaint):
        Checkpoint(*values)


lines = st.text(max_size=4) | st.sampled_from(["0", "1", "01", ROOT, ROOT[:-1], "\ud800", "example.com/x"])


@given(st.text() | st.lists(lines, max_size=6).map(lambda parts: "".join(f"{part}\n" for part in parts)))
def test_parsing_is_total(text: str) -> None:
    """Any text gives the checkpoint that has that text, or CheckpointError."""
    try:
        checkpoint = Checkpoint.parse(text)
    except CheckpointError:
        return
    assert checkpoint.text == text
