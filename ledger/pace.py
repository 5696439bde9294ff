"""How long a client is waited for: at which pace a body comes, and who makes room where all places are taken. Pure.

A client is known by its network: its IPv4 address, or the first half of its IPv6 address, of which one client has all.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a body must come: as a whole, without a longer silence, and so many bytes a second after some grace."""

    whole_s: float = 60.0
    silence_s: float = 5.0
    grace_s: float = 5.0
    rate: float = 8 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What has come of a body: since when it comes, when its last piece came, and how many bytes."""

    began_s: float
    heard_s: float
    received: int = 0

    def and_piece(self, size: int, now_s: float) -> "Sent":
        """The same with one more piece; an empty one is none."""
        return replace(self, heard_s=now_s, received=self.received + size) if size else self

    def deadline_s(self, pace: Pace) -> float:
        """When it ends unless more comes."""
        by_rate = self.began_s + pace.grace_s + self.received / pace.rate
        return min(self.began_s + pace.whole_s, self.heard_s + pace.silence_s, by_rate)


class Client(Protocol):
    """Who takes up `size` of what there is for all: whether it is waited for, and when it was last heard of."""

    @property
    def network(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def is_awaited(self) -> bool: ...
    @property
    def heard_s(self) -> float: ...


_Client = TypeVar("_Client", bound=Client)


def who_leaves(clients: Iterable[_Client]) -> _Client | None:
    """Who makes room for another: of the network that takes up most, whoever is awaited for longest; None if nobody is.

    So one network cannot keep others out; and where all are of one, as behind a proxy, who says something stays.
    """
    held, awaited = Counter[str](), list[_Client]()
    for client in clients:
        held[client.network] += client.size
        if client.is_awaited:
            awaited.append(client)
    return min(awaited, key=lambda client: (-held[client.network], client.heard_s), default=None)


def network(address: str) -> str:
    """The network of an IP address; what is none is its own."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ip.exploded[:19])
