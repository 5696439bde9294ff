// The page's own doings: which files there are, and what is shown of them.

import { OutsideError, ofUtf8, refuse } from "./bytes.js";
import { engines } from "./crypto.js";
import { element, printable } from "./elements.js";
import { fetchBundle, fetchTrust, hasSite, looksLikeTrust, readFile } from "./sources.js";
import { asDocument } from "./verdict.js";
import { check } from "./verify.js";
import * as view from "./view.js";

const HASH = /^[0-9a-f]{64}$/;
const at = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search);
const files = { bundle: null, trust: null }; // each {name, data, isFromSite}
let able = new Map();
let engine = null;
let run = 0;

/** For an expert's console: the report of a bundle's bytes under a trust file's text. */
async function report(data, trustText, name = engine.name) {
  const made = await check(able.get(name), data, trustText);
  return { ...made, document: made.verdict && asDocument(made.verdict) };
}

async function begin() {
  able = await engines();
  engine = able.get(asked.get("engine")) ?? able.values().next().value;
  globalThis.tallystick = Object.freeze({ report, engines: Array.from(able.keys()) });
  listen();
  showEngine();
  if (hasSite()) await loadFromSite(asked.get("statement"));
  document.documentElement.dataset.ready = "yes";
}

function listen() {
  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () =>
      attempt(() => take(input.files, input.dataset.kind)).then(() => (input.value = "")),
    );
  }
  const stop = (event) => event.preventDefault();
  for (const name of ["dragover", "drop"]) document.addEventListener(name, stop);
  document.addEventListener("dragover", () => at("files").classList.add("over"));
  document.addEventListener("dragleave", () => at("files").classList.remove("over"));
  document.addEventListener("drop", (event) => {
    at("files").classList.remove("over");
    attempt(() => take(event.dataTransfer.files));
  });
  at("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(() => loadStatement(at("hash").value.trim().toLowerCase()));
  });
  at("other").addEventListener("click", () => attempt(switchEngine));
}

/** Take files that were chosen for their `kind`, or dropped, and then sorted by what they look like. */
async function take(chosen, kind = null) {
  for (const file of chosen) {
    const data = await readFile(file);
    const place = kind ?? (looksLikeTrust(data) ? "trust" : "bundle");
    files[place] = { name: file.name, data, isFromSite: false };
  }
  await judge();
}

async function loadFromSite(hash) {
  at("site").hidden = at("save").hidden = false;
  await attempt(async () => {
    files.trust ??= { name: "trust.json", data: await fetchTrust(), isFromSite: true };
    if (hash !== null) await loadStatement(hash);
    else await judge();
  });
}

async function loadStatement(hash) {
  at("hash").value = hash;
  if (!HASH.test(hash)) refuse("a statement's hash is 64 hexadecimal digits");
  files.bundle = null;
  files.bundle = { name: `${hash.slice(0, 16)}.bundle`, data: await fetchBundle(hash), isFromSite: true };
  await judge();
}

async function switchEngine() {
  engine = able.get(engine.name === "own" ? "browser" : "own");
  showEngine();
  await judge();
}

function showEngine() {
  at("engine").textContent = engine.told;
  at("other").textContent =
    `Check again with ${engine.name === "own" ? "the browser’s cryptography" : "the page’s own code"}`;
}

/** Do something; what was wrong with what was given is told in the verdict's place. */
async function attempt(work) {
  try {
    at("complaint").hidden = true;
    await work();
  } catch (error) {
    const told = error instanceof OutsideError ? error.message : `this page has a fault: ${error.message}`;
    at("complaint").textContent = printable(`${told[0].toUpperCase()}${told.slice(1)}.`);
    at("complaint").hidden = false;
    showFiles();
    showReport(null);
    if (!(error instanceof OutsideError)) throw error;
  }
}

/** Check what there is, once both files are there. */
async function judge() {
  showFiles();
  const mine = (run += 1);
  if (!files.bundle || !files.trust) return showReport(null);
  const made = await check(engine, files.bundle.data, text(files.trust.data));
  if (mine === run) showReport(made);
}

/** A trust file's text, however the way here ends its lines: the command reads files so. */
function text(data) {
  try {
    return ofUtf8(data).replace(/\r\n?/g, "\n");
  } catch {
    return "\0"; // no JSON
  }
}

function showFiles() {
  for (const [kind, file] of Object.entries(files)) {
    at(kind).textContent = file ? printable(file.name) : "none yet";
    at(kind).className = file ? "chosen" : "quiet";
    at(`${kind}-from`).textContent = file ? (file.isFromSite ? "fetched from this site" : "from your disk") : "";
  }
}

function showReport(made) {
  at("intro").hidden = made !== null;
  at("other").hidden = made === null || able.size < 2;
  const parts = made
    ? [
        view.verdict(made),
        view.said(made),
        view.checks(made, engine),
        made.trust && view.limits(made, files.trust.isFromSite),
      ]
    : [];
  at("report").replaceChildren(...parts.filter((part) => part !== null));
  if (made) scrollTo(0, 0);
  document.title = made
    ? `${at("verdict").querySelector("h1").textContent} · Tallystick`
    : "Check a proof yourself · Tallystick";
}

begin().catch((error) => {
  document.body.prepend(element("p", { class: "note" }, `This page does not work in this browser: ${error.message}`));
  throw error;
});
