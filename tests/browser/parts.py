"""The page's modules, each by itself in a real browser, to be held against the Python that they must agree with."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from labels.verify_page import FOLDER
from ledger import b64, cbor, note
from ledger.block import Header
from ledger.errors import OutsideError
from ledger.log import Log, LogKey
from ledger.proof.bundle import Bundle
from ledger.section import Section
from ledger.statement import Statement
from ledger.trust.trust_file import Trust
from tests import cast, seeds

# What is asked of the modules: each takes bytes and gives a value, or refuses.
_PARTS = """
async () => {
  const names = ["bytes", "bundle", "cbor", "crypto", "ed25519", "header", "note", "registry", "section", "statement",
                 "trust", "verdict", "log", "succession"];
  const m = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await import(`/${name}.js`)])));
  const engines = await m.crypto.engines();
  const work = { crypto: engines.get("own"), show() {} };
  const { ofHex, hex, utf8, ofUtf8, OutsideError } = m.bytes;

  async function entries(list) {
    const state = new m.registry.Registry();
    const told = [];
    for (const [index, kid, body] of list) {
      told.push((await taken(() => state.take(work, BigInt(index), ofHex(kid), ofHex(body)))) !== null);
    }
    const keys = Array.from(state.keys.values(), ({ kid, role, name, issuer, subject, status, since, chains }) =>
      [kid, role, name, issuer, subject, status, since === null ? null : Number(since), Array.from(chains).sort()]);
    const logs = sizes(m.succession.logsOf(state));
    return { told, keys, logs, labels: Array.from(state.labelKeys.keys()) };
  }

  async function folded(messages) {
    const state = new m.registry.Registry();
    const told = [];
    for (const [index, data] of messages.entries()) {
      const { statement, sections } = m.statement.readMessage(ofHex(data));
      const read = m.statement.readStatement(statement);
      told.push((await taken(() => state.apply(work, BigInt(index), read, sections))) !== null);
    }
    return { told, logs: sizes(m.succession.logsOf(state)) };
  }

  const sizes = (logs) => Object.fromEntries(Array.from(logs.values(), ({ chain, keys }) => [chain, keys.map(
    ({ vkey, first, last }) => [vkey, String(first), last === null ? null : String(last)])]));

  async function trusted(data) {
    const { name, genesis, logs, expiresAt } = await m.trust.readTrust(work, ofUtf8(data));
    return [name, hex(genesis), sizes(logs), expiresAt ?? null];
  }

  async function taken(read) {
    try {
      return { value: await read() };
    } catch (error) {
      if (error instanceof OutsideError) return null;
      throw error;
    }
  }

  const said = (contentFormat) => (body, [subject, issuedAt]) => {
    const statement = { subject, issuedAt: BigInt(issuedAt), manifest: [{ privacy: 0, contentFormat }] };
    const { said, fault } = m.verdict.shown(statement, 0, body);
    return { said: said === null ? null : m.verdict.plain(said.document ?? said), refused: fault !== null };
  };
  const readers = {
    "cbor": (data) => void m.cbor.decode(data),
    "cbor item": (data) => void m.cbor.decode(data, { plain: false }),
    "statement": (data) => hex(m.statement.readStatement(data).signed),
    "section": (data) => hex(m.section.bodyOf(data)),
    "header": (data) => hex(m.header.readHeader(data).root),
    "bundle": (data) => m.bundle.readBundle(data).chain,
    "trust": trusted,
    "checkpoint": async (data, trust) => {
      const log = m.trust.logOf(await m.trust.readTrust(work, trust), "production");
      return String((await m.log.openCheckpoint(work, log, ofUtf8(data))).size);
    },
    "key": async (data) => (await m.note.readVerifierKey(work, ofUtf8(data))).name,
    ...Object.fromEntries([112, 65000, 65001, 65002, 65010].map((format) => [`content ${format}`, said(format)])),
  };
  async function holds(name, vector) {
    const byEngine = { crypto: engines.get(name), show() {} };
    return (await taken(() => m.ed25519.verify(byEngine, ...vector.map(ofHex)))) !== null;
  }
  window.parts = {
    read: (name, data, more) => taken(() => readers[name](ofHex(data), more)),
    entries,
    folded,
    types: m.registry.TYPES,
    holds: (name, vectors) => Promise.all(vectors.map((vector) => holds(name, vector))),
  };
}
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Tell nobody."""


@contextmanager
def parts(browser: Browser) -> Iterator[Page]:
    """A page that has the modules as `window.parts`, served by a server of its own."""
    handler = functools.partial(_Quiet, directory=str(FOLDER))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/verify.css")
        page.evaluate(_PARTS)
        yield page
        page.close()
        server.shutdown()


# The same in Python

LOG = Log("production", note.Verifier(cast.ORIGIN, cast.LOG.public))
TRUST = Trust("example.com", seeds.HASH, {"production": LOG})
_ROOT = b64.encode(seeds.HASH)
_TEXTS = (
    seeds.CHECKPOINT.text, f"{cast.ORIGIN}\n03\n{_ROOT}\n", f"{cast.ORIGIN}\n{2**63 - 1}\n{_ROOT}\n",
    f"{cast.ORIGIN}\n{2**63}\n{_ROOT}\n", f"{cast.ORIGIN}\n+3\n{_ROOT}\n", f"{cast.ORIGIN}\n3\n{_ROOT[:-4]}\n",
    f"{cast.ORIGIN}\n3\n{_ROOT[:-2]}9=\n", f"{cast.ORIGIN}\n3\n", f"{cast.ORIGIN}\n3\n{_ROOT}\n\nx\n",
    f"\n3\n{_ROOT}\n",
    f"{cast.ORIGIN}\n3\n{_ROOT}\n\u2028\n", f"elsewhere\n3\n{_ROOT}\n", f"{cast.ORIGIN}\n0\n{_ROOT}\nx\n",
)  # fmt: skip
NOTES = (seeds.NOTE.encode(), *(note.sign(text, [note.Signer(cast.ORIGIN, cast.LOG)]).encode() for text in _TEXTS))


def sizes(keys: Sequence[LogKey]) -> list[Any]:
    """A log's keys with the sizes that they sign for, as the modules tell them."""
    return [[key.verifier.vkey, str(key.first), None if key.last is None else str(key.last)] for key in keys]


