"""A product's page after a shredding: nothing of it is shown, nothing is broken, and the page says that it happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tallystick
from deploy.postgres import Postgres
from labels.judgement import Standing
from labels.pages.resolve import Resolver
from tests.labels.story import Story, public_event, telling
from tests.world import ticking

WAREHOUSE = "Warehouse, Seattle"


@pytest.fixture
def story(postgres_server: Postgres, tmp_path: Path) -> Iterator[Story]:
    with telling(postgres_server, "story_to_shred", tmp_path) as told:
        yield told


def shred(story: Story, bundle: str, *lines: str) -> None:
    where = ("--data", str(story.world.folder.path.parent), "--dsn", story.world.dsn)
    with ticking(story.world):
        argv = ["ledger", "shred", *where, "--statement", bundle, "--reason", "a court's order", "--yes", *lines]
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
    [newest] = [size - 1 for origin, size, _ in after.checkpoints if origin.endswith("/registry")]
    assert any(f"(registry entries {newest}, {newest - 1})" in line for line in after.not_proven)


def test_a_step_says_what_else_its_statement_said(story: Story) -> None:
    """An event stays when the readings beside it go, and names the registry entry by which they went."""
    event = {
        "type": "ObjectEvent", "action": "OBSERVE", "eventTime": "2026-01-01T00:00:00Z",
        "eventTimeZoneOffset": "+00:00", "epcList": [story.link().epc],
    }  # fmt: skip
    pack = story.line.readings(1.0, 2.0, time=1_767_300_000)
    statement = story.world.publish(story.line, public_event(event), pack)
    story.world.tick()
    shred(story, statement.hash.hex(), "--line", "1")
    resolver = Resolver(story.world.folder, story.world.dsn)
    page = resolver.page(story.link())
    resolver.close()
    [newest] = [size - 1 for origin, size, _ in page.checkpoints if origin.endswith("/registry")]
    [step] = [step for step in page.steps if step.notes]
    assert step.proof.verified and step.notes == (
        f"What else this statement said the operator has deleted, by registry entry {newest}.",
    )


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
