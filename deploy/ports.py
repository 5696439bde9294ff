"""Loopback ports: chosen once, kept from run to run."""

import socket
import time
from collections.abc import Callable

from deploy.broker import HOST
from ledger.errors import UserError

_TRIES = 200
_FREED_S_MAX = 5.0  # what a killed run left behind may hold its port for a moment


def choose(
    kept: int | None, *, named: int | None, first: int, part: str, hint: str, tell: Callable[[str], None]
) -> int:
    """The `named` port, else the `kept` one, else the first free one from `first` on for `part`; if another, it tells.

    Raises UserError if a named or kept one is taken; `hint` says how the user names another.
    """
    port = named or kept
    if port is None:
        port = next_free(first)
        if port != first:
            tell(f"port {first} is taken: the {part} will listen at {port}")
        return port
    _await_free(port, hint)
    return port


def next_free(first: int) -> int:
    """The first port from `first` on that nobody listens on."""
    for port in range(first, first + _TRIES):
        if is_free(port):
            return port
    raise UserError(f"no port from {first} to {first + _TRIES - 1} is free", "name one")


def is_free(port: int) -> bool:
    """Whether nobody listens on the loopback `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _await_free(port: int, hint: str) -> None:
    deadline_s = time.monotonic() + _FREED_S_MAX
    while not is_free(port):
        if time.monotonic() > deadline_s:
            raise UserError(f"port {port} is taken", f"stop what listens there, or {hint}")
        time.sleep(0.05)
