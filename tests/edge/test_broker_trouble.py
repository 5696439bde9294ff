"""What an agent tells of a broker that does not let it in, or is not there; `status` is another process."""

import signal
import socket
from pathlib import Path

from ledger.trust.trust_file import Trust
from tests.edge.simulator import ISSUER, Ledger
from tests.edge.test_service import edge, start, status
from tests.running import RunningBroker, eventually


def make(folder: Path, port: int) -> Path:
    """A device's folder, with a wrong password for the broker at `port`."""
    trust, password = folder / "trust.json", folder / "password"
    trust.write_text(Trust("example.com", bytes(32), {"production": Ledger().log}).text)
    password.write_text("wrong")
    edge("init", "--name", "press-1", "--organisation", ISSUER, "--trust", str(trust), "--broker", f"127.0.0.1:{port}",
         "--username", "press-1", "--password-file", str(password), "--folder", str(folder / "press-1"))  # fmt: skip
    return folder / "press-1"


def test_a_bad_password_is_told(broker: RunningBroker, tmp_path: Path) -> None:
    """Once in the log, and in `status`, with a hint; with the right one nothing is wrong any more."""
    address = broker.device("press-1")
    folder = make(tmp_path, address.port)
    agent = start(folder)
    try:
        eventually(lambda: status(folder)["broker"] is not None)
        said = edge("status", "--folder", str(folder)).stdout
        agent.send_signal(signal.SIGTERM)
        log = agent.communicate(timeout=10)[1]
    finally:
        agent.kill()
    assert "broker: the broker refuses us: " in said and "(since 20" in said
    assert "hint: see username and password_file in [broker]" in said
    assert log.count("refuses us") == log.count("hint: see username") == 1
    assert "connection ended" not in log
    assert "(when the agent last ran, at 20" in edge("status", "--folder", str(folder)).stdout
    (tmp_path / "password").write_text(address.password or "")
    with start(folder) as agent:
        assert agent.stderr is not None
        assert any("connected to the broker" in line for line in agent.stderr)
        assert status(folder)["broker"] is None
        agent.kill()


def test_no_broker_is_told(tmp_path: Path) -> None:
    """An address where nobody listens is said to be that, once, however often it is tried."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        folder = make(tmp_path, nobody.getsockname()[1])
        agent = start(folder)
        try:
            eventually(lambda: status(folder)["broker"] is not None)
            assert status(folder)["broker"]["error"] == "the broker cannot be reached"
            said = edge("status", "--folder", str(folder)).stdout
            agent.send_signal(signal.SIGTERM)
            log = agent.communicate(timeout=10)[1]
        finally:
            agent.kill()
    assert "hint: is it up? its address is in [broker] of config.toml" in said
    assert log.count("cannot be reached") == 1
