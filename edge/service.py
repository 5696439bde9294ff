"""Running an agent: the loop that sleeps, and everything that it is put together from."""

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from edge import clock, locks, log_keys, sensors
from edge.agent import Agent, Mouth
from edge.clock import Moment
from edge.config import Config, SensorConfig
from edge.confirm import Device
from edge.publisher import Publisher
from edge.signer import Signer, StoppedError
from edge.spool import Spool
from edge.status import remember_broker
from ledger.errors import TrustError, UserError
from ledger.keys import SigningKey
from ledger.log import Log
from ledger.trust.trust_file import Trust

POLL_S = 0.2  # how soon an event that another process spooled is noticed

log = logging.getLogger("tallystick.edge")


def log_to_stderr() -> None:
    """Short lines, one an event, dated in UTC."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


def log_of(config: Config) -> Log:
    """The log of the device's chain, from its trust file; raises UserError."""
    return _log(config, Trust.load(config.trust_file))


def _log(config: Config, trust: Trust) -> Log:
    try:
        return trust.log(config.chain)
    except TrustError as error:
        raise UserError(f"{config.trust_file}: {error}", "name another chain in [device]") from error


def make_signer(
    config: Config, spool: Spool, key: SigningKey, log_: Log, *, may_continue: Callable[[], bool] = lambda: True
) -> Signer:
    """The device's signer, once the spool is known to be the device's own; raises UserError."""
    signer = Signer(
        key=key,
        issuer=config.organisation,
        subject=config.urn,
        audience=log_.origin,
        spool=spool,
        bytes_max=config.spool_bytes_max,
        clock_quality=clock.Quality(),
        may_continue=may_continue,
    )
    signer.bind()
    return signer


def run(config: Config, *, until_drained: bool, timeout_s: float | None) -> None:
    """Run the agent of `config` until it is told to stop, or until it is drained; raises UserError."""
    key, trust, password = SigningKey.load(config.key_file), Trust.load(config.trust_file), config.broker.password()
    chain_log = _log(config, trust)
    with contextlib.closing(Spool(config.spool_file)) as spool:
        signer = make_signer(config, spool, key, chain_log)
        device = log_keys.remembering(spool, Device(key.kid, config.urn, chain_log, trust.genesis))
        publisher = _publisher(config, password)
        with locks.running(config.folder, lambda: _take_over(spool)), _Told() as told:
            now = clock.now()
            if not config.sensors:
                log.info("no sensors are configured: only events are sent")
            mouths = [_mouth(sensor, spool, now) for sensor in config.sensors]
            agent = Agent(config, spool=spool, signer=signer, device=device, post=publisher, mouths=mouths, now=now)
            with _started(publisher):
                _loop(agent, publisher, told, until_drained=until_drained, timeout_s=timeout_s)


def _mouth(sensor: SensorConfig, spool: Spool, now: Moment) -> Mouth:
    return Mouth(sensor.name, sensor.privacy, sensors.load(sensor, spool.cursor(sensor.name), now))


def _take_over(spool: Spool) -> None:
    with spool.transaction():
        spool.unclear_all()
        remember_broker(spool, None)  # what it was when an agent last ran


def _publisher(config: Config, password: str | None) -> Publisher:
    topic, broker = config.topic, config.broker
    return Publisher(
        client_id=f"tallystick-{config.chain}-{config.name}",
        host=broker.host,
        port=broker.port,
        username=broker.username,
        password=password,
        subscriptions=(f"{topic}/receipt/+", f"{topic}/refusal/+"),
        room=4 * config.window + 16,
    )


@contextlib.contextmanager
def _started(publisher: Publisher) -> Iterator[None]:
    publisher.start()
    try:
        yield
    finally:
        publisher.stop()


class _Told:
    """Whether SIGTERM or SIGINT told us to stop."""

    def __init__(self) -> None:
        self.to_stop = False

    def __enter__(self) -> "_Told":
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.to_stop = True


def _loop(agent: Agent, publisher: Publisher, told: _Told, *, until_drained: bool, timeout_s: float | None) -> None:
    end_ms = None if timeout_s is None else clock.now().ticks_ms + int(timeout_s * 1_000)
    while not told.to_stop:
        now = clock.now()
        due_ms = agent.turn(now)
        if until_drained:
            if agent.is_drained:
                return
            if agent.refused_since_start and agent.stopped is not None:
                raise StoppedError(agent.stopped)
        if end_ms is not None and now.ticks_ms >= end_ms:
            raise UserError(f"not all is confirmed after {timeout_s:g} s", "see 'tallystick edge status'")
        _listen(agent, publisher, min(POLL_S, max(0, due_ms - clock.now().ticks_ms) / 1_000))


def _listen(agent: Agent, publisher: Publisher, timeout_s: float) -> None:
    """Wait for something to happen, then take all that has."""
    happening = publisher.next(timeout_s)
    while happening is not None:
        agent.take(happening, clock.now())
        happening = publisher.next(0)
