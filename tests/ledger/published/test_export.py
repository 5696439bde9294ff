"""Claims about the export: any static server can serve it, at any moment, whatever happened to whoever wrote it."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tallystick
from ledger import message
from ledger.audit.published_source import PublishedSource
from ledger.audit.walk import audit
from ledger.errors import UserError
from ledger.published import content
from ledger.published.export import export
from ledger.published.folder import FolderReader
from ledger.published.policy import Policy
from ledger.published.reader import NotPublishedError
from ledger.published.writer import OWN, FolderWriter
from ledger.section import Privacy
from ledger.tile import TILE_WIDTH
from tests.ledger.published.made import Made, everything, make

EVERYTHING = Policy(Privacy.PRIVATE)


@pytest.fixture
def own(fresh_database: Callable[[], str], tmp_path: Path) -> Iterator[Made]:
    """A ledger of the test's own, to write on."""
    made = make(fresh_database(), tmp_path / "data" / "ledger", statements=20)
    yield made
    made.connection.close()
    made.world.close()


def _export(made: Made, folder: Path, policy: Policy = EVERYTHING) -> None:
    export(made.reader(policy.audience, *policy.public), made.world.trust, folder, policy)


def _files(folder: Path) -> dict[str, bytes]:
    """All that anybody can be served."""
    return {name: data for name, data in _tree(folder).items() if not name.startswith(OWN)}


def _tree(folder: Path) -> dict[str, bytes]:
    """All files, the export's own too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("audience", Privacy)
def test_the_folder_is_what_the_database_gives_byte_for_byte(made: Made, tmp_path: Path, audience: Privacy) -> None:
    """Each path that the audience may read, and no other file."""
    policy = Policy.of(audience, ["logistics"])
    _export(made, tmp_path / "out", policy)
    expected = everything(made.reader(audience, "logistics"), made.every_path(audience, "logistics"))
    assert _files(tmp_path / "out") == expected
    assert everything(FolderReader(tmp_path / "out"), list(expected)) == expected


def test_the_audit_of_the_folder_is_the_database_s(made: Made, tmp_path: Path) -> None:
    """Verdict and counts."""
    _export(made, tmp_path / "out")
    found = audit(PublishedSource(FolderReader(tmp_path / "out"), made.world.trust), made.world.trust)
    expected = audit(PublishedSource(made.reader(), made.world.trust), made.world.trust)
    assert found.ok and found.document == expected.document


def test_no_private_byte_is_in_a_public_export(made: Made, tmp_path: Path) -> None:
    """Each private section is looked for in all files, also where its chain is open to all."""
    _export(made, tmp_path / "out", Policy.of(Privacy.PUBLIC, ["production"]))
    all_bytes = b"".join(_tree(tmp_path / "out").values())
    path = f"{made.origins['production']}/content/000"
    sections = [shown for item in content.decode(made.reader().read(path), 256) for shown in item.sections]
    private = [shown.data for shown in sections if shown.privacy == Privacy.PRIVATE and shown.data]
    public = [shown.data for shown in sections if shown.privacy == Privacy.PUBLIC and shown.data]
    assert private and not any(data in all_bytes for data in private)
    assert public and all(data in all_bytes for data in public)


def test_exporting_again_writes_nothing_and_growing_writes_what_is_new(own: Made, tmp_path: Path) -> None:
    """Files that are there stay untouched; the second of two exports of one state has nothing to do."""
    out = tmp_path / "out"
    _export(own, out)
    before = {name: (out / name).stat().st_mtime_ns for name in _files(out)}
    _export(own, out)
    assert {name: (out / name).stat().st_mtime_ns for name in _files(out)} == before
    for number in range(300):
        own.world.publish(own.press, own.press.readings(float(number)))
    own.world.tick()
    _export(own, out)
    files = _files(out)
    origin = own.origins["production"]
    assert f"{origin}/tile/0/000" in files and not [name for name in files if name.startswith(f"{origin}/tile/0/000.p")]
    assert set(own.every_path()) <= set(files)
    assert everything(own.reader(), list(files)) == files


def test_a_partial_tile_stays_until_the_full_one_is_there(own: Made, tmp_path: Path) -> None:
    """Whoever holds an exported checkpoint finds its tiles (C2SP tlog-tiles, "Partial Tiles")."""
    out, old = tmp_path / "out", []
    for _ in range(3):
        own.world.publish(own.press, own.press.readings(1.0))
        own.world.tick()
        _export(own, out)
        old += [path for path in own.every_path() if "/content/" not in path]
    assert all((out / path).exists() for path in old)
    assert everything(own.reader(), list(_files(out))) == _files(out)


def test_an_audit_goes_on_while_the_folder_grows_below_it(own: Made, tmp_path: Path) -> None:
    """It holds to the heads that it began with, though the content beside them is in wider files by now."""
    out = tmp_path / "out"
    _export(own, out)
    source = PublishedSource(FolderReader(out), own.world.trust)
    expected = audit(PublishedSource(own.reader(), own.world.trust), own.world.trust)
    for _ in range(2):
        own.world.publish(own.press, own.press.readings(1.0))
        own.world.tick()
        _export(own, out)
    assert audit(source, own.world.trust).document == expected.document


def test_a_section_that_comes_late_is_exported_then(own: Made, tmp_path: Path) -> None:
    """Though its bundle of content was full and exported before."""
    world, press, out = own.world, own.press, tmp_path / "out"
    statement, payload = world.sign(press, [press.readings(7.5)], tally=press.next_tally("production", 1))
    press.heads["production", 1] = statement
    world.send("press-1", message.encode(message.decode(payload).statement, [None]))
    for number in range(TILE_WIDTH):
        world.publish(press, press.readings(float(number)))
    world.tick()
    _export(own, out)
    path = f"{own.origins['production']}/content/000"
    [late] = message.decode(payload).sections
    assert late is not None and late not in (out / path).read_bytes()
    world.send("press-1", payload)
    world.tick()
    assert late in own.reader().read(path)
    _export(own, out)
    assert (out / path).read_bytes() == own.reader().read(path)


def test_a_shredded_section_leaves_the_export(own: Made, tmp_path: Path) -> None:
    """Also if the export comes between the registry's entry and the deletion: it looks again until it is gone."""
    out, path = tmp_path / "out", f"{own.origins['production']}/content/000"
    for number in range(TILE_WIDTH):
        own.world.publish(own.press, own.press.readings(float(number)))
    own.world.tick()
    _export(own, out)
    secret = content.decode((out / path).read_bytes(), 256)[5].sections[0].data
    assert secret is not None
    own.world.operator_says({"type": "shredding", "chain": "production", "items": [[5, 0]], "reason": "asked for"})
    _export(own, out)
    assert secret in (out / path).read_bytes()
    own.superuser("update section set data = null where entry_id = (1::bigint << 40) + 5")
    _export(own, out)
    assert secret not in b"".join(_tree(out).values())
    before = (out / path).stat().st_mtime_ns
    _export(own, out)
    assert (out / path).stat().st_mtime_ns == before


