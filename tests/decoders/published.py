"""What a ledger publishes."""

from collections.abc import Iterator

from ledger.errors import MalformedError, OutsideError
from ledger.published import blocks, content, paths, policy
from ledger.published.export_state import ExportState
from ledger.published.tokens import Tokens
from tests import seeds
from tests.decoders.target import NOT_JSON, Target, of_bytes, of_file, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    yield of_text(
        "ledger.published.paths.parse", paths.parse, MalformedError, *seeds.PATHS, write=lambda found: str(found.path)
    )
    yield of_text("ledger.published.policy.parse", policy.parse, OutsideError, *seeds.PATHS)
    yield of_bytes(
        "ledger.published.blocks.decode_head",
        blocks.decode_head,
        MalformedError,
        *seeds.HEADS,
        write=blocks.encode_head,
    )
    yield of_bytes(
        "ledger.published.blocks.decode_blocks",
        lambda data: blocks.decode_blocks(data, 2),
        MalformedError,
        *seeds.BLOCKS,
        write=blocks.encode_blocks,
    )
    yield of_bytes(
        "ledger.published.content.decode",
        lambda data: content.decode(data, 2),
        MalformedError,
        *seeds.CONTENTS,
        write=content.encode,
    )
    yield of_text(
        "ledger.published.export_state.ExportState.parse",
        ExportState.parse,
        MalformedError,
        seeds.EXPORT_STATE,
        write=lambda found: str(found.text),
        one_encoding=False,
    )
    yield of_text("ledger.published.tokens.Tokens.parse", Tokens.parse, NOT_JSON, seeds.TOKENS)
    yield of_file("ledger.published.tokens.Tokens.load_or_make", Tokens.load_or_make, seeds.TOKENS)
