"""The line to a printer: a TCP connection or a device's file, every wait of which has an end."""

import errno
import os
import select
import socket
import time
from types import TracebackType
from typing import Self

from labels.printers.address import Address
from ledger.errors import UserError

_CHUNK = 4096


class GoneError(Exception):
    """The printer has ended the connection, or takes nothing any more; says which."""


class Wire:
    """An open line. It goes with the block."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        """Open it; UserError if that cannot be done within `timeout_s`."""
        self._timeout_s = timeout_s
        self._handle = _open_device(address) if address.device else _connect(address, timeout_s)
        os.set_blocking(self._handle, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)

    def send(self, data: bytes) -> None:
        """Hand all of `data` to the line; GoneError if it takes nothing for as long as the timeout."""
        rest = memoryview(data)
        while rest:
            if not select.select([], [self._handle], [], self._timeout_s)[1]:
                raise GoneError(f"it has taken nothing for {self._timeout_s:g} s")
            try:
                rest = rest[os.write(self._handle, rest[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise GoneError(_said(error)) from error

    def receive(self, within_s: float) -> bytes:
        """What has come, b"" if nothing does within so many seconds; GoneError if the printer has hung up."""
        if not select.select([self._handle], [], [], max(0.0, within_s))[0]:
            return b""
        try:
            data = os.read(self._handle, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise GoneError(_said(error)) from error
        if not data:
            raise GoneError("it has ended the connection")
        return data

    def drain(self) -> None:
        """Forget what has come so far."""
        deadline = time.monotonic() + 1
        while self.receive(0) and time.monotonic() < deadline:
            pass


def _connect(address: Address, timeout_s: float) -> int:
    try:
        line = socket.create_connection((address.host, address.port), timeout=timeout_s)
    except TimeoutError as error:
        raise UserError(f"printer {address} does not answer", "is it switched on, and is its address right?") from error
    except socket.gaierror as error:
        raise UserError(f"nobody knows {address.host}: {error.strerror}", "look at the printer's name") from error
    except OSError as error:
        hint = "is it a printer, switched on, and not in use by another computer?"
        raise UserError(f"printer {address} cannot be reached: {_said(error)}", hint) from error
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line.detach()


def _open_device(address: Address) -> int:
    try:
        return os.open(address.device, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        raise UserError.of_system(f"cannot open printer {address}", error) from error


def _said(error: OSError) -> str:
    if error.errno in (errno.EPIPE, errno.ECONNRESET):
        return "it has ended the connection"
    return error.strerror or str(error)
