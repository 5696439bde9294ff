// The page's parts, made from a report: the verdict, what was said, the nine checks, and what none of them can show.

import { hex } from "./bytes.js";
import { facts, section, time } from "./content.js";
import { element, folded, printable, sign } from "./elements.js";
import { evidence } from "./evidence.js";
import { words } from "./verdict.js";

const DAY_S = 86_400;
const MARKS = {
  passed: ["✓", "good", "passed"],
  unknown: ["?", "open", "open"],
  failed: ["✗", "bad", "failed"],
  "not reached": ["–", "none", "not reached"],
};

const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** The large answer on top. */
export function verdict(report) {
  const { kind, headline, told } = answer(report);
  const passed = report.steps.filter((step) => step.state === "passed").length;
  const marks = report.steps.length
    ? [fact(passed === 9 ? "good" : report.ok ? "" : "bad", `${passed} of 9`, "checks passed")]
    : [];
  if (report.ok) {
    marks.push(report.verdict.anchored ? fact("", "Anchored", "") : fact("bad", "Not anchored", "yet"));
    if (report.revoked)
      marks.push(
        fact(
          "bad",
          report.revoked.isDisputed ? "Disputed" : "Revoked",
          report.revoked.isDisputed ? "by its operator" : "later: its key",
        ),
      );
    if (report.trust.expiresAt <= Date.now() / 1000) marks.push(fact("bad", "Expired", "trust bundle"));
    marks.push(fact("", "No", "outside witness: the operator’s word"));
  }
  const inside = element(
    "div",
    {},
    element("h1", {}, headline),
    ...told.map((line) => element("p", {}, printable(line))),
    marks.length ? element("ul", { class: "facts" }, marks) : null,
  );
  return element("section", { class: `verdict ${kind}`, id: "verdict", role: "status" }, sign(kind), inside);
}

const fact = (kind, bold, rest) =>
  element("li", kind ? { class: kind } : {}, element("b", {}, bold), rest ? ` ${rest}` : "");

function answer(report) {
  if (report.failed === "trust") {
    return {
      kind: "problem",
      headline: "This is not a trust file",
      told: [sentence(report.error), "Without one, nothing can be checked."],
    };
  }
  if (report.other) {
    return {
      kind: "unproven",
      headline: "This page cannot check that file",
      told: [
        `It looks like ${report.other}; nothing of it was checked here.`,
        "This page checks the proof of one statement: a file that ends in .bundle, of at most 4 MiB. The command “tallystick ledger verify” checks the others.",
      ],
    };
  }
  if (report.failed === "bundle") {
    return {
      kind: "problem",
      headline: "This is not a proof",
      told: [sentence(report.error), "A statement's proof is a file that ends in .bundle, of at most 4 MiB."],
    };
  }
  if (!report.ok) {
    const failed = report.steps[report.failed - 1];
    const told = [
      `Check ${failed.number} fails: ${failed.sentence}`,
      "Do not rely on this statement. Ask for the proof anew, and see that the trust file is the operator’s newest.",
    ];
    return { kind: "problem", headline: "The proof does not hold", told: told.map(sentence) };
  }
  const { device, organisation, statement, anchored } = report.verdict;
  const told = [
    `“${device}” of ${organisation || statement.issuer} signed this statement, and the ledger “${report.trust.name}” holds it, unchanged.`,
  ];
  if (report.revoked?.isDisputed)
    return {
      kind: "unproven",
      headline: "The proof holds, but is disputed",
      told: [...told, disputed(report.revoked)],
    };
  if (anchored) return { kind: "genuine", headline: "The proof holds", told };
  return {
    kind: "unproven",
    headline: "The proof holds, but is not anchored yet",
    told: [...told, "Nobody has signed for the time of its block yet. Ask for the proof again later."],
  };
}

const disputed = ({ entry }) =>
  `Its key was revoked later, by registry entry ${entry}, and the operator says that from a place before this one on a thief may have signed.`;

/** What the statement says; null if it is not proven that it was said. */
export function said({ verdict: proven }) {
  if (!proven) return null;
  const sections = proven.sections.map(section);
  return element(
    "section",
    { class: "card", id: "said" },
    element("h2", {}, "What was said"),
    ...sections,
    element("h3", {}, "Who said it, and when"),
    facts(proven),
  );
}

/** The nine checks; null if there was nothing to check. */
export function checks({ steps }, engine) {
  if (!steps.length) return null;
  return element(
    "section",
    { class: "card", id: "checks" },
    element("h2", {}, "The nine checks"),
    element("p", { class: "quiet" }, `Done here, by ${engine.told}. Open a check to see its bytes.`),
    element("ol", { class: "checks" }, steps.map(check)),
  );
}

function check(step) {
  const [mark, kind, told] = MARKS[step.state];
  const title = element(
    "span",
    { class: "claim" },
    step.state === "failed" ? `Not so: ${step.claim}.` : sentence(step.claim),
  );
  const bead = element(
    "span",
    { class: "bead", title: told },
    element("span", { "aria-hidden": "true" }, mark),
    element("span", { class: "unseen" }, told),
  );
  const line = step.sentence ? element("span", { class: "line" }, printable(sentence(step.sentence))) : null;
  const head = [
    bead,
    element("span", { class: "number" }, `${step.number}`),
    element("span", { class: "words" }, title, line),
  ];
  const inside = step.evidence.length
    ? folded(head, () => evidence(step.evidence))
    : element("div", { class: "bare" }, head);
  return element("li", { class: kind, "data-step": step.number }, inside);
}

/** A trust bundle's times, by the operator's word; `now` in seconds since 1970. */
function age({ issuedAt, expiresAt }, now = Date.now() / 1000) {
  if (issuedAt > now + DAY_S)
    return `The trust bundle says to be issued on ${time(issuedAt)}, more than a day from now. Is this clock set? Its age tells nothing.`;
  if (now >= expiresAt)
    return `The trust bundle expired on ${time(expiresAt)}: what was revoked since is not in it. Ask the operator for a new one.`;
  return `What was revoked after the trust bundle was issued, on ${time(issuedAt)}, is not in it; it expires on ${time(expiresAt)}.`;
}

/** What no check here can show. */
export function limits({ verdict: proven, trust, revoked }, trustIsFromSite) {
  const lines = proven ? words(proven).map((line) => sentence(line)) : [];
  if (revoked)
    lines.push(
      revoked.isDisputed
        ? disputed(revoked)
        : `Its key was revoked later, by registry entry ${revoked.entry}; this statement is not disputed.`,
    );
  if (trust.expiresAt !== undefined) lines.push(age(trust));
  if (proven)
    lines.push(
      "That what a device said is true is not shown here: only that it said so, and that nobody changed it since.",
    );
  const print = element("code", {}, hex(trust.genesis));
  const from = trustIsFromSite
    ? "The trust file came from this very site, so the site agrees with itself. Get it from the operator by another way, too; it is the same if its genesis is "
    : "Everything rests on your trust file. It must be the operator’s, come to you by a way that nobody else controls; its genesis is ";
  return element(
    "section",
    { class: "card limits", id: "limits" },
    element("h2", {}, "What this does not show"),
    element(
      "ul",
      {},
      lines.map((line) => element("li", {}, line)),
      element("li", {}, from, print, "."),
    ),
  );
}