def _trusted(trust: Trust) -> Any:
    keys = {chain: sizes(log.keys) for chain, log in trust.logs.items()}
    return [trust.name, trust.genesis.hex(), keys, None if trust.bundle is None else trust.bundle.expires_at]


READERS: dict[str, tuple[Callable[[bytes], Any], tuple[bytes, ...]]] = {
    "cbor": (lambda data: bool(cbor.decode(data)) and None, seeds.CBOR),
    "cbor item": (lambda data: bool(cbor.decode_item(data, depth_max=16)) and None, seeds.CBOR),
    "statement": (lambda data: Statement.decode(data)._to_be_signed.hex(), seeds.STATEMENTS),
    "section": (lambda data: Section.decode(data).body.hex(), seeds.SECTIONS),
    "header": (lambda data: Header.decode(data).root.hex(), seeds.HEADERS),
    "bundle": (lambda data: Bundle.decode(data).chain, seeds.BUNDLES),
    "trust": (
        lambda data: _trusted(Trust.parse(data.decode())),
        (seeds.TRUST.text.encode(), TRUST.text.encode()),
    ),
    "checkpoint": (lambda data: str(LOG.open(data.decode()).size), NOTES),
    "key": (lambda data: note.Verifier.parse(data.decode()).name, (LOG.verifier.vkey.encode(),)),
}


def agree(modules: Page, name: str, data: bytes) -> None:
    """Both take `data` and have the same of it, or both refuse it."""
    read, _ = READERS[name]
    try:
        ours: dict[str, Any] | None = {"value": read(data)}
    except (OutsideError, UnicodeDecodeError):
        ours = None
    theirs = modules.evaluate("(a) => parts.read(...a)", [name, data.hex(), TRUST.text])
    if theirs == {}:  # a value of JavaScript's that is none
        theirs = {"value": None}
    if ours is not None and ours["value"] in (False, None):
        ours = {"value": None}
    assert theirs == ours, data.hex()
