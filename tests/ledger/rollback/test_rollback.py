"""A ledger that is older than what was published: refused, until the operator names what he goes on from."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tallystick
from ledger import checkpoint_file, operate, read
from ledger.audit import walk
from ledger.audit.database import DatabaseSource
from ledger.audit.report import Report
from ledger.backup import backup, restore
from ledger.database import connect
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from ledger.registry import Registry, Rollback
from ledger.rollback import accept
from ledger.seal import HistoryForked
from ledger.statement import Statement
from tests.world import World

Fresh = Callable[[], str]
CHAINS = ("registry", "production", "anchor")


class Old:
    """A world whose database is replaced by an older one; `published` is what was published before, by chain."""

    def __init__(self, world: World, fresh_database: Fresh, folder: Path) -> None:
        self.world = world
        press = world.register_device("press-1")
        self.kept = world.publish(press, press.readings(20.5))
        world.tick()
        backup.make(folder / "backup", world.folder, world.dsn)
        self.lost = world.publish(press, press.readings(99.5))
        world.register_device("press-2")
        self.published = {chain: checkpoint_file.load(world.folder.checkpoints, chain) for chain in CHAINS}
        world.close()
        world.dsn = fresh_database()
        restore.restore(folder / "backup", world.folder, world.dsn)

    @property
    def named(self) -> dict[str, tuple[int, str]]:
        """What there is to accept, as the operator would name it."""
        found = accept.look(self.world.folder, self.world.dsn)
        return {standing.chain: (standing.state[0], standing.state[1].hex()[:16]) for standing in found}

    def accept(self, reason: str = "the disk is gone") -> None:
        accept.accept(self.world.folder, self.world.dsn, self.named, reason=reason, timeout_s=5)

    @property
    def where(self) -> tuple[str, ...]:
        """The options that say which ledger."""
        return ("--data", str(self.world.folder.path.parent), "--dsn", self.world.dsn)

    @property
    def argv(self) -> list[str]:
        """The whole command that accepts."""
        named = [
            word for chain, (size, root) in self.named.items() for word in ("--checkpoint", f"{chain}={size}:{root}")
        ]
        return ["ledger", "accept-rollback", *self.where, *named, "--reason", "the disk is gone"]


@pytest.fixture
def old(fresh_database: Fresh, tmp_path: Path) -> Iterator[Old]:
    with World(fresh_database(), tmp_path / "data" / "ledger") as world:
        yield Old(world, fresh_database, tmp_path)


def registry(world: World) -> Registry:
    with connect(world.dsn) as connection:
        return operate.published_registry(connection, world.folder)


def audit(world: World) -> Report:
    with connect(world.dsn) as connection:
        return walk.audit(DatabaseSource(connection, world.folder), world.trust)


def refused(world: World) -> bool:
    """Whether every chain's writer refuses to go on."""
    for chain in ("registry", "production"):
        with pytest.raises(HistoryForked):
            world.chain(chain)
    with pytest.raises(HistoryForked):
        _ = world.anchor
    return True


def test_an_older_database_is_refused_until_the_operator_decides(old: Old) -> None:
    """Then it goes on from the very state that he named, and the audit finds it whole."""
    assert refused(old.world)
    before = old.named
    assert before.keys() == set(CHAINS)
    old.accept()
    assert old.named == {}
    old.world.tick()
    assert audit(old.world).ok


def test_lost_registry_entries_are_told_of_before_and_after(old: Old, capsys: pytest.CaptureFixture[str]) -> None:
    """A revocation that is lost revokes nothing: how many entries are, and that they have to be said again."""
    argv = old.argv
    for command in (["ledger", "accept-rollback", *old.where], argv):
        assert tallystick.run(command) == 0
        told = capsys.readouterr().out
        assert "1 registry entry is lost: revocations, registrations" in told and "Say them again" in told


def test_the_decision_is_an_entry(old: Old) -> None:
    """Of each chain: what was published and is lost, and what it goes on from; one statement says it."""
    named = old.named
    old.accept()
    old.world.tick()
    found = {item.chain: item for item in registry(old.world).rollbacks}
    assert found.keys() == set(CHAINS)
    assert len({item.index for item in found.values()}) == 1
    for chain, item in found.items():
        published = old.published[chain]
        assert published is not None
        assert item == Rollback(chain, published.note, named[chain][0], item.root, item.index)
        assert item.root.hex().startswith(named[chain][1])


