"""Claims about mirrors: a folder that is whole at every moment, and nothing in it that its logs have not signed."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.audit.published_source import PublishedSource
from ledger.audit.report import Report
from ledger.audit.walk import audit
from ledger.block import Header
from ledger.database import connect
from ledger.errors import SourceForked, SourceRefused, SourceRewound, UserError
from ledger.mirror import evidence
from ledger.mirror.growth import Source
from ledger.mirror.mirror import Mirror, Outcome
from ledger.mirror.store import Store
from ledger.published.blocks import Block, decode_blocks, decode_head, encode_blocks, encode_head
from ledger.published.database import DatabaseReader
from ledger.published.folder import FolderReader
from ledger.published.reader import NotPublishedError, Reader
from ledger.section import Privacy
from ledger.trust.trust_file import Trust
from tests.ledger.mirror.sources import Past, forge, sign
from tests.ledger.published.made import Copy, Made, everything
from tests.world import World


def mirror(reader: Reader, folder: Path, trust: Trust, *, name: str = "a test") -> dict[str, Outcome]:
    """One round, in a process's life."""
    with Store(folder) as store, ThreadPoolExecutor(2) as pool:
        outcomes = Mirror(store, store.trust(trust)).round(Source(reader, pool, name))
    return {outcome.chain: outcome for outcome in outcomes}


def audited(folder: Path, trust: Trust) -> Report:
    """The audit's verdict on a folder."""
    return audit(PublishedSource(FolderReader(folder), trust), trust)


def heads_of(made: Made, reader: Reader) -> dict[str, bytes]:
    """The heads of all logs that have one."""
    found = {}
    for chain, origin in made.origins.items():
        with suppress(NotPublishedError):
            found[chain] = reader.read(f"{origin}/head")
    return found


@pytest.fixture(scope="module")
def files(made: Made) -> dict[str, bytes]:
    """Everything, as it is published."""
    return everything(made.reader(), made.every_path())


