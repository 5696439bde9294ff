"""An address to listen on, as a person writes it."""

from urllib.parse import urlsplit

from ledger.errors import UserError

Address = tuple[str, int]


def parse_address(text: str) -> Address:
    """Read HOST:PORT, `[::1]:9464` included; raises UserError."""
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.port is not None and parts.netloc == text and "@" not in text:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise UserError(f"{text!r} is no address to listen on", "write it as HOST:PORT, for example 127.0.0.1:9464")
