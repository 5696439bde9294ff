"""The record as Prometheus reads it. All work is done when it asks; the gateway's own part is a few sums a batch."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gateway.histogram import Histogram
from gateway.record import ChainRecord, Record
from ledger.registry import ANCHOR

_COUNTERS = {
    "accepted": ("tallystick_statements_accepted", "Statements sealed in a block."),
    "repeats": ("tallystick_statements_repeated", "Statements that the ledger had already."),
}
_REASONS = {
    "refused": ("tallystick_messages_refused", "Messages refused, by reason."),
    "dropped": ("tallystick_messages_dropped", "Messages dropped unread, by reason; their devices send them again."),
}
_HISTOGRAMS = {
    "seal": ("tallystick_seal_seconds", "A block, from its first row to its published checkpoint."),
    "commit": ("tallystick_commit_seconds", "The end of that: COMMIT, and the checkpoint file."),
    "latency": (
        "tallystick_receipt_latency_seconds",
        "From a message's arrival until the broker was handed what its batch is answered with.",
    ),
}


class Metrics(Collector):
    """Reads a record; `encode` writes it out, beside what the process costs."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def encode(self, accept: str) -> tuple[bytes, str]:
        """The metrics, and their content type, as the request's Accept header wants them."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """All families, with each chain's samples."""
        chains = self._record.chains
        speaking = {name: chain for name, chain in chains.items() if name != ANCHOR}  # nobody speaks to the anchor
        for what, (name, text) in _COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["chain"])
            for chain, record in speaking.items():
                counter.add_metric([chain], getattr(record, what))
            yield counter
        for what, (name, text) in _REASONS.items():
            yield self._by_reason(what, name, text)
        for what, (name, text) in _HISTOGRAMS.items():
            histogram = HistogramMetricFamily(name, text, labels=["chain"])
            for chain, record in speaking.items():
                values: Histogram = getattr(record, what)
                histogram.add_metric([chain], values.buckets(), values.sum)
            yield histogram
        yield from _gauges(chains, speaking)
        yield _ages(chains)

    def _by_reason(self, what: str, name: str, text: str) -> Metric:
        family = CounterMetricFamily(name, text, labels=["chain", "reason"])
        for chain, record in self._record.chains.items():
            counts: Counter[str] = getattr(record, what)
            for reason, count in counts.copy().items():
                family.add_metric([chain, reason], count)
        return family


def _gauges(chains: Mapping[str, ChainRecord], speaking: Mapping[str, ChainRecord]) -> Iterator[Metric]:
    held = {name: chain for name, chain in chains.items() if chain.is_held}
    listened = {name: chain.is_held and not chain.broker_fault for name, chain in speaking.items()}
    yield _gauge("broker_connected", "1 if this process is subscribed to the chain.", listened)
    yield _gauge("queue_messages", "Messages that wait for a batch.", {n: c.waiting() for n, c in speaking.items()})
    yield _gauge("chain_held", "1 if this process writes the chain.", {n: c.is_held for n, c in chains.items()})
    yield _gauge("chain_size", "Entries of a chain that this process writes.", {n: c.size for n, c in held.items()})


def _gauge(name: str, text: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(f"tallystick_{name}", text, labels=["chain"])
    for chain, value in values.items():
        gauge.add_metric([chain], value)
    return gauge


def _ages(chains: Mapping[str, ChainRecord]) -> Metric:
    text = "Seconds since a block took a statement of the device, on a chain that this process writes."
    ages = GaugeMetricFamily("tallystick_device_age_seconds", text, labels=["chain", "device"])
    for name, chain in chains.items():
        for device, seconds in chain.ages().items():
            ages.add_metric([name, device], seconds)
    return ages
