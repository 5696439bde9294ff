"""What leaves was read back: each code once, and nothing else."""

import pytest
from PIL import Image

from labels.printing import qr
from labels.printing.decoded import UnreadableError, require_decodes

LINKS = [f"HTTPS://ID.EXAMPLE.COM/01/09506000134352/21/{serial}" for serial in ("A1", "B2", "C3")]


def sheet(links: list[str]) -> Image.Image:
    """A picture of codes side by side."""
    codes = [qr.encode(link).image(4) for link in links]
    picture = Image.new("L", (sum(code.width for code in codes) + 1, max([1, *(code.height for code in codes)])), 255)
    for number, code in enumerate(codes):
        picture.paste(code, (sum(code.width for code in codes[:number]), 0))
    return picture


def test_a_sheet_that_says_what_it_should_passes() -> None:
    """In whatever order; a link that stands twice is wanted twice."""
    require_decodes(sheet(LINKS), LINKS[::-1])
    require_decodes(sheet([]), [])
    require_decodes(sheet(LINKS[:1] * 2), LINKS[:1] * 2)


@pytest.mark.parametrize(
    ("drawn", "wanted", "complaint"),
    [
        (LINKS[:2], LINKS, r"1 of 3 codes is not read back .*: \(01\) 09506000134352 \(21\) C3"),
        (LINKS[:1], LINKS, "2 of 3 codes are not read back"),
        ([], LINKS[:1], "the code is not read back"),
        (LINKS, LINKS[:2], "should not be there: .*C3"),
        ([*LINKS, LINKS[0]], LINKS, "should not be there: .*A1"),
        (["https://a/x"], LINKS[:1], "the code is not read back"),
    ],
)
def test_what_is_not_as_wanted_is_named(drawn: list[str], wanted: list[str], complaint: str) -> None:
    """A code that is lacking, says something else, or is too much."""
    with pytest.raises(UnreadableError, match=complaint):
        require_decodes(sheet(drawn), wanted)


def test_a_damaged_code_does_not_leave() -> None:
    """A sheet of which one code is spoiled beyond mending names that one."""
    picture = sheet(LINKS)
    width = picture.width // 3
    picture.paste(128, (width + 30, 30, 2 * width - 40, 100))
    with pytest.raises(UnreadableError, match=r"1 of 3 codes .* \(21\) B2"):
        require_decodes(picture, LINKS)
