"""The page that checks proofs in its reader's own browser: `verify/`'s modules, style and HTML as one file.

Each module becomes a function that gives what the module exports, below those that it imports; nothing else changes,
so that whoever reads the page's source reads the modules.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "verify"
STYLE = FOLDER.parent / "static" / "style.css"
_MAIN = FOLDER / "main.js"
_IMPORT = re.compile(r'^import (?:\* as (?P<whole>\w+)|\{(?P<names>[^}]*)\}) from "(?P<path>\./[^"]*)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|(?:async )?function|class) (\w+))", re.MULTILINE)
_EXPORTS = re.compile(r"^export \{([^}]*)\};?$", re.MULTILINE)


@cache
def html() -> str:
    """The whole page. Whoever makes it from these sources gets the same bytes."""
    page = (FOLDER / "index.html").read_text("utf-8").replace("POLICY", policy(), 1)
    return page.replace("STYLE", _style(), 1).replace("SCRIPT", _script(), 1)


@cache
def policy() -> str:
    """The page's Content-Security-Policy: its own script and style alone, and no network but its own site."""
    script, style = source_hash(_script()), source_hash(_style())
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )


def source_hash(text: str) -> str:
    """A script's or a style's text as a Content-Security-Policy allows it."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _style() -> str:
    return f"\n{STYLE.read_text('utf-8')}\n{(FOLDER / 'verify.css').read_text('utf-8')}"


@cache
def _script() -> str:
    return "\n" + "\n".join(_function(module) for module in _in_order(_MAIN, set()))


def _in_order(module: Path, met: set[Path]) -> Iterator[Path]:
    """The modules, each below those that it imports."""
    if module in met:
        return
    met.add(module)
    for found in _IMPORT.finditer(module.read_text("utf-8")):
        yield from _in_order((module.parent / found["path"]).resolve(), met)
    yield module


def _function(module: Path) -> str:
    text = _IMPORT.sub(lambda found: _import(module, found), module.read_text("utf-8"))
    exported = [
        *_EXPORT.findall(text),
        *(name for names in _EXPORTS.findall(text) for name in re.findall(r"\w+", names)),
    ]
    text = _EXPORTS.sub("", _EXPORT.sub("", text))
    head = f"// ---- {module.relative_to(FOLDER)}\nconst {_name(module)} = (() => {{"
    return f"{head}\n{text}\nreturn {{ {', '.join(exported)} }};\n}})();\n"


def _import(module: Path, found: re.Match[str]) -> str:
    given = found["whole"] or f"{{{found['names'].replace(' as ', ': ')}}}"
    return f"const {given} = {_name((module.parent / found['path']).resolve())};"


def _name(module: Path) -> str:
    return "module_" + re.sub(r"\W", "_", str(module.relative_to(FOLDER).with_suffix("")))
