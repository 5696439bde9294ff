"""The front door is quick, and tells mistakes as mistakes."""

import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

import tallystick
from ledger.errors import MalformedError, UserError


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> "list[Exception]":
    """`tallystick up` raises what a test puts here."""
    errors: list[Exception] = []

    @click.command()
    def up() -> None:
        raise errors[0]

    monkeypatch.setattr(tallystick.LazyGroup, "get_command", lambda self, ctx, name: up)
    return errors


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UserError("no oven", "buy one"), "tallystick: error: no oven\ntallystick: hint: buy one\n"),
        (
            MalformedError("not CBOR"),
            "tallystick: error: not CBOR\n"
            "tallystick: hint: what was given is damaged or of another kind: is it the file you mean, and whole?\n",
        ),
        (
            FileNotFoundError(2, "No such file or directory", "x.cbor"),
            "tallystick: error: x.cbor: No such file or directory\n"
            "tallystick: hint: look at its name: it, or the folder that it should be in, is not there\n",
        ),
        (
            ModuleNotFoundError("No module named 'fastapi'", name="fastapi"),
            "tallystick: error: 'tallystick up' needs the module 'fastapi', which is not installed\n"
            "tallystick: hint: pip install 'tallystick[all]'\n",
        ),
    ],
)
def test_mistakes_are_told(
    raising: "list[Exception]", capsys: pytest.CaptureFixture[str], error: Exception, told: str
) -> None:
    """What the user or the world got wrong is an error, a hint, and exit code 1."""
    raising.append(error)
    assert tallystick.run(["up"]) == 1
    assert capsys.readouterr().err.startswith(told)


@pytest.mark.parametrize("error", [ValueError("a fault"), ModuleNotFoundError("ours", name="ledger.nonesuch")])
def test_faults_show_their_traceback(raising: "list[Exception]", error: Exception) -> None:
    """What we got wrong is not dressed up as the user's mistake."""
    raising.append(error)
    with pytest.raises(type(error)):
        tallystick.run(["up"])


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command or option is an error with a way to the help."""
    for args, path in ((["ovens"], "tallystick"), (["--ovens"], "tallystick"), (["up", "--ovens"], "tallystick up")):
        assert tallystick.run(args) == 1
        err = capsys.readouterr().err
        assert err.startswith("tallystick: error: ")
        assert err.endswith(f"tallystick: hint: see '{path} --help'\n")


def test_interrupt_is_quiet(raising: "list[BaseException]", capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends a command with the shell's code for it, and no traceback."""
    raising.append(KeyboardInterrupt())
    assert tallystick.run(["up"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_while_it_loads_is_silent() -> None:
    """Exit code 130 and no traceback, as later."""
    script = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed)\n"
        "import tallystick"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("args", [["--help"], ["up", "--help"], ["labels", "--help"]])
def test_help_is_quick_and_loads_little(args: list[str]) -> None:
    """Help costs less than 0.3 s of CPU, since it loads no driver, web framework or codec."""
    script = (
        "import sys, tallystick; code = tallystick.run(sys.argv[1:]);"
        "heavy = {'psycopg', 'fastapi', 'paho', 'aiomqtt', 'nacl', 'cbor2'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else code)"
    )
    best_s = float("inf")
    for _ in range(3):
        before_s = children_s()
        done = subprocess.run([sys.executable, "-c", script, *args], capture_output=True, text=True, check=False)
        best_s = min(best_s, children_s() - before_s)
        assert (done.returncode, done.stderr) == (0, "")
    assert best_s < 0.3


def children_s() -> float:
    """CPU time of all children so far: what runs beside them counts little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_names_every_command() -> None:
    """The table of commands is what `--help` shows, and each is in the place it names."""
    text = subprocess.run([sys.executable, "-m", "tallystick"], capture_output=True, text=True, check=False).stderr
    for name, folder in tallystick.COMMANDS.items():
        assert f"  {name} " in text
        assert Path(folder.module.replace(".", "/") + ".py").exists()