def test_what_was_published_is_kept_as_evidence(old: Old) -> None:
    """The signed notes that whoever followed the ledger may hold as well."""
    published = [found.note for found in old.published.values() if found is not None]
    old.accept()
    kept = [path.read_text() for path in sorted(old.world.folder.lost_checkpoints.iterdir())]
    assert sorted(kept) == sorted(published)


def test_the_audit_names_the_decision(old: Old) -> None:
    """It is no problem, and it is not passed over: from where the chain goes on, by which entry, and what was lost."""
    old.accept()
    old.world.tick()
    report = audit(old.world)
    by = registry(old.world).rollbacks[0].index
    for chain in CHAINS:
        [note] = [str(note) for note in report.chains[chain].notes if "goes on" in note.what]
        published = old.published[chain]
        assert published is not None
        assert f"the operator decided in registry entry {by}" in note
        assert f"{published.checkpoint.size} had been published" in note


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"accepted": [2, bytes(32)]}, "it never was at 2 entries with the root"),
        ({"lost": "no note"}, "names a lost checkpoint that does not hold"),
    ],
)
def test_a_decision_that_is_not_true_is_a_problem(old: Old, change: dict[str, object], complaint: str) -> None:
    """A state that the chain never had; a lost checkpoint that its log never signed."""
    old.accept()
    entry = {"type": "rollback", "chain": "production", "lost": None, "accepted": [0, bytes(32)], "reason": "x"}
    old.world.operator_says({**entry, **change})
    [problem] = audit(old.world).problems
    assert complaint in str(problem)


def test_no_service_signs_a_seq_again(old: Old) -> None:
    """What they signed in the lost part may be known to others: they go on in new streams, which name the old."""
    old.accept()
    old.world.operator_says({"type": "organisation", "uri": "https://new.example.com", "name": "New"})
    with connect(old.world.dsn) as connection:
        statements = [Statement.decode(stored.data) for stored in read.entries(connection, "registry", 0, 100)]
    places = [(found.kid, found.tally.stream, found.tally.seq) for found in statements]
    assert len(places) == len(set(places))
    operators = [found.tally for found in statements if found.kid == statements[-1].kid]
    assert operators[-1].stream != operators[1].stream and operators[-1].seq == 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"production": (2, "0" * 16)}, "is not what the database has"),
        ({"production": (1, "")}, "is not what the database has"),
        ({"anchor": None}, "not all is decided: there is also anchor"),
        ({"lost": (1, "0" * 16)}, "no chain is called 'lost'"),
    ],
)
def test_only_what_is_there_is_accepted(old: Old, change: dict[str, tuple[int, str] | None], complaint: str) -> None:
    """Each chain has to be named, by its own size and root; else nothing is changed."""
    named = {chain: state for chain, state in {**old.named, **change}.items() if state is not None}
    with pytest.raises(UserError, match=complaint):
        accept.accept(old.world.folder, old.world.dsn, named, reason="x", timeout_s=0)
    assert refused(old.world)
    with connect(old.world.dsn) as connection:
        assert connection.execute("select count(*) from inbox").fetchone() == (0,)


def test_a_damaged_database_is_not_accepted(old: Old) -> None:
    """What does not give its own root is no state to go on from."""
    with connect(old.world.dsn, role=None) as connection:
        connection.execute("update entry set leaf_hash = sha256('x') where entry_id & 1023 = 1")
    with pytest.raises(UserError, match="this database is damaged"):
        old.accept()
    assert refused(old.world)


def test_nothing_is_accepted_while_the_chain_is_written(old: Old) -> None:
    """Who writes it holds its lock."""
    with connect(old.world.dsn) as writer:
        writer.execute("select pg_advisory_lock(%s, chain_id) from chain where name = 'production'", [0x7A11_0002])
        with pytest.raises(UserError, match="another process writes the chain 'production'"):
            accept.accept(old.world.folder, old.world.dsn, old.named, reason="x", timeout_s=0.3)
    assert refused(old.world)


