"""Claims about published paths: one form each, and nothing else is one."""

import pytest

from ledger.errors import MalformedError
from ledger.published.paths import Kind, Place, parse, places

ORIGIN = "example.com/tallystick/production"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("trust.json", Place(Kind.TRUST)),
        (f"{ORIGIN}/checkpoint", Place(Kind.CHECKPOINT, ORIGIN)),
        (f"{ORIGIN}/head", Place(Kind.HEAD, ORIGIN)),
        (f"{ORIGIN}/tile/0/000", Place(Kind.TILE, ORIGIN, 0, 0)),
        (f"{ORIGIN}/tile/63/x001/x234/067.p/5", Place(Kind.TILE, ORIGIN, 63, 1_234_067, 5)),
        (f"{ORIGIN}/tile/entries/x001/067", Place(Kind.ENTRIES, ORIGIN, 0, 1_067)),
        (f"{ORIGIN}/blocks/000.p/255", Place(Kind.BLOCKS, ORIGIN, 0, 0, 255)),
        (f"{ORIGIN}/content/999", Place(Kind.CONTENT, ORIGIN, 0, 999)),
        ("log.example.com:8443/checkpoint", Place(Kind.CHECKPOINT, "log.example.com:8443")),
    ],
)
def test_a_path_says_what_stands_there(path: str, place: Place) -> None:
    """Each sort of path, read and written."""
    assert parse(path) == place
    assert place.path == path


HOSTILE = (
    "", "/", "checkpoint", "/checkpoint", "//checkpoint", f"/{ORIGIN}/checkpoint", f"{ORIGIN}//checkpoint",
    f"{ORIGIN}/checkpoint/", f"{ORIGIN}/checkpoint/000", f"{ORIGIN}/checkpoint\n", f"{ORIGIN}/checkpoint\0",
    "../checkpoint", f"../{ORIGIN}/checkpoint", f"{ORIGIN}/../checkpoint", f"{ORIGIN}/./head", ".hidden/head",
    f"{ORIGIN}/%2e%2e/checkpoint", f"{ORIGIN}\\checkpoint", "c:\\x/checkpoint\\", f"{ORIGIN}/tile/0/../../head",
    f"{ORIGIN}/tile", f"{ORIGIN}/tile/0", f"{ORIGIN}/tile/00/000", f"{ORIGIN}/tile/64/000", f"{ORIGIN}/tile/-1/000",
    f"{ORIGIN}/tile/0/0", f"{ORIGIN}/tile/0/x000/000", f"{ORIGIN}/tile/0/000.p/0", f"{ORIGIN}/tile/0/000.p/256",
    f"{ORIGIN}/tile/0/000.p/05", f"{ORIGIN}/tile/0/000.p/", f"{ORIGIN}/tile/0/000.p/9999",
    f"{ORIGIN}/tile/0/" + "x999/" * 6 + "999", f"{ORIGIN}/tile/0/" + "x001/" * 400 + "000",
    f"{ORIGIN}/tile/0/" + "9" * 3000, f"{ORIGIN}/tile/entries/0\N{ARABIC-INDIC DIGIT ONE}0", f"{ORIGIN}/blocks/x00/000",
    f"{ORIGIN}/entries/000", f"{ORIGIN}/content/", "a/tile/head", "trust.json/head", "a/blocks/b/head", "a b/head",
    "a" * 200 + "/head", "\ud800/head", "a?/head", "a#b/head", f"{ORIGIN}/Checkpoint",
)  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_what_is_no_path_is_refused(path: str) -> None:
    """Ways out of the folder, numbers that nothing has, second forms of a path, and names that would collide."""
    with pytest.raises(MalformedError):
        parse(path)


def test_a_log_of_70000_has_the_tiles_that_the_specification_names() -> None:
    """C2SP tlog-tiles, "Partial Tiles": 273 full and one of 112 on level 0, one full and one of 17, one of 1."""
    found = list(places(ORIGIN, 70_000, 3, entries=True, content=False))
    by_level = {level: [place.width for place in found if (place.kind, place.level) == (Kind.TILE, level)]
                for level in range(4)}  # fmt: skip
    assert by_level == {0: [256] * 273 + [112], 1: [256, 17], 2: [1], 3: []}
    assert [place.width for place in found if place.kind is Kind.ENTRIES] == [256] * 273 + [112]
    assert [place.path for place in found if place.kind is Kind.BLOCKS] == [f"{ORIGIN}/blocks/000.p/3"]
    assert not [place for place in found if place.kind is Kind.CONTENT]
