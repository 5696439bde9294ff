"""Claims about what a source without any key can say to a mirror: it lasts until another source says otherwise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.block import Header
from ledger.errors import SourceRefused
from ledger.published.blocks import Block, decode_blocks, decode_head, encode_blocks, encode_head
from ledger.published.folder import FolderReader
from ledger.published.paths import Kind, Place
from ledger.tile import width_in
from tests.ledger.mirror.test_mirror import audited, mirror
from tests.ledger.published.made import Copy, Made, everything


@pytest.fixture(scope="module")
def files(made: Made) -> dict[str, bytes]:
    """Everything, as it is published."""
    return everything(made.reader(), made.every_path())


def _requires_whole(made: Made, files: dict[str, bytes], folder: Path) -> None:
    """An honest source makes the folder the one that never saw another."""
    outcomes = mirror(Copy(files), folder, made.world.trust)
    assert [outcome.problem for outcome in outcomes.values() if outcome.problem] == []
    assert everything(FolderReader(folder), list(files)) == files
    assert audited(folder, made.world.trust).ok


# Headers that no anchor has yet


def _without_anchor(made: Made, files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: data for path, data in files.items() if not path.startswith(made.origins["anchor"])}


def _retold(made: Made, files: dict[str, bytes], tell: Callable[[list[Block]], list[Block]]) -> Copy:
    """The blocks of production told otherwise, with no anchor beside them."""
    origin = made.origins["production"]
    height = Header.decode(decode_head(files[f"{origin}/head"]).header).height
    blocks = list[Block]()
    for index in range(height // 256 + 1):
        width = width_in(height + 1, level=0, index=index)
        blocks += decode_blocks(files[Place(Kind.BLOCKS, origin, 0, index, width).path], width)
    told, copy = tell(blocks), Copy(_without_anchor(made, files))
    for index in range(-(-len(told) // 256)):
        some = told[index * 256 : (index + 1) * 256]
        copy.files[Place(Kind.BLOCKS, origin, 0, index, len(some)).path] = encode_blocks(some)
    copy.files[f"{origin}/head"] = encode_head(told[-1])
    return copy


def _later(blocks: list[Block]) -> list[Block]:
    """The last block a millisecond later."""
    header = Header.decode(blocks[-1].header)
    return [*blocks[:-1], Block(replace(header, time_ms=header.time_ms + 1).encode(), blocks[-1].checkpoint)]


def _joined(blocks: list[Block]) -> list[Block]:
    """The second and the third block as if they were one, and all that follow on it."""
    told, last = [blocks[0]], Header.decode(blocks[0].header)
    for block in blocks[2:]:
        last = replace(Header.decode(block.header), height=last.height + 1, first=last.size, prev=last.hash)
        told.append(Block(last.encode(), block.checkpoint))
    return told


@pytest.mark.parametrize("tell", [_later, _joined])
def test_headers_made_up(
    made: Made, files: dict[str, bytes], tmp_path: Path, tell: Callable[[list[Block]], list[Block]]
) -> None:
    """Times and borders of blocks that are in no anchor yet are held until a source with others comes."""
    outcomes = mirror(_retold(made, files, tell), tmp_path, made.world.trust)
    assert [outcome.problem for outcome in outcomes.values() if outcome.problem] == []
    assert audited(tmp_path, made.world.trust).ok
    _requires_whole(made, files, tmp_path)


@pytest.mark.parametrize("tell", [_later, _joined])
def test_the_anchored_one_wins_for_good(
    made: Made, files: dict[str, bytes], tmp_path: Path, tell: Callable[[list[Block]], list[Block]]
) -> None:
    """A block that is in the anchor as it is held is not told otherwise: who does is refused, and nothing changes."""
    mirror(Copy(files), tmp_path, made.world.trust)
    outcomes = mirror(_retold(made, files, tell), tmp_path, made.world.trust)
    assert isinstance(outcomes["production"].problem, SourceRefused)
    _requires_whole(made, files, tmp_path)
