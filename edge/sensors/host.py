"""This machine's own state: processor, memory, disk, and thermal zones where there are any.

Read from /proc and /sys as they are, without a library. What a machine does not have is left out.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from edge.clock import Moment
from edge.sensors import Pack, Setup
from ledger.senml import Reading

RATIO, CELSIUS = "/", "Cel"  # SenML units (RFC 8428, 12.1)
INTERVAL_S, SAMPLES = 10.0, 6
READINGS_MAX = 1_000


class HostSensor:
    """Takes a sample every `interval_s` and gives a pack of `samples` of them; `packs` of them, or without end.

    Metrics: `cpu` (the busy share since the sample before), `load` (one-minute average), `memory` and `disk` (used
    shares), and `thermal-<type>` for each zone.
    """

    def __init__(self, setup: Setup, *, root: Path = Path("/")) -> None:
        options = setup.options
        options.only({"interval_s", "samples", "packs", "disk"})
        self._interval_ms = int(1_000 * options.number("interval_s", INTERVAL_S, least=0.01, most=86_400))
        self._samples = options.whole("samples", SAMPLES, least=1, most=100)
        self._left: int | None = options.whole("packs", 0, least=0, most=2**31) or None
        self._disk = options.text("disk", "/")
        self._root = root
        self._held: list[Reading] = []
        self._held_samples = 0
        self._busy: tuple[int, int] | None = None
        self._due_ms = setup.now.ticks_ms

    @property
    def due_ms(self) -> int | None:
        """When the next sample is due; None after `packs` packs."""
        return None if self._left == 0 else self._due_ms

    def read(self, now: Moment) -> Pack | None:
        """Take one sample; a pack when there are enough. What fell due meanwhile is not made up for."""
        self._due_ms = max(self._due_ms + self._interval_ms, now.ticks_ms + self._interval_ms // 2)
        self._held.extend(self._sample(now.wall_s))
        self._held_samples += 1
        if self._held_samples < self._samples and len(self._held) < READINGS_MAX:
            return None
        pack, self._held, self._held_samples = Pack(tuple(self._held)), [], 0
        if self._left is not None:
            self._left -= 1
        return pack if pack.readings else None

    def _sample(self, time: float) -> Iterator[Reading]:
        time = round(time, 3)
        for name, unit, value in self._measures():
            yield Reading(name, unit, time, round(value, 4))

    def _measures(self) -> Iterator[tuple[str, str, float]]:
        cpu = self._cpu()
        if cpu is not None:
            yield "cpu", RATIO, cpu
        load = self._text("proc/loadavg").split()
        if load:
            yield "load", "", float(load[0])
        memory = self._memory()
        if memory is not None:
            yield "memory", RATIO, memory
        disk = os.statvfs(self._disk)
        if disk.f_blocks:
            yield "disk", RATIO, 1 - disk.f_bfree / disk.f_blocks
        yield from self._thermal()

    def _cpu(self) -> float | None:
        """The busy share since the sample before; None at the first. Guest time is in user time already."""
        words = self._text("proc/stat").split("\n", 1)[0].split()
        if len(words) < 6 or words[0] != "cpu":
            return None
        times = [int(word) for word in words[1:9]]
        now = sum(times), sum(times) - times[3] - times[4]
        before, self._busy = self._busy, now
        if before is None or now[0] <= before[0]:
            return None
        return min(1.0, max(0.0, (now[1] - before[1]) / (now[0] - before[0])))

    def _memory(self) -> float | None:
        lines = (line.partition(":") for line in self._text("proc/meminfo").splitlines())
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in lines if rest.split()[:1]}
        total, available = kilobytes.get("MemTotal"), kilobytes.get("MemAvailable")
        return 1 - available / total if total and available is not None else None

    def _thermal(self) -> Iterator[tuple[str, str, float]]:
        seen: dict[str, int] = {}
        for zone in sorted(self._root.glob("sys/class/thermal/thermal_zone*")):
            try:
                millidegrees = int((zone / "temp").read_text())
                kind = _as_name((zone / "type").read_text())
            except (OSError, ValueError):  # a zone that is switched off cannot be read
                continue
            seen[kind] = seen.get(kind, 0) + 1
            yield f"thermal-{kind}" + (f"-{seen[kind]}" if seen[kind] > 1 else ""), CELSIUS, millidegrees / 1_000

    def _text(self, name: str) -> str:
        try:
            return (self._root / name).read_text()
        except OSError:
            return ""


def _as_name(text: str) -> str:
    """A zone's type as a part of a SenML name."""
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.strip().lower())
    return kept[:40].strip("-") or "zone"
