"""What was drawn is read back before it leaves: by a reader that is not its maker."""

from collections import Counter
from collections.abc import Sequence

import zxingcpp
from PIL import Image

from labels import gs1
from ledger.errors import UserError

QR = "QRCode"  # asked for any code, the reader sees an ITF code in one of a thousand QR codes


class UnreadableError(UserError):
    """A code in a picture is not there, or says something else than it should. Nothing of the picture may leave."""


def require_decodes(image: Image.Image, wanted: Sequence[str], *, formats: str = QR) -> None:
    """Check that the codes of `formats` in `image` say what is `wanted`, each once and nothing else.

    Raises UnreadableError, which names the first that is lacking, or what is too much.
    """
    found = Counter(texts_in(image, formats=formats))
    lacking, added = Counter(wanted) - found, found - Counter(wanted)
    if lacking:
        raise UnreadableError(
            f"{_counted(lacking.total(), len(wanted))} not read back from what was drawn: {_told(next(iter(lacking)))}",
            "nothing of it was sent: print with a larger X-dimension, or at a higher resolution",
        )
    if added:
        raise UnreadableError(
            f"a code is read in what was drawn that should not be there: {_told(next(iter(added)))}",
            "nothing of it was sent: look whether a picture in the layout holds a code of its own",
        )


def texts_in(image: Image.Image, *, formats: str = QR) -> list[str]:
    """The texts of the codes in a picture that is neither turned nor inverted."""
    return [code.text for code in codes_in(image, formats=formats)]


def codes_in(image: Image.Image, *, formats: str) -> list[zxingcpp.Barcode]:
    """The codes themselves, with what the reader tells of each."""
    return zxingcpp.read_barcodes(
        image,
        formats=zxingcpp.barcode_formats_from_str(formats),
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
        text_mode=zxingcpp.TextMode.Plain,
    )


def _counted(lacking: int, of: int) -> str:
    return "the code is" if of == 1 else f"{lacking} of {of} codes {'is' if lacking == 1 else 'are'}"


def _told(text: str) -> str:
    """A code's text as a person knows it: a label by its keys, without 169 digits of signature."""
    try:
        return " ".join(f"({ai}) {value}" for ai, value in gs1.parse(text).keys)
    except gs1.Gs1Error:
        return repr(text[:60])
