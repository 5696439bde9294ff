"""A look at the broker: reached, MQTT 3.1.1, this user let in, and let read. Says hello, and goes (MQTT 3.1.1, 3)."""

import socket
from collections.abc import Iterator, Sequence

from gateway.check import BROKER, Check, Level
from ledger.settings import BrokerAddress
from ledger.topic import BIRTHS, STATEMENTS

ANSWER_S_MAX = 5.0
PACKETS_MAX, PACKET_BYTES_MAX = 1_000, 1024 * 1024
_CONNECT, _CONNACK, _SUBSCRIBE, _SUBACK, _DISCONNECT = 0x10, 0x20, 0x82, 0x90, b"\xe0\x00"
_REFUSED = {1: "it does not speak MQTT 3.1.1", 2: "it wants another client id", 3: "it is not available now"}
_NOT_MQTT = "what listens there is no MQTT broker"
_UNAVAILABLE, _FAILURE = 3, 0x80


class _NotMqtt(Exception):
    """An answer that no broker would give."""


def look_at_broker(address: BrokerAddress, chains: Sequence[str]) -> Check:
    """Connect and subscribe as the gateway will."""
    where = f"{address.host}:{address.port}"
    try:
        with socket.create_connection((address.host, address.port), timeout=ANSWER_S_MAX) as connection:
            return _hello(connection, address, chains, where)
    except _NotMqtt:
        return Check(BROKER, Level.FAULT, f"{where}: {_NOT_MQTT}", "name the right address with --broker")
    except socket.gaierror as error:
        return Check(BROKER, Level.WAITING, *unknown_name(address, error))
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "start it, or name another address with --broker or TALLYSTICK_BROKER"
        return Check(BROKER, Level.WAITING, f"{where} is not reached: {reason}", hint)


def unknown_name(address: BrokerAddress, error: socket.gaierror) -> tuple[str, str]:
    """What to say of a broker whose name leads to no address, and what to do: it may be misspelt, or come yet."""
    text = f"nobody knows where {address.host!r} is: {error.strerror}"
    return text, "is it spelt right in --broker or TALLYSTICK_BROKER? Else see to this machine's network and DNS"


def _hello(connection: socket.socket, address: BrokerAddress, chains: Sequence[str], where: str) -> Check:
    connection.sendall(connect_packet(address.username, address.password))
    code = _answer(connection, _CONNACK)[-1]
    if code:
        return _not_let_in(code, address, where)
    filters = [topics.format(chain=chain) for chain in chains for topics in (STATEMENTS, BIRTHS)]
    connection.sendall(_subscribe_packet(filters))
    codes = _answer(connection, _SUBACK)[2:]
    connection.sendall(_DISCONNECT)
    refused = [name for name, code in zip(filters, codes, strict=False) if code == _FAILURE]
    if not refused:
        return Check(BROKER, Level.GOOD, f"{where}, as {address.username or 'nobody by name'}")
    return Check(
        BROKER,
        Level.FAULT,
        f"{where} does not let {address.username!r} read {refused[0]}",
        "let the gateway's user read statements and births, and publish receipts and refusals",
    )


def _not_let_in(code: int, address: BrokerAddress, where: str) -> Check:
    if code in _REFUSED:
        level = Level.WAITING if code == _UNAVAILABLE else Level.FAULT
        return Check(BROKER, level, f"{where}: {_REFUSED[code]}", "look at the broker's log")
    who = f"the user {address.username!r} with this password" if address.username else "anybody without a name"
    return Check(
        BROKER,
        Level.FAULT,
        f"{where} does not let {who} in",
        "mend --broker or TALLYSTICK_BROKER: mqtt://user:password@…",
    )


def connect_packet(username: str | None = None, password: str | None = None) -> bytes:
    """A clean session without a client id, which ends when the connection does (3.1)."""
    flags = 0x02 | (0x80 if username is not None else 0) | (0x40 if password is not None else 0)
    texts = ["", *(text for text in (username, password) if text is not None)]
    return _packet(_CONNECT, b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x0a" + b"".join(map(_text, texts)))


def _subscribe_packet(filters: Sequence[str]) -> bytes:
    return _packet(_SUBSCRIBE, b"\x00\x01" + b"".join(_text(name) + b"\x01" for name in filters))


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind, *_length(len(body))]) + body


def _length(rest: int) -> Iterator[int]:
    """The remaining length, seven bits a byte (2.2.3)."""
    while rest > 127:
        yield 0x80 | rest & 0x7F
        rest >>= 7
    yield rest


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _answer(connection: socket.socket, kind: int) -> bytes:
    """The body of the next packet of this kind; a retained birth may come before."""
    for _ in range(PACKETS_MAX):
        head = _read(connection, 1)[0]
        body = _read(connection, _read_length(connection))
        if head == kind and len(body) >= 2:
            return body
        if head >> 4 != 3:  # PUBLISH
            break
    raise _NotMqtt


def _read_length(connection: socket.socket) -> int:
    length, shift = 0, 0
    while shift < 28:
        byte = _read(connection, 1)[0]
        length, shift = length | (byte & 0x7F) << shift, shift + 7
        if byte < 128 and length <= PACKET_BYTES_MAX:
            return length
    raise _NotMqtt


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(min(count - len(data), 65_536))
        if not more:
            raise _NotMqtt
        data += more
    return data
