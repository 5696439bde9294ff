"""A label as SVG, as a browser draws it: not as our own reader of its path does."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from labels.printing import fonts, readback
from labels.printing.decoded import texts_in
from labels.printing.formats import by_number
from labels.printing.style import SheetStyle
from labels.printing.svg import label_svg
from tests.labels.printing.test_sheets import faces


@pytest.mark.parametrize(("number", "hidden"), [("L7160", False), ("L7163", True)])
def test_a_browser_draws_a_label_in_its_size_that_is_read(
    browser: Browser, tmp_path: Path, number: str, hidden: bool
) -> None:
    """Every code is read from the screen; the label is as many millimetres wide as it says; no text leaves it."""
    style, [face] = SheetStyle(by_number(number)), faces(1, hidden=hidden)
    file = tmp_path / "label.svg"
    file.write_bytes(label_svg(face, style, fonts.having([face.title])))
    page = browser.new_page(device_scale_factor=3, viewport={"width": 500, "height": 300})
    page.goto(file.as_uri())
    drawn = page.evaluate("(({width, height}) => [width, height])(document.documentElement.getBoundingClientRect())")
    assert drawn == pytest.approx([side * 96 / 25.4 for side in style.grid.label], abs=0.1)
    over = """[...document.querySelectorAll('text')].filter(text => {
        const [box, all] = [text, document.documentElement].map(element => element.getBoundingClientRect());
        return box.right > all.right || box.left < all.left || box.bottom > all.bottom || box.top < all.top;
    }).length"""
    assert page.evaluate(over) == 0
    picture = Image.open(BytesIO(page.screenshot())).convert("L")
    assert sorted(texts_in(picture)) == sorted(readback.texts(face))
    page.close()