def test_a_ledger_that_needs_no_decision_gets_none(old: Old) -> None:
    """Nor does it a second time."""
    old.accept()
    old.world.tick()
    size = registry(old.world).size
    with pytest.raises(UserError, match="nothing to accept"):
        old.accept()
    old.world.tick()
    assert registry(old.world).size == size


def test_a_restored_ledger_in_a_new_folder_waits_for_the_word(
    old: Old, fresh_database: Fresh, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody knows what was published since, the writer asks; the entry says that nothing is known to be lost."""
    world = old.world
    for key in world.folder.key_file("x").parent.iterdir():
        target = LedgerFolder(tmp_path / "new" / "ledger").key_file(key.stem)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(key.read_bytes())
    world.dsn, world.folder = fresh_database(), LedgerFolder(tmp_path / "new" / "ledger")
    restore.restore(tmp_path / "backup", world.folder, world.dsn)
    assert audit(world).ok and refused(world)
    assert tallystick.run(["ledger", "accept-rollback", *old.where]) == 0
    shown = capsys.readouterr().out
    assert "production: it was restored from a backup" in shown and f"--data {world.folder.path.parent}" in shown
    command = shown.split("  tallystick ")[1].split(" --reason")[0].split()
    assert tallystick.run([*command, "--dsn", world.dsn, "--reason", "moved to another machine"]) == 0
    world.tick()
    assert {item.chain: item.lost for item in registry(world).rollbacks} == dict.fromkeys(CHAINS)
    assert audit(world).ok


def test_it_is_finished_after_kill_9_at_any_moment(old: Old) -> None:
    """The same command again, until it is through: each chain's decision is in the registry once."""
    argv, killed = old.argv, 0
    for number in range(20):  # each lives a little longer than the one before, until one is through
        process = subprocess.Popen([sys.executable, "-m", "tallystick", *argv], stdout=subprocess.DEVNULL)
        time.sleep(0.1 * 1.15**number)
        process.send_signal(signal.SIGKILL)
        killed += process.wait() != 0
        if not old.named:
            break
    if old.named:
        assert tallystick.run(argv) == 0
    assert killed and old.named == {}
    old.world.tick()
    assert sorted(item.chain for item in registry(old.world).rollbacks) == sorted(CHAINS)
    assert audit(old.world).ok


@pytest.mark.parametrize(
    "command", [["prove", "--chain", "production", "--index", "1"], ["export", "{folder}/published"], ["audit"]]
)
def test_whoever_meets_an_undecided_ledger_is_told_what_is_behind_what(
    old: Old, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not damaged: it is behind what was published, by so much, and there is something to decide."""
    argv = [word.format(folder=tmp_path) for word in command]
    assert tallystick.run(["ledger", *argv, *old.where]) == 1
    told = capsys.readouterr()
    standings = accept.look(old.world.folder, old.world.dsn)
    sizes = [(found.state[0] + found.lost_count, found.state[0]) for found in standings]
    assert any(f"{lost} entries were published, and {here} are here" in told.out + told.err for lost, here in sizes)
    assert "damaged" not in told.err and "chain 1" not in told.err
    assert "accept-rollback" in told.err.partition("tallystick: hint: ")[2]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_it_is_finished_after_a_crash_between_two_checkpoints(
    old: Old, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The word is in the inbox, some chains have gone back: the rest refuses still, and the same again ends it."""
    go_back, done = checkpoint_file.go_back, list[str]()

    def crashes(folder: Path, chain: str, text: str | None, *, keep_in: Path) -> None:
        if len(done) == after:
            raise OSError("the power failed")
        done.append(chain)
        go_back(folder, chain, text, keep_in=keep_in)

    named = old.named
    with monkeypatch.context() as patch, pytest.raises(OSError, match="the power failed"):
        patch.setattr(checkpoint_file, "go_back", crashes)
        old.accept()
    assert set(old.named) == set(CHAINS) - set(done)
    accept.accept(old.world.folder, old.world.dsn, named, reason="again", timeout_s=5)
    old.world.tick()
    found = registry(old.world).rollbacks
    assert sorted(item.chain for item in found) == sorted(CHAINS)
    assert audit(old.world).ok
