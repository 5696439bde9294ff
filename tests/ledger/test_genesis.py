"""Making a ledger: once, and never into another's database."""

from pathlib import Path

import pytest

from ledger import genesis
from ledger.errors import UserError
from ledger.folder import LedgerFolder
from tests.world import NAME, ORGANISATION, START_MS, World


def init(dsn: str, folder: Path, name: str = NAME) -> bytes:
    return genesis.init(LedgerFolder(folder), dsn, name=name, organisation=ORGANISATION, now_ms=START_MS).genesis


@pytest.mark.parametrize("name", [NAME, "other.example.com"])
@pytest.mark.parametrize("is_running", [True, False])
def test_a_database_of_another_ledger_is_left_alone(
    postgres_dsn: str, tmp_path: Path, name: str, is_running: bool
) -> None:
    """Whether its gateway runs or not, and whatever its name, a new folder is told so, and gets no checkpoint."""
    with World(postgres_dsn, tmp_path / "ledger") as world:
        if is_running:
            world.tick()
        with pytest.raises(UserError, match="the database holds another ledger"):
            init(postgres_dsn, tmp_path / "new", name)
    assert not (tmp_path / "new" / "trust.json").exists()
    assert not (tmp_path / "new" / "checkpoints").exists()


def test_what_was_half_made_is_finished(postgres_dsn: str, tmp_path: Path) -> None:
    """A run that died before it wrote the trust file, or the checkpoint, is finished with the same genesis."""
    folder = LedgerFolder(tmp_path / "ledger")
    first = init(postgres_dsn, folder.path)
    for lost in ([folder.trust_file], [folder.trust_file, folder.checkpoints / "registry"]):
        for path in lost:
            path.unlink()
        assert init(postgres_dsn, folder.path) == first
        assert (folder.checkpoints / "registry").exists()
    with pytest.raises(UserError, match="holds a ledger already"):
        init(postgres_dsn, folder.path)
