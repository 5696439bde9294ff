"""The wheel, installed with one extra alone, brings what that extra needs and no more."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EDGE = {"cbor2", "cffi", "click", "paho-mqtt", "pycparser", "pynacl", "tallystick"}


def run(*argv: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([str(arg) for arg in argv], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def uv() -> Path:
    path = Path(sys.executable).with_name("uv")
    if not path.exists():
        pytest.skip("uv is not in this environment: run 'make test'")
    return path


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.mark.parametrize(
    ("extra", "commands"),
    [
        ("edge", [["edge"]]),
        ("ledger", [["ledger"]]),
        ("gateway", [["gateway"], ["ledger"]]),
        ("labels", [["labels"], ["ledger"]]),
        ("all", [["edge"], ["gateway"], ["labels"], ["ledger"], ["up"], ["demo"]]),
    ],
)
def test_each_extra_alone(uv: Path, wheel: Path, tmp_path: Path, extra: str, commands: list[list[str]]) -> None:
    """Each extra's locked requirements run its commands, from the installed wheel."""
    venv.create(tmp_path / "venv")
    python, tallystick = (tmp_path / "venv" / "bin" / name for name in ("python", "tallystick"))
    install = (uv, "pip", "install", "--quiet", "--no-config", "--python", python)
    run(*install, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements" / f"{extra}.txt")
    run(*install, "--no-deps", wheel)
    run(uv, "pip", "check", "--quiet", "--no-config", "--python", python)
    assert "Usage: tallystick" in run(tallystick, "--help", cwd=tmp_path)
    for command in commands:
        assert f"Usage: tallystick {command[0]}" in run(tallystick, *command, "--help", cwd=tmp_path)
    if extra == "edge":
        installed = run(uv, "pip", "list", "--format", "freeze", "--no-config", "--python", python)
        assert {line.partition("==")[0] for line in installed.split()} <= EDGE
    if extra == "labels":
        assert "<!doctype html>" in run(tallystick, "labels", "verify-page", "-o", "-", cwd=tmp_path)
        assert "(01)   GTIN" in run(tallystick, "labels", "gs1", "09506000134352", cwd=tmp_path)


def test_missing_extra_is_told(uv: Path, wheel: Path, tmp_path: Path) -> None:
    """A command whose extra is not installed says which to install."""
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    install = (uv, "pip", "install", "--quiet", "--no-config", "--python", python)
    run(*install, "--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements" / "edge.txt")
    run(*install, "--no-deps", wheel)
    done = subprocess.run(
        [python, "-m", "tallystick", "up", "--data", tmp_path / "data"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.search(r"error: 'tallystick up' needs the module '\w+', which is not installed", done.stderr)
    assert "hint: pip install 'tallystick[all]'" in done.stderr
    assert not (tmp_path / "data").exists()


def test_what_pip_is_told_is_told_to_the_tests(uv: Path, tmp_path: Path) -> None:
    """`make test` hands on the mirror and the certificates that only pip's configuration knows: uv asks for them."""
    told = {"UV_DEFAULT_INDEX": "https://mirror.example.com/simple", "SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    pip = tmp_path / "pip.conf"
    pip.write_text(f"[global]\nindex-url = {told['UV_DEFAULT_INDEX']}\ncert = {told['SSL_CERT_FILE']}\n")
    asked = tmp_path / "test_asked.py"
    asked.write_text(f"import os\n\n\ndef test_asked():\n    assert {told!r}.items() <= os.environ.items()\n")
    run(
        *("env", "-i", f"PATH={os.environ['PATH']}", f"HOME={tmp_path}", f"PIP_CONFIG_FILE={pip}"),
        *("make", "--old-file=.venv/.installed-dev", "test", "PACKAGES=", f"BIN={uv.parent}"),
        f"ARGS=--quiet --config-file=/dev/null --rootdir={tmp_path} {asked}",
        cwd=ROOT,
    )


def test_locks_name_no_place() -> None:
    """A lock holds names, versions and hashes; where they come from is each machine's own affair."""
    for path in (ROOT / "requirements").iterdir():
        for line in path.read_text("utf-8").splitlines():
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?|[a-z0-9-]+(==[^/@]+)?", line), (path, line)
