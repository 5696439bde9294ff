"""A lot whose labels have hidden codes, and what stands under their scratch fields."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.postgres import Postgres
from labels.batch import Batch, Label
from labels.hidden import code, keys
from labels.keeper import BookKeeper
from tests.labels.story import Story, issue_lot, make_story
from tests.world import World

HIDDEN_LOT = "H2606A"


@dataclass(frozen=True, slots=True)
class HiddenLot:
    """A story whose own lot has no hidden codes, and a batch that has."""

    story: Story
    batch: Batch
    labels: Sequence[Label]

    @property
    def world(self) -> World:
        """The ledger."""
        return self.story.world

    def code(self, number: int) -> str:
        """What stands under the scratch field of a label."""
        key = keys.of_batches(self.world.folder, [self.batch])[self.batch.root]
        return code.make(key, self.labels[number].path).code

    def signed(self, number: int) -> str:
        """The address of a label's page, below its host."""
        return f"{self.labels[number].path}?s={self.labels[number].digits}"

    def keeper(self) -> BookKeeper:
        """Who keeps the book."""
        return BookKeeper(self.world.folder)


@contextmanager
def hidden_lot(postgres: Postgres, name: str, folder: Path, *, count: int = 12) -> Iterator[HiddenLot]:
    """Such a lot, in a database `name` of its own and the data folder `folder`."""
    story = make_story(postgres.create_database(name), folder / "ledger", count=2)
    try:
        issued = issue_lot(story.world, count, lot=HIDDEN_LOT, hidden=True)
        yield HiddenLot(story, issued.batch.batch, issued.labels)
    finally:
        story.world.close()
        postgres.drop_database(name)
