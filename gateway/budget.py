"""What each device may cost: how much of a chain's work, and how much of its queue.

A message that goes on takes from its device's budget: a unit, about one verification, and more if it is large. What
is admitted gives twice that back; what is refused, or a repeat, gives nothing; time gives the rest back. So a device
that makes progress never runs out, whatever its load, and one that floods is soon refused before anything of it is
decoded or verified.

Pure, with time but no timer. Devices go by their topic's name, to which the broker's access list binds its user.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

UNITS_MAX = 2_000.0  # twice the largest window that an agent may have: all of it under way, and all of it again
UNITS_PER_S = 10.0
UNIT_BYTES = 16 * 1024
DEVICES_MAX = 10_000
EAGERNESS = 4


def cost(size: int) -> int:
    """The units that a message of `size` bytes costs: the worst of 16 KiB take about as long as few good ones."""
    return 1 + size // UNIT_BYTES


@dataclass(slots=True)
class _Account:
    units: float
    at_ms: float


@dataclass
class Budget:
    """What each device has left. A device that is not remembered has all of it."""

    units_max: float = UNITS_MAX
    units_per_s: float = UNITS_PER_S
    devices_max: int = DEVICES_MAX
    _accounts: dict[str, _Account] = field(default_factory=dict)

    def take(self, device: str, now_ms: float, units: int = 1) -> bool:
        """Take the `units` that a message of `device` costs; False, and nothing taken, if it has not so many left."""
        account = self._accounts.get(device)
        if account is None:
            account = self._remember(device, now_ms)
        left = self._units(account, now_ms)
        goes_on = left >= units
        account.units, account.at_ms = left - units if goes_on else left, max(now_ms, account.at_ms)
        return goes_on

    def admitted(self, costs: Mapping[str, int]) -> None:
        """Give back, by device, twice what its admitted statements cost."""
        for device, units in costs.items():
            account = self._accounts.get(device)
            if account is not None:
                account.units = min(self.units_max, account.units + 2 * units)

    def _units(self, account: _Account, now_ms: float) -> float:
        earned = max(0.0, now_ms - account.at_ms) * self.units_per_s / 1000
        return min(self.units_max, account.units + earned)

    def _remember(self, device: str, now_ms: float) -> _Account:
        if len(self._accounts) >= self.devices_max:
            self._forget(now_ms)
        account = self._accounts[device] = _Account(self.units_max, now_ms)
        return account

    def _forget(self, now_ms: float) -> None:
        """Forget those that have all of it again; if too few, the half that has most: they lose least by it."""
        units = {name: self._units(account, now_ms) for name, account in self._accounts.items()}
        low = sorted((name for name in units if units[name] < self.units_max), key=lambda name: units[name])
        self._accounts = {name: self._accounts[name] for name in low[: self.devices_max // 2]}


@dataclass
class Share:
    """How much of a bounded queue each device holds, by number and bytes.

    A device may hold `EAGERNESS` times what is free (a dynamic threshold; Choudhury and Hahne, 1998): alone four
    fifths, so that there is always room for another; of many, each nearly an equal part. Nothing is set apart.
    """

    count_max: int
    bytes_max: int
    count: int = 0
    bytes: int = 0
    _held: dict[str, tuple[int, int]] = field(default_factory=dict)

    def fits(self, device: str, size: int) -> bool:
        """Whether a message of `size` bytes of `device` may wait with the others."""
        free, free_bytes = self.count_max - self.count, self.bytes_max - self.bytes
        if free > self.count and free_bytes > self.bytes + size:
            return True  # it is not half full: nobody can hold more than is free
        count, held = self._held.get(device, (0, 0))
        return free > 0 and free_bytes >= size and count < EAGERNESS * free and held < EAGERNESS * free_bytes

    def put(self, device: str, size: int) -> None:
        """A message of `device` waits."""
        count, held = self._held.get(device, (0, 0))
        self._held[device] = count + 1, held + size
        self.count, self.bytes = self.count + 1, self.bytes + size

    def get(self, device: str, size: int) -> None:
        """A message of `device` waits no longer."""
        count, held = self._held[device]
        if count == 1:
            del self._held[device]
        else:
            self._held[device] = count - 1, held - size
        self.count, self.bytes = self.count - 1, self.bytes - size
