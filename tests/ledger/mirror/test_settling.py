"""Claims about what a source without any key can say to a mirror: it lasts until another source says otherwise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.block import Header
from ledger.errors import SourceRefused
from ledger.published import content
from ledger.published.blocks import Block, decode_blocks, decode_head, encode_blocks, encode_head
from ledger.published.content import Content, Held
from ledger.published.folder import FolderReader
from ledger.published.paths import Kind, Place
from ledger.statement import Statement
from ledger.tile import decode_entries, encode_entries, width_in
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


# Entries that are said to be erased


def _erased(made: Made, files: dict[str, bytes], places: dict[int, Held | None]) -> Copy:
    """Entries of the first file of production shown as erased: where they are, or where another says."""
    origin, copy = made.origins["production"], Copy(dict(files))
    entries_at, content_at = (Place(kind, origin, 0, 0, 256).path for kind in (Kind.ENTRIES, Kind.CONTENT))
    entries, contents = list(decode_entries(files[entries_at], 256)), content.decode(files[content_at], 256)
    for index, held in places.items():
        contents[index] = Content(held or _place_of(entries[index]), ())
        entries[index] = b""
    copy.files[entries_at], copy.files[content_at] = encode_entries(entries), content.encode(contents)
    return copy


def _place_of(entry: bytes) -> Held:
    said = Statement.decode(entry)
    return Held(*said.stream_key, said.tally.seq, len(said.manifest), said.hash)


def _first_entries(made: Made, files: dict[str, bytes]) -> list[Held]:
    path = Place(Kind.ENTRIES, made.origins["production"], 0, 0, 256).path
    return [_place_of(entry) for entry in decode_entries(files[path], 256)]


@pytest.mark.parametrize("indexes", [(0,), (5, 6), (255,)])
def test_what_was_erased_comes_back(
    made: Made, files: dict[str, bytes], tmp_path: Path, indexes: tuple[int, ...]
) -> None:
    """An entry that one source shows as erased is taken from another that has it: its leaf hash proves it."""
    copy = _erased(made, files, dict.fromkeys(indexes))
    for _ in range(2):
        outcomes = mirror(copy, tmp_path, made.world.trust)
        assert [outcome.problem for outcome in outcomes.values() if outcome.problem] == []
        assert audited(tmp_path, made.world.trust).chains["production"].counts["withheld"] == len(indexes)
    _requires_whole(made, files, tmp_path)


INVENTED: dict[str, Callable[[Held], Held]] = {
    "another's": lambda held: Held(bytes(32), 0, bytes(8), 7, 1, bytes(32)),
    "another stream": lambda held: held._replace(stream=bytes(8), seq=0),
    "another stream of somebody else's": lambda held: Held(bytes(32), 0, bytes(8), 0, 1, bytes(32)),
    "another seq": lambda held: held._replace(seq=held.seq + 1),
    "another hash": lambda held: held._replace(hash=bytes(32)),
}


@pytest.mark.parametrize("what", INVENTED)
def test_an_invented_place_that_cannot_be(made: Made, files: dict[str, bytes], tmp_path: Path, what: str) -> None:
    """What is said of an erased entry and contradicts its neighbours is refused by name, and nobody need start anew."""
    copy = _erased(made, files, {5: INVENTED[what](_first_entries(made, files)[5])})
    problem = mirror(copy, tmp_path, made.world.trust)["production"].problem
    assert isinstance(problem, SourceRefused) and "as erased entries are placed" in str(problem)
    assert not [one for one in audited(tmp_path, made.world.trust).problems if "is not there" not in str(one)]
    _requires_whole(made, files, tmp_path)


def test_an_invented_place_that_may_be(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """What nothing contradicts is held, and audits, until a source says otherwise that can be."""
    first, second = _first_entries(made, files)[5:7]
    copy = _erased(made, files, {5: first._replace(hash=bytes(32)), 6: second})
    outcomes = mirror(copy, tmp_path, made.world.trust)
    assert [outcome.problem for outcome in outcomes.values() if outcome.problem] == []
    assert audited(tmp_path, made.world.trust).ok
    liar = mirror(_erased(made, files, {5: second, 6: second}), tmp_path, made.world.trust)["production"].problem
    assert isinstance(liar, SourceRefused)
    assert audited(tmp_path, made.world.trust).ok
    honest = _erased(made, files, {5: None})
    assert [outcome.problem for outcome in mirror(honest, tmp_path, made.world.trust).values() if outcome.problem] == []
    assert everything(FolderReader(tmp_path), list(files)) == honest.files
    _requires_whole(made, files, tmp_path)
