"""Arrows are a test: who may import whom."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("edge", "gateway", "labels", "ledger", "deploy")
MAY_IMPORT = {
    "ledger": {"ledger"},
    "edge": {"edge", "ledger"},
    "gateway": {"gateway", "ledger"},
    "labels": {"labels", "ledger"},
    "deploy": {"deploy", *FOLDERS},
}
# What does I/O, or is called by it. Every other module is pure: bytes and time are arguments.
IMPURE = {
    "ledger": {
        "audit.cli", "audit.database", "audit.published", "audit.resume", "audit.worker", "audit.workers",
        "backup.backup", "backup.cli", "backup.disk", "backup.restore", "backup.timescale", "bearer", "checkpoint_file",
        "cli", "command_line", "database", "folder", "genesis", "inbox", "log_keys.cli", "log_keys.keyring",
        "log_keys.rotate", "mirror.cli", "mirror.evidence", "mirror.fill", "mirror.following", "mirror.growth",
        "mirror.held", "mirror.importing", "mirror.mirror", "mirror.settling", "mirror.store", "monitor.cli",
        "monitor.running", "monitor.state_file", "monitor.webhook", "operate", "pgcopy", "pool", "postgres_programs",
        "projection.tables", "proof.cli", "proof.product_search", "proof.prove", "proof.proving", "published.cli",
        "published.database", "published.export", "published.folder", "published.http", "published.location",
        "published.serve", "published.tokens", "published.writer", "read", "rollback.accept", "rollback.cli",
        "rollback.standing", "seal", "serving", "settings", "shred.aggregates", "shred.clean", "shred.cli",
        "shred.delete", "shred.shred", "tree_store", "trust.cli", "trust.keeping",
    },
    "gateway": {
        "ages", "anchor_chain", "answers", "chain", "chain_service", "check", "check_broker", "check_database", "cli",
        "findings", "intake", "kept", "metrics", "probe", "quarantine", "quarantine_cli", "repeats", "replays",
        "replies", "service", "web",
    },
    "edge": {
        "agent", "cli", "config", "event_file", "folder", "locks", "log_keys", "publisher", "sensors", "sensors.csv",
        "sensors.host", "service", "signer", "spool", "status",
    },
    "labels": {
        "catalogue.cli", "catalogue.describe", "catalogue.picture", "catalogue.pictures", "cli", "clock", "gs1_cli",
        "hidden.cli", "hidden.client", "hidden.form", "hidden.keys", "hidden.redeem", "hidden.stored", "hidden.storing",
        "hidden.web", "issuing.cli", "issuing.drawing", "issuing.export", "issuing.issue", "issuing.issuers",
        "issuing.keys", "issuing.request", "issuing.revoke", "issuing.signing", "issuing.spool", "issuing.storing",
        "issuing.web", "keeper", "listed", "logistic.asked", "logistic.checked", "logistic.cli", "logistic.given",
        "logistic.issue", "logistic.layout", "logistic.lettering", "logistic.render", "logistic.symbols", "options",
        "pages.cli", "pages.gs1_resolver", "pages.guard", "pages.proofs", "pages.resolve", "pages.sessions",
        "pages.store", "pages.uploads", "pages.web", "printers.asked", "printers.brother", "printers.chosen",
        "printers.cli", "printers.faces", "printers.medium", "printers.options", "printers.outlet", "printers.printer",
        "printers.raster", "printers.renderer", "printers.wire", "printers.zebra", "printing.cli", "printing.decoded",
        "printing.face", "printing.files", "printing.folder", "printing.fonts", "printing.journal", "printing.lot",
        "printing.outlet", "printing.overview", "printing.pdf", "printing.qr", "printing.readback",
        "printing.renderers", "printing.run", "printing.specimen", "printing.svg", "printing.workers", "reading.apart",
        "reading.child", "reading.cli", "reading.decode", "reading.judges", "reading.picture", "reconciling.cli",
        "reconciling.groups", "reconciling.mark", "reconciling.reconcile", "reconciling.scans", "templating", "uses",
        "verify_page",
    },
}  # fmt: skip
PURE_LIBRARIES = {"cbor2", "nacl"}


def _modules(folder: str) -> Iterator[Path]:
    return (path for path in sorted((ROOT / folder).rglob("*.py")) if "__pycache__" not in path.parts)


def _name(path: Path, folder: str) -> str:
    """A module's dotted name below its folder; a package's for its __init__."""
    parts = path.relative_to(ROOT / folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, also inside its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", FOLDERS)
def test_arrows_point_to_the_ledger_and_from_deploy(folder: str) -> None:
    """No folder imports another that DESIGN's picture does not let it."""
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _modules(folder)
        for name in _imports(path)
        if name.partition(".")[0] in {*FOLDERS, "tests"} - MAY_IMPORT[folder]
    }
    assert not found


@pytest.mark.parametrize("folder", IMPURE)
def test_a_pure_module_imports_only_pure_ones(folder: str) -> None:
    """Beside the standard library, cbor2 and nacl, a pure module imports only pure modules of ours."""
    impure = {f"{name}.{module}" for name, modules in IMPURE.items() for module in modules}
    found = set()
    for path in _modules(folder):
        if _name(path, folder) in IMPURE[folder]:
            continue
        for name in _imports(path):
            top = name.partition(".")[0]
            outside = top not in FOLDERS and top not in sys.stdlib_module_names and top not in PURE_LIBRARIES
            if outside or name in impure:
                found.add(f"{path.relative_to(ROOT)} imports {name}")
    assert not found


def test_only_a_command_line_is_on_top() -> None:
    """Nothing but another cli imports a cli module: it is where a person comes in."""
    callers = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in _modules(folder)
        for name in _imports(path)
        if name.endswith(".cli") and path.stem not in ("cli", "demo")
    }
    assert not callers
