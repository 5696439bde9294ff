"""Sensors: what gives packs of readings, found by the entry point group `tallystick.sensors`.

A sensor never sleeps and keeps no thread. It says when it is due; the agent reads it then, and signs and spools the
pack together with the sensor's *cursor*: a text by which, after any crash, a new sensor of the same name goes on
after the last pack that was signed. A sensor without a cursor starts anew.

A sensor's entry point is a callable that takes a Setup and returns a Sensor, or raises UserError.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from edge.clock import Moment
from edge.config import SensorConfig
from edge.options import Table
from ledger.errors import UserError
from ledger.senml import Reading

GROUP = "tallystick.sensors"
# Our own, as pyproject.toml lists them: found without reading every installed package's metadata.
BUILT_IN = {"host": "edge.sensors.host:HostSensor", "csv": "edge.sensors.csv:CsvSensor"}


@dataclass(frozen=True, slots=True)
class Setup:
    """What a sensor starts with. `options` holds its own keys; `cursor` that of its last signed pack, or None."""

    name: str
    options: Table
    cursor: str | None
    now: Moment


@dataclass(frozen=True, slots=True)
class Pack:
    """Readings for one section, named by their metric alone, and where the sensor stands after them."""

    readings: tuple[Reading, ...]
    cursor: str | None = None


class Sensor(Protocol):
    """Something that can be read."""

    @property
    def due_ms(self) -> int | None:
        """The monotonic time at which it wants to be read; None once its series has ended."""

    def read(self, now: Moment) -> Pack | None:
        """Read it, at `now`: a pack, or None while a pack is not full. OSError and ValueError are logged."""


def load(config: SensorConfig, cursor: str | None, now: Moment) -> Sensor:
    """Make the sensor that `config` asks for; raises UserError."""
    factory = _factory(config.type, config.options)
    return factory(Setup(config.name, config.options, cursor, now))


def _factory(kind: str, options: Table) -> Callable[[Setup], Sensor]:
    target = BUILT_IN.get(kind) or _installed().get(kind)
    if target is None:
        known = ", ".join(sorted({*BUILT_IN, *_installed()}))
        raise UserError(f"{options.path}: no sensor is of type {kind!r}", f"installed are {known}")
    module, _, attribute = target.partition(":")
    factory: Any = getattr(import_module(module), attribute)
    made: Callable[[Setup], Sensor] = factory
    return made


def _installed() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=GROUP)}
