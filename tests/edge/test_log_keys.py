"""The log's key changes while devices are out: they learn of it over MQTT, believe no false word, and go on."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from edge import log_keys
from edge.agent import ASK_MS
from edge.publisher import Arrived
from ledger.keys import SigningKey
from ledger.receipt import Answer
from ledger.refusal import Reason
from ledger.statement import TELEMETRY
from tests import rooted
from tests.edge.simulator import TOPIC, World

PACKS = 30


def known(world: World) -> int:
    """How many keys of the log the agent knows."""
    return len(world.agent._device.log.keys)


def tell(world: World, *messages: bytes) -> None:
    """What a broker might say in the gateway's place."""
    answer = Answer(None, None, None, (), (), None, messages)
    world.agent.take(Arrived(TOPIC.receipt(TELEMETRY), answer.encode()), world.now)


def test_a_device_that_stays_connected_learns_while_both_keys_sign(tmp_path: Path) -> None:
    """It meets a second signature, asks, is told, and takes the new key's receipts when the first has retired."""
    with World(tmp_path, packs=PACKS) as world:
        world.connect()
        world.run(500)
        size = world.ledger.size
        world.ledger.rotate(first=size + 1, until=size + 8)
        world.run(400)
        assert known(world) == 2 and world.ledger.size < size + 8
        world.drain()
        assert world.ledger.size > size + 9 and world.ledger.key.kid != world.ledger.signers[0].kid
        world.check()
        assert not world.agent.counts["ignored other-log-key"]


def test_a_device_that_slept_through_it_learns_when_it_comes_back(tmp_path: Path) -> None:
    """Neither key that it knows signs any more: the answer to its birth tells of the third."""
    with World(tmp_path, packs=PACKS) as world:
        world.connect()
        world.run(500)
        world.cut()
        world.retained.clear()
        size = world.ledger.size
        world.ledger.rotate(first=size + 1, until=size)
        world.ledger.rotate(first=size + 2, until=size + 1)
        world.run(2_000)
        world.connect()
        world.drain()
        assert known(world) == 3
        world.check()


def test_a_receipt_by_an_unknown_key_makes_it_ask_and_not_too_often(tmp_path: Path) -> None:
    """Without an overlap: its next receipts are the new key's. It asks at once, then once a minute at most."""
    with World(tmp_path, packs=PACKS) as world:
        world.connect()
        world.run(500)
        size = world.ledger.size
        world.ledger.rotate(first=size + 1, until=size)
        silent = world.ledger.root_said
        world.ledger.root_said = []  # the gateway has nothing to tell
        before = [birth.nonce for birth in world.ledger.births]
        world.run(ASK_MS - 5_000)
        after = [birth.nonce for birth in world.ledger.births]
        anew = set(after) - set(before)  # asked since nothing is receipted, whether the ledger has forgotten it
        assert len(after) - len(before) - len(anew) == 1 and known(world) == 1
        assert world.agent.counts["ignored other-log-key"] > 1
        world.ledger.root_said = silent
        world.drain()
        assert known(world) == 2
        world.check()


def test_what_was_learnt_survives_a_restart(tmp_path: Path) -> None:
    """It is in the spool before it is believed; another ledger's device takes none of it, and says so."""
    with World(tmp_path, packs=PACKS) as world:
        world.connect()
        world.run(300)
        world.ledger.rotate(first=world.ledger.size + 1, until=world.ledger.size)
        world.run(300)
        device = log_keys.remembering(world.spool, world.device)
        assert len(device.log.keys) == 2 and device == world.agent._device
        other = replace(world.device, genesis=bytes(32))
        assert log_keys.remembering(world.spool, other) is other
        for damage in ("[", "{}", "[1]", '["?"]', "[]", '"x"', "null", "1"):
            with world.spool.transaction():
                world.spool.set_state("root messages", damage)
            assert log_keys.remembering(world.spool, world.device) is world.device


@pytest.mark.parametrize("what", ["another ledger's", "another root's", "half of it", "two truths", "garbage"])
def test_a_false_word_teaches_nothing(what: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has the broker can say anything: it is counted, told, and the device goes on as before."""
    with World(tmp_path, packs=PACKS) as world, caplog.at_level(logging.WARNING):
        world.connect()
        world.run(300)
        world.ledger.rotate(first=world.ledger.size + 1, until=10_000)
        world.run(300)
        before = world.agent._device
        genesis, said = world.ledger.root_said
        thief = SigningKey.generate()
        entry = rooted.next_key(99, first=world.ledger.size + 1, until=world.ledger.size)
        false = {
            "another ledger's": rooted.stream(entry),
            "another root's": [genesis, said, rooted.say(entry, said, signer=thief)],
            "half of it": [said],
            "two truths": [genesis, rooted.say(entry, genesis), rooted.say(entry, rooted.say(entry, genesis))],
            "garbage": [genesis, b"x"],
        }
        tell(world, *false[what])
        assert world.agent._device is before and world.agent.counts["ignored false-keys"] == 1
        assert "what an answer says of the log's keys is ignored" in caplog.text
        world.drain()
        world.check()


def test_old_words_take_nothing_back(tmp_path: Path) -> None:
    """The genesis alone, or an earlier state, again: true, and no news."""
    with World(tmp_path, packs=PACKS) as world:
        world.connect()
        world.run(300)
        world.ledger.rotate(first=world.ledger.size + 1, until=world.ledger.size)
        world.run(300)
        before, [genesis, said] = world.agent._device, world.ledger.root_said
        for old in ((genesis,), (genesis, said)):
            tell(world, *old)
            assert world.agent._device is before
        assert not world.agent.counts["ignored false-keys"]


def test_who_stole_the_retired_key_can_confirm_nothing(tmp_path: Path) -> None:
    """A receipt that the old key signs beyond its last size does not count, once the device has learnt of that."""
    with World(tmp_path, packs=PACKS) as world:
        world.connect()
        world.run(300)
        size = world.ledger.size
        world.ledger.rotate(first=size + 1, until=size)
        world.run(300)
        assert known(world) == 2
        world.ledger.rotated.clear()  # the thief's gateway signs with the old key alone
        proven = world.agent.counts["proven"]
        world.run(2_000)
        assert world.agent.counts["proven"] == proven and world.agent.counts["ignored other-log-key"]


def test_a_refusal_by_a_new_key_makes_it_ask(tmp_path: Path) -> None:
    """A device that is refused hears of the new key too."""
    with World(tmp_path, packs=PACKS) as world:
        world.connect()
        world.run(300)
        world.ledger.rotate(first=world.ledger.size, until=world.ledger.size - 1)
        world.ledger.bad_keys[world.key.kid] = Reason.SUSPENDED
        world.run(3_000)
        assert known(world) == 2 and world.agent.stopped is not None
