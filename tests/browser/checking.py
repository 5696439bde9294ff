"""The page that checks proofs, as a reader uses it, beside what `ledger verify` makes of the same."""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import FilePayload

from ledger.errors import OutsideError
from ledger.proof.bundle import Bundle
from ledger.proof.verify import verify
from ledger.trust.trust_file import Trust
from tests.browser.viewing import Shown


def ready(shown: Shown) -> Shown:
    """The page, once it listens."""
    shown.page.wait_for_selector("html[data-ready=yes]")
    return shown


def reports(shown: Shown, bundles: Sequence[bytes], trust: str, engine: str) -> list[dict[str, Any]]:
    """What the page makes of each bundle: ok, failed, error, document, what was revoked, and the steps' states."""
    told: list[dict[str, Any]] = shown.page.evaluate(
        """async ([bundles, trust, engine]) => {
          const made = [];
          for (const bundle of bundles) {
            const data = Uint8Array.from(atob(bundle), (character) => character.charCodeAt(0));
            const { ok, failed, error, document, steps, revoked } = await tallystick.report(data, trust, engine);
            made.push({ ok, failed, error, document, revoked, states: steps.map(({ state }) => state) });
          }
          return made;
        }""",
        [[b64encode(bundle).decode() for bundle in bundles], trust, engine],
    )
    return told


def ours(bundle: bytes, trust: Trust) -> dict[str, Any]:
    """What `ledger verify` makes of it: the verdict's document, or the step that fails."""
    try:
        verdict = verify(Bundle.decode(bundle), trust)
    except OutsideError as error:
        step = re.match(r"step (\d) ", str(error))
        return {"ok": False, "failed": int(step[1]) if step else "bundle", "document": None}
    return {"ok": True, "failed": None, "document": json.loads(json.dumps(verdict.document))}


def same_as_ours(shown: Shown, bundles: Sequence[bytes], trust: Trust, engine: str = "browser") -> list[dict[str, Any]]:
    """The page's reports, each of which says what `ledger verify` says."""
    told = reports(shown, bundles, trust.text, engine)
    for number, (bundle, report) in enumerate(zip(bundles, told, strict=True)):
        found = {name: report[name] for name in ("ok", "failed", "document")}
        assert found == ours(bundle, trust), f"bundle {number}: {report['error']}"
    return told


def give(shown: Shown, bundle: bytes | str, trust: bytes) -> None:
    """Choose the two files as a reader does."""
    for kind, data in (("trust", trust), ("bundle", bundle)):
        chosen: Any = data if isinstance(data, str) else FilePayload(name=f"x.{kind}", mimeType="", buffer=data)
        shown.page.set_input_files(f"input[data-kind={kind}]", chosen)
        shown.page.wait_for_function("() => [...document.querySelectorAll('input[type=file]')].every(i => !i.value)")


def headline(shown: Shown) -> str:
    """The verdict's large words."""
    return shown.text("#verdict h1")


def opened(shown: Shown, step: int) -> str:
    """What a step says, opened to its bytes: they are written when it opens."""
    place = f"#checks li[data-step='{step}']"
    shown.page.click(f"{place} summary")
    shown.page.wait_for_selector(f"{place} details[open] > :not(summary)")
    return shown.text(place)
