"""A product's page after a shredding: nothing of it is shown, nothing is broken, and the page says that it happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tallystick
from deploy.postgres import Postgres
from labels.judgement import Standing
from labels.resolve import Resolver
from tests.labels.story import Story, telling
from tests.world import ticking

WAREHOUSE = "Warehouse, Seattle"


@pytest.fixture
def story(postgres_server: Postgres, tmp_path: Path) -> Iterator[Story]:
    with telling(postgres_server, "story_to_shred", tmp_path) as told:
        yield told


def shred(story: Story, bundle: str) -> None:
    where = ("--data", str(story.world.folder.path.parent), "--dsn", story.world.dsn)
    with ticking(story.world):
        argv = ["ledger", "shred", *where, "--statement", bundle, "--reason", "a court's order", "--yes"]
        assert tallystick.run(argv) == 0


def test_the_page_forgets_what_was_shredded(story: Story) -> None:
    """Of a page that this service has shown before, the last step and some readings go; the rest still verifies."""
    resolver = Resolver(story.world.folder, story.world.dsn)
    try:
        before = resolver.page(story.link())
        pack = next(proof for proof in before.proofs if proof.what == "readings")
        assert before.steps[-1].place == WAREHOUSE
        for proof in (before.steps[-1].proof, pack):
            shred(story, proof.bundle)
        after = resolver.page(story.link())
        assert resolver.bundle(pack.bundle) is not None
    finally:
        resolver.close()
    assert after.standing is Standing.GENUINE
    assert [step.title for step in after.steps] == [step.title for step in before.steps[:-1]]
    assert after.series[0].readings < before.series[0].readings
    assert after.counts.total == after.counts.verified < before.counts.total
    assert not any("deleted" in line for line in before.not_proven)
    assert any("deleted what 2 statements in this ledger said" in line for line in after.not_proven)


def remembered(resolver: Resolver) -> set[tuple[str, bytes | None]]:
    """The bodies that a service remembers, by their statement's hash."""
    kept = [checked.verdict for checked, _, _ in resolver._checker._kept.values() if checked.verdict]
    return {(verdict.statement.hash.hex(), section.body) for verdict in kept for section in verdict.sections}


def test_a_service_remembers_nothing_that_was_shredded(story: Story) -> None:
    """The verdicts that it keeps, to check nothing twice, hold no body of it from the next page on."""
    resolver = Resolver(story.world.folder, story.world.dsn)
    try:
        bundle = resolver.page(story.link()).steps[-1].proof.bundle
        before = remembered(resolver)
        shred(story, bundle)
        resolver.page(story.link())
        assert before - remembered(resolver) == {(found, body) for found, body in before if found == bundle} != set()
    finally:
        resolver.close()
