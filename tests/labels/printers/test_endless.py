"""A printer that says something new for ever, and prints nothing: it is given up."""

import itertools
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from labels.printers.address import Address
from labels.printers.brother import Brother
from labels.printers.brother_ql import ROLLS
from labels.printers.brother_status import Kind
from labels.printers.patience import Patience
from labels.printers.stopped import StoppedError
from labels.printers.wire import Wire
from labels.printers.zebra import Zebra
from tests.labels.printers.fake_brother import status
from tests.labels.printers.fake_zebra import host_status

SOON = Patience(answer_s=0.4, stall_s=0.8, poll_s=0.02, label_s=1.2)


def printer(talk: Callable[[socket.socket], None]) -> Address:
    """A printer at this address talks so, once, until nobody listens."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, suppress(OSError):
            talk(listener.accept()[0])

    threading.Thread(target=serve, daemon=True).start()
    return Address(*listener.getsockname())


def test_a_zebra_whose_count_goes_up_and_down() -> None:
    """It is ready at first; then it has one label left, two, one, two; called back, it says that it has none."""

    def talk(line: socket.socket) -> None:
        for formats in itertools.chain([0], itertools.cycle([1, 2])):
            if b"~JA" in line.recv(65536):
                break
            line.sendall(host_status(formats=formats))
        while line.recv(65536):
            line.sendall(host_status())

    with (
        Wire(printer(talk), timeout_s=1) as wire,
        pytest.raises(StoppedError, match="no label has come out") as stopped,
    ):
        Zebra(wire, SOON).print([b"^XA^XZ"])
    assert (stopped.value.came_out, stopped.value.doubtful) == (0, 1)


def test_a_brother_that_says_that_it_is_at_it() -> None:
    """It changes its phase again and again."""

    def talk(line: socket.socket) -> None:
        line.recv(65536)
        line.sendall(status())
        while True:
            line.sendall(status(kind=Kind.PHASE))
            time.sleep(0.05)

    with Wire(printer(talk), timeout_s=1) as wire, pytest.raises(StoppedError, match="has not come out") as stopped:
        Brother(wire, ROLLS["62"], SOON).print([b"label"])
    assert (stopped.value.came_out, stopped.value.doubtful) == (0, 1)
