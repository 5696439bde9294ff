"""GS1's Barcode Syntax Dictionary as its files hold it, read once: README.md says where they come from."""

from importlib import resources


def _lines(name: str) -> list[str]:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines()


def _code_lists() -> dict[str, frozenset[str]]:
    text = "\n".join(line for line in _lines("code_lists.txt") if not line.startswith("#"))
    named = (paragraph.split(":") for paragraph in text.split("\n\n") if ":" in paragraph)
    return {name.strip(): frozenset(codes.split()) for name, codes in named}


# The lines of application_identifiers.txt that are entries.
ENTRY_LINES = tuple(line for line in _lines("application_identifiers.txt") if line[:1].isdigit())

# By the name of the linter that looks them up.
CODE_LISTS = _code_lists()