def test_a_mirror_has_everything(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """Each published file is there, byte for byte, and the audit's verdict is the source's."""
    outcomes = mirror(made.reader(), tmp_path, made.world.trust)
    assert all(outcome.problem is None for outcome in outcomes.values())
    assert everything(FolderReader(tmp_path), list(files)) == files
    expected = audit(PublishedSource(Copy(files), made.world.trust), made.world.trust).document
    assert audited(tmp_path, made.world.trust).document == expected


# Growing


def _end_ms(made: Made) -> int:
    return made.world.now_ms


def test_it_grows_with_its_source(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """Whatever it has seen when, the folder audits after every round, and ends as one that came last."""
    for back in (65_000, 64_999, 3_000, 500, 250, 0):
        past = Past(made, _end_ms(made) - back, made.reader())
        outcomes = mirror(past, tmp_path, made.world.trust)
        assert [str(outcome) for outcome in outcomes.values() if outcome.problem] == []
        report = audited(tmp_path, made.world.trust)
        assert report.ok, report.problems
        assert heads_of(made, FolderReader(tmp_path)) == heads_of(made, past)
    assert everything(FolderReader(tmp_path), list(files)) == files


def test_what_is_hidden_is_mirrored_as_hashes(made: Made, tmp_path: Path) -> None:
    """Of a source that shows the public what is public, the rest is mirrored by its hashes, and audits as withheld."""
    outcomes = mirror(made.reader(Privacy.PUBLIC), tmp_path, made.world.trust)
    assert str(outcomes["logistics"]).split(None, 1)[1] == "2 entries, 2 new, 2 withheld"
    assert outcomes["registry"].withheld == outcomes["trade"].withheld == 0
    assert str(Outcome("trade", 0, 1)).endswith(" 1 entry, 1 new")
    report = audited(tmp_path, made.world.trust)
    assert report.ok, report.problems
    assert report.chains["production"].counts["withheld"] == report.chains["production"].counts["entries"] > 256
    assert everything(FolderReader(tmp_path), made.every_path(Privacy.PUBLIC))


def test_an_empty_log_is_mirrored(fresh_database: Callable[[], str], tmp_path: Path) -> None:
    """A ledger of its genesis alone: what has published nothing is not there, and nothing is wrong."""
    world = World(fresh_database(), tmp_path / "data")
    with connect(world.dsn, autocommit=True) as connection:
        outcomes = mirror(DatabaseReader(connection, world.folder), tmp_path / "mirror", world.trust)
    assert {chain: outcome.size for chain, outcome in outcomes.items()} == {
        "anchor": 0, "logistics": 0, "production": 0, "registry": 1, "trade": 0,
    }  # fmt: skip
    assert audited(tmp_path / "mirror", world.trust).ok


# What is refused


def _problem(outcomes: dict[str, Outcome], chain: str) -> Exception:
    problem = outcomes[chain].problem
    assert problem is not None
    return problem


def test_a_bit_of_any_file(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """Whichever file a source spoils, it is refused by name; the mirror audits as far as it came, and goes on."""
    read = [path for path in files if not path.endswith(("/checkpoint", "trust.json"))]
    for number, path in enumerate(read):
        copy, folder = Copy(dict(files)), tmp_path / str(number)
        copy.flip(path, len(files[path]) // 2)
        with pytest.raises(SourceRefused):
            raise next(o.problem for o in mirror(copy, folder, made.world.trust).values() if o.problem)
        report = audited(folder, made.world.trust)
        assert [problem for problem in report.problems if "is not there" not in str(problem)] == [], path
    assert all(outcome.problem is None for outcome in mirror(Copy(files), folder, made.world.trust).values())
    assert everything(FolderReader(folder), list(files)) == files


def test_a_rewound_source(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """A source that shows less than it did is refused by name, and what was seen stays."""
    mirror(Copy(files), tmp_path, made.world.trust)
    outcomes = mirror(Past(made, _end_ms(made) - 1_000, made.reader()), tmp_path, made.world.trust)
    assert isinstance(_problem(outcomes, "production"), SourceRewound)
    assert "'production' was rewound: the source shows" in str(_problem(outcomes, "production"))
    assert isinstance(_problem(outcomes, "anchor"), SourceRewound)
    gone = Copy({path: data for path, data in files.items() if not path.endswith("/head")})
    assert "shows 0 entries" in str(_problem(mirror(gone, tmp_path, made.world.trust), "registry"))
    assert everything(FolderReader(tmp_path), list(files)) == files


@pytest.mark.parametrize("back", [0, 1_000])
def test_a_fork(made: Made, files: dict[str, bytes], tmp_path: Path, back: int) -> None:
    """Of two histories that a log has signed both are kept, and it is followed no further until somebody says so."""
    mirror(Past(made, _end_ms(made) - back, made.reader()), tmp_path, made.world.trust)
    before = everything(FolderReader(tmp_path), [f"{made.origins['production']}/head"])
    forked = Copy(dict(files))
    forge(forked, made.world, "production", leaf=5)
    outcomes = mirror(forked, tmp_path, made.world.trust, name="https://ledger.example.com")
    assert isinstance(_problem(outcomes, "production"), SourceForked)
    assert "anchor" not in outcomes and outcomes["logistics"].problem is None
    assert everything(FolderReader(tmp_path), list(before)) == before
    [folder] = (tmp_path / "evidence" / "production").iterdir()
    log = made.world.trust.log("production")
    held, offered = (log.open((folder / name).read_text()) for name in ("held.checkpoint", "offered.checkpoint"))
    assert held.size <= offered.size and held.root != offered.root
    assert str(folder / "held.checkpoint") in str(_problem(outcomes, "production"))
    assert json.loads((folder / "about.json").read_text())["source"] == "https://ledger.example.com"
    # An honest source changes nothing, before somebody has decided.
    assert isinstance(_problem(mirror(Copy(files), tmp_path, made.world.trust), "production"), SourceForked)
    assert evidence.go_on(tmp_path, "production")
    assert all(outcome.problem is None for outcome in mirror(Copy(files), tmp_path, made.world.trust).values())
    assert everything(FolderReader(tmp_path), list(files)) == files and (folder / "held.checkpoint").exists()


@pytest.mark.parametrize("first", ["production", "registry"])
def test_two_forks(made: Made, files: dict[str, bytes], tmp_path: Path, first: str) -> None:
    """What stands still for another's sake is looked at, and its fork is kept, too; the rest is nobody's fault."""
    mirror(Copy(files), tmp_path, made.world.trust)
    forked = Copy(dict(files))
    for chain in (first, "logistics", "anchor"):
        forge(forked, made.world, chain, leaf=0)
    outcomes = mirror(forked, tmp_path, made.world.trust)
    wrong = {chain for chain, outcome in outcomes.items() if isinstance(outcome.problem, SourceForked)}
    assert wrong == {path.name for path in (tmp_path / "evidence").iterdir()} == {first, "logistics", "anchor"}


def test_a_shorter_fork(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """A log that goes back and signs something else is forked, not rewound: the tiles that are held show it."""
    mirror(Copy(files), tmp_path, made.world.trust)
    past = Past(made, _end_ms(made) - 1_000, made.reader())
    shorter = Copy({**files, **everything(past, [f"{made.origins['production']}/head"])})
    header = Header.decode(past.head("production").header)
    block = sign(made.world, "production", replace(header, root=bytes(32)))
    shorter.files[f"{made.origins['production']}/head"] = encode_head(block)
    assert isinstance(_problem(mirror(shorter, tmp_path, made.world.trust), "production"), SourceForked)


def test_a_fork_among_the_blocks(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """A checkpoint that the log signed on its way, and that its newest tree does not begin with, is a fork."""
    copy, path = Copy(dict(files)), f"{made.origins['production']}/blocks/000"
    blocks = decode_blocks(files[path], 256)
    header = Header.decode(blocks[7].header)
    blocks[7] = sign(made.world, "production", replace(header, root=bytes(32)))
    copy.files[path] = encode_blocks(blocks)
    outcomes = mirror(copy, tmp_path, made.world.trust)
    assert isinstance(_problem(outcomes, "production"), SourceForked)
    assert f"{header.size}-" in str(_problem(outcomes, "production"))


def test_a_head_that_leads_on(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """A height that nobody signed is refused before it is believed."""
    copy, path = Copy(dict(files)), f"{made.origins['production']}/head"
    block = decode_head(files[path])
    wrong = replace(Header.decode(block.header), height=2**62)
    copy.files[path] = encode_head(Block(wrong.encode(), block.checkpoint))
    with pytest.raises(SourceRefused, match="more blocks than entries"):
        mirror(copy, tmp_path, made.world.trust)


def test_another_ledger_and_no_trust(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """Without a trust file nothing is mirrored; another ledger's is refused; the one given is kept for the next run."""
    with Store(tmp_path / "m") as store:
        with pytest.raises(UserError, match="has no trust file yet"):
            store.trust(None)
        store.trust(made.world.trust)
        assert store.trust(None) == made.world.trust
        with pytest.raises(UserError, match="mirrors another ledger"):
            store.trust(replace(made.world.trust, genesis=bytes(32)))
        with pytest.raises(UserError, match="another process writes"), Store(tmp_path / "m"):
            pass
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(UserError, match="holds something that is no mirror"), Store(tmp_path / "full"):
        pass


def test_a_registry_that_is_not_the_pinned_one(made: Made, files: dict[str, bytes], tmp_path: Path) -> None:
    """A genesis that the trust file does not pin is refused, although its log has signed it."""
    other = replace(made.world.trust, genesis=bytes(32))
    copy = Copy({**files, "trust.json": other.text.encode()})
    assert "not the genesis" in str(_problem(mirror(copy, tmp_path, other), "registry"))


def test_a_source_that_is_not_the_ledger(
    made: Made, files: dict[str, bytes], fresh_database: Callable[[], str], tmp_path: Path
) -> None:
    """No ledger, another one, or one without its registry: each is refused by its name, whatever is held."""
    folder = tmp_path / "mirror"
    with World(fresh_database(), tmp_path / "data") as other, connect(other.dsn, autocommit=True) as connection:
        theirs = DatabaseReader(connection, other.folder)
        bare = Copy({"trust.json": files["trust.json"]})
        assert "shows no registry" in str(_problem(mirror(bare, folder, made.world.trust), "registry"))
        for _ in range(2):
            with pytest.raises(SourceRefused, match=r"is no ledger: trust\.json is not there"):
                mirror(Copy({}), folder, made.world.trust)
            with pytest.raises(SourceRefused, match=r"is the ledger 'example\.com', not yours"):
                mirror(theirs, folder, made.world.trust)
            mirror(Copy(files), folder, made.world.trust)
