"""Claims about mirrors that run: over HTTP, killed at any moment, by the command that a person types."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import tallystick
from ledger.audit.published_source import PublishedSource
from ledger.audit.walk import audit
from ledger.published.folder import FolderReader
from tests import commands
from tests.ledger.mirror.sources import Past, forge
from tests.ledger.published import misbehaving
from tests.ledger.published.made import Copy, Made, everything
from tests.ledger.published.misbehaving import answer, publishing

_COMMAND = [sys.executable, "-m", "tallystick", "ledger", "mirror"]
# Commits every few entries, and is killed as it comes to the n-th file or folder that it brings to disk.
_KILLED = """
import os, signal, sys
import tallystick
from ledger.mirror import growth
growth.COMMIT_ENTRIES, left, fsync = 20, int(sys.argv.pop(1)), os.fsync
def killing(handle):
    global left
    left -= 1
    os.kill(os.getpid(), signal.SIGKILL) if left == 0 else fsync(handle)
os.fsync = killing
sys.argv = ["tallystick", "ledger", "mirror", *sys.argv[1:]]
tallystick.main()
"""


@pytest.fixture(scope="module")
def files(made: Made) -> dict[str, bytes]:
    """Everything, as it is published."""
    return everything(made.reader(), made.every_path())


@pytest.fixture(scope="module")
def trust_file(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's trust file, as a person has it."""
    path = tmp_path_factory.mktemp("trust") / "trust.json"
    path.write_text(made.world.trust.text)
    return path


def _folder(files: dict[str, bytes], root: Path) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def _run(*args: str | Path) -> commands.Ran:
    return commands.run("ledger", "mirror", *args)


def test_killed_at_any_moment(made: Made, files: dict[str, bytes], trust_file: Path, tmp_path: Path) -> None:
    """kill -9 leaves a folder that audits, and the next run goes on from there; at last everything is there."""
    source, folder, draw = _folder(files, tmp_path / "source"), tmp_path / "mirror", random.Random(4)
    sizes = []
    for _ in range(10):
        writes = str(draw.randrange(1, 160))
        killed = [sys.executable, "-c", _KILLED, writes, str(source), str(folder), "--trust", str(trust_file)]
        if subprocess.run(killed, capture_output=True, check=False, timeout=60).returncode == 0:
            break
        published = PublishedSource(FolderReader(folder), made.world.trust)
        report = audit(published, made.world.trust)
        assert [problem for problem in report.problems if "trust.json" not in str(problem)] == []
        sizes.append(published.end("production") + published.end("anchor"))
    assert sizes == sorted(sizes) and len(set(sizes)) > 3, sizes
    assert _run(source, folder, "--trust", trust_file)[0] == 0
    assert everything(FolderReader(folder), list(files)) == files


def test_over_http(made: Made, files: dict[str, bytes], trust_file: Path, tmp_path: Path) -> None:
    """A mirror of an address is that of its files, and what is not published is not there."""
    with misbehaving.serving() as server:
        server.behaviours |= {path: answer(data) for path, data in files.items()}
        code, told, _ = _run(server.address, tmp_path, "--trust", trust_file, "--json")
        assert code == 0
        assert {json.loads(line)["chain"] for line in told.splitlines()} == set(made.world.trust.logs)
        assert everything(FolderReader(tmp_path), list(files)) == files
        code, told, _ = _run(server.address, tmp_path)
        assert code == 0 and "new" not in told


def test_an_address_that_serves_html(trust_file: Path, tmp_path: Path) -> None:
    """A page where a ledger should be is refused by its name, with a hint, and nothing is left behind."""
    folder = tmp_path / "mirror"
    with misbehaving.serving() as server:
        server.otherwise = answer(b"<html>Welcome!</html>", kind="text/html")
        code, told, complaint = _run(server.address, folder, "--trust", trust_file)
    assert (code, told) == (1, "") and not folder.exists()
    assert "error: http://" in complaint and "is a page of HTML, no part of a ledger" in complaint
    assert "tallystick: hint: " in complaint and "Traceback" not in complaint
    assert _run(tmp_path, folder)[0] == 1 and not folder.exists()


def test_a_fork_is_told(made: Made, files: dict[str, bytes], trust_file: Path, tmp_path: Path) -> None:
    """The command ends with 1, and names both checkpoints; also while it follows."""
    source, folder = _folder(files, tmp_path / "source"), tmp_path / "mirror"
    assert _run(source, folder, "--trust", trust_file)[0] == 0
    forked = Copy(dict(files))
    forge(forked, made.world, "production", leaf=5)
    forge(forked, made.world, "anchor", leaf=5)
    _folder(forked.files, source)
    for _ in range(2):
        code, told, complaint = _run(source, folder, "--follow", "--every", "0.1")
        assert code == 1 and "production" in told and "it stands still" in told
        assert "error: the log of 'production' has forked" in complaint and "held.checkpoint" in complaint
        assert "warning: the log of 'anchor' has forked" in complaint
    assert _run(_folder(files, tmp_path / "honest"), folder, "--go-on", "production", "--go-on", "anchor")[0] == 0
    assert "there is no evidence against 'trade'" in _run(source, folder, "--go-on", "trade")[2]


def test_following(made: Made, files: dict[str, bytes], trust_file: Path, tmp_path: Path) -> None:
    """It follows until it is stopped: what grows is told once, and a source that is away a while is but a warning."""
    past = Past(made, made.world.now_ms - 500, made.reader())
    with misbehaving.serving() as server:
        server.otherwise = publishing(past)
        options = [server.address, str(tmp_path), "--trust", str(trust_file), "--follow", "--every", "0.1"]
        child = subprocess.Popen([*_COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert child.stdout and child.stderr
        assert [child.stdout.readline().split()[0] for _ in range(3)] == ["registry", "production", "anchor"]
        server.behaviours["example.com/tallystick/anchor/head"] = answer(b"<html>", kind="text/html")
        assert "warning: http://" in child.stderr.readline()
        server.behaviours.clear()
        server.otherwise = publishing(made.reader())
        grown = [child.stdout.readline() for _ in range(3)]
        child.terminate()
        child.wait()
    assert [line.split()[0] for line in grown] == ["logistics", "production", "anchor"]
    assert "new" in grown[0] and everything(FolderReader(tmp_path), list(files)) == files


def test_what_a_user_may_get_wrong(trust_file: Path, tmp_path: Path) -> None:
    """A source that is no folder, a token file that holds none, and no trust file: each is told with a hint."""
    for args, complaint in {
        ("nowhere",): "nowhere is no folder",
        (str(tmp_path),): "has no trust file yet",
        ("https://user:password@example.com",): "is no host",
        (str(tmp_path), "--token-file", str(trust_file)): "holds no token",
    }.items():
        source, *rest = args
        code, _, told = _run(source, tmp_path / "mirror", *rest)
        assert code == 1 and complaint in told and "tallystick: hint: " in told


def test_its_help_is_whole() -> None:
    """What it leaves and how it ends stands in its help."""
    told = CliRunner().invoke(tallystick.cli, ["ledger", "mirror", "--help"]).output
    assert "DIR/evidence" in told and "--go-on" in told
