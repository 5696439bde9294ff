"""Who may publish and read what, said once for both brokers.

A device speaks under its own name and hears only what is meant for it; the gateway, and nobody else, answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

GATEWAY = "_gateway"  # no device can be called so: their names match [a-z0-9-]{1,32}


@dataclass(frozen=True, slots=True)
class Rights:
    """Topic patterns in which `+` is any one level and a last `#` is any rest."""

    publish: tuple[str, ...]
    read: tuple[str, ...]


def rights(user: str) -> Rights:
    """What `user` may do."""
    if user == GATEWAY:
        return Rights(publish=_topics("+", "receipt/#", "refusal/#"), read=_topics("+", "statement", "birth"))
    return Rights(publish=_topics(user, "statement", "birth"), read=_topics(user, "receipt/#", "refusal/#"))


def may_publish(user: str, topic: str) -> bool:
    """Whether `user` may publish to `topic`."""
    return any(covers(pattern, topic) for pattern in rights(user).publish)


def may_read(user: str, topic: str) -> bool:
    """Whether `user` may receive from `topic`, or subscribe to it if it is a filter."""
    return any(covers(pattern, topic) for pattern in rights(user).read)


def covers(pattern: str, topic: str) -> bool:
    """Whether each topic that the filter `topic` matches is one that `pattern` matches."""
    levels = topic.split("/")
    for index, level in enumerate(pattern.split("/")):
        if level == "#":
            return True
        if index >= len(levels) or levels[index] == "#" or level not in ("+", levels[index]):
            return False
    return len(levels) == pattern.count("/") + 1


def mosquitto_acl() -> str:
    """The same rights as Mosquitto's `acl_file`."""
    return "\n".join(_mosquitto_lines()) + "\n"


def _mosquitto_lines() -> Iterator[str]:
    for kind, user in (("pattern", "%u"), ("topic", GATEWAY)):
        if kind == "topic":
            yield f"user {user}"
        granted = rights(user)
        yield from (f"{kind} write {topic}" for topic in granted.publish)
        yield from (f"{kind} read {topic}" for topic in granted.read)


def _topics(device: str, *kinds: str) -> tuple[str, ...]:
    return tuple(f"tallystick/v1/+/{device}/{kind}" for kind in kinds)
