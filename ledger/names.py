"""Names that a user gives: of hosts, ledgers and organisations. Each is the value as it was given, or a UserError."""

import ipaddress
import re

from ledger.errors import UserError

LEDGER = "example.com"  # the name of one that nobody named

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")  # RFC 1123, 2.1
_INNER = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # networks of containers have names with _
_MACHINE = re.compile(rf"(?=.{{1,254}}$){_INNER}(?:\.{_INNER})*\.?")
_HOST = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")
_URI = re.compile("[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")  # RFC 3986, 3.1; no space, and all of ASCII
_URI_CHARACTERS_MAX = 256


def host(text: str) -> str:
    """A DNS name or an IP address, with a port or without one."""
    match = _HOST.fullmatch(text)
    if not match or not _is_host(match["ipv6"], match["name"]) or not 0 < int(match["port"] or 1) < 65_536:
        hint = "write a DNS name or an IP address, such as id.example.com, 192.0.2.7:8420 or [2001:db8::7]"
        raise UserError(f"{text!r} is no host", hint)
    return text


def web_address(text: str) -> str:
    """Where a service answers: http or https, a host, and perhaps a path."""
    scheme, _, rest = text.partition("://")
    if scheme not in ("http", "https"):
        raise UserError(f"{text!r} is no web address", "write it like https://id.example.com")
    host(rest.partition("/")[0])
    return text


def ledger(text: str) -> str:
    """A ledger's name, a domain name: it stands before a slash in the origins of its logs."""
    if not _DNS.fullmatch(text):
        raise UserError(f"{text!r} is no name for a ledger", "write a domain name of yours, such as example.com")
    return text


def organisation(text: str) -> str:
    """An organisation's URI."""
    if not is_uri(text):
        raise UserError(f"the organisation {text!r} is no URI", "write it like https://example.com")
    return text


def is_uri(value: str) -> bool:
    """Whether `value` can be an iss or a sub: it has a scheme, no space, and at most 256 characters, all of ASCII."""
    return len(value) <= _URI_CHARACTERS_MAX and _URI.fullmatch(value) is not None


def is_machine(text: str) -> bool:
    """Whether `text` can be the name or the address of a machine to connect to; it has no port."""
    if ":" in text:
        return _is_address(text.partition("%")[0], ipaddress.IPv6Address)
    return _MACHINE.fullmatch(text) is not None


def _is_host(ipv6: str | None, name: str) -> bool:
    if ipv6 is not None:
        return _is_address(ipv6, ipaddress.IPv6Address)
    if name.rpartition(".")[2].isdigit():
        return _is_address(name, ipaddress.IPv4Address)
    return _DNS.fullmatch(name) is not None


def _is_address(text: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return "%" not in text  # a zone is of this machine alone (RFC 4007, 6)
