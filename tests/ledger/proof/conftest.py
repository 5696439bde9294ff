"""What the tests of proofs share: each file has a ledger of its own, `made.world`."""

import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def data(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the file's ledger in it, the environment that names it, and the working directory."""
    shutil.copytree(made.world.folder.path, tmp_path / "ledger")
    monkeypatch.setenv("TALLYSTICK_DATA", str(tmp_path))
    monkeypatch.setenv("TALLYSTICK_DSN", made.world.dsn)
    monkeypatch.chdir(tmp_path)
    return tmp_path