@pytest.mark.parametrize("place", [[True, 0], [5, False], [-1, 0], [0, -1], [2**64, 0]])
def test_a_shredding_of_no_place_spoils_no_export(own: Made, tmp_path: Path, place: list[int]) -> None:
    """What the rules refuse still stands in the registry, whoever said it: the next export reads its own state."""
    own.world.operator_says({"type": "shredding", "chain": "production", "items": [place], "reason": "none"})
    for _ in range(2):
        _export(own, tmp_path / "out")


# Crashes


def _kill_at(step: int, work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Do `work` and die before its `step`-th change of the folder; whether it came so far."""
    count = 0

    class Dead(BaseException):
        pass

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            nonlocal count
            count += 1
            if count == step:
                raise Dead
            return real(*args)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(FolderWriter, "write", counted(FolderWriter.write))
        patched.setattr(FolderWriter, "remove", counted(FolderWriter.remove))
        try:
            work()
        except Dead:
            return True
    return False


def test_dying_at_any_step_leaves_a_whole_ledger_and_the_next_export_all(
    own: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step: what the folder's checkpoints cover is there; and then it is as if nothing had died."""
    world, out, never = own.world, tmp_path / "out", tmp_path / "never"
    _export(own, out)
    _export(own, never)
    for number in range(TILE_WIDTH):
        world.publish(own.press, own.press.readings(float(number)))
    world.tick()
    shutil.copytree(out, tmp_path / "start")
    _export(own, never)
    step = 1
    while True:
        shutil.rmtree(out)
        shutil.copytree(tmp_path / "start", out)
        if not _kill_at(step, lambda: _export(own, out), monkeypatch):
            break
        report = audit(PublishedSource(FolderReader(out), world.trust), world.trust)
        assert report.ok, (step, report.problems)
        _export(own, out)
        assert _tree(out) == _tree(never), step
        step += 1
    assert step > 20


def test_what_a_dead_export_wrote_for_nothing_is_removed(
    own: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partial tiles of a checkpoint that was never put there, because the log has grown since."""
    out, never = tmp_path / "out", tmp_path / "never"
    for step in (1, 2, 5, 8, 11, 14):
        assert _kill_at(step, lambda: _export(own, out), monkeypatch)
        assert not list(out.rglob("checkpoint"))
        own.world.publish(own.press, own.press.readings(1.0))
        own.world.tick()
    assert set(_files(out)) - set(own.every_path())
    _export(own, out)
    _export(own, never)
    assert _tree(out) == _tree(never)


def test_killed_exports_leave_what_one_that_lived_leaves(made: Made, tmp_path: Path) -> None:
    """kill -9 of the command, each time some files later, and then one that lives."""
    out, data = tmp_path / "out", made.world.folder.path.parent
    argv = [sys.executable, "-m", "tallystick", "ledger", "export", str(out), "--audience", "private"]
    argv += ["--data", str(data), "--dsn", made.world.dsn]
    killed = 0
    for files in (1, 6, 12, 20):
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and sum(path.is_file() for path in out.glob("example.com/**/*")) < files:
                time.sleep(0.001)  # else the looking takes a core from what is looked at
            process.kill()
        killed += process.returncode == -signal.SIGKILL
    assert killed >= 2
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    _export(made, tmp_path / "never")
    assert _tree(out) == _tree(tmp_path / "never")


# What is refused


def test_two_exports_at_once(made: Made, tmp_path: Path) -> None:
    """The second is told so; the folder is free again when the first has ended, or died."""
    with FolderWriter(tmp_path / "out"), pytest.raises(UserError, match="another process writes"):
        _export(made, tmp_path / "out")
    _export(made, tmp_path / "out")


def test_another_ledger_s_folder(made: Made, own: Made, tmp_path: Path) -> None:
    """Two ledgers never meet in one folder."""
    _export(own, tmp_path / "out")
    with pytest.raises(UserError, match="another ledger"):
        _export(made, tmp_path / "out")


def test_a_folder_that_is_none_of_an_export(made: Made, tmp_path: Path) -> None:
    """A slip of the tongue shall not fill somebody's home."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter").write_text("dear")
    with pytest.raises(UserError, match="no export"):
        _export(made, tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError):
        _export(made, tmp_path / "file")


def test_a_narrower_audience_needs_another_folder(made: Made, tmp_path: Path) -> None:
    """Else what is private would stay in what is called public."""
    _export(made, tmp_path / "out", Policy.of(Privacy.PUBLIC, ["production"]))
    for policy in (Policy(Privacy.PUBLIC), EVERYTHING):
        with pytest.raises(UserError, match="was exported for the audience 'public'"):
            _export(made, tmp_path / "out", policy)
    _export(made, tmp_path / "out", Policy.of(Privacy.PUBLIC, ["production", "logistics"]))


def test_a_restored_backup_does_not_overwrite_a_newer_export(own: Made, tmp_path: Path) -> None:
    """An older history is refused, and another one."""
    out, file = tmp_path / "out", own.world.folder.checkpoints / "production"
    older = file.read_text()
    own.world.publish(own.press, own.press.readings(1.0))
    own.world.tick()
    _export(own, out)
    before = _tree(out)
    file.write_text(older)
    with pytest.raises(UserError, match="entries were exported"):
        _export(own, out)
    assert _tree(out) == before


def test_the_command(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what it did, and in JSON; a chain in the settings that is none is an error."""
    data, out = made.world.folder.path.parent, str(tmp_path / "out")
    where = ["--data", str(data), "--dsn", made.world.dsn]
    assert tallystick.run(["ledger", "export", out, *where]) == 0
    told = capsys.readouterr().out
    assert "registry " in told and "files written" in told
    assert tallystick.run(["ledger", "export", out, *where, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["written"] == 0 and document["logs"]["production"] > 290
    with pytest.raises(NotPublishedError):
        FolderReader(Path(out)).read(f"{made.origins['production']}/tile/entries/000")
    (data / "tallystick.toml").write_text('[ledger]\npublic = ["produktion"]\n')
    try:
        assert tallystick.run(["ledger", "export", out, *where]) == 1
        assert "'produktion', which the ledger has not" in capsys.readouterr().err
        (data / "tallystick.toml").write_text('[ledger]\npublic = ["production"]\n')
        assert tallystick.run(["ledger", "export", out, *where]) == 0
        assert FolderReader(Path(out)).read(f"{made.origins['production']}/tile/entries/000")
    finally:
        (data / "tallystick.toml").unlink()
