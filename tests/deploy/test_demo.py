"""The demo as a user runs it, with either broker."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize("broker_kind", ["mosquitto", "amqtt"])
def test_the_story_runs_to_its_end_and_checks_itself(broker_kind: str) -> None:
    """`tallystick demo --once --json` prints one object: nothing lost, everything proven."""
    done = subprocess.run(
        [sys.executable, "-m", "tallystick", "demo", "--once", "--json", "--broker-kind", broker_kind],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    outcome = json.loads(line)
    assert outcome["lost"] == 0 and outcome["ok"] and outcome["audit"]
    assert outcome["labels"] == 24
    assert outcome["receipts_verified"] == outcome["statements"] > 25
    assert outcome["readings"] > 72
    assert outcome["blocks"] > 5
    assert 0 < outcome["seconds"] < 120
