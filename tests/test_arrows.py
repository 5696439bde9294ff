"""Arrows are a test: who may import whom."""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("edge", "gateway", "labels", "ledger", "deploy")
MAY_IMPORT = {
    "ledger": {"ledger"},
    "edge": {"edge", "ledger"},
    "gateway": {"gateway", "ledger"},
    "labels": {"labels", "ledger"},
    "deploy": {"deploy", *FOLDERS},
}
# What does I/O, or is called by it: a module a line. Every other module is pure: bytes and time are arguments.
IMPURE = (ROOT / "tests/impure.txt").read_text().splitlines()
PURE_LIBRARIES = {"cbor2", "nacl"}


def _modules(folder: str) -> Iterator[Path]:
    return (path for path in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in path.parts)


def _name(path: Path) -> str:
    """A module's dotted name; a package's for its __init__."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, also inside its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _steps(part: str) -> dict[str, set[str]]:
    """By each folder and each flat module of a part, the others that it imports. A cli stands above all: it is none."""
    steps = dict[str, set[str]]()
    for path in _modules(part):
        if not path.stem.endswith("cli"):
            step, *_ = path.relative_to(ROOT / part).with_suffix("").parts
            known = {name.split(".")[1] for name in _imports(path) if name.startswith(f"{part}.")}
            steps.setdefault(step, set()).update(known - {step})
    return steps


@pytest.mark.parametrize("folder", FOLDERS)
def test_arrows_point_to_the_ledger_and_from_deploy(folder: str) -> None:
    """No folder imports another that DESIGN's picture does not let it."""
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _modules(folder)
        for name in _imports(path)
        if name.partition(".")[0] in {*FOLDERS, "tests"} - MAY_IMPORT[folder]
    }
    assert not found


@pytest.mark.parametrize("folder", ["edge", "gateway", "labels", "ledger"])
def test_a_pure_module_imports_only_pure_ones(folder: str) -> None:
    """Beside the standard library, cbor2 and nacl, a pure module imports only pure modules of ours."""
    found = set()
    for path in _modules(folder):
        if _name(path) in IMPURE:
            continue
        for name in _imports(path):
            top = name.partition(".")[0]
            outside = top not in FOLDERS and top not in sys.stdlib_module_names and top not in PURE_LIBRARIES
            if outside or name in IMPURE:
                found.add(f"{path.relative_to(ROOT)} imports {name}")
    assert not found


def test_what_is_impure_is_there_and_in_order() -> None:
    """A line for each module, sorted, so that two who add one seldom meet; and none for a module that is gone."""
    assert sorted(set(IMPURE)) == IMPURE
    assert set(IMPURE) <= {_name(path) for folder in FOLDERS for path in _modules(folder)}


@pytest.mark.parametrize("part", FOLDERS)
def test_folders_form_no_circle(part: str) -> None:
    """A part can be read from the ground up, folder by folder; a module that lies flat is a step of its own."""
    TopologicalSorter(_steps(part)).prepare()  # CycleError names the circle


def test_what_labels_share_rests_on_gs1_and_the_catalogue() -> None:
    """Keys, batches and labels, which lie flat, know no other folder of labels/: the folders know them."""
    folders = {path.name for path in (ROOT / "labels").iterdir() if path.is_dir()}
    for step, known in _steps("labels").items():
        assert step in folders or known & folders <= {"gs1", "catalogue"}, step


def test_only_a_command_line_is_on_top() -> None:
    """Nothing but another cli imports a cli module: it is where a person comes in."""
    callers = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in _modules(folder)
        for name in _imports(path)
        if name.endswith("cli") and not path.stem.endswith("cli") and path.stem != "demo"
    }
    assert not callers
