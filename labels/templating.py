"""The templates of what is read in a browser."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

FOLDER = Path(__file__).parent / "templates"


def environment() -> Environment:
    """Jinja's environment over our templates; what comes into them is text, not HTML."""
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)
