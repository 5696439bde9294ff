"""The page's modules, each by itself in a real browser, to be held against the Python that they must agree with."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

from labels.verify_page import FOLDER

# What is asked of the modules: each takes bytes and gives a value, or refuses.
_PARTS = """
async () => {
  const names = ["bytes", "bundle", "cbor", "crypto", "ed25519", "header", "note", "registry", "section", "statement",
                 "trust", "verdict"];
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
    return { told, keys, labels: Array.from(state.labelKeys.keys()) };
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
    "trust": async (data) => (await m.trust.readTrust(work, ofUtf8(data))).name,
    "checkpoint": async (data, trust) => {
      const log = m.trust.logOf(await m.trust.readTrust(work, trust), "production");
      return String((await m.trust.openCheckpoint(work, log, ofUtf8(data))).size);
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
