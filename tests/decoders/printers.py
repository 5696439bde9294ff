"""What printers say, and what is said of them."""

from collections.abc import Iterator

from labels.printers.address import Address
from labels.printers.brother_status import BrotherStatus
from labels.printers.dots import Size
from labels.printers.zebra_status import ZebraStatus
from ledger.errors import MalformedError, UserError
from tests import seeds
from tests.decoders.target import Target, of_bytes, of_text


def targets() -> Iterator[Target]:
    """Each decoder of this part, with what it reads well."""
    zebra = (MalformedError, seeds.HOST_STATUS)
    yield of_bytes("labels.printers.zebra_status.ZebraStatus.parse", ZebraStatus.parse, *zebra)
    yield of_bytes(
        "labels.printers.brother_status.BrotherStatus.parse", BrotherStatus.parse, MalformedError, *seeds.BROTHER
    )
    addresses = ("zebra.example.com:9100", "[2001:db8::7]:9100", "/dev/usb/lp0")
    yield of_text(
        "labels.printers.address.Address.of", Address.of, UserError, *addresses, write=str, one_encoding=False
    )
    yield of_text("labels.printers.dots.Size.of", Size.of, UserError, "50x30", "57.5x32", write=str, one_encoding=False)
